//! Records of what happens in a run, for observers. `pkg-template/src/runtime/lifecycle-reader.ts` makes lifecycle
//! events of them.
//!
//! A record is a command that nothing has to be done for. It stands among the other commands where it happened, so a
//! host that reports records as it executes commands reports everything in one order. A run writes records only while
//! it is traced ([`Engine::trace`]). Then every tick goes the general way, where the records are written. Nothing else
//! depends on it (`tests/engine_trace.rs`: `tracing_changes_nothing_else`).

use super::Engine;
use super::ids::{Event, EventTypeId, InvocationId, Millis, Slot, StepId, TimerKey};
use super::reduce::Reducer;
use super::state::{Invocation, Phase};
use super::words::NONE;

/// What a record is about. The number is what the host reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TraceKind {
    /// An invocation was made of a complete set of events: those in [`Trace::inputs`]; [`Trace::slot`] came last.
    StepQueued = 0,
    /// An attempt starts. The value has the place of its invocation, and the generation above bit 32.
    StepStarted = 1,
    /// An attempt waits for an event of the type in [`Trace::inputs`], or sleeps when that is empty. The value is how
    /// long at most, in milliseconds.
    StepWaiting = 2,
    /// An attempt failed and another follows. The slot has the failure, the value is the delay in milliseconds.
    StepRetrying = 3,
    /// An attempt succeeded.
    StepSucceeded = 4,
    /// An attempt failed for good. The slot has the failure.
    StepFailed = 5,
    /// An attempt has used up its time. The host reports it as failed next.
    StepTimedOut = 6,
    /// An event enters the run: from an invocation, or from outside. The value is the number of the tick.
    EventSent = 7,
    /// A step gets the event. The invocation is the one that it completes the inputs of, or that waits for it; only the
    /// latter has an attempt.
    EventDelivered = 8,
    /// The event is kept for a later wait.
    EventKept = 9,
    /// The event is dropped: as many as allowed are kept already.
    EventDropped = 10,
    /// The run starts; the value is 1 when it resumes from a snapshot.
    RunStarted = 11,
    /// The run waits for the outside.
    RunWaiting = 12,
    /// Nothing is left in the run but deadlines.
    RunSleeping = 13,
    /// The run does not wait any more.
    RunWoke = 14,
    /// The run ends. The slot has its stop event or its failure.
    RunEnded = 15,
    /// Not something that happens: an attempt that was running when tracing began. The value is as of a start.
    StepRunning = 16,
}

impl TraceKind {
    const ALL: [TraceKind; 17] = [
        TraceKind::StepQueued,
        TraceKind::StepStarted,
        TraceKind::StepWaiting,
        TraceKind::StepRetrying,
        TraceKind::StepSucceeded,
        TraceKind::StepFailed,
        TraceKind::StepTimedOut,
        TraceKind::EventSent,
        TraceKind::EventDelivered,
        TraceKind::EventKept,
        TraceKind::EventDropped,
        TraceKind::RunStarted,
        TraceKind::RunWaiting,
        TraceKind::RunSleeping,
        TraceKind::RunWoke,
        TraceKind::RunEnded,
        TraceKind::StepRunning,
    ];
}

/// A record.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// What it is about.
    pub kind: TraceKind,
    /// When, in the run's alive time.
    pub time: Millis,
    /// The step.
    pub step: Option<StepId>,
    /// The invocation, by its place among all arrivals of the run. It keeps that through all attempts and recoveries.
    pub invocation: Option<u64>,
    /// The attempt, from 1; 0 where there is none.
    pub attempt: u32,
    /// The payload that it is about.
    pub slot: Option<Slot>,
    /// A number that depends on the kind.
    pub value: Option<u64>,
    /// The slots of the inputs, or the type that is waited for.
    pub inputs: Vec<u32>,
}

/// The words of a record between its number and its list.
pub(super) const FIXED: usize = 10;

/// A record to be written: what is left out is none.
pub(super) struct Record {
    pub kind: TraceKind,
    pub step: u32,
    pub invocation: u64,
    pub attempt: u32,
    pub slot: u32,
    pub value: u64,
}

/// No invocation and no value: [`NONE`] in both halves.
const NOTHING: u64 = u64::MAX;

