//! The reducer: checks a tick, applies it, and updates the run's status.

use super::graph::Graph;
use super::ids::{Event, EventTypeId, InvocationId, Millis, Slot, StepId, TimerKey, WaitId};
use super::state::{Buffer, Expected, Invocation, Phase, State, Status, Timer, TimerTarget, Waiter};
use super::tick::{Command, Outcome, Tick, TickOutput};
use super::trace::TraceKind;
use super::wait::Asking;
use super::words::Out;
use crate::error::Code;
use crate::sorted::sort;

/// One tick being applied. Its methods are in the files of this module by topic: events in `route`, requests of steps
/// in `wait`, failed attempts in `failure`.
pub(super) struct Reducer<'a> {
    pub graph: &'a Graph,
    pub state: &'a mut State,
    pub out: &'a mut Out,
}

pub(super) fn reduce(
    graph: &Graph,
    state: &mut State,
    out: &mut Out,
    tick: Tick,
    now: Millis,
) -> Result<TickOutput, Code> {
    let mut reducer = Reducer { graph, state, out };
    reducer.check(&tick)?;
    if reducer.is_void(&tick) {
        return Ok(TickOutput::None);
    }
    let start = reducer.begin(now);
    let reply = reducer.apply(tick);
    reducer.finish(start);
    Ok(reply)
}

/// [`Tick::Complete`], see [`reduce`].
pub(super) fn reduce_complete(
    graph: &Graph,
    state: &mut State,
    out: &mut Out,
    invocation: InvocationId,
    output: Option<(EventTypeId, Slot)>,
    matches: &[WaitId],
    now: Millis,
) -> Result<(), Code> {
    let mut reducer = Reducer { graph, state, out };
    reducer.check_at_work()?;
    reducer.check_complete(invocation, output)?;
    let start = reducer.begin(now);
    reducer.complete(invocation, output, matches);
    reducer.finish(start);
    Ok(())
}

/// [`Tick::Collect`] and [`Tick::CollectInto`], see [`reduce`], with types that were checked and sorted before.
#[allow(clippy::too_many_arguments)]
pub(super) fn reduce_collect(
    graph: &Graph,
    state: &mut State,
    out: &mut Out,
    invocation: InvocationId,
    (ty, slot): (EventTypeId, Slot),
    (expected, sorted): (&[EventTypeId], &Expected),
    buffer: Buffer,
    now: Millis,
) -> Result<TickOutput, Code> {
    let mut reducer = Reducer { graph, state, out };
    reducer.check_at_work()?;
    reducer.check_running(invocation)?;
    reducer.check_event(ty, slot)?;
    let start = reducer.begin(now);
    let reply = reducer.collect(invocation, ty, slot, (expected, Some(sorted)), buffer);
    reducer.finish(start);
    Ok(reply)
}

/// [`Tick::Send`], see [`reduce`].
#[allow(clippy::too_many_arguments)]
pub(super) fn reduce_send(
    graph: &Graph,
    state: &mut State,
    out: &mut Out,
    from: Option<InvocationId>,
    (ty, slot): (EventTypeId, Slot),
    target: Option<StepId>,
    matches: &[WaitId],
    now: Millis,
) -> Result<(), Code> {
    let mut reducer = Reducer { graph, state, out };
    reducer.check_at_work()?;
    reducer.check_send(from, ty, slot, target)?;
    let start = reducer.begin(now);
    reducer.send(from, ty, slot, target, matches);
    reducer.finish(start);
    Ok(())
}

