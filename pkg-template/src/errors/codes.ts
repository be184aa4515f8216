// The error codes: the class of the error that carries each, and what its message says: what happened, and what to do.
//
// A code with a number also exists in Rust (`src/error.rs`), and crosses the boundary as that number. A test compares
// the two and writes `docs/errors.md` from this table.

/** What belongs to a code. */
export interface CodeInfo {
  /** The class of the errors with this code. */
  readonly class:
    | "ValidationError"
    | "StepError"
    | "TimeoutError"
    | "CancelledError"
    | "StalledError"
    | "LimitError"
    | "EngineError"
    | "SnapshotError"
    | "RecoverError"
    | "LLMError";
  /** What happened and what to do. Ends the message of every error with this code. */
  readonly help: string;
  /** The number in `src/error.rs`. Codes without one are raised by JavaScript alone. */
  readonly number?: number;
}

/** The stable name of an error, as its `code` property has it. */
export type Code =
  | "NO_STEPS"
  | "NO_START_STEP"
  | "NO_STOP_STEP"
  | "STEP_TAKES_STOP"
  | "NEVER_PRODUCED"
  | "NEVER_CONSUMED"
  | "UNREACHABLE_STEP"
  | "DEAD_END"
  | "NO_FAN_OUT"
  | "UNNAMED_STEP"
  | "UNNAMED_EVENT"
  | "COLLECT_NOT_ALONE"
  | "DUPLICATE_STEP"
  | "DUPLICATE_EVENT"
  | "UNKNOWN_STEP"
  | "DUPLICATE_HANDLER"
  | "HANDLER_HANDLED"
  | "INVALID_WORKERS"
  | "INVALID_STEP"
  | "INVALID_DURATION"
  | "INVALID_RETRY"
  | "INVALID_OPTION"
  | "INVALID_EVENT"
  | "UNDECLARED_OUTPUT"
  | "EVENT_NOT_TAKEN"
  | "UNKNOWN_SLOT"
  | "NO_SUCH_QUESTION"
  | "ANSWER_REFUSED"
  | "COMMIT_FAILED"
  | "RUN_ENDED"
  | "INVALID_STORE"
  | "INVALID_STATE"
  | "ASYNC_SCHEMA"
  | "STORE_BUSY"
  | "NESTED_EDIT"
  | "STORE_IN_USE"
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
  | "WAIT_WITHDRAWN"
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
  | "CLAIM_LOST"
  | "CLAIM_RELEASED"
  | "SNAPSHOT_FORMAT"
  | "SNAPSHOT_VERSION"
  | "SNAPSHOT_TRUNCATED"
  | "SNAPSHOT_ALTERED"
  | "SNAPSHOT_FOREIGN"
  | "STEP_MISSING"
  | "EVENT_MISSING"
  | "STEP_CHANGED"
  | "STATE_REFUSED"
  | "SNAPSHOT_INVALID"
  | "EVENT_FORMAT"
  | "EVENT_VERSION"
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