impl Record {
    pub(super) const fn new(kind: TraceKind) -> Record {
        Record { kind, step: NONE, invocation: NOTHING, attempt: 0, slot: NONE, value: NOTHING }
    }

    fn of(kind: TraceKind, invocation: &Invocation) -> Record {
        let (step, order, attempt) = (invocation.step.0, invocation.order, invocation.attempt);
        Record { step, invocation: order, attempt, ..Record::new(kind) }
    }

    /// Everything but the list, for [`Trace::read`].
    pub(super) fn words(&self, now: Millis) -> [u32; FIXED] {
        let halves = |number: u64| [number as u32, (number >> 32) as u32];
        let ([now, later], [low, high], [value, above]) = (halves(now.0), halves(self.invocation), halves(self.value));
        [self.kind as u32, now, later, self.step, low, high, self.attempt, self.slot, value, above]
    }
}

impl Trace {
    pub(super) fn read(words: &[u32; FIXED], inputs: &[u32]) -> Trace {
        let [kind, now, later, step, low, high, attempt, slot, value, above] = *words;
        let joined = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
        let some = |number: u64| (number != NOTHING).then_some(number);
        Trace {
            kind: TraceKind::ALL[kind as usize],
            time: Millis(joined(now, later)),
            step: (step != NONE).then_some(StepId(step)),
            invocation: some(joined(low, high)),
            attempt,
            slot: (slot != NONE).then_some(Slot(slot)),
            value: some(joined(value, above)),
            inputs: inputs.to_vec(),
        }
    }
}

impl Engine {
    /// Begins or ends tracing: whether the run writes records, from now on. When it begins, there is a record of each
    /// attempt that is running. Only to be called while no commands are left.
    pub fn trace(&mut self, is_traced: bool) {
        self.commands.set_traced(is_traced);
        self.commands.begin();
        if is_traced {
            for (id, invocation) in self.state.invocations.iter() {
                if invocation.phase == Phase::Running {
                    let record = Record { value: place(id), ..Record::of(TraceKind::StepRunning, invocation) };
                    self.commands.record(self.state.now, &record, &[]);
                }
            }
        }
    }
}

fn place(id: InvocationId) -> u64 {
    u64::from(id.generation) << 32 | u64::from(id.index)
}

