// The error codes with what is said about them, so that JavaScript raises exactly what the engine means.
// Generated from src/error.rs by `UPDATE_TABLES=1 cargo test --test error_table`; do not edit.

/** The stable name of an error, as its `code` tells it. */
export type Code =
  | "NO_STEPS"
  | "NO_START_STEP"
  | "NO_STOP_STEP"
  | "STEP_TAKES_STOP"
  | "NEVER_PRODUCED"
  | "NEVER_CONSUMED"
  | "UNREACHABLE_STEP"
  | "DEAD_END"
  | "DUPLICATE_STEP"
  | "DUPLICATE_EVENT"
  | "UNKNOWN_STEP"
  | "DUPLICATE_HANDLER"
  | "INVALID_WORKERS"
  | "INVALID_STEP"
  | "INVALID_DURATION"
  | "INVALID_RETRY"
  | "INVALID_OPTION"
  | "INVALID_EVENT"
  | "UNDECLARED_OUTPUT"
  | "EVENT_NOT_TAKEN"
  | "RUN_ENDED"
  | "INVALID_STORE"
  | "INVALID_TOOL"
  | "INVALID_SCHEMA"
  | "INVALID_AGENT"
  | "DUPLICATE_AGENT"
  | "UNKNOWN_AGENT"
  | "STEP_FAILED"
  | "RUN_TIMEOUT"
  | "STEP_TIMEOUT"
  | "WAIT_TIMEOUT"
  | "RUN_CANCELLED"
  | "ATTEMPT_ENDED"
  | "RUN_STALLED"
  | "STEPS_LIMIT"
  | "EVENTS_DROPPED"
  | "AGENT_ITERATIONS"
  | "ANSWER_FORM"
  | "ENGINE_PANICKED"
  | "UNSUPPORTED_RUNTIME"
  | "STALE_ID"
  | "NO_WEBCRYPTO"
  | "SNAPSHOT_VALUE"
  | "JOURNAL_NOT_KEPT"
  | "SNAPSHOT_STALE"
  | "SNAPSHOT_FORMAT"
  | "SNAPSHOT_VERSION"
  | "SNAPSHOT_TRUNCATED"
  | "SNAPSHOT_ALTERED"
  | "SNAPSHOT_FOREIGN"
  | "STEP_MISSING"
  | "EVENT_MISSING"
  | "STEP_CHANGED"
  | "SNAPSHOT_INVALID"
  | "JOURNAL_GAP"
  | "SEAL_KEY"
  | "SEAL_ALTERED"
  | "SEAL_FOREIGN"
  | "LLM_REQUEST"
  | "LLM_AUTH"
  | "LLM_NOT_FOUND"
  | "LLM_BAD_REQUEST"
  | "LLM_CONTEXT_LENGTH"
  | "LLM_CONTENT_FILTER"
  | "LLM_RATE_LIMIT"
  | "LLM_QUOTA"
  | "LLM_SERVER"
  | "LLM_HTTP"
  | "LLM_NETWORK"
  | "LLM_TIMEOUT"
  | "LLM_STREAM_CUT"
  | "LLM_STREAM_ERROR"
  | "LLM_BAD_ANSWER"
  | "LLM_ABORTED";