/** Every code, in the order of `docs/errors.md`. A code keeps its name for ever. */
export const codes: Readonly<Record<Code, CodeInfo>> = {
  NO_STEPS: { number: 1, class: "ValidationError", help: "The workflow has no steps. Add one with addStep." },
  NO_START_STEP: {
    number: 2,
    class: "ValidationError",
    help:
      "No step takes the event that starts the run. Put StartEvent, or your subclass of it, into the inputs of a " +
      "step.",
  },
  NO_STOP_STEP: {
    number: 3,
    class: "ValidationError",
    help: "No step returns StopEvent, so a run can never finish. Put StopEvent into the outputs of the last step.",
  },
  STEP_TAKES_STOP: {
    number: 4,
    class: "ValidationError",
    help: "A StopEvent ends the run before a step can take it. Use an event class of your own.",
  },
  NEVER_PRODUCED: {
    number: 5,
    class: "ValidationError",
    help:
      "A step takes an event that no step returns. Put it into the outputs of the step that makes it. If it comes " +
      "from outside, derive it from HumanResponseEvent.",
  },
  NEVER_CONSUMED: {
    number: 6,
    class: "ValidationError",
    help:
      "A step returns an event that no step takes. Add a step that takes it. If it is for the reader of the stream, " +
      "derive it from InputRequiredEvent or use writeEventToStream.",
  },
  UNREACHABLE_STEP: {
    number: 7,
    class: "ValidationError",
    help: "No chain of events leads from the start of a run to this step, so it never runs.",
  },
  DEAD_END: { number: 8, class: "ValidationError", help: "No chain of events leads from this step to a StopEvent." },
  NO_FAN_OUT: {
    number: 9,
    class: "ValidationError",
    help:
      "A step gathers an event that no step returns, so no array leads to it. Put the event into the outputs of a " +
      "step that works on the array, or take it without collect.",
  },
  UNNAMED_STEP: {
    class: "ValidationError",
    help:
      "The step has no name of its own, so a later build may name it otherwise, and snapshots of this one may not " +
      "resume. " +
      "Pass `name` to addStep.",
  },
  UNNAMED_EVENT: {
    class: "ValidationError",
    help:
      "The event has no `static type`. A minifier may rename its class, and snapshots of this build may then not " +
      "resume. " +
      'Add `static readonly type = "…"` to the class.',
  },
  COLLECT_NOT_ALONE: {
    class: "ValidationError",
    help:
      "A step gathers with collect and has other inputs. Give collect a step of its own that returns an event, and " +
      "take that event with the others.",
  },
  DUPLICATE_STEP: {
    class: "ValidationError",
    help: "Two steps have the same name. Rename one, or pass `override: true` to replace the first.",
  },
  DUPLICATE_EVENT: {
    class: "ValidationError",
    help: "Two event classes have the same type name. Give each class its own `static readonly type`.",
  },
  UNKNOWN_STEP: { class: "ValidationError", help: "The workflow has no step with this name." },
  DUPLICATE_HANDLER: {
    number: 12,
    class: "ValidationError",
    help: "Two catchError handlers cover the same step, or two cover all steps. Keep one.",
  },
  HANDLER_HANDLED: {
    number: 28,
    class: "ValidationError",
    help: "A catchError handler gets no failures of other handlers. Name only steps in `steps`.",
  },
  INVALID_WORKERS: {
    number: 13,
    class: "ValidationError",
    help: "`numWorkers` must be a whole number above 0. Leave it out for no limit.",
  },
  INVALID_STEP: {
    number: 14,
    class: "ValidationError",
    help: "A step needs a handler function and 1 to 32 inputs. Each input is an event class or WorkflowEvent.or(…).",
  },
  INVALID_DURATION: { class: "ValidationError", help: "A duration is a number of seconds, 0 or more." },
  INVALID_RETRY: {
    number: 16,
    class: "ValidationError",
    help: "Pass retryPolicy(…) with the wait… and stop… functions, or a function of your own.",
  },
  INVALID_OPTION: { class: "ValidationError", help: "Check the name and the value of the option." },
  INVALID_EVENT: {
    class: "ValidationError",
    help: "This is not an event. Events are instances of WorkflowEvent or of a class derived from it.",
  },
  UNDECLARED_OUTPUT: {
    class: "ValidationError",
    help: "The step's outputs do not list this event. Add its class to them.",
  },
  EVENT_NOT_TAKEN: {
    number: 20,
    class: "ValidationError",
    help: "The step does not take events of this class. Send the event to a step that does, or leave out `step`.",
  },
  UNKNOWN_SLOT: {
    class: "ValidationError",
    help: "Name the slot of a nested run that is under way, or leave out `slot`.",
  },
  RUN_ENDED: {
    number: 21,
    class: "ValidationError",
    help: "The run has ended and takes no more events. Start another run, or recover one from a snapshot.",
  },
  INVALID_STORE: {
    class: "ValidationError",
    help:
      "A path is a non-empty string, and every key before its last one must lead to an object. " +
      "The function of `edit` with a path is not async.",
  },
  INVALID_STATE: {
    class: "ValidationError",
    help: "The schema of the workflow's `state` refuses the state. Nothing has changed. Correct the value, or the schema.",
  },
  ASYNC_SCHEMA: {
    class: "ValidationError",
    help: "The schema of `state` checks asynchronously. Use one without async refinements and conversions.",
  },
  STORE_BUSY: {
    class: "ValidationError",
    help:
      "An edit of the whole state is under way. Use `await store.edit((state) => …)` here too, which waits for its " +
      "turn. Inside of an edit, change the state that it got.",
  },
  NESTED_EDIT: {
    class: "ValidationError",
    help:
      "This handler has an edit of the state under way, and would wait for itself. Await that edit first, or change " +
      "the state that it got.",
  },
  STORE_IN_USE: {
    class: "ValidationError",
    help:
      "Another run that has not ended uses the store of this context. Await that run first, cancel it, or leave out " +
      "`context`.",
  },
  INVALID_TOOL: {
    class: "ValidationError",
    help:
      "Make tools with tool({ name, description, parameters, execute }). A name has 1 to 64 letters, digits, `_` " +
      "and `-`.",
  },
  INVALID_SCHEMA: {
    class: "ValidationError",
    help:
      'A schema must describe an object: pass JSON Schema with `type: "object"`, ' +
      "or a schema of a Standard Schema library.",
  },
  INVALID_AGENT: {
    class: "ValidationError",
    help: "The definition of an agent is wrong. Correct the part that the message names.",
  },
  DUPLICATE_AGENT: { class: "ValidationError", help: "Two agents have the same name. Give each its own `name`." },
  UNKNOWN_AGENT: {
    class: "ValidationError",
    help: "The workflow has no agent with this name. To recover a run, the workflow needs the same agents as before.",
  },
  STEP_FAILED: { class: "StepError", help: "The step threw something that is not an Error. See `cause`." },
  RUN_TIMEOUT: {
    class: "TimeoutError",
    help: "The run did not finish in time. Raise the workflow's `timeout` (seconds), or pass null for none.",
  },
  STEP_TIMEOUT: {
    class: "TimeoutError",
    help: "The step did not finish in time. Raise its `timeout` (seconds), and pass `signal` to what it awaits.",
  },
  WAIT_TIMEOUT: {
    class: "TimeoutError",
    help: "The event did not arrive in time. Raise the wait's `timeout` (seconds), or catch this error.",
  },
  RUN_CANCELLED: {
    class: "CancelledError",
    help: "The run was cancelled. The reason, if one was given, is the `cause`.",
  },
  ATTEMPT_ENDED: {
    number: 51,
    class: "CancelledError",
    help: "This attempt of the step has ended: it timed out, or its run has ended. Stop working when `signal` aborts.",
  },
  NO_SUCH_QUESTION: {
    class: "ValidationError",
    help: "It was answered or withdrawn, or never asked. `run.pending` has the questions that are open.",
  },
  ANSWER_REFUSED: {
    class: "ValidationError",
    help:
      "The question takes events of the class it expects, and a wait with `where` only those that it accepts. " +
      "The question is still open.",
  },
  COMMIT_FAILED: {
    class: "SnapshotError",
    help:
      "The option `commit` has failed, so what the run did since the last commit is not stored and nothing of it went " +
      "out. Recover the run from its last stored snapshot.",
  },
  WAIT_WITHDRAWN: {
    class: "CancelledError",
    help: "The wait was withdrawn: its signal was aborted, or another wait of the same firstOf came first.",
  },
  RUN_STALLED: {
    class: "StalledError",
    help: "The run cannot continue: no step is running or queued, and no event can come from outside.",
  },
  STEPS_LIMIT: {
    class: "LimitError",
    help:
      "The run invoked more steps than `limits.steps` allows. Look for a loop that does not end, or raise the " +
      "limit.",
  },
  EVENTS_DROPPED: {
    class: "LimitError",
    help:
      "The reader fell too far behind, so the oldest unread events were dropped. Read faster, or raise " +
      "`limits.unreadEvents`.",
  },
  AGENT_ITERATIONS: {
    class: "LimitError",
    help:
      "The agent used all its calls of the model without reaching an answer. " +
      'Raise `maxIterations`, or set `earlyStopping` to "generate".',
  },
  ANSWER_FORM: {
    class: "LimitError",
    help:
      "The model's answer does not match `outputSchema`, also after the errors were sent back. Simplify the schema, " +
      "or use a better model.",
  },
  ENGINE_PANICKED: {
    class: "EngineError",
    help: "The engine hit an internal error. Its runs are lost; the next run gets a fresh engine. Please report this.",
  },
  UNSUPPORTED_RUNTIME: {
    class: "EngineError",
    help:
      "The WebAssembly module could not be loaded. " +
      'Import "stepstream/slim" and pass a WebAssembly.Module yourself.',
  },
  STALE_ID: { number: 82, class: "EngineError", help: "An internal id no longer exists. Please report this." },
  NO_WEBCRYPTO: {
    class: "EngineError",
    help: "Seals need WebCrypto, which is missing here. In a browser, serve the page over https or from localhost.",
  },
  SNAPSHOT_VALUE: {
    number: 90,
    class: "SnapshotError",
    help:
      "A value cannot be serialised. Keep functions, streams and connections in `data`, or give the workflow a hook " +
      "for the class in `types`.",
  },
  JOURNAL_NOT_KEPT: {
    number: 91,
    class: "SnapshotError",
    help: "The run keeps no journal. Start it with { journal: true }.",
  },
  SNAPSHOT_STALE: {
    class: "SnapshotError",
    help: "The store holds a newer snapshot of this run. Load that one and continue from it.",
  },
  CLAIM_LOST: {
    class: "SnapshotError",
    help:
      "The claim of the run is lost: its lease ended before it was renewed, or another holder has the run. Nothing " +
      "was changed in the store. Cancel the run here; to continue it, claim it again and recover its latest snapshot.",
  },
  CLAIM_RELEASED: {
    class: "SnapshotError",
    help: "The claim was released. Claim the run again to change it.",
  },
  SNAPSHOT_FORMAT: {
    number: 100,
    class: "RecoverError",
    help:
      "These bytes are something else. Snapshots come from context.snapshot(), journals from context.journal(), " +
      "sealed snapshots from sealSnapshot().",
  },
  SNAPSHOT_VERSION: {
    number: 101,
    class: "RecoverError",
    help: "A newer version of stepstream wrote these bytes. Update the package here.",
  },
  SNAPSHOT_TRUNCATED: {
    number: 102,
    class: "RecoverError",
    help: "The bytes end too early. Check how they were stored and sent.",
  },
  SNAPSHOT_ALTERED: {
    number: 103,
    class: "RecoverError",
    help:
      "The bytes have changed since they were written: the checksum does not match. Check how they were stored and " +
      "sent.",
  },
  SNAPSHOT_FOREIGN: {
    number: 104,
    class: "RecoverError",
    help:
      "The snapshot is of another workflow: its steps or events differ. If this is a later version of the same " +
      "workflow, pass { migrate: true }.",
  },
  STEP_MISSING: {
    number: 105,
    class: "RecoverError",
    help: "The snapshot needs a step that the workflow does not have. Add the step again.",
  },
  EVENT_MISSING: {
    number: 106,
    class: "RecoverError",
    help:
      "An event class is needed that the workflow does not know. Use it in a step, or list it in the workflow's " +
      "`events`.",
  },
  STEP_CHANGED: {
    number: 107,
    class: "RecoverError",
    help: "The snapshot holds events for a step that no longer takes them. Give the step its former inputs.",
  },
  STATE_REFUSED: {
    class: "RecoverError",
    help:
      "The schema of the workflow's `state` refuses the state in the snapshot. Let the schema accept and convert " +
      "what earlier versions have stored.",
  },
  SNAPSHOT_INVALID: {
    number: 108,
    class: "RecoverError",
    help: "The contents of the snapshot contradict each other, or a value in it cannot be restored.",
  },
  EVENT_FORMAT: {
    class: "RecoverError",
    help: "This is no encoded event, or it was changed. Pass what encodeEvent() gave.",
  },
  EVENT_VERSION: {
    class: "RecoverError",
    help: "A newer version of stepstream encoded the event. Update the package here.",
  },
  JOURNAL_GAP: {
    number: 109,
    class: "RecoverError",
    help: "A part of the journal is missing. Join all increments in their order.",
  },
  SEAL_KEY: { class: "RecoverError", help: "The snapshot was sealed with another key." },
  SEAL_ALTERED: { class: "RecoverError", help: "The sealed snapshot has changed since it was sealed. Do not use it." },
  SEAL_FOREIGN: { class: "RecoverError", help: "The sealed snapshot belongs to another workflow." },
  LLM_REQUEST: {
    number: 120,
    class: "LLMError",
    help: "The request cannot be written in the provider's format. Nothing was sent.",
  },
  LLM_AUTH: {
    number: 121,
    class: "LLMError",
    help:
      "The provider rejected the API key, or the key may not use this model. Check `apiKey` and the account's " +
      "permissions.",
  },
  LLM_NOT_FOUND: {
    number: 122,
    class: "LLMError",
    help: "The provider does not know this model or address. Check `model` and `baseURL`.",
  },
  LLM_BAD_REQUEST: {
    number: 123,
    class: "LLMError",
    help: "The provider rejected the request. Its own message says why.",
  },
  LLM_CONTEXT_LENGTH: {
    number: 124,
    class: "LLMError",
    help: "The messages exceed the model's context. Shorten or summarise them, or use a model with a larger context.",
  },
  LLM_CONTENT_FILTER: {
    number: 125,
    class: "LLMError",
    help: "The provider's content filter blocked the request. Change the messages or the provider's safety settings.",
  },
  LLM_RATE_LIMIT: {
    number: 126,
    class: "LLMError",
    help: "The provider asks for fewer requests. Wait for `retryAfter` seconds, or raise `maxRetries`.",
  },
  LLM_QUOTA: {
    number: 127,
    class: "LLMError",
    help: "The account's quota is used up, so a retry does not help. Check the plan and billing.",
  },
  LLM_SERVER: {
    number: 128,
    class: "LLMError",
    help: "The provider failed or is overloaded, also after the retries. Try later, or raise `maxRetries`.",
  },
  LLM_HTTP: {
    number: 129,
    class: "LLMError",
    help: "The server sent an unexpected status. Check `baseURL`, and any proxy on the way.",
  },
  LLM_NETWORK: {
    number: 130,
    class: "LLMError",
    help:
      "The provider could not be reached. Check the address and the connection. In a browser, check that the " +
      "provider allows requests from pages (CORS).",
  },
  LLM_TIMEOUT: {
    number: 131,
    class: "LLMError",
    help: "The model did not answer in time. Raise the timeout that the message names, or pass null for none.",
  },
  LLM_STREAM_CUT: {
    number: 132,
    class: "LLMError",
    help: "The answer broke off; `partial` has what had arrived. Ask again, or set `resumeOnDrop`.",
  },
  LLM_STREAM_ERROR: {
    number: 133,
    class: "LLMError",
    help: "The provider reported an error in the middle of its answer; `partial` has what had arrived.",
  },
  LLM_BAD_ANSWER: {
    number: 134,
    class: "LLMError",
    help:
      "The answer does not have the provider's format, or does not match the schema. Check that `baseURL` leads to " +
      "this kind of API, or simplify the schema.",
  },
  LLM_ABORTED: { number: 135, class: "LLMError", help: "The call was aborted; `partial` has what had arrived." },
};