/// Each writes a record when the run is traced. Only the check is at the place of the call; the rest is out of its way.
impl Reducer<'_> {
    /// Something that concerns the run alone.
    #[inline]
    pub(super) fn trace_run(&mut self, kind: TraceKind, slot: Option<Slot>, value: Option<u64>) {
        if self.out.is_traced() {
            self.write_run(kind, slot, value);
        }
    }

    /// Something that happens to an event that no step gets.
    #[inline]
    pub(super) fn trace_event(&mut self, kind: TraceKind, event: Event) {
        self.trace_run(kind, Some(event.slot), None);
    }

    #[cold]
    #[inline(never)]
    fn write_run(&mut self, kind: TraceKind, slot: Option<Slot>, value: Option<u64>) {
        let (slot, value) = (slot.map_or(NONE, |slot| slot.0), value.unwrap_or(NOTHING));
        self.out.record(self.state.now, &Record { slot, value, ..Record::new(kind) }, &[]);
    }

    /// An event enters the run, from outside or from an invocation that may be out of the table by now.
    #[inline]
    pub(super) fn trace_sent(&mut self, event: Event, from: Option<&Invocation>) {
        if self.out.is_traced() {
            let ticks = self.state.ticks;
            match from {
                Some(from) => self.write_of(TraceKind::EventSent, from, Some(event.slot), ticks),
                None => self.write_run(TraceKind::EventSent, Some(event.slot), Some(ticks)),
            }
        }
    }

    /// As [`trace_sent`](Self::trace_sent), from an invocation in the table.
    #[inline]
    pub(super) fn trace_sent_by(&mut self, event: Event, from: Option<InvocationId>) {
        if self.out.is_traced() {
            let (kind, slot, ticks) = (TraceKind::EventSent, Some(event.slot), self.state.ticks);
            match from {
                Some(from) => self.write_step(kind, from, slot, ticks, &[]),
                None => self.write_run(kind, slot, Some(ticks)),
            }
        }
    }

    /// A step gets an event, and with it perhaps a complete set of inputs: then `invocation` is that of the set.
    #[inline]
    pub(super) fn trace_delivered(&mut self, event: Event, step: StepId, invocation: Option<u64>) {
        if self.out.is_traced() {
            self.write_delivered(event, step, invocation);
        }
    }

    #[cold]
    #[inline(never)]
    fn write_delivered(&mut self, event: Event, step: StepId, invocation: Option<u64>) {
        let (step, invocation, slot) = (step.0, invocation.unwrap_or(NOTHING), event.slot.0);
        let record = Record { step, invocation, slot, ..Record::new(TraceKind::EventDelivered) };
        self.out.record(self.state.now, &record, &[]);
    }

    /// An event goes to an attempt that waits for it.
    #[inline]
    pub(super) fn trace_taken(&mut self, event: Event, id: InvocationId) {
        self.trace_step(TraceKind::EventDelivered, id, Some(event.slot), None);
    }

    /// An invocation was made, of events of which `last` came last, if one did.
    #[inline]
    pub(super) fn trace_queued(&mut self, id: InvocationId, last: Option<Slot>) {
        if self.out.is_traced() {
            self.write_queued(id, last);
        }
    }

    #[cold]
    #[inline(never)]
    fn write_queued(&mut self, id: InvocationId, last: Option<Slot>) {
        let Some(invocation) = self.state.invocations.get(id) else { return };
        let inputs: Vec<u32> = invocation.inputs.as_slice().iter().map(|event| event.slot.0).collect();
        self.write_step(TraceKind::StepQueued, id, last, NOTHING, &inputs);
    }

    /// An attempt starts.
    #[inline]
    pub(super) fn trace_started(&mut self, id: InvocationId) {
        if self.out.is_traced() {
            self.write_step(TraceKind::StepStarted, id, None, place(id), &[]);
        }
    }

    /// An attempt waits until the deadline of a timer: for an event of a type, or sleeps.
    #[inline]
    pub(super) fn trace_waiting(&mut self, id: InvocationId, ty: Option<EventTypeId>, timer: Option<TimerKey>) {
        if self.out.is_traced() {
            self.write_waiting(id, ty, timer);
        }
    }

    #[cold]
    #[inline(never)]
    fn write_waiting(&mut self, id: InvocationId, ty: Option<EventTypeId>, timer: Option<TimerKey>) {
        let timer = timer.and_then(|key| self.state.timers.get(&key));
        let delay = timer.map_or(NOTHING, |timer| timer.deadline.since(self.state.now).0);
        let ty = ty.map(|ty| ty.0);
        self.write_step(TraceKind::StepWaiting, id, None, delay, ty.as_slice());
    }

    /// Something that happens to an invocation.
    #[inline]
    pub(super) fn trace_step(&mut self, kind: TraceKind, id: InvocationId, slot: Option<Slot>, value: Option<Millis>) {
        if self.out.is_traced() {
            self.write_step(kind, id, slot, value.map_or(NOTHING, |value| value.0), &[]);
        }
    }

    #[cold]
    #[inline(never)]
    fn write_step(&mut self, kind: TraceKind, id: InvocationId, slot: Option<Slot>, value: u64, inputs: &[u32]) {
        let Some(invocation) = self.state.invocations.get(id) else { return };
        let slot = slot.map_or(NONE, |slot| slot.0);
        let record = Record { slot, value, ..Record::of(kind, invocation) };
        self.out.record(self.state.now, &record, inputs);
    }

    /// Something that happened to an invocation that is out of the table by now.
    #[inline]
    pub(super) fn trace_gone(&mut self, kind: TraceKind, invocation: &Invocation, slot: Option<Slot>) {
        if self.out.is_traced() {
            self.write_of(kind, invocation, slot, NOTHING);
        }
    }

    #[cold]
    #[inline(never)]
    fn write_of(&mut self, kind: TraceKind, invocation: &Invocation, slot: Option<Slot>, value: u64) {
        let slot = slot.map_or(NONE, |slot| slot.0);
        let record = Record { slot, value, ..Record::of(kind, invocation) };
        self.out.record(self.state.now, &record, &[]);
    }
}
