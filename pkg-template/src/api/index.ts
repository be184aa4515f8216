// Everything that the package offers.

import type { WorkflowContext as Context } from "../model/run.js";
import { WorkflowContext as ContextClass } from "./context.js";

/** A run. `run` and `recover` of a workflow make one; the class is there for `instanceof`. */
export const WorkflowContext: abstract new (...args: never) => Context = ContextClass;
export type WorkflowContext<ContextData = unknown, Start = unknown, Stop = unknown> = Context<ContextData, Start, Stop>;

export type { RunArguments, RunOf, RunWithoutData } from "./context.js";
export { type StepDecorator, step } from "./decorators.js";
export {
  CancelledError,
  type Code,
  EngineError,
  LimitError,
  RecoverError,
  SnapshotError,
  StalledError,
  StepError,
  TimeoutError,
  ValidationError,
  WorkflowError,
} from "../errors/errors.js";
export { LLMError, type LLMErrorOptions } from "../model/llm-error.js";
export {
  type CollectOptions,
  type EventChoice,
  type EventClass,
  type EventInput,
  type EventList,
  type EventOf,
  HumanResponseEvent,
  InputRequiredEvent,
  LifecycleEvent,
  NestedEvent,
  StartEvent,
  StepFailedEvent,
  type StepFailure,
  type StepInput,
  StopEvent,
  StreamReset,
  type StreamResetData,
  WorkflowEvent,
  collect,
} from "../model/events.js";
export type {
  CollectEventsOptions,
  EventsOf,
  First,
  HandlerContext,
  SleepOptions,
  WaitOptions,
} from "../model/handler-context.js";
export type {
  AddStepParameters,
  CatchErrorCheck,
  CatchErrorParameters,
  DecoratorCheck,
  HandlerCheck,
  NotInferred,
  StepCheck,
  StepHandler,
  StepInputs,
  StepOutputs,
  StepParameters,
  StepResult,
  Taken,
} from "../model/step-types.js";
export type {
  LifecycleAttempt,
  LifecycleCommon,
  LifecycleData,
  LifecycleError,
  LifecycleKind,
  LifecycleKinds,
  LifecycleOfEvent,
  LifecycleScope,
  LifecycleStep,
} from "../model/lifecycle.js";
export type { NestableWorkflow, NestedWorkflow, NoSlots, Slots, WorkflowTypes } from "../model/nested.js";
export type {
  Cut,
  DisposableRun,
  GivenData,
  PausedStep,
  Question,
  RunStatus,
  SendOptions,
  StreamOptions,
} from "../model/run.js";
export type { TypeHook } from "../model/type-hook.js";
export {
  type ErrorClass,
  type ExponentialJitterOptions,
  type ExponentialOptions,
  type FullJitterOptions,
  type RetryCondition,
  type RetryFunction,
  RetryPolicy,
  StopStrategy,
  WaitStrategy,
  retryAll,
  retryAlways,
  retryAny,
  retryIfCauseType,
  retryIfErrorType,
  retryIfMessage,
  retryNever,
  retryNot,
  retryPolicy,
  retryUnlessErrorType,
  stopAfterAttempt,
  stopAfterDelay,
  stopAll,
  stopAny,
  stopBeforeDelay,
  stopNever,
  waitChain,
  waitExponential,
  waitExponentialJitter,
  waitFixed,
  waitFullJitter,
  waitIncrementing,
  waitNone,
  waitRandom,
  waitSum,
} from "../model/retry.js";
export { observe } from "./observe.js";
export { Replay, type ReplayedInvocation, type ReplayOptions } from "./replay.js";
export type { CompletedStep, Limits, RecoverOptions, RunOptions, StepHook, WorkflowOptions } from "../model/options.js";
export { type OpenOptions, type SealKey, type SealOptions, openSnapshot, sealSnapshot } from "../snapshot/seal.js";
export { type EncodedEvent, decodeEvent, encodeEvent } from "../snapshot/event-object.js";
export { type SnapshotInfo, inspectSnapshot } from "../snapshot/inspect.js";
export type { StandardIssue, StandardResult, StandardSchema } from "../model/standard-schema.js";
export type { StatePath, StateValue, StoreOf, TypedStore } from "../model/state-types.js";
export type { Store } from "../model/store.js";
export type { ValidateOptions, ValidationCode, ValidationIssue } from "../runtime/definition.js";
export type {
  EventDescription,
  RetryDescription,
  StepDescription,
  StopDescription,
  WaitDescription,
  WorkflowDescription,
} from "../runtime/describe-workflow.js";
export { Workflow } from "./workflow.js";
