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
} from "../errors/errors.js";
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
  type StreamResetData,
  WorkflowEvent,
} from "../model/events.js";
export type {
  EventsOf,
  HandlerContext,
  NestedWorkflow,
  Slots,
  StepHandler,
  StepParameters,
  WaitOptions,
} from "../model/handler-context.js";
export type { TypeHook } from "../snapshot/codec/context.js";
export type { RunStatus } from "../runtime/live-run.js";
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
} from "../model/retry.js";
export { Replay, type ReplayedInvocation, type ReplayOptions } from "./replay.js";
export type { CompletedStep, Limits, RecoverOptions, RunOptions, StepHook, WorkflowOptions } from "../model/options.js";
export { type OpenOptions, type SealKey, type SealOptions, openSnapshot, sealSnapshot } from "../snapshot/seal.js";
export type { PausedStep } from "./stepwise.js";
export type { Store } from "../model/store.js";
export { type ValidationIssue, Workflow } from "./workflow.js";
