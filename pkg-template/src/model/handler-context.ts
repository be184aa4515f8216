// What a step's handler gets, as types. `runtime/invocation.ts` is behind them.

import type { EventClass, EventInput, EventOf, WorkflowEvent } from "./events.js";
import type { NestedWorkflow, NoSlots, Slots } from "./nested.js";
import type { StoreOf } from "./state-types.js";
import type { Signal } from "../util/platform.js";

/** Options of `waitForEvent`. */
export interface WaitOptions<Event extends WorkflowEvent> {
  /** Accepts an event, or leaves it to others. Must not have side effects. */
  readonly where?: ((event: Event) => boolean) | undefined;
  /** How many seconds to wait at most. Default: no limit. */
  readonly timeout?: number | null | undefined;
  /** The name of this wait in messages. It tells this wait from others of the same step. */
  readonly id?: string | undefined;
  /** The question that the event answers. It is published once, before the wait, also when the step runs again. */
  readonly ask?: WorkflowEvent | undefined;
  /** Withdraws the wait when it is aborted: the wait takes no event any more, and rejects with `WAIT_WITHDRAWN`. */
  readonly signal?: Signal | undefined;
}

/** Options of `sleep`. */
export interface SleepOptions {
  /** Withdraws the sleep when it is aborted: it rejects with `WAIT_WITHDRAWN`. */
  readonly signal?: Signal | undefined;
}

/** Options of `collectEvents`. */
export interface CollectEventsOptions {
  /** Keeps apart what the step gathers under different texts. Default: one buffer for the whole step. */
  readonly buffer?: string | undefined;
}

/** The first of several waits: its key, and what it gave. */
export type First<Waits extends Readonly<Record<string, PromiseLike<unknown>>>> = {
  [Key in keyof Waits]: [key: Key, value: Awaited<Waits[Key]>];
}[keyof Waits];

/** Events of the classes asked for, in that order. */
export type EventsOf<Classes extends readonly EventInput[]> = {
  -readonly [Nth in keyof Classes]: EventOf<Classes[Nth]>;
};

/**
 * The context of one attempt of one step. Its methods may be taken off it (`({ sendEvent }, event) => …`).
 *
 * When the attempt is over (its run has ended, or it timed out), `signal` is aborted, and the methods that act on the
 * run throw a CancelledError with the code `ATTEMPT_ENDED`. After the handler has returned, the run goes on, and
 * `sendEvent` and `writeEventToStream` still work.
 */
