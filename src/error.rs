//! Error codes: the one table that Rust, TypeScript and the documents share.
//!
//! `pkg-template/src/internal/codes.ts` and `docs/errors.md` are generated from [`TABLE`]; the test
//! `tests/error_table.rs` fails when they differ. A code keeps its number and its name for ever.

use core::fmt;

/// A row of the table of codes.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// Its stable name, as users see it.
    pub name: &'static str,
    /// The JavaScript class of the errors that carry it.
    pub class: &'static str,
    /// What it means and what to do.
    pub help: &'static str,
}

macro_rules! codes {
    ($($variant:ident = $number:literal, $name:literal, $class:literal, $help:literal;)*) => {
        /// Why something was refused or went wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $help] $variant = $number,)*
        }

        /// Every code, in the order of the numbers.
        pub const TABLE: &[Entry] = &[
            $(Entry { code: Code::$variant, name: $name, class: $class, help: $help },)*
        ];
    };
}

codes! {
    NoSteps = 1, "NO_STEPS", "ValidationError",
        "The workflow has no steps. Add one with addStep.";
    NoStartStep = 2, "NO_START_STEP", "ValidationError",
        "No step takes the event the run starts with. Give one step StartEvent, or your subclass of it, in its inputs.";
    NoStopStep = 3, "NO_STOP_STEP", "ValidationError",
        "No step returns StopEvent, so a run could never finish. List StopEvent in the outputs of the last step.";
    StepTakesStop = 4, "STEP_TAKES_STOP", "ValidationError",
        "A step takes StopEvent, but a StopEvent ends the run before any step could take it. Use an event of your own.";
    NeverProduced = 5, "NEVER_PRODUCED", "ValidationError",
        "A step takes an event that no step returns. List it in the outputs of the step that makes it; if it comes from outside, derive it from HumanResponseEvent.";
    NeverConsumed = 6, "NEVER_CONSUMED", "ValidationError",
        "A step returns an event that no step takes. Add a step that takes it; if it is for the outside, derive it from InputRequiredEvent or use writeEventToStream.";
    UnreachableStep = 7, "UNREACHABLE_STEP", "ValidationError",
        "No chain of events leads from the start of a run to this step.";
    DeadEnd = 8, "DEAD_END", "ValidationError",
        "No chain of events leads from this step to a StopEvent.";
    DuplicateStep = 9, "DUPLICATE_STEP", "ValidationError",
        "Two steps have one name. Give one of them another `name`, or pass `override: true` to replace the first.";
    DuplicateEvent = 10, "DUPLICATE_EVENT", "ValidationError",
        "Two event classes have one type name. Give each class its own `static readonly type`.";
    UnknownStep = 11, "UNKNOWN_STEP", "ValidationError",
        "There is no step of that name in the workflow.";
    DuplicateHandler = 12, "DUPLICATE_HANDLER", "ValidationError",
        "Two catchError handlers are for one step, or two are for all steps. Keep one.";
    InvalidWorkers = 13, "INVALID_WORKERS", "ValidationError",
        "numWorkers must be a whole number above 0; leave it out for no limit.";
    InvalidStep = 14, "INVALID_STEP", "ValidationError",
        "A step needs 1 to 32 inputs, each an event class or WorkflowEvent.or(…), and a handler function.";
    InvalidDuration = 15, "INVALID_DURATION", "ValidationError",
        "A duration must be a number of seconds, 0 or more.";
    InvalidRetry = 16, "INVALID_RETRY", "ValidationError",
        "A retry policy must be made with retryPolicy(…), its strategies with the wait… and stop… functions, or be a function.";
    InvalidOption = 17, "INVALID_OPTION", "ValidationError",
        "An option has a value of the wrong kind.";
    InvalidEvent = 18, "INVALID_EVENT", "ValidationError",
        "What was sent or returned is not an event. Events are instances of WorkflowEvent or of a class derived from it.";
    UndeclaredOutput = 19, "UNDECLARED_OUTPUT", "ValidationError",
        "A step returned an event that its outputs do not list. Add the class to the step's outputs.";
    EventNotTaken = 20, "EVENT_NOT_TAKEN", "ValidationError",
        "The step that the event was sent to does not take events of this class.";
    RunEnded = 21, "RUN_ENDED", "ValidationError",
        "The run is over and takes no more events. Start another run, or recover one from a snapshot.";
    InvalidStore = 22, "INVALID_STORE", "ValidationError",
        "The path leads through something that is not an object, or is not a path.";
    InvalidTool = 23, "INVALID_TOOL", "ValidationError",
        "A tool is made by tool({ name, description, parameters, execute }); its name has 1 to 64 letters, digits, `_` and `-`.";
    InvalidSchema = 24, "INVALID_SCHEMA", "ValidationError",
        "A schema must be one of an object: JSON Schema with `type: \"object\"`, or one of a library that follows Standard Schema.";
    InvalidAgent = 25, "INVALID_AGENT", "ValidationError",
        "An agent is not defined as it must be; the message says which part.";
    DuplicateAgent = 26, "DUPLICATE_AGENT", "ValidationError",
        "Two agents have one name. Give each a `name` of its own.";
    UnknownAgent = 27, "UNKNOWN_AGENT", "ValidationError",
        "There is no agent of that name in the workflow. A run that is recovered needs the agents that it had.";
    HandlerHandled = 28, "HANDLER_HANDLED", "ValidationError",
        "A catchError handler is named in the `steps` of another one, which would never be called for it. Name only steps that are no handlers.";
    UnknownOption = 29, "UNKNOWN_OPTION", "ValidationError",
        "There is no option of that name. The message has the nearest one that there is; correct the name, or take the option out.";
    StepFailed = 30, "STEP_FAILED", "StepError",
        "A step threw something that is not an Error; it is the `cause`.";
    UnnamedStep = 31, "UNNAMED_STEP", "ValidationError",
        "A step has no name of its own, so its name may change between two builds, and snapshots may not recover. Give it a `name`.";
    UnnamedEvent = 32, "UNNAMED_EVENT", "ValidationError",
        "A class of events has no type name of its own. A minifier may change the name of the class, and snapshots may not recover. Give it a `static readonly type`.";
    RunTimeout = 40, "RUN_TIMEOUT", "TimeoutError",
        "The run did not finish in time. Raise the workflow's `timeout` (seconds), or pass null for none.";
    StepTimeout = 41, "STEP_TIMEOUT", "TimeoutError",
        "A step did not finish in time. Raise the step's `timeout` (seconds), and pass its `signal` on to what it awaits.";
    WaitTimeout = 42, "WAIT_TIMEOUT", "TimeoutError",
        "The event that a step waited for did not come in time.";
    RunCancelled = 50, "RUN_CANCELLED", "CancelledError",
        "The run was cancelled; the reason given is the `cause`.";
    AttemptEnded = 51, "ATTEMPT_ENDED", "CancelledError",
        "This attempt of the step is over: it timed out, or its run has ended. Stop working when `signal` aborts.";
    WaitWithdrawn = 52, "WAIT_WITHDRAWN", "CancelledError",
        "The wait was withdrawn: its `signal` was aborted, or another one of several came first.";
    RunStalled = 60, "RUN_STALLED", "StalledError",
        "Nothing is left that could carry the run on: no step is running or queued, and no event can come from outside.";
    StepsLimit = 70, "STEPS_LIMIT", "LimitError",
        "The run invoked more steps than `limits.steps` allows.";
    EventsDropped = 71, "EVENTS_DROPPED", "LimitError",
        "The reader fell too far behind, and the oldest unread events were dropped. Read faster, or raise `limits.unreadEvents`.";
    AgentIterations = 72, "AGENT_ITERATIONS", "LimitError",
        "The agent called the model as often as `maxIterations` allows, and had no answer. Raise it, or set `earlyStopping` to \"generate\".";
    AnswerForm = 73, "ANSWER_FORM", "LimitError",
        "The model did not give its answer in the form of `outputSchema`, although it was told what was wrong. Simplify the schema, or take a better model.";
    EnginePanicked = 80, "ENGINE_PANICKED", "EngineError",
        "The engine met a state that should be impossible and gave up its instance. Please report it; the next run gets a fresh instance.";
    UnsupportedRuntime = 81, "UNSUPPORTED_RUNTIME", "EngineError",
        "The WebAssembly module could not be loaded here. Import \"stepstream/slim\" and hand over a WebAssembly.Module yourself.";
    StaleId = 82, "STALE_ID", "EngineError",
        "An id does not belong to anything that exists any more.";
    NoWebcrypto = 83, "NO_WEBCRYPTO", "EngineError",
        "Seals need WebCrypto, which is not there. In a browser, serve the page over https or from localhost.";
    SnapshotValue = 90, "SNAPSHOT_VALUE", "SnapshotError",
        "A value of the run cannot be carried in a snapshot. Keep functions, streams and connections in `data`, or give the workflow a hook for the class in `types`.";
    JournalNotKept = 91, "JOURNAL_NOT_KEPT", "SnapshotError",
        "The run keeps no journal. Start it with { journal: true }.";
    SnapshotStale = 92, "SNAPSHOT_STALE", "SnapshotError",
        "The store holds a newer snapshot of this run. Load that one and go on from there.";
    SnapshotFormat = 100, "SNAPSHOT_FORMAT", "RecoverError",
        "The bytes are not what was asked for: a snapshot comes from context.snapshot(), a journal from context.journal(), a sealed snapshot from sealSnapshot().";
    SnapshotVersion = 101, "SNAPSHOT_VERSION", "RecoverError",
        "The bytes were written by a newer version of stepstream. Update the package here.";
    SnapshotTruncated = 102, "SNAPSHOT_TRUNCATED", "RecoverError",
        "The end of the bytes is missing.";
    SnapshotAltered = 103, "SNAPSHOT_ALTERED", "RecoverError",
        "The bytes are not what was written: their checksum does not fit.";
    SnapshotForeign = 104, "SNAPSHOT_FOREIGN", "RecoverError",
        "The snapshot was taken of another workflow: its steps or events differ. If this one is a later version of it, pass { migrate: true }.";
    StepMissing = 105, "STEP_MISSING", "RecoverError",
        "The snapshot needs a step that the workflow does not have.";
    EventMissing = 106, "EVENT_MISSING", "RecoverError",
        "The snapshot needs a class of events that the workflow does not know. Name it in a step, or list it in the workflow's `events`.";
    StepChanged = 107, "STEP_CHANGED", "RecoverError",
        "The snapshot holds events for a step that takes others now.";
    SnapshotInvalid = 108, "SNAPSHOT_INVALID", "RecoverError",
        "The contents of the snapshot contradict each other, or a value in it cannot be restored.";
    JournalGap = 109, "JOURNAL_GAP", "RecoverError",
        "A part of the journal is missing. Join the increments in the order in which they came, without leaving one out.";
    SealKey = 110, "SEAL_KEY", "RecoverError",
        "The snapshot was sealed with another key.";
    SealAltered = 111, "SEAL_ALTERED", "RecoverError",
        "The sealed snapshot is not what was sealed.";
    SealForeign = 112, "SEAL_FOREIGN", "RecoverError",
        "The sealed snapshot belongs to another workflow.";
    LlmRequest = 120, "LLM_REQUEST", "LLMError",
        "The request cannot be put into the provider's form. The message says which part; nothing was sent.";
    LlmAuth = 121, "LLM_AUTH", "LLMError",
        "The provider did not accept the API key, or the key may not use this model. Check `apiKey` and the account's rights.";
    LlmNotFound = 122, "LLM_NOT_FOUND", "LLMError",
        "The provider knows no such model, or there is nothing at this address. Check `model` and `baseURL`.";
    LlmBadRequest = 123, "LLM_BAD_REQUEST", "LLMError",
        "The provider refused the request as wrong. Its own message says what it did not like.";
    LlmContextLength = 124, "LLM_CONTEXT_LENGTH", "LLMError",
        "The messages are longer than the model's context. Shorten or summarise them, or take a model with a larger one.";
    LlmContentFilter = 125, "LLM_CONTENT_FILTER", "LLMError",
        "The provider's content filter blocked the request. Change the messages, or the safety settings where the provider has such.";
    LlmRateLimit = 126, "LLM_RATE_LIMIT", "LLMError",
        "The provider asks for fewer requests. Wait as long as `retryAfter` (seconds) says, or raise `maxRetries`.";
    LlmQuota = 127, "LLM_QUOTA", "LLMError",
        "The account with the provider is used up, so trying again does not help. Look at its plan and billing.";
    LlmServer = 128, "LLM_SERVER", "LLMError",
        "The provider failed or is overloaded, also after the retries. Try later, or raise `maxRetries`.";
    LlmHttp = 129, "LLM_HTTP", "LLMError",
        "The server answered with a status that means neither success nor a known failure. Check `baseURL`, and what stands between here and there.";
    LlmNetwork = 130, "LLM_NETWORK", "LLMError",
        "The provider could not be reached. Check the address and the connection; in a browser also whether the provider allows requests from pages (CORS).";
    LlmTimeout = 131, "LLM_TIMEOUT", "LLMError",
        "The model did not answer in time; the message says which timeout it was. Raise it, or pass null for none.";
    LlmStreamCut = 132, "LLM_STREAM_CUT", "LLMError",
        "The answer ended before it was complete; `partial` holds what had arrived. Ask again, or set `resumeOnDrop`.";
    LlmStreamError = 133, "LLM_STREAM_ERROR", "LLMError",
        "The provider reported an error in the middle of its answer; `partial` holds what had arrived.";
    LlmBadAnswer = 134, "LLM_BAD_ANSWER", "LLMError",
        "What came back is not an answer in the provider's form, or not in the form that was asked for; the message says which. Check that `baseURL` leads to the kind of API that was chosen, or make the schema easier for the model.";
    LlmAborted = 135, "LLM_ABORTED", "LLMError",
        "The call was aborted; `partial` holds what had arrived.";
}

impl Code {
    /// The row of the table that belongs to this code.
    #[must_use]
    pub fn entry(self) -> &'static Entry {
        // The table is generated together with the enum, in ascending order.
        let at = TABLE.binary_search_by_key(&self, |entry| entry.code).unwrap_or(0);
        &TABLE[at]
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = self.entry();
        write!(f, "{}: {}", entry.name, entry.help)
    }
}

impl std::error::Error for Code {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_its_names_are_unique() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        let mut names: Vec<_> = TABLE.iter().map(|entry| entry.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
        assert!(TABLE.iter().all(|entry| entry.code.entry().name == entry.name));
    }
}
