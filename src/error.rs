//! The codes with which the two WebAssembly modules refuse a call or report a failure.
//!
//! A code crosses the boundary as its number. What people read is on the JavaScript side: `codes.ts` has the class of
//! the error and the advice for each name, and further codes that only JavaScript raises. The test
//! `tests/js/package-surface/error-codes.test.ts` compares names and numbers. A name never changes, because programs
//! compare it; a number only has to be the same on both sides, which always ship together.

use core::fmt;

macro_rules! codes {
    ($(#[doc = $doc:literal] $variant:ident = $number:literal, $name:literal;)*) => {
        /// Why a call was refused or failed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $doc] $variant = $number,)*
        }

        impl Code {
            /// Every code, in ascending order of the numbers.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The stable name, as users see it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)*
                }
            }
        }
    };
}

codes! {
    /// The workflow has no steps.
    NoSteps = 1, "NO_STEPS";
    /// No step takes the event that starts the run.
    NoStartStep = 2, "NO_START_STEP";
    /// No step returns a stop event.
    NoStopStep = 3, "NO_STOP_STEP";
    /// A step takes a stop event, which ends the run first.
    StepTakesStop = 4, "STEP_TAKES_STOP";
    /// A step takes an event that no step returns.
    NeverProduced = 5, "NEVER_PRODUCED";
    /// A step returns an event that no step takes.
    NeverConsumed = 6, "NEVER_CONSUMED";
    /// No chain of events leads from the start to a step.
    UnreachableStep = 7, "UNREACHABLE_STEP";
    /// No chain of events leads from a step to a stop event.
    DeadEnd = 8, "DEAD_END";
    /// A step gathers events that no step returns, so they descend from no array.
    NoFanOut = 9, "NO_FAN_OUT";
    /// Two error handlers cover the same step, or two cover all steps.
    DuplicateHandler = 12, "DUPLICATE_HANDLER";
    /// A step's number of workers is 0.
    InvalidWorkers = 13, "INVALID_WORKERS";
    /// A step has no inputs, or too many.
    InvalidStep = 14, "INVALID_STEP";
    /// A retry policy cannot be evaluated.
    InvalidRetry = 16, "INVALID_RETRY";
    /// The addressed step does not take events of this type.
    EventNotTaken = 20, "EVENT_NOT_TAKEN";
    /// The run has ended and takes no more events.
    RunEnded = 21, "RUN_ENDED";
    /// An error handler is named among the steps of another one.
    HandlerHandled = 28, "HANDLER_HANDLED";
    /// The attempt that asks for something is over.
    AttemptEnded = 51, "ATTEMPT_ENDED";
    /// An id does not name anything that exists.
    StaleId = 82, "STALE_ID";
    /// A value of the run does not fit into a snapshot.
    SnapshotValue = 90, "SNAPSHOT_VALUE";
    /// The run keeps no journal.
    JournalNotKept = 91, "JOURNAL_NOT_KEPT";
    /// The bytes are of another kind than the one asked for.
    SnapshotFormat = 100, "SNAPSHOT_FORMAT";
    /// The bytes have a newer version of the format.
    SnapshotVersion = 101, "SNAPSHOT_VERSION";
    /// The bytes end too early.
    SnapshotTruncated = 102, "SNAPSHOT_TRUNCATED";
    /// The checksum does not match the bytes.
    SnapshotAltered = 103, "SNAPSHOT_ALTERED";
    /// The snapshot was taken of another workflow.
    SnapshotForeign = 104, "SNAPSHOT_FOREIGN";
    /// The snapshot needs a step that the workflow does not have.
    StepMissing = 105, "STEP_MISSING";
    /// The snapshot needs an event type that the workflow does not know.
    EventMissing = 106, "EVENT_MISSING";
    /// The snapshot holds events that their step no longer takes.
    StepChanged = 107, "STEP_CHANGED";
    /// The contents of the snapshot contradict each other.
    SnapshotInvalid = 108, "SNAPSHOT_INVALID";
    /// A part of the journal is missing.
    JournalGap = 109, "JOURNAL_GAP";
    /// The request cannot be written in the provider's format.
    LlmRequest = 120, "LLM_REQUEST";
    /// The provider rejected the API key.
    LlmAuth = 121, "LLM_AUTH";
    /// The provider does not know the model or the address.
    LlmNotFound = 122, "LLM_NOT_FOUND";
    /// The provider rejected the request.
    LlmBadRequest = 123, "LLM_BAD_REQUEST";
    /// The messages do not fit into the model's context.
    LlmContextLength = 124, "LLM_CONTEXT_LENGTH";
    /// The provider's content filter blocked the request.
    LlmContentFilter = 125, "LLM_CONTENT_FILTER";
    /// The provider asks for fewer requests.
    LlmRateLimit = 126, "LLM_RATE_LIMIT";
    /// The account's quota is used up.
    LlmQuota = 127, "LLM_QUOTA";
    /// The provider failed or is overloaded.
    LlmServer = 128, "LLM_SERVER";
    /// The server answered with an unexpected status.
    LlmHttp = 129, "LLM_HTTP";
    /// The provider could not be reached.
    LlmNetwork = 130, "LLM_NETWORK";
    /// A timeout of the call is over.
    LlmTimeout = 131, "LLM_TIMEOUT";
    /// The stream ended before the answer was complete.
    LlmStreamCut = 132, "LLM_STREAM_CUT";
    /// The provider reported an error inside the stream.
    LlmStreamError = 133, "LLM_STREAM_ERROR";
    /// The response does not have the provider's format.
    LlmBadAnswer = 134, "LLM_BAD_ANSWER";
    /// The call was aborted.
    LlmAborted = 135, "LLM_ABORTED";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for Code {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_ascend_and_their_names_are_unique() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
