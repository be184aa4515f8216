//! Commands as words: how they are written, and how they are read.
//!
//! A command is a number of [`op`] and the words that follow it, all u32. The engine writes them the moment they come
//! up, so that in WebAssembly the host reads them where they lie: nothing is made, copied and taken apart on the way.
//! [`Commands`] turns words back into [`Command`] values. Native tests, replays and benches read commands through it
//! alone, so every one of them covers the writing too. `pkg-template/src/runtime/command-queue.ts` is the reader in
//! JavaScript, with the numbers in `pkg-template/src/wasm/protocol.ts`.
//!
//! Deadlines are no words but stay beside them as [`TimerChange`]s: the executor takes them, which is Rust too. As
//! words they would have to be found among the others and cut out before the host sees them.

use super::ids::{Event, InvocationId, Millis, Slot, StepId, TimerKey, WaitId};
use super::tick::{Command, Inputs, Outcome};
use super::trace::{FIXED, Record, Trace};

/// The number of each command, and the words that follow it.
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))] // ALARM is for the boundary to write.
pub(crate) mod op {
    /// `slot`
    pub(crate) const PUBLISH: u32 = 1;
    /// `slot`
    pub(crate) const RELEASE: u32 = 2;
    /// `step, index, generation, attempt, count, slot …`
    pub(crate) const INVOKE: u32 = 3;
    /// `wait, slot`
    pub(crate) const RESOLVE: u32 = 4;
    /// `wait`
    pub(crate) const WAKE: u32 = 5;
    /// `wait`
    pub(crate) const EXPIRE: u32 = 6;
    /// `index, generation`
    pub(crate) const TIME_OUT: u32 = 7;
    /// `delay` in milliseconds, or the largest number for no alarm
    pub(crate) const ALARM: u32 = 8;
    /// none
    pub(crate) const IDLE: u32 = 9;
    /// none
    pub(crate) const BUSY: u32 = 10;
    /// `outcome, slot, step`
    pub(crate) const SETTLE: u32 = 11;
    /// `step, index, generation, slot, released`: publish, first invoke, release (the largest number for none)
    pub(crate) const NEXT: u32 = 12;
    /// `step, attempt`
    pub(crate) const RESET: u32 = 13;
    /// none
    pub(crate) const DOZE: u32 = 14;
    /// `count, kind, time (2), step, invocation (2), attempt, slot, value (2), input …`: a record; lower halves first
    pub(crate) const TRACE: u32 = 15;
}

/// Stands in the header where an error would: no error, but the run ends with these commands.
const SETTLED: u32 = 255;

/// The number of each [`Outcome`].
mod outcome {
    pub(super) const COMPLETED: u32 = 0;
    pub(super) const STEP_FAILED: u32 = 1;
    pub(super) const TIMED_OUT: u32 = 2;
    pub(super) const STALLED: u32 = 3;
    pub(super) const LIMIT_REACHED: u32 = 4;
    pub(super) const CANCELLED: u32 = 5;
}

/// No slot, no step, or no alarm.
pub(crate) const NONE: u32 = u32::MAX;

/// This many words are left free before the commands, for the boundary to write its header: the buffer is then a
/// complete reply.
pub(crate) const HEADER: usize = 3;

/// A deadline that is set, or cleared when it has no time.
pub(crate) type TimerChange = (TimerKey, Option<Millis>);

/// The commands that have not been taken.
#[derive(Debug)]
pub(crate) struct Out {
    words: Vec<u32>,
    timers: Vec<TimerChange>,
    /// Everything goes the general way: see [`Engine::without_shortcuts`](super::Engine::without_shortcuts).
    #[cfg(not(target_arch = "wasm32"))]
    general: bool,
    /// Whether records are written: see [`Engine::trace`](super::Engine::trace).
    is_traced: bool,
}

impl Out {
    pub(super) const fn new() -> Out {
        Out {
            words: Vec::new(),
            timers: Vec::new(),
            #[cfg(not(target_arch = "wasm32"))]
            general: false,
            is_traced: false,
        }
    }

    /// Whether the usual case of a tick may be done in one go.
    #[inline(always)]
    pub(super) fn takes_shortcuts(&self) -> bool {
        #[cfg(target_arch = "wasm32")]
        return !self.is_traced;
        #[cfg(not(target_arch = "wasm32"))]
        return !self.is_traced && !self.general;
    }

    #[inline(always)]
    pub(super) fn is_traced(&self) -> bool {
        self.is_traced
    }

    pub(super) fn set_traced(&mut self, is_traced: bool) {
        self.is_traced = is_traced;
    }

    /// Writes a record. Out of the way of everything else: most runs are not traced.
    #[cold]
    #[inline(never)]
    pub(super) fn record(&mut self, now: Millis, record: &Record, inputs: &[u32]) {
        self.write([op::TRACE, inputs.len() as u32]);
        self.words.extend_from_slice(&record.words(now));
        self.words.extend_from_slice(inputs);
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn without_shortcuts(&mut self) {
        self.general = true;
    }

    /// Drops the commands: they have been taken.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        self.words.clear();
        self.timers.clear();
    }