/** Every code: its number inside the engine, the class of its errors, what it means and what to do. */
export const codes = {
  NO_STEPS: { number: 1, class: "ValidationError", help: "The workflow has no steps. Add one with addStep." },
  NO_START_STEP: {
    number: 2,
    class: "ValidationError",
    help: "No step takes the event the run starts with. Give one step StartEvent, or your subclass of it, in its inputs.",
  },
  NO_STOP_STEP: {
    number: 3,
    class: "ValidationError",
    help: "No step returns StopEvent, so a run could never finish. List StopEvent in the outputs of the last step.",
  },
  STEP_TAKES_STOP: {
    number: 4,
    class: "ValidationError",
    help: "A step takes StopEvent, but a StopEvent ends the run before any step could take it. Use an event of your own.",
  },
  NEVER_PRODUCED: {
    number: 5,
    class: "ValidationError",
    help: "A step takes an event that no step returns. List it in the outputs of the step that makes it; if it comes from outside, derive it from HumanResponseEvent.",
  },
  NEVER_CONSUMED: {
    number: 6,
    class: "ValidationError",
    help: "A step returns an event that no step takes. Add a step that takes it; if it is for the outside, derive it from InputRequiredEvent or use writeEventToStream.",
  },
  UNREACHABLE_STEP: {
    number: 7,
    class: "ValidationError",
    help: "No chain of events leads from the start of a run to this step.",
  },
  DEAD_END: { number: 8, class: "ValidationError", help: "No chain of events leads from this step to a StopEvent." },
  DUPLICATE_STEP: {
    number: 9,
    class: "ValidationError",
    help: "Two steps have one name. Give one of them another `name`, or pass `override: true` to replace the first.",
  },
  DUPLICATE_EVENT: {
    number: 10,
    class: "ValidationError",
    help: "Two event classes have one type name. Give each class its own `static readonly type`.",
  },
  UNKNOWN_STEP: { number: 11, class: "ValidationError", help: "There is no step of that name in the workflow." },
  DUPLICATE_HANDLER: {
    number: 12,
    class: "ValidationError",
    help: "Two catchError handlers are for one step, or two are for all steps. Keep one.",
  },
  INVALID_WORKERS: {
    number: 13,
    class: "ValidationError",
    help: "numWorkers must be a whole number above 0; leave it out for no limit.",
  },
  INVALID_STEP: {
    number: 14,
    class: "ValidationError",
    help: "A step needs 1 to 32 inputs, each an event class or WorkflowEvent.or(…), and a handler function.",
  },
  INVALID_DURATION: {
    number: 15,
    class: "ValidationError",
    help: "A duration must be a number of seconds, 0 or more.",
  },
  INVALID_RETRY: {
    number: 16,
    class: "ValidationError",
    help: "A retry policy must be made with retryPolicy(…), its strategies with the wait… and stop… functions, or be a function.",
  },
  INVALID_OPTION: { number: 17, class: "ValidationError", help: "An option has a value of the wrong kind." },
  INVALID_EVENT: {
    number: 18,
    class: "ValidationError",
    help: "What was sent or returned is not an event. Events are instances of WorkflowEvent or of a class derived from it.",
  },
  UNDECLARED_OUTPUT: {
    number: 19,
    class: "ValidationError",
    help: "A step returned an event that its outputs do not list. Add the class to the step's outputs.",
  },
  EVENT_NOT_TAKEN: {
    number: 20,
    class: "ValidationError",
    help: "The step that the event was sent to does not take events of this class.",
  },
  RUN_ENDED: {
    number: 21,
    class: "ValidationError",
    help: "The run is over and takes no more events. Start another run, or recover one from a snapshot.",
  },
  INVALID_STORE: {
    number: 22,
    class: "ValidationError",
    help: "The path leads through something that is not an object, or is not a path.",
  },
  INVALID_TOOL: {
    number: 23,
    class: "ValidationError",
    help: "A tool is made by tool({ name, description, parameters, execute }); its name has 1 to 64 letters, digits, `_` and `-`.",
  },
  INVALID_SCHEMA: {
    number: 24,
    class: "ValidationError",
    help: 'A schema must be one of an object: JSON Schema with `type: "object"`, or one of a library that follows Standard Schema.',
  },
  INVALID_AGENT: {
    number: 25,
    class: "ValidationError",
    help: "An agent is not defined as it must be; the message says which part.",
  },
  DUPLICATE_AGENT: {
    number: 26,
    class: "ValidationError",
    help: "Two agents have one name. Give each a `name` of its own.",
  },
  UNKNOWN_AGENT: {
    number: 27,
    class: "ValidationError",
    help: "There is no agent of that name in the workflow. A run that is recovered needs the agents that it had.",
  },
  STEP_FAILED: {
    number: 30,
    class: "StepError",
    help: "A step threw something that is not an Error; it is the `cause`.",
  },
  RUN_TIMEOUT: {
    number: 40,
    class: "TimeoutError",
    help: "The run did not finish in time. Raise the workflow's `timeout` (seconds), or pass null for none.",
  },
  STEP_TIMEOUT: {
    number: 41,
    class: "TimeoutError",
    help: "A step did not finish in time. Raise the step's `timeout` (seconds), and pass its `signal` on to what it awaits.",
  },
  WAIT_TIMEOUT: { number: 42, class: "TimeoutError", help: "The event that a step waited for did not come in time." },
  RUN_CANCELLED: {
    number: 50,
    class: "CancelledError",
    help: "The run was cancelled; the reason given is the `cause`.",
  },
  ATTEMPT_ENDED: {
    number: 51,
    class: "CancelledError",
    help: "This attempt of the step is over: it timed out, or its run has ended. Stop working when `signal` aborts.",
  },
  RUN_STALLED: {
    number: 60,
    class: "StalledError",
    help: "Nothing is left that could carry the run on: no step is running or queued, and no event can come from outside.",
  },
  STEPS_LIMIT: { number: 70, class: "LimitError", help: "The run invoked more steps than `limits.steps` allows." },
  EVENTS_DROPPED: {
    number: 71,
    class: "LimitError",
    help: "The reader fell too far behind, and the oldest unread events were dropped. Read faster, or raise `limits.unreadEvents`.",
  },
  AGENT_ITERATIONS: {
    number: 72,
    class: "LimitError",
    help: 'The agent called the model as often as `maxIterations` allows, and had no answer. Raise it, or set `earlyStopping` to "generate".',
  },
  ANSWER_FORM: {
    number: 73,
    class: "LimitError",
    help: "The model did not give its answer in the form of `outputSchema`, although it was told what was wrong. Simplify the schema, or take a better model.",
  },
  ENGINE_PANICKED: {
    number: 80,
    class: "EngineError",
    help: "The engine met a state that should be impossible and gave up its instance. Please report it; the next run gets a fresh instance.",
  },
  UNSUPPORTED_RUNTIME: {
    number: 81,
    class: "EngineError",
    help: 'The WebAssembly module could not be loaded here. Import "stepstream/slim" and hand over a WebAssembly.Module yourself.',
  },
  STALE_ID: { number: 82, class: "EngineError", help: "An id does not belong to anything that exists any more." },
  NO_WEBCRYPTO: {
    number: 83,
    class: "EngineError",
    help: "Seals need WebCrypto, which is not there. In a browser, serve the page over https or from localhost.",
  },
  SNAPSHOT_VALUE: {
    number: 90,
    class: "SnapshotError",
    help: "A value of the run cannot be carried in a snapshot. Keep functions, streams and connections in `data`, or give the workflow a hook for the class in `types`.",
  },
  JOURNAL_NOT_KEPT: {
    number: 91,
    class: "SnapshotError",
    help: "The run keeps no journal. Start it with { journal: true }.",
  },
  SNAPSHOT_STALE: {
    number: 92,
    class: "SnapshotError",
    help: "The store holds a newer snapshot of this run. Load that one and go on from there.",
  },
  SNAPSHOT_FORMAT: {
    number: 100,
    class: "RecoverError",
    help: "The bytes are not what was asked for: a snapshot comes from context.snapshot(), a journal from context.journal(), a sealed snapshot from sealSnapshot().",
  },
  SNAPSHOT_VERSION: {
    number: 101,
    class: "RecoverError",
    help: "The bytes were written by a newer version of stepstream. Update the package here.",
  },
  SNAPSHOT_TRUNCATED: { number: 102, class: "RecoverError", help: "The end of the bytes is missing." },
  SNAPSHOT_ALTERED: {
    number: 103,
    class: "RecoverError",
    help: "The bytes are not what was written: their checksum does not fit.",
  },
  SNAPSHOT_FOREIGN: {
    number: 104,
    class: "RecoverError",
    help: "The snapshot was taken of another workflow: its steps or events differ. If this one is a later version of it, pass { migrate: true }.",
  },
  STEP_MISSING: {
    number: 105,
    class: "RecoverError",
    help: "The snapshot needs a step that the workflow does not have.",
  },
  EVENT_MISSING: {
    number: 106,
    class: "RecoverError",
    help: "The snapshot needs a class of events that the workflow does not know. Name it in a step, or list it in the workflow's `events`.",
  },
  STEP_CHANGED: {
    number: 107,
    class: "RecoverError",
    help: "The snapshot holds events for a step that takes others now.",
  },
  SNAPSHOT_INVALID: {
    number: 108,
    class: "RecoverError",
    help: "The contents of the snapshot contradict each other, or a value in it cannot be restored.",
  },
  JOURNAL_GAP: {
    number: 109,
    class: "RecoverError",
    help: "A part of the journal is missing. Join the increments in the order in which they came, without leaving one out.",
  },
  SEAL_KEY: { number: 110, class: "RecoverError", help: "The snapshot was sealed with another key." },
  SEAL_ALTERED: { number: 111, class: "RecoverError", help: "The sealed snapshot is not what was sealed." },
  SEAL_FOREIGN: { number: 112, class: "RecoverError", help: "The sealed snapshot belongs to another workflow." },
  LLM_REQUEST: {
    number: 120,
    class: "LLMError",
    help: "The request cannot be put into the provider's form. The message says which part; nothing was sent.",
  },
  LLM_AUTH: {
    number: 121,
    class: "LLMError",
    help: "The provider did not accept the API key, or the key may not use this model. Check `apiKey` and the account's rights.",
  },
  LLM_NOT_FOUND: {
    number: 122,
    class: "LLMError",
    help: "The provider knows no such model, or there is nothing at this address. Check `model` and `baseURL`.",
  },
  LLM_BAD_REQUEST: {
    number: 123,
    class: "LLMError",
    help: "The provider refused the request as wrong. Its own message says what it did not like.",
  },
  LLM_CONTEXT_LENGTH: {
    number: 124,
    class: "LLMError",
    help: "The messages are longer than the model's context. Shorten or summarise them, or take a model with a larger one.",
  },
  LLM_CONTENT_FILTER: {
    number: 125,
    class: "LLMError",
    help: "The provider's content filter blocked the request. Change the messages, or the safety settings where the provider has such.",
  },
  LLM_RATE_LIMIT: {
    number: 126,
    class: "LLMError",
    help: "The provider asks for fewer requests. Wait as long as `retryAfter` (seconds) says, or raise `maxRetries`.",
  },
  LLM_QUOTA: {
    number: 127,
    class: "LLMError",
    help: "The account with the provider is used up, so trying again does not help. Look at its plan and billing.",
  },
  LLM_SERVER: {
    number: 128,
    class: "LLMError",
    help: "The provider failed or is overloaded, also after the retries. Try later, or raise `maxRetries`.",
  },
  LLM_HTTP: {
    number: 129,
    class: "LLMError",
    help: "The server answered with a status that means neither success nor a known failure. Check `baseURL`, and what stands between here and there.",
  },
  LLM_NETWORK: {
    number: 130,
    class: "LLMError",
    help: "The provider could not be reached. Check the address and the connection; in a browser also whether the provider allows requests from pages (CORS).",
  },
  LLM_TIMEOUT: {
    number: 131,
    class: "LLMError",
    help: "The model did not answer in time; the message says which timeout it was. Raise it, or pass null for none.",
  },
  LLM_STREAM_CUT: {
    number: 132,
    class: "LLMError",
    help: "The answer ended before it was complete; `partial` holds what had arrived. Ask again, or set `resumeOnDrop`.",
  },
  LLM_STREAM_ERROR: {
    number: 133,
    class: "LLMError",
    help: "The provider reported an error in the middle of its answer; `partial` holds what had arrived.",
  },
  LLM_BAD_ANSWER: {
    number: 134,
    class: "LLMError",
    help: "What came back is not an answer in the provider's form, or not in the form that was asked for; the message says which. Check that `baseURL` leads to the kind of API that was chosen, or make the schema easier for the model.",
  },
  LLM_ABORTED: { number: 135, class: "LLMError", help: "The call was aborted; `partial` holds what had arrived." },
} as const satisfies Readonly<Record<Code, object>>;
