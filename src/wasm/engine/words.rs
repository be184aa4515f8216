//! Answers as words. `pkg-template/src/internal/words.ts` reads what is written here.

use crate::engine::{HEADER, Out, Reply, op};
use crate::error::Code;

/// Stands where the length of a reply would: there is none, and the commands stay where they are until the run's next call.
const OWN: u32 = 1 << 31;

/// Appends what the host's timer is to be set to.
pub(super) fn write_alarm(out: &mut Out, delay: u32) {
    out.words().extend([op::ALARM, delay]);
}

/// The commands of a run as an answer without a reply, where the engine has written them.
#[inline(always)]
pub(super) fn finish(out: &mut Out) -> *const u32 {
    let words = out.words();
    words[1] = OWN;
    words[2] = (words.len() - HEADER) as u32;
    words.as_ptr()
}

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

    /// Appends the commands of a run, and ends the answer.
    pub(super) fn finish_with(&mut self, out: &mut Out) -> *const u32 {
        let words = out.words();
        self.0[0] = words[0];
        self.0.extend_from_slice(&words[HEADER..]);
        self.finish()
    }
}