    /// Where the commands of a tick begin; the header is there from now on.
    #[inline(always)]
    pub(super) fn begin(&mut self) -> usize {
        if self.words.is_empty() {
            // At once what most runs need, instead of four steps on the way there.
            self.words.reserve(24);
            self.words.extend_from_slice(&[0; HEADER]);
        }
        self.words.len()
    }

    #[inline(always)]
    fn write<const N: usize>(&mut self, words: [u32; N]) {
        self.words.extend_from_slice(&words);
    }

    /// Every place that calls this knows which command it is, so nothing is left of the choice.
    #[inline(always)]
    pub(super) fn push(&mut self, command: Command) {
        match command {
            Command::Publish { slot } => self.write([op::PUBLISH, slot.0]),
            Command::Release { slot } => self.write([op::RELEASE, slot.0]),
            Command::Invoke { step, invocation: InvocationId { index, generation }, attempt, inputs } => {
                self.write([op::INVOKE, step.0, index, generation, attempt, inputs.len() as u32]);
                self.words.extend(inputs.iter().map(|slot| slot.0));
            }
            Command::Reset { step, attempt } => self.write([op::RESET, step.0, attempt]),
            Command::Resolve { wait, slot } => self.write([op::RESOLVE, wait.0, slot.0]),
            Command::Wake { wait } => self.write([op::WAKE, wait.0]),
            Command::Expire { wait } => self.write([op::EXPIRE, wait.0]),
            Command::TimeOut { invocation } => self.write([op::TIME_OUT, invocation.index, invocation.generation]),
            Command::SetTimer { key, deadline } => self.timers.push((key, Some(deadline))),
            Command::ClearTimer { key } => self.timers.push((key, None)),
            Command::Idle => self.write([op::IDLE]),
            Command::Doze => self.write([op::DOZE]),
            Command::Busy => self.write([op::BUSY]),
            Command::Settle { outcome } => self.settle(outcome),
            Command::Trace(_) => unreachable!("records are written by `record`"),
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        let [number, slot, step] = match outcome {
            Outcome::Completed(slot) => [outcome::COMPLETED, slot.0, NONE],
            Outcome::StepFailed { step, slot } => [outcome::STEP_FAILED, slot.0, step.0],
            Outcome::TimedOut => [outcome::TIMED_OUT, NONE, NONE],
            Outcome::Stalled => [outcome::STALLED, NONE, NONE],
            Outcome::LimitReached => [outcome::LIMIT_REACHED, NONE, NONE],
            Outcome::Cancelled => [outcome::CANCELLED, NONE, NONE],
        };
        self.write([op::SETTLE, number, slot, step]);
        self.words[0] = SETTLED;
    }

    /// [`Command::Invoke`] without making one.
    pub(super) fn invoke(&mut self, step: StepId, id: InvocationId, attempt: u32, inputs: &Inputs) {
        let events = inputs.as_slice();
        self.write([op::INVOKE, step.0, id.index, id.generation, attempt, events.len() as u32]);
        self.words.extend(events.iter().map(|event| event.slot.0));
    }

    /// [`Command::Invoke`] of a first attempt with one input.
    #[inline(always)]
    pub(super) fn invoke_one(&mut self, step: StepId, id: InvocationId, input: Event) {
        self.write([op::INVOKE, step.0, id.index, id.generation, 1, 1, input.slot.0]);
    }

    /// The three commands that most ticks bring, as one: an event is published and goes to one step, and the event
    /// that led to it is released.
    #[inline(always)]
    pub(super) fn next(&mut self, step: StepId, id: InvocationId, input: Slot, released: Option<Slot>) {
        let released = released.map_or(NONE, |slot| slot.0);
        self.write([op::NEXT, step.0, id.index, id.generation, input.0, released]);
    }

    /// Puts the commands since `from` into one, if they are those of [`next`](Out::next).
    #[inline(always)]
    pub(super) fn fuse(&mut self, from: usize) {
        if self.words.get(from) == Some(&op::PUBLISH) {
            self.try_fuse(from);
        }
    }

    #[inline(never)]
    fn try_fuse(&mut self, from: usize) {
        if let [op::PUBLISH, slot, op::INVOKE, step, index, generation, 1, 1, input, rest @ ..] = &self.words[from..]
            && slot == input
        {
            let released = match rest {
                [] => NONE,
                [op::RELEASE, released] => *released,
                _ => return,
            };
            let fused = [op::NEXT, *step, *index, *generation, *slot, released];
            self.words.truncate(from);
            self.write(fused);
        }
    }

    /// The deadlines that have changed, in order.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn timers(&mut self) -> &mut Vec<TimerChange> {
        &mut self.timers
    }

