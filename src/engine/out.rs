//! Where commands go. Natively they are values, for tests and for reading; in wasm they are written as the words that cross the boundary
//! the moment they come up, so that nothing is made, kept and read again on the way.

use super::ids::{Event, InvocationId, StepId};
use super::tick::{Command, Inputs};

/// The commands that wait to be taken, as values.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Default)]
pub(super) struct Out(pub(super) Vec<Command>);

#[cfg(not(target_arch = "wasm32"))]
impl Out {
    pub(super) const fn new() -> Out {
        Out(Vec::new())
    }

    pub(super) fn push(&mut self, command: Command) {
        self.0.push(command);
    }

    /// [`Command::Invoke`].
    pub(super) fn invoke(&mut self, step: StepId, invocation: InvocationId, attempt: u32, inputs: &Inputs) {
        self.0.push(Command::Invoke { step, invocation, attempt, inputs: inputs.clone() });
    }

    /// The same with one input.
    pub(super) fn invoke_one(&mut self, step: StepId, invocation: InvocationId, input: Event) {
        self.0.push(Command::Invoke { step, invocation, attempt: 1, inputs: Inputs::One(input) });
    }
}

/// The commands that wait to be taken, as words: an answer of `[error, reply length, commands length, commands …]`.
#[cfg(target_arch = "wasm32")]
#[derive(Debug)]
pub struct Out {
    pub(crate) words: Vec<u32>,
    /// Timers are for the executor.
    pub(crate) timers: Vec<Command>,
}

#[cfg(target_arch = "wasm32")]
impl Out {
    pub(super) const fn new() -> Out {
        Out { words: Vec::new(), timers: Vec::new() }
    }

    #[inline(always)]
    fn words<const N: usize>(&mut self, words: [u32; N]) {
        self.words.extend_from_slice(&words);
    }

    /// Every place that calls this knows which command it is, so nothing is left of the choice.
    #[inline(always)]
    pub(super) fn push(&mut self, command: Command) {
        use super::tick::{Outcome, op};
        match command {
            Command::Publish { slot } => self.words([op::PUBLISH, slot.0]),
            Command::Release { slot } => self.words([op::RELEASE, slot.0]),
            Command::Invoke { step, invocation, attempt, inputs } => self.invoke(step, invocation, attempt, &inputs),
            Command::Reset { step, attempt } => self.words([op::RESET, step.0, attempt]),
            Command::Resolve { wait, slot } => self.words([op::RESOLVE, wait.0, slot.0]),
            Command::Wake { wait } => self.words([op::WAKE, wait.0]),
            Command::Expire { wait } => self.words([op::EXPIRE, wait.0]),
            Command::TimeOut { invocation } => self.words([op::TIME_OUT, invocation.index, invocation.generation]),
            Command::SetTimer { .. } | Command::ClearTimer { .. } => self.timers.push(command),
            Command::Idle => self.words([op::IDLE]),
            Command::Busy => self.words([op::BUSY]),
            Command::Settle { outcome } => {
                let (kind, slot) = match outcome {
                    Outcome::Completed(event) => (0, event.slot.0),
                    Outcome::StepFailed { slot, .. } => (1, slot.0),
                    Outcome::TimedOut => (2, 0),
                    Outcome::Stalled => (3, 0),
                    Outcome::LimitReached => (4, 0),
                    Outcome::Cancelled => (5, 0),
                };
                self.words([op::SETTLE, kind, slot]);
                self.words[0] = op::SETTLED;
            }
        }
    }

    pub(super) fn invoke(&mut self, step: StepId, invocation: InvocationId, attempt: u32, inputs: &Inputs) {
        use super::tick::op;
        let events = inputs.as_slice();
        self.words([op::INVOKE, step.0, invocation.index, invocation.generation, attempt, events.len() as u32]);
        self.words.extend(events.iter().map(|event| event.slot.0));
    }

    #[inline(always)]
    pub(super) fn invoke_one(&mut self, step: StepId, invocation: InvocationId, input: Event) {
        use super::tick::op;
        self.words([op::INVOKE, step.0, invocation.index, invocation.generation, 1, 1, input.slot.0]);
    }

    /// Begins an answer.
    #[inline(always)]
    pub(crate) fn begin(&mut self) {
        self.words.clear();
        // At once what most runs need, instead of four steps on the way there.
        self.words.reserve(24);
        self.words([0, 0, 0]);
    }

    /// Appends what the host's timer is to be set to.
    pub(crate) fn alarm(&mut self, delay: u32) {
        self.words([super::tick::op::ALARM, delay]);
    }

    /// Puts the three commands that most ticks bring into one: an event is published and goes to one step, and the event that led to it is released.
    #[inline(always)]
    pub(crate) fn fuse(&mut self) {
        use super::tick::op;
        if let [_, _, _, op::PUBLISH, slot, op::INVOKE, step, index, generation, 1, 1, input, rest @ ..] =
            &self.words[..]
            && slot == input
        {
            let released = match rest {
                [] => u32::MAX,
                [op::RELEASE, released] => *released,
                _ => return,
            };
            let fused = [op::NEXT, *step, *index, *generation, *slot, released];
            self.words[3..9].copy_from_slice(&fused);
            self.words.truncate(9);
        }
    }

    /// The answer, when it has no reply.
    #[inline(always)]
    pub(crate) fn finish(&mut self) -> *const u32 {
        self.words[1] = 1 << 31;
        self.words[2] = (self.words.len() - 3) as u32;
        self.words.as_ptr()
    }
}