impl Reducer<'_> {
    /// The part of `check` that concerns the run's status, for ticks of a run that has begun.
    fn check_at_work(&self) -> Result<(), Code> {
        match self.state.status {
            Status::Running | Status::Sleeping | Status::Waiting => Ok(()),
            Status::Ended(_) => Err(Code::RunEnded),
            Status::Created | Status::Restored => Err(Code::StaleId),
        }
    }

    fn check_send(
        &self,
        from: Option<InvocationId>,
        ty: EventTypeId,
        slot: Slot,
        target: Option<StepId>,
    ) -> Result<(), Code> {
        self.check_event(ty, slot)?;
        from.map_or(Ok(()), |from| self.check_running(from))?;
        if let Some(target) = target {
            if target.index() >= self.graph.steps().len() {
                return Err(Code::StaleId);
            }
            self.graph.route(ty, target).ok_or(Code::EventNotTaken)?;
        }
        Ok(())
    }

    #[inline]
    fn check_complete(&self, invocation: InvocationId, output: Option<(EventTypeId, Slot)>) -> Result<(), Code> {
        self.check_running(invocation)?;
        output.map_or(Ok(()), |(ty, slot)| self.check_event(ty, slot))
    }

    /// Counts a tick that was not refused. Returns where its commands begin, for [`finish`](Self::finish).
    #[inline(always)]
    fn begin(&mut self, now: Millis) -> usize {
        self.state.now = self.state.now.max(now);
        self.state.ticks += 1;
        self.out.begin()
    }

    #[inline(always)]
    fn finish(&mut self, start: usize) {
        self.look_around();
        if self.out.takes_shortcuts() {
            self.out.fuse(start);
        }
    }

    fn send(
        &mut self,
        from: Option<InvocationId>,
        ty: EventTypeId,
        slot: Slot,
        target: Option<StepId>,
        matches: &[WaitId],
    ) {
        let sender = from.and_then(|id| self.state.invocations.get(id));
        let recoveries = sender.map_or(0, Invocation::recoveries);
        let group = sender.and_then(|sender| sender.inputs.group());
        let event = Event { group, ..self.adopt(ty, slot, recoveries) };
        if from.is_some_and(|by| self.is_repeated(by, ty)) {
            self.release(slot);
        } else {
            self.trace_sent_by(event, from);
            self.enter(event, target, matches);
        }
    }

    /// Refuses what cannot be applied, before anything has changed.
    fn check(&self, tick: &Tick) -> Result<(), Code> {
        match (self.state.status, tick) {
            // A deadline may come just after the run has ended.
            (Status::Ended(_), Tick::Timer { .. }) => {}
            (Status::Ended(_), _) => return Err(Code::RunEnded),
            (Status::Created, Tick::Start { .. } | Tick::Cancel) => {}
            (Status::Restored, Tick::Resume | Tick::Cancel) => {}
            (Status::Created | Status::Restored, _) | (_, Tick::Start { .. } | Tick::Resume) => {
                return Err(Code::StaleId);
            }
            _ => {}
        }
        match tick {
            Tick::Start { ty, slot } => {
                self.check_event(*ty, *slot)?;
                if self.graph.types()[ty.index()].routes.is_empty() {
                    return Err(Code::NoStartStep);
                }
            }
            Tick::Send { from, ty, slot, target, .. } => {
                self.check_send(*from, *ty, *slot, *target)?;
            }
            Tick::Write { from, ty, slot } => {
                self.check_event(*ty, *slot)?;
                from.map_or(Ok(()), |from| self.check_running(from))?;
            }
            Tick::Complete { invocation, output, .. } => {
                self.check_complete(*invocation, *output)?;
            }
            Tick::CompleteList { invocation, outputs, .. } => {
                self.check_running(*invocation)?;
                outputs.iter().try_for_each(|(ty, _)| self.check_type(*ty))?;
                self.check_slots(outputs)?;
            }
            Tick::Fail { invocation, ty, slot, .. } => {
                self.check_running(*invocation)?;
                self.check_event(*ty, *slot)?;
            }
            Tick::Wait { invocation, ty, .. } => {
                self.check_running(*invocation)?;
                self.check_type(*ty)?;
            }
            Tick::Ask { invocation, ty, question, slot, .. } => {
                self.check_running(*invocation)?;
                self.check_type(*ty)?;
                self.check_event(*question, *slot)?;
            }
            Tick::CollectInto { buffer, .. } if buffer.is_empty() => return Err(Code::StaleId),
            Tick::Collect { invocation, ty, slot, expected }
            | Tick::CollectInto { invocation, ty, slot, expected, .. } => {
                self.check_running(*invocation)?;
                self.check_event(*ty, *slot)?;
                expected.iter().try_for_each(|ty| self.check_type(*ty))?;
            }
            Tick::Sleep { invocation, .. }
            | Tick::Block { invocation }
            | Tick::Unblock { invocation }
            | Tick::Doze { invocation }
            | Tick::Rouse { invocation }
            | Tick::Withdraw { invocation, .. } => {
                self.check_running(*invocation)?;
            }
            Tick::Once { invocation, slot, .. } => {
                self.check_running(*invocation)?;
                self.check_slot(*slot)?;
            }
            Tick::Answer { wait, ty, slot } => {
                self.check_event(*ty, *slot)?;
                self.state.waiters.get(wait).and_then(Waiter::ty).ok_or(Code::StaleId)?;
            }
            Tick::Timer { .. } | Tick::Cancel | Tick::Resume => {}
        }
        Ok(())
    }

    /// A tick without effect: a deadline that was cleared meanwhile, or the withdrawal of a wait that is closed.
    fn is_void(&self, tick: &Tick) -> bool {
        match tick {
            Tick::Timer { key } => {
                matches!(self.state.status, Status::Ended(_)) || self.state.timers.get(key).is_none()
            }
            Tick::Withdraw { invocation, wait } => !self.is_open(*invocation, *wait),
            _ => false,
        }
    }

    fn check_type(&self, ty: EventTypeId) -> Result<(), Code> {
        if ty.index() < self.graph.types().len() { Ok(()) } else { Err(Code::StaleId) }
    }

    /// A slot must be free, or the next one that was never used, so that a forged number cannot make the table grow
    /// without bounds.
    fn check_slot(&self, slot: Slot) -> Result<(), Code> {
        match self.state.slots.get(slot.index()) {
            Some(0) => Ok(()),
            None if slot.index() == self.state.slots.len() => Ok(()),
            _ => Err(Code::StaleId),
        }
    }

    /// As [`check_slot`](Self::check_slot), for several that are handed over at a time: none may be among them twice.
    fn check_slots(&self, events: &[(EventTypeId, Slot)]) -> Result<(), Code> {
        let mut next = self.state.slots.len();
        // Pairs, as everywhere: for other members there would be another function to sort them.
        let mut used: Vec<(u64, u32)> = Vec::new();
        for (_, slot) in events {
            match self.state.slots.get(slot.index()) {
                Some(0) => used.push((0, slot.0)),
                None if slot.index() == next => next += 1,
                _ => return Err(Code::StaleId),
            }
        }
        sort(&mut used);
        if used.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Code::StaleId);
        }
        Ok(())
    }

    #[inline]
    fn check_event(&self, ty: EventTypeId, slot: Slot) -> Result<(), Code> {
        self.check_type(ty)?;
        self.check_slot(slot)
    }

    #[inline]
    fn check_running(&self, id: InvocationId) -> Result<(), Code> {
        match self.state.invocations.get(id) {
            Some(invocation) if invocation.phase == Phase::Running => Ok(()),
            _ => Err(Code::AttemptEnded),
        }
    }

    fn apply(&mut self, tick: Tick) -> TickOutput {
        match tick {
            Tick::Start { ty, slot } => self.start(ty, slot),
            Tick::Send { from, ty, slot, target, matches } => {
                self.send(from, ty, slot, target, &matches);
            }
            Tick::Write { from, slot, .. } => {
                self.adopt_slot(slot);
                self.out.push(Command::Publish { slot });
                self.release(slot);
                if let Some(invocation) = from.and_then(|from| self.state.invocations.get_mut(from)) {
                    invocation.memory().wrote = true;
                }
            }
            Tick::Complete { invocation, output, matches } => self.complete(invocation, output, &matches),
            Tick::CompleteList { invocation, outputs, matches } => self.complete_list(invocation, &outputs, &matches),
            Tick::Fail { invocation, ty, slot, verdict } => self.fail(invocation, ty, slot, verdict),
            Tick::Wait { invocation, ty, id, timeout, predicated, claim } => {
                let asking = Asking { ty, id, timeout, predicated, claim, question: None };
                return self.wait(invocation, asking);
            }
            Tick::Ask { invocation, ty, id, timeout, predicated, claim, slot, .. } => {
                let asking = Asking { ty, id, timeout, predicated, claim, question: Some(slot) };
                return self.wait(invocation, asking);
            }
            Tick::Withdraw { invocation, wait } => self.withdraw(invocation, wait),
            Tick::Answer { wait, ty, slot } => self.answer(wait, ty, slot),
            Tick::Sleep { invocation, delay } => return self.sleep(invocation, delay),
            Tick::Collect { invocation, ty, slot, expected } => {
                return self.collect(invocation, ty, slot, (&expected, None), None);
            }
            Tick::CollectInto { invocation, ty, slot, expected, buffer } => {
                return self.collect(invocation, ty, slot, (&expected, None), Some(buffer.into()));
            }
            Tick::Block { invocation } => self.change(invocation, |invocation| invocation.blocked += 1),
            Tick::Unblock { invocation } => {
                self.change(invocation, |invocation| invocation.blocked = invocation.blocked.saturating_sub(1));
            }
            Tick::Doze { invocation } => self.change(invocation, |invocation| invocation.asleep += 1),
            Tick::Rouse { invocation } => {
                self.change(invocation, |invocation| invocation.asleep = invocation.asleep.saturating_sub(1));
            }
            Tick::Timer { key } => self.timer(key),
            Tick::Cancel => self.end(Outcome::Cancelled),
            Tick::Once { invocation, key, slot } => self.once(invocation, key, slot),
            Tick::Resume => self.resume(),
        }
        TickOutput::None
    }

    fn start(&mut self, ty: EventTypeId, slot: Slot) {
        self.state.status = Status::Running;
        self.trace_run(TraceKind::RunStarted, None, Some(0));
        if let Some(timeout) = self.state.options.timeout {
            self.set_timer(timeout, TimerTarget::Run);
        }
        let event = self.adopt(ty, slot, 0);
        self.trace_sent(event, None);
        self.enter(event, None, &[]);
    }

    /// A restored run resumes: its deadlines are set, attempts that were running start again, the oldest first, and
    /// then the queues are started.
    fn resume(&mut self) {
        self.state.status = Status::Running;
        self.trace_run(TraceKind::RunStarted, None, Some(1));
        for (key, timer) in self.state.timers.iter() {
            self.out.push(Command::SetTimer { key: *key, deadline: timer.deadline });
        }
        let again = self.state.invocations.iter().filter(|(_, invocation)| invocation.phase == Phase::Again);
        let again: Vec<StepId> = again.map(|(_, invocation)| invocation.step).collect();
        for step in again {
            self.start_next(step);
        }
        for step in 0..self.state.steps.len() as u32 {
            self.start_queued(StepId(step));
        }
    }

    fn timer(&mut self, key: TimerKey) {
        let Some(timer) = self.state.timers.remove(&key) else { return };
        match timer.target {
            TimerTarget::Run => self.end(Outcome::TimedOut),
            TimerTarget::Step(invocation) => {
                self.change(invocation, |invocation| invocation.timer = None);
                self.trace_step(TraceKind::StepTimedOut, invocation, None, None);
                self.out.push(Command::TimeOut { invocation });
            }
            TimerTarget::Retry(invocation) => {
                self.requeue(invocation);
                let step = self.state.invocations.get(invocation).map(|invocation| invocation.step);
                step.into_iter().for_each(|step| self.start_queued(step));
            }
            TimerTarget::Wait(wait) => self.elapse(wait),
        }
    }

    /// After every tick: is the run running, asleep, waiting for the outside, or stalled?
    fn look_around(&mut self) {
        if !matches!(self.state.status, Status::Running | Status::Sleeping | Status::Waiting) {
            return;
        }
        if self.is_stuck() {
            return self.end(Outcome::Stalled);
        }
        let (status, kind, command) = match (self.state.active, self.state.asleep) {
            (0, _) => (Status::Waiting, TraceKind::RunWaiting, Command::Idle),
            (active, asleep) if active == asleep => (Status::Sleeping, TraceKind::RunSleeping, Command::Doze),
            _ => (Status::Running, TraceKind::RunWoke, Command::Busy),
        };
        if status != self.state.status {
            self.state.status = status;
            self.trace_run(kind, None, None);
            self.out.push(command);
        }
    }

    /// Whether no event that is still possible can move the run: no invocation is left, and no step can be invoked by
    /// events from outside together with what its join has.
    fn is_stuck(&self) -> bool {
        if !self.state.invocations.is_empty() || self.graph.is_open() {
            return false;
        }
        let mut joins = self.state.steps.iter().zip(0u32..).filter_map(|(step, id)| Some((step.join.as_ref()?, id)));
        !joins.any(|(join, id)| {
            let outside = self.graph.outside_inputs(StepId(id));
            join.lacks(&self.state.groups).any(|lacks| lacks & !outside == 0)
        })
    }

    /// Ends the run. A completed run needs nothing any more; a failed one keeps its work for a snapshot.
    pub(super) fn end(&mut self, outcome: Outcome) {
        if matches!(self.state.status, Status::Ended(_)) {
            return;
        }
        self.state.status = Status::Ended(outcome);
        if matches!(outcome, Outcome::Completed(_)) {
            self.state.clear_work();
        }
        let slot = match outcome {
            Outcome::Completed(slot) | Outcome::StepFailed { slot, .. } => Some(slot),
            _ => None,
        };
        self.trace_run(TraceKind::RunEnded, slot, None);
        self.out.push(Command::Settle { outcome });
    }

    /// Changes an invocation and keeps count of those that are active, and of those asleep.
    pub(super) fn change(&mut self, id: InvocationId, change: impl FnOnce(&mut Invocation)) {
        let Some(invocation) = self.state.invocations.get_mut(id) else { return };
        let before = (invocation.is_active(), invocation.is_asleep());
        change(invocation);
        let after = (invocation.is_active(), invocation.is_asleep());
        self.state.active = self.state.active + u32::from(after.0) - u32::from(before.0);
        self.state.asleep = self.state.asleep + u32::from(after.1) - u32::from(before.1);
    }

    pub(super) fn set_timer(&mut self, delay: Millis, target: TimerTarget) -> TimerKey {
        let key = TimerKey(self.state.next_timer);
        self.state.next_timer = key.0.wrapping_add(1);
        let deadline = self.state.now.after(delay);
        self.state.timers.insert(key, Timer { deadline, target });
        self.out.push(Command::SetTimer { key, deadline });
        key
    }

    #[inline]
    pub(super) fn clear_timer(&mut self, key: Option<TimerKey>) {
        if let Some(key) = key
            && self.state.timers.remove(&key).is_some()
        {
            self.out.push(Command::ClearTimer { key });
        }
    }

    #[inline]
    pub(super) fn adopt(&mut self, ty: EventTypeId, slot: Slot, recoveries: u32) -> Event {
        self.adopt_slot(slot);
        Event { ty, slot, recoveries, group: None }
    }

    #[inline]
    pub(super) fn adopt_slot(&mut self, slot: Slot) {
        if slot.index() >= self.state.slots.len() {
            self.state.slots.push(0);
        }
        self.retain(slot);
    }

    #[inline]
    pub(super) fn retain(&mut self, slot: Slot) {
        if let Some(count) = self.state.slots.get_mut(slot.index()) {
            *count += 1;
        }
    }

    #[inline]
    pub(super) fn release(&mut self, slot: Slot) {
        if self.is_last_reference(slot) {
            self.out.push(Command::Release { slot });
        }
    }

    /// Takes a reference away. Returns whether it was the last one.
    #[inline]
    pub(super) fn is_last_reference(&mut self, slot: Slot) -> bool {
        let Some(count) = self.state.slots.get_mut(slot.index()) else { return false };
        *count = count.saturating_sub(1);
        *count == 0
    }
}
