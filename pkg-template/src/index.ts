// Everything that the package offers.

export { type GivenData, WorkflowContext } from "./context.js";
export { step } from "./decorators.js";
export {
  CancelledError,
  type Code,
  EngineError,
  LLMError,
  LimitError,
  RecoverError,
  SnapshotError,
  StalledError,
  StepError,
  TimeoutError,
  ValidationError,
  WorkflowError,
} from "./errors.js";
export {
  type EventChoice,
  type EventClass,
  type EventInput,
  type EventOf,
  HumanResponseEvent,
  InputRequiredEvent,
  NestedEvent,
  StartEvent,
  StepFailedEvent,
  type StepFailure,
  StopEvent,
  StreamReset,
  WorkflowEvent,
} from "./events.js";
export type {
  EventsOf,
  HandlerContext,
  NestedWorkflow,
  Slots,
  StepHandler,
  StepParameters,
  WaitOptions,
} from "./handler-context.js";
export type { TypeHook } from "./internal/codec.js";
export type { RunStatus } from "./internal/run.js";
export {
  type ExponentialOptions,
  type RetryCondition,
  type RetryFunction,
  RetryPolicy,
  StopStrategy,
  WaitStrategy,
  retryAll,
  retryAny,
  retryIfErrorType,
  retryIfMessage,
  retryPolicy,
  retryUnlessErrorType,
  stopAfterAttempt,
  stopAfterDelay,
  stopAll,
  stopAny,
  stopNever,
  waitChain,
  waitExponential,
  waitFixed,
  waitFullJitter,
  waitIncrementing,
  waitRandom,
  waitSum,
} from "./retry.js";
export { Replay, type ReplayedInvocation, type ReplayOptions } from "./replay.js";
export type { CompletedStep, Limits, RecoverOptions, RunOptions, StepHook, WorkflowOptions } from "./run-options.js";
export { type OpenOptions, type SealKey, type SealOptions, openSnapshot, sealSnapshot } from "./seal.js";
export type { PausedStep } from "./stepwise.js";
export type { Store } from "./store.js";
export { type ValidationIssue, Workflow } from "./workflow.js";
