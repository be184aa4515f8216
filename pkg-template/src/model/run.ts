// A run as a type, for the parts that speak of one without making it: options, handlers, hooks. The class is in `api/`.

import type { StepFailure, StopEvent, WorkflowEvent } from "./events.js";
import type { Store } from "./store.js";

/**
 * Where a run is. `created`: it has not begun. `running`: it goes on by itself. `waiting`: it goes on when an event comes from
 * outside. `completed`, `failed`, `cancelled`: it has ended.
 */
export type RunStatus = "created" | "running" | "waiting" | "completed" | "failed" | "cancelled";

/**
 * The type of a run's data after `with`: what the workflow asks for, of which a later `with` may give another value, and whatever else
 * was given.
 */
export type GivenData<ContextData, Data> = unknown extends ContextData
  ? Data
  : Data extends object
    ? [Exclude<keyof Data, keyof ContextData>] extends [never]
      ? ContextData
      : ContextData & Pick<Data, Exclude<keyof Data, keyof ContextData>>
    : ContextData;

/** A step that has returned, before its event goes on. */
export interface PausedStep {
  /** The step's name. */
  readonly step: string;
  /** The event it was invoked with; of a step with several inputs, the first. */
  readonly input: WorkflowEvent;
  /** All events it was invoked with. */
  readonly inputs: readonly WorkflowEvent[];
  /** The event that will go on: what the step returned, or what {@link PausedStep.replace} put in its place. */
  readonly output: WorkflowEvent | undefined;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** Lets another event go on, or none. Must be called before the loop goes on. */
  replace(event: WorkflowEvent | undefined): void;
}

/**
 * A run, as a step's handler, a hook or an option has it: awaitable, and async-iterable over its events. `WorkflowContext` is the class.
 *
 * @typeParam ContextData What handlers find in `context.data`.
 * @typeParam Stop What the stop event carries.
 */
export interface Run<ContextData = unknown, Stop = unknown>
  extends PromiseLike<StopEvent<Stop>>, AsyncIterable<WorkflowEvent> {
  /** The run's id. */
  readonly runId: string;
  /** What was given to `run` or `with`. */
  readonly data: ContextData;
  /** The run's state. */
  readonly store: Store;
  /** Where the run is. */
  readonly status: RunStatus;
  /** What the StopEvent carries; undefined until the run has completed. */
  readonly result: Stop | undefined;
  /** The step whose failure has ended the run, if one has. */
  readonly failure: StepFailure | undefined;
  /** Begins the run, if it has not begun. */
  start(): this;
  /** Sends an event into the run, to all steps that take it, to one of them, or to nested runs. */
  sendEvent(event: WorkflowEvent, options?: SendOptions): void;
  /** Ends the run: it rejects with a CancelledError whose `cause` is the reason. */
  cancel(reason?: unknown): void;
  /** Resolves when the run has ended, or waits for an event from outside. */
  idle(): Promise<void>;
  /** A loop over the run's events with a place of its own. */
  stream(): AsyncIterableIterator<WorkflowEvent>;
  /** The run as bytes. */
  snapshot(options?: { readonly data?: boolean | undefined }): Uint8Array;
  /** A run of its own with the same start event and other data. */
  with<Data extends ContextData>(data: Data): Run<GivenData<ContextData, Data>, Stop>;
  /** A loop over the steps: yields each when it has returned, before its event goes on. */
  stepwise(): AsyncGenerator<PausedStep, void, undefined>;
  /** A run of its own that goes on from where this one is now. */
  fork(): Run<ContextData, Stop>;
  /** The journal of a run that keeps one: everything that has happened so far. */
  journal(options?: { readonly stream?: false | undefined }): Uint8Array;
  journal(options: { readonly stream: true }): AsyncIterableIterator<Uint8Array>;
  /** See Promise. */
  catch<Rejected = never>(
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<StopEvent<Stop> | Rejected>;
  /** See Promise. */
  finally(onFinally?: (() => void) | null): Promise<StopEvent<Stop>>;
  /** Frees what the run holds: cancels it, unless it has ended. */
  dispose(): void;
}

/** To whom an event from outside goes. Default: every step that takes it. */
export interface SendOptions {
  /** The one step that gets it. */
  readonly step?: string | undefined;
  /** The nested runs of this slot get it; of a slot in a nested workflow, `"outer.inner"`. */
  readonly slot?: string | undefined;
}