    /// Header and commands.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn words(&mut self) -> &mut Vec<u32> {
        self.begin();
        &mut self.words
    }
}

/// The commands that an engine has for its host: changed deadlines first, then the others in their order. What is
/// not taken is dropped with this.
#[derive(Debug)]
pub struct Commands<'a> {
    out: &'a mut Out,
    /// How many of the deadlines have been given.
    timer: usize,
    cursor: Cursor,
}

impl<'a> Commands<'a> {
    pub(super) fn new(out: &'a mut Out) -> Commands<'a> {
        Commands { out, timer: 0, cursor: Cursor { at: HEADER, part: 0 } }
    }
}

impl Iterator for Commands<'_> {
    type Item = Command;

    fn next(&mut self) -> Option<Command> {
        if let Some((key, deadline)) = self.out.timers.get(self.timer).copied() {
            self.timer += 1;
            return Some(match deadline {
                Some(deadline) => Command::SetTimer { key, deadline },
                None => Command::ClearTimer { key },
            });
        }
        self.cursor.next(&self.out.words)
    }
}

impl Drop for Commands<'_> {
    fn drop(&mut self) {
        self.out.clear();
    }
}

/// How far words have been read.
#[derive(Debug)]
struct Cursor {
    at: usize,
    /// How many of the commands that a NEXT stands for have been given.
    part: u32,
}

impl Cursor {
    fn next(&mut self, words: &[u32]) -> Option<Command> {
        let (number, rest) = words.get(self.at..)?.split_first()?;
        let invocation = |index, generation| InvocationId { index, generation };
        let (command, length) = match (*number, rest) {
            (op::PUBLISH, [slot, ..]) => (Command::Publish { slot: Slot(*slot) }, 1),
            (op::RELEASE, [slot, ..]) => (Command::Release { slot: Slot(*slot) }, 1),
            (op::INVOKE, [step, index, generation, attempt, count, rest @ ..]) => {
                let inputs = rest[..*count as usize].iter().copied().map(Slot).collect();
                let invocation = invocation(*index, *generation);
                (Command::Invoke { step: StepId(*step), invocation, attempt: *attempt, inputs }, 5 + *count as usize)
            }
            (op::NEXT, [step, index, generation, slot, released, ..]) => {
                return Some(self.next_part([*step, *index, *generation, *slot, *released]));
            }
            (op::RESOLVE, [wait, slot, ..]) => (Command::Resolve { wait: WaitId(*wait), slot: Slot(*slot) }, 2),
            (op::WAKE, [wait, ..]) => (Command::Wake { wait: WaitId(*wait) }, 1),
            (op::EXPIRE, [wait, ..]) => (Command::Expire { wait: WaitId(*wait) }, 1),
            (op::TIME_OUT, [index, generation, ..]) => {
                (Command::TimeOut { invocation: invocation(*index, *generation) }, 2)
            }
            (op::RESET, [step, attempt, ..]) => (Command::Reset { step: StepId(*step), attempt: *attempt }, 2),
            (op::TRACE, [count, rest @ ..]) => {
                let (fixed, rest) = rest.split_first_chunk::<FIXED>()?;
                let count = *count as usize;
                (Command::Trace(Trace::read(fixed, &rest[..count])), 1 + FIXED + count)
            }
            (op::IDLE, _) => (Command::Idle, 0),
            (op::DOZE, _) => (Command::Doze, 0),
            (op::BUSY, _) => (Command::Busy, 0),
            (op::SETTLE, [number, slot, step, ..]) => {
                (Command::Settle { outcome: read_outcome(*number, *slot, *step) }, 3)
            }
            (number, _) => unreachable!("the engine writes no command {number}, and none by half"),
        };
        self.at += 1 + length;
        Some(command)
    }

    /// One of the commands that a NEXT stands for.
    fn next_part(&mut self, [step, index, generation, slot, released]: [u32; 5]) -> Command {
        let last = if released == NONE { 1 } else { 2 };
        let command = match self.part {
            0 => Command::Publish { slot: Slot(slot) },
            1 => Command::Invoke {
                step: StepId(step),
                invocation: InvocationId { index, generation },
                attempt: 1,
                inputs: vec![Slot(slot)],
            },
            _ => Command::Release { slot: Slot(released) },
        };
        if self.part == last {
            self.part = 0;
            self.at += 6;
        } else {
            self.part += 1;
        }
        command
    }
}

fn read_outcome(number: u32, slot: u32, step: u32) -> Outcome {
    match number {
        outcome::COMPLETED => Outcome::Completed(Slot(slot)),
        outcome::STEP_FAILED => Outcome::StepFailed { step: StepId(step), slot: Slot(slot) },
        outcome::TIMED_OUT => Outcome::TimedOut,
        outcome::STALLED => Outcome::Stalled,
        outcome::LIMIT_REACHED => Outcome::LimitReached,
        outcome::CANCELLED => Outcome::Cancelled,
        number => unreachable!("the engine writes no outcome {number}"),
    }
}
