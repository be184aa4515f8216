//! Replies: what a call of the boundary returns the address of. `pkg-template/src/wasm/engine-calls.ts` and
//! `pkg-template/src/runtime/command-queue.ts` read them.
//!
//! A reply is u32 words: `[status, value length, commands length, value …, commands …]`. The status is 0, the number of
//! an error code, or the mark that the run ends with these commands. The value is what the function documents. Commands
//! are as `src/engine/words.rs` writes them.
//!
//! Most ticks have no value. Their reply is the engine's own buffer, with [`OWN`] in the place of the value's length;
//! everything else is put together in the [`ReplyBuffer`] of the instance.

use crate::engine::{HEADER, Out, TickOutput, op};
use crate::error::Code;

/// Stands where the length of the value would: there is none, and the commands stay where they are until the run's
/// next call.
const OWN: u32 = 1 << 31;

/// Adds the command that sets the host's timer.
pub(super) fn write_alarm(out: &mut Out, delay: u32) {
    out.words().extend([op::ALARM, delay]);
}

/// The commands of a run as a reply without a value, where the engine has written them.
#[inline(always)]
pub(super) fn finish(out: &mut Out) -> *const u32 {
    let words = out.words();
    words[1] = OWN;
    words[2] = (words.len() - HEADER) as u32;
    words.as_ptr()
}

/// The reply of the last call, where it is not the engine's own buffer.
pub(super) struct ReplyBuffer(Vec<u32>);

impl ReplyBuffer {
    pub(super) const fn new() -> ReplyBuffer {
        ReplyBuffer(Vec::new())
    }

    fn clear(&mut self) {
        self.0.clear();
        self.0.extend([0; HEADER]);
    }

    /// A reply that is an error.
    pub(super) fn refuse(&mut self, code: Code) -> *const u32 {
        self.clear();
        self.0[0] = code as u32;
        self.0.as_ptr()
    }

    /// An error with a value: where the name is that it is about.
    pub(super) fn refuse_with(&mut self, code: Code, about: [u32; 2]) -> *const u32 {
        self.begin(about.into_iter());
        self.0[0] = code as u32;
        self.finish()
    }

    /// A reply that is a value.
    pub(super) fn value(&mut self, words: impl Iterator<Item = u32>) -> *const u32 {
        self.begin(words);
        self.finish()
    }

    /// A reply that is a value and the commands of a run.
    pub(super) fn value_with(&mut self, words: impl Iterator<Item = u32>, out: &mut Out) -> *const u32 {
        self.begin(words);
        self.finish_with(out)
    }

    /// What a tick has returned, and the commands of its run.
    pub(super) fn output_with(&mut self, output: &TickOutput, out: &mut Out) -> *const u32 {
        self.clear();
        match output {
            TickOutput::None | TickOutput::Collected(None) => {}
            TickOutput::Wait(wait) => self.0.push(wait.0),
            TickOutput::Collected(Some(events)) => self.0.extend(events.iter().map(|event| event.slot.0)),
        }
        self.end_value();
        self.finish_with(out)
    }

    fn begin(&mut self, words: impl Iterator<Item = u32>) {
        self.clear();
        self.0.extend(words);
        self.end_value();
    }

    fn end_value(&mut self) {
        self.0[1] = (self.0.len() - HEADER) as u32;
    }

    fn finish_with(&mut self, out: &mut Out) -> *const u32 {
        let words = out.words();
        self.0[0] = words[0];
        self.0.extend_from_slice(&words[HEADER..]);
        self.finish()
    }

    fn finish(&mut self) -> *const u32 {
        self.0[2] = (self.0.len() - HEADER) as u32 - self.0[1];
        self.0.as_ptr()
    }
}