export interface HandlerContext<ContextData = unknown, NestedSlots extends Slots = NoSlots, State = unknown> {
  /** What was given to `run` or `with`. */
  readonly data: ContextData;
  /** The run's state. Typed when the type of the workflow's `state` is known. */
  readonly store: StoreOf<State>;
  /** Aborted when the attempt times out or the run ends. Pass it on to `fetch` and the like. */
  readonly signal: Signal;
  /** The run's id. */
  readonly runId: string;
  /** The step's name. */
  readonly step: string;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /**
   * What the attempt before this one has failed with; undefined in the first attempt. After a recovery it is a copy of
   * the error, without what a snapshot cannot hold.
   *
   * ```ts
   * if (lastError instanceof RateLimitError) await useOtherModel();
   * ```
   */
  readonly lastError: Error | undefined;
  /**
   * How many seconds have gone by since the first attempt began. The run's time counts: what passes while it is a
   * snapshot does not. Where no step has a `retry` or a `timeout` and there is no error handler, a run reads the clock
   * less often until a step asks for this, and the first number may be too high.
   *
   * @throws CancelledError `ATTEMPT_ENDED` when it is first asked for after the attempt is over.
   */
  readonly elapsed: number;
  /** The nested workflows, by the slots they were added under. */
  readonly workflows: { readonly [Slot in keyof NestedSlots]: NestedWorkflow<NestedSlots[Slot]> };
  /**
   * Sends an event to the steps that take it, or to one of them.
   *
   * @throws ValidationError `INVALID_EVENT`, `UNKNOWN_STEP`, `EVENT_NOT_TAKEN` (the step does not take it),
   * `RUN_ENDED`.
   */
  readonly sendEvent: (event: WorkflowEvent, options?: { readonly step?: string | undefined }) => void;
  /**
   * Puts an event into the run's stream; no step gets it. When the step runs again, after a retry or a recovery, the
   * stream first gets a `StreamReset`, and the step writes anew.
   */
  readonly writeEventToStream: (event: WorkflowEvent) => void;
  /**
   * The next event of a class: one that came before and that no step took, or the first that comes. Each call consumes
   * one event.
   */
  readonly requireEvent: <const Input extends EventInput>(input: Input) => Promise<EventOf<Input>>;
  /**
   * As `requireEvent`, with conditions, a timeout, a question, or a signal that withdraws the wait.
   *
   * ```ts
   * const answer = await context.waitForEvent(AnswerEvent, { ask: new QuestionEvent("Send it?"), timeout: 3600 });
   * ```
   *
   * A wait that loses a `Promise.race` stays open and takes the next event. Use `firstOf` instead, which withdraws the
   * losers.
   *
   * @throws TimeoutError `WAIT_TIMEOUT`. CancelledError `WAIT_WITHDRAWN`.
   */
  readonly waitForEvent: <const Input extends EventInput>(
    input: Input,
    options?: WaitOptions<EventOf<Input>>,
  ) => Promise<EventOf<Input>>;
  /**
   * The first of several waits and sleeps. The others are withdrawn: they take no event any more.
   *
   * ```ts
   * const [which, event] = await context.firstOf({
   *   answer: context.waitForEvent(AnswerEvent),
   *   late: context.sleep(3600),
   * });
   * if (which === "late") return new ReminderEvent();
   * ```
   *
   * @param waits Promises by key: those of `waitForEvent`, `requireEvent` and `sleep`, and any other.
   * @returns The key and the value of the first. Rejects when the first to settle rejects.
   * @throws ValidationError `INVALID_OPTION` when there is no promise in it.
   */
  readonly firstOf: <const Waits extends Readonly<Record<string, PromiseLike<unknown>>>>(
    waits: Waits,
  ) => Promise<First<Waits>>;
  /**
   * Adds an event to those that this step has collected. When there is one for each of the classes, takes them out and
   * returns them in the order of the classes; until then returns null.
   *
   * ```ts
   * const both = context.collectEvents(event, [DraftEvent, ReviewEvent]);
   * if (both === null) return;
   * ```
   *
   * Pass the same array each time when it is long: it is then read in full only once. If you change an array of more
   * than 32 classes in place, events count for the old list until the change is noticed, which takes at most length /
   * 32 calls. What you are given always has the classes that the array has at that call.
   *
   * With a `buffer`, only events that were added under the same text count together: a step can gather for several
   * requests at a time.
   *
   * ```ts
   * const all = context.collectEvents(event, expected, { buffer: event.data.requestId });
   * ```
   *
   * @throws ValidationError `INVALID_EVENT`, `INVALID_OPTION` (the classes, or a buffer that is no text or empty).
   */
  readonly collectEvents: <const Classes extends readonly EventClass[]>(
    event: WorkflowEvent,
    classes: Classes,
    options?: CollectEventsOptions,
  ) => EventsOf<Classes> | null;
  /** Sleeps for so many seconds. Survives a snapshot, unlike a timer of your own. */
  readonly sleep: (seconds: number, options?: SleepOptions) => Promise<void>;
  /**
   * Does something with a side effect once, and remembers the result, for this step and the events that it was invoked
   * with. When the step is tried again, or runs again after a recovery, it gets that result, and the side effect does
   * not happen again. What throws is not remembered. The result is part of snapshots.
   *
   * ```ts
   * const receipt = await context.once("charge", () => charge(event.data));
   * ```
   *
   * A process that dies between the side effect and the next snapshot leaves no trace of it. Where a repetition would
   * hurt, give the other side the `idempotencyKey`, which is the same at every repetition:
   *
   * ```ts
   * const receipt = await context.once("charge", ({ idempotencyKey }) => charge(event.data, { idempotencyKey }));
   * ```
   *
   * In a run with the option `commit`, the step gets the result when it is stored.
   */
  readonly once: <Result>(
    key: string,
    act: (call: { readonly idempotencyKey: string }) => Result | PromiseLike<Result>,
  ) => Promise<Awaited<Result>>;
}
