// What a step's handler gets: the types. `internal/invocation.ts` is what is behind them.

import type { WorkflowContext } from "./context.js";
import type { EventClass, EventInput, EventOf, StartEvent, StopEvent, WorkflowEvent } from "./events.js";
import type { RunOptions } from "./run-options.js";
import type { Store } from "./store.js";
import type { Workflow } from "./workflow.js";

/** Nested workflows by slot. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- `unknown` would refuse every workflow with typed data.
export type Slots = Readonly<Record<string, Workflow<any, any, any, any>>>;

/** Runs a nested workflow. */
export type NestedWorkflow<Nested> =
  Nested extends Workflow<infer ContextData, infer Start, infer Stop, infer _Slots>
    ? {
        /**
         * Starts a run of the nested workflow. Its events appear in this run's stream as NestedEvents, and it is
         * cancelled when this run ends. `data` defaults to this run's.
         */
        run(
          input: Start | StartEvent<Start>,
          data?: ContextData,
          options?: RunOptions,
        ): WorkflowContext<ContextData, Start, Stop>;
      }
    : never;

/** Options of `waitForEvent`. */
export interface WaitOptions<Event extends WorkflowEvent> {
  /** Accepts an event, or leaves it to others. Must not have side effects. */
  readonly where?: (event: Event) => boolean;
  /** How many seconds to wait at most. Default: as long as it takes. */
  readonly timeout?: number | null;
  /** What to call this wait in messages, and what tells it from others of the same step. */
  readonly id?: string;
  /**
   * Published before waiting: the question that the event answers. It is published once, also when the step is tried again or its run is
   * recovered; what tells it from other questions of the step is the class that is waited for, and `id`.
   */
  readonly ask?: WorkflowEvent;
  /** Withdraws the wait when it is aborted: no event goes to it any more. */
  readonly signal?: AbortSignal;
}

/** Events of the classes asked for, in that order. */
export type EventsOf<Classes extends readonly EventInput[]> = {
  -readonly [Nth in keyof Classes]: EventOf<Classes[Nth]>;
};

/**
 * The context of one attempt of one step. Its methods may be taken off it (`({ sendEvent }, event) => …`).
 *
 * When the attempt is over (its run has ended, or it timed out), `signal` is aborted and the methods that act on the run throw a CancelledError
 * with the code `ATTEMPT_ENDED`; after its handler has returned, the run goes on and they work on.
 */
export interface HandlerContext<ContextData = unknown, NestedSlots extends Slots = Slots> {
  /** What was given to `run` or `with`. */
  readonly data: ContextData;
  /** The run's state. */
  readonly store: Store;
  /** Aborted when the attempt times out or the run ends. Pass it on to `fetch` and the like. */
  readonly signal: AbortSignal;
  /** The run's id. */
  readonly runId: string;
  /** The step's name. */
  readonly step: string;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** The nested workflows, by the slots they were added under. */
  readonly workflows: { readonly [Slot in keyof NestedSlots]: NestedWorkflow<NestedSlots[Slot]> };
  /**
   * Sends an event to the steps that take it, or to one of them.
   *
   * @throws ValidationError `INVALID_EVENT`, `UNKNOWN_STEP`, `EVENT_NOT_TAKEN` (the step does not take it), `RUN_ENDED`.
   */
  readonly sendEvent: (event: WorkflowEvent, options?: { readonly step?: string }) => void;
  /** Puts an event into the run's stream; no step gets it. */
  readonly writeEventToStream: (event: WorkflowEvent) => void;
  /**
   * The next event of a class: one that came already and that no step took, or the first that comes. Each call consumes one.
   */
  readonly requireEvent: <const Input extends EventInput>(input: Input) => Promise<EventOf<Input>>;
  /**
   * As `requireEvent`, with conditions.
   *
   * @throws TimeoutError `WAIT_TIMEOUT`; CancelledError `WAIT_WITHDRAWN` when `signal` is aborted.
   */
  readonly waitForEvent: <const Input extends EventInput>(
    input: Input,
    options?: WaitOptions<EventOf<Input>>,
  ) => Promise<EventOf<Input>>;
  /**
   * Puts the event to those that this step has collected. When there is one for each of the classes, takes them out and
   * returns them in the order of the classes; until then returns null.
   *
   * Pass the same array each time when it is long: it is then read in full only once. If you change an array of more than 32
   * classes in place, events count for the old list until the change is noticed, which takes at most length / 32 calls.
   * What you are given always has the classes that the array has at that call.
   *
   * ```ts
   * const both = context.collectEvents(event, [DraftEvent, ReviewEvent]);
   * if (both === null) return;
   * ```
   */
  readonly collectEvents: <const Classes extends readonly EventClass[]>(
    event: WorkflowEvent,
    classes: Classes,
  ) => EventsOf<Classes> | null;
  /**
   * Waits for so many seconds. Survives a snapshot, unlike a timer of your own.
   *
   * @throws CancelledError `WAIT_WITHDRAWN` when `signal` is aborted.
   */
  readonly sleep: (seconds: number, options?: { readonly signal?: AbortSignal }) => Promise<void>;
  /**
   * Does something and remembers the result, for this step and the events that it was invoked with: when the step is tried
   * again, or runs again after a recovery, it is given that result, and nothing is done. What throws is not remembered. The result belongs to snapshots.
   *
   * ```ts
   * const receipt = await context.once("charge", () => charge(event.data));
   * ```
   *
   * A process that dies between the deed and the next snapshot leaves no trace of it: give the other side an idempotency key made of
   * `runId` and `key` where doing it twice would hurt.
   */
  readonly once: <Result>(key: string, act: () => Result | PromiseLike<Result>) => Promise<Awaited<Result>>;
}

/** The parameters of a step. */
export interface StepParameters<
  Inputs extends readonly EventInput[] = readonly EventInput[],
  Outputs extends readonly EventClass[] = readonly EventClass[],
> {
  /** What the step takes: an event of each, first in, first out. */
  readonly inputs: Inputs;
  /** What the step returns. Left out, it may return any event, and nothing is checked. */
  readonly outputs?: Outputs;
  /** Its name, unique in the workflow. Default: the handler's name, else `step1`, `step2`, … */
  readonly name?: string;
  /** How many invocations may run at a time; the rest queue, first in, first out. Default: any number. */
  readonly numWorkers?: number;
  /** Whether and how a failed attempt is repeated. Default: it is not. */
  readonly retry?: import("./retry.js").RetryPolicy | import("./retry.js").RetryFunction;
  /** How many seconds an attempt may take. Default: as long as it takes. */
  readonly timeout?: number | null;
}

type Returned<Outputs extends readonly EventClass[]> = EventOf<Outputs[number]> | null | undefined | void;

/** A step's handler: gets the context and an event for each input, returns an event or nothing. */
export type StepHandler<
  ContextData = unknown,
  Inputs extends readonly EventInput[] = readonly EventInput[],
  Outputs extends readonly EventClass[] = readonly EventClass[],
  NestedSlots extends Slots = Slots,
> = (
  context: HandlerContext<ContextData, NestedSlots>,
  ...events: EventsOf<Inputs>
) => Returned<Outputs> | PromiseLike<Returned<Outputs>>;

/** What `await` on a run gives. */
export type Result<Stop> = StopEvent<Stop>;
