//! Answers as words. `pkg-template/src/internal/words.ts` reads what is written here.

use crate::engine::{Command, Outcome, Reply};
use crate::error::Code;

/// What a command is called on the other side, and the words that follow it.
pub(super) mod op {
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
    /// `outcome, slot`
    pub(crate) const SETTLE: u32 = 11;
}

/// Stands where an error would: no error, but the run ends with this answer. What is still queued on the other side need not begin.
const SETTLED: u32 = 255;

const HEADER: usize = 3;

/// The answer of the last call.
pub(super) struct Answer(Vec<u32>);

impl Answer {
    pub(super) const fn new() -> Answer {
        Answer(Vec::new())
    }

    /// Begins an answer without error, reply and commands.
    pub(super) fn clear(&mut self) {
        self.0.clear();
        self.0.extend([0; HEADER]);
    }

    /// An answer that is nothing but an error.
    pub(super) fn refuse(&mut self, code: Code) -> *const u32 {
        self.clear();
        self.0[0] = code as u32;
        self.0.as_ptr()
    }

    /// An error with a reply: where the name is that it is about.
    pub(super) fn refuse_with(&mut self, code: Code, about: [u32; 2]) -> *const u32 {
        self.begin_reply(about.into_iter());
        self.0[0] = code as u32;
        self.finish()
    }

    /// An answer that is nothing but a reply.
    pub(super) fn reply(&mut self, words: impl Iterator<Item = u32>) -> *const u32 {
        self.begin_reply(words);
        self.finish()
    }

    /// A reply that commands may follow.
    pub(super) fn begin_reply(&mut self, words: impl Iterator<Item = u32>) {
        self.clear();
        self.0.extend(words);
        self.end_reply();
    }

    /// The address of the answer, with its lengths written in.
    pub(super) fn finish(&mut self) -> *const u32 {
        self.0[2] = (self.0.len() - HEADER) as u32 - self.0[1];
        self.0.as_ptr()
    }

    fn end_reply(&mut self) {
        self.0[1] = (self.0.len() - HEADER) as u32;
    }

    pub(super) fn write_reply(&mut self, reply: &Reply) {
        match reply {
            Reply::None | Reply::Collected(None) => {}
            Reply::Wait(wait) => self.0.push(wait.0),
            Reply::Collected(Some(events)) => self.0.extend(events.iter().map(|event| event.slot.0)),
        }
        self.end_reply();
    }

    pub(super) fn alarm(&mut self, delay: u32) {
        self.0.extend([op::ALARM, delay]);
    }

    /// Appends a command. Timers are not for the other side: it has one alarm for all of them.
    pub(super) fn write(&mut self, command: &Command) {
        let words = &mut self.0;
        match command {
            Command::Publish { slot } => words.extend([op::PUBLISH, slot.0]),
            Command::Release { slot } => words.extend([op::RELEASE, slot.0]),
            Command::Invoke { step, invocation, attempt, inputs } => {
                let events = inputs.as_slice();
                let (index, generation) = (invocation.index, invocation.generation);
                words.extend([op::INVOKE, step.0, index, generation, *attempt, events.len() as u32]);
                words.extend(events.iter().map(|event| event.slot.0));
            }
            Command::Resolve { wait, slot } => words.extend([op::RESOLVE, wait.0, slot.0]),
            Command::Wake { wait } => words.extend([op::WAKE, wait.0]),
            Command::Expire { wait } => words.extend([op::EXPIRE, wait.0]),
            Command::TimeOut { invocation } => {
                words.extend([op::TIME_OUT, invocation.index, invocation.generation]);
            }
            Command::SetTimer { .. } | Command::ClearTimer { .. } => {}
            Command::Idle => words.push(op::IDLE),
            Command::Busy => words.push(op::BUSY),
            Command::Settle { outcome } => {
                let (kind, slot) = match outcome {
                    Outcome::Completed(event) => (0, event.slot.0),
                    Outcome::StepFailed { slot, .. } => (1, slot.0),
                    Outcome::TimedOut => (2, 0),
                    Outcome::Stalled => (3, 0),
                    Outcome::LimitReached => (4, 0),
                    Outcome::Cancelled => (5, 0),
                };
                words.extend([op::SETTLE, kind, slot]);
                words[0] = SETTLED;
            }
        }
    }
}
