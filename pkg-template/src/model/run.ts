// A run as a type, for the parts that speak of one without making it: options, handlers, hooks. The class is in `api/`.

import type { EventClass, StepFailure, StopEvent, WorkflowEvent } from "./events.js";
import type { Store } from "./store.js";

/**
 * Where a run is. `created`: it has not begun. `running`: its steps work. `sleeping`: only timers are left, of sleeps
 * and of pauses before a retry; it goes on by itself when the next one is due. `waiting`: it goes on when an event
 * comes from outside. `completed`, `failed`, `cancelled`: it has ended.
 */
export type RunStatus = "created" | "running" | "sleeping" | "waiting" | "completed" | "failed" | "cancelled";

/** What the steps of a run that is under way do. */
export type Activity = Extract<RunStatus, "running" | "sleeping" | "waiting">;

/**
 * The type of a run's data after `with`: what the workflow asks for, of which a later `with` may give another value,
 * and whatever else was given.
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
  /** The event it was invoked with; of several, the first. Undefined only of a step that gathers, if there was none. */
  readonly input: WorkflowEvent;
  /** All events it was invoked with. */
  readonly inputs: readonly WorkflowEvent[];
  /**
   * The event that will go on: what the step returned, or what {@link PausedStep.replace} put in its place. Of an
   * array, the first.
   */
  readonly output: WorkflowEvent | undefined;
  /** All events that will go on. */
  readonly outputs: readonly WorkflowEvent[];
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** Lets another event go on, an array of events, or none. Must be called before the loop goes on. */
  replace(event: WorkflowEvent | readonly WorkflowEvent[] | undefined): void;
}

/** The key under which the type of the start event's data stands, for inference alone; there is nothing at run time. */
declare const start: unique symbol;

/** The key of `using`, where the compiler's library has it. */
type DisposeKey = SymbolConstructor extends { readonly dispose: infer Key extends symbol } ? Key : never;

/** Lets `using` free a run, where the compiler's library knows it. */
export type DisposableRun = { readonly [Key in DisposeKey]: () => void };

/**
 * A run: awaitable, and async-iterable over its events.
 *
 * It begins when it is first awaited, iterated, sent an event or `start()`ed, and otherwise by itself in the next
 * microtask.
 *
 * ```ts
 * const context = workflow.run("pirates");
 * for await (const event of context) console.log(event);
 * const { data } = await context;
 * ```
 *
 * An `async` function that returns a run returns its result, as with every awaitable.
 *
 * @typeParam ContextData What handlers find in `context.data`.
 * @typeParam Start What the start event carries.
 * @typeParam Stop What the stop event carries.
 */
export interface WorkflowContext<ContextData = unknown, Start = unknown, Stop = unknown>
  extends PromiseLike<StopEvent<Stop>>, AsyncIterable<WorkflowEvent>, DisposableRun {
  /** For inference alone. */
  readonly [start]?: Start | undefined;
  /**
   * Makes an independent run with the same start event and other data. The run on which `with` is called becomes a
   * template: it begins only when it is itself used. So `run(x).with(d)` runs once, and `c.with(a)`, `c.with(b)` and
   * `c` may all be used.
   */
  with<Data extends ContextData>(data: Data): WorkflowContext<GivenData<ContextData, Data>, Start, Stop>;
  /** Begins the run, if it has not begun. */
  start(): this;
  /** The run's id. */
  readonly runId: string;
  /** What was given to `run` or `with`. */
  readonly data: ContextData;
  /** The run's state. */
  readonly store: Store;
  /** Where the run is; see {@link RunStatus}. */
  readonly status: RunStatus;
  /**
   * When the next timer is due, of a run that sleeps or waits; undefined while its steps work, and when there is no
   * timer. Timers are those of sleeps, retries and timeouts, the run's own included. A host may let the run go until
   * then: it takes a snapshot, sets an alarm, and recovers the run with the option `elapsed`.
   */
  readonly wakesAt: Date | undefined;
  /** What the StopEvent carries; undefined until the run has completed. */
  readonly result: Stop | undefined;
  /** The step whose failure has ended the run, if one has. */
  readonly failure: StepFailure | undefined;
  /**
   * Sends an event into the run; begins the run if it has not begun. The event goes to all steps that take it, or to
   * the step or slot that the options name. An event that no step and no wait of this run takes goes to the nested runs
   * that wait for it.
   *
   * ```ts
   * run.sendEvent(new AnswerEvent("yes"));
   * run.sendEvent(new AnswerEvent("yes"), { slot: "review" });
   * ```
   *
   * @throws ValidationError `RUN_ENDED`, `INVALID_EVENT`, `UNKNOWN_STEP`, `UNKNOWN_SLOT` (no nested run is under way in
   * it), `EVENT_NOT_TAKEN` (the step does not take it).
   */
  sendEvent(event: WorkflowEvent, options?: SendOptions): void;
  /**
   * The questions that are open, the oldest first: waits that only the outside can answer, and events that ask a person
   * and were returned by a step. Those of nested runs too. A recovered run has them at once.
   */
  readonly pending: readonly Question[];
  /**
   * Answers an open question. Begins the run if it has not begun. The answer of a wait goes to that wait alone.
   *
   * ```ts
   * const [question] = run.pending;
   * run.respond(question.id, { approved: true });
   * ```
   *
   * @param answer An event of the class that the question expects, or what such an event carries.
   * @throws ValidationError `NO_SUCH_QUESTION` (unknown, answered or withdrawn), `ANSWER_REFUSED` (an event of another
   * class, or one that the `where` of the wait does not accept).
   */
  respond(id: string, answer: unknown): void;
  /**
   * Ends the run: it rejects with a CancelledError whose `cause` is the reason. Does nothing when it has ended already.
   */
  cancel(reason?: unknown): void;
  /**
   * Resolves when the run has ended, or waits for an event from outside. Never rejects.
   *
   * @param options `until`: with `"sleeping"`, it resolves too when only timers are left. Default: `"waiting"`.
   */
  idle(options?: { readonly until?: "waiting" | "sleeping" | undefined }): Promise<void>;
  /**
   * The events that were not read yet, and those to come. Every loop over the run continues where the last one stopped.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<WorkflowEvent>;
  /**
   * A loop over the run's events with a position of its own: what it reads, other loops read too. It begins with the
   * oldest event that the loops over the run itself have not read.
   *
   * ```ts
   * for await (const event of run.stream({ until: "waiting" })) show(event);
   * if (run.status === "waiting") ask(run.pending);
   * ```
   *
   * @throws ValidationError `INVALID_OPTION`
   */
  stream(options?: StreamOptions): AsyncIterableIterator<WorkflowEvent>;
  /**
   * Goes through the run step by step: yields each step when it has returned, before its event goes on.
   *
   * ```ts
   * for await (const paused of context.stepwise()) {
   *   if (paused.output instanceof DraftEvent) paused.replace(new DraftEvent(improved));
   * }
   * ```
   */
  stepwise(): AsyncGenerator<PausedStep, void, undefined>;
  /** See Promise. Resolves with the StopEvent; rejects with the error that ended the run. */
  then<Fulfilled = StopEvent<Stop>, Rejected = never>(
    onFulfilled?: ((stop: StopEvent<Stop>) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected>;
  /** See Promise. */
  catch<Rejected = never>(
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<StopEvent<Stop> | Rejected>;
  /** See Promise. */
  finally(onFinally?: (() => void) | null): Promise<StopEvent<Stop>>;
  /**
   * The run as bytes: everything that `workflow.recover` needs to resume it, in this process or another. It may be
   * taken at any moment, also of a run that has not begun, has failed or has completed, and does not change the run.
   * Its size depends on what is pending, not on what has happened.
   *
   * @param options `data`: whether the snapshot contains the run's data. Default: false; `with` gives it to the
   * recovered run. `unread`: whether it contains the events that were published and not read, for the reader of the
   * recovered run. Default: true.
   * @throws SnapshotError `SNAPSHOT_VALUE` with the `path` of what a snapshot cannot hold. EngineError
   * `ENGINE_PANICKED` when the run was lost.
   */
  snapshot(options?: { readonly data?: boolean | undefined; readonly unread?: boolean | undefined }): Uint8Array;
  /**
   * Hands over what was published and not read, together with a snapshot of the same moment without it. So a host can
   * store both at once, and lose no event and get none twice. Loops over the run go on behind it.
   *
   * @throws SnapshotError as `snapshot`; the events stay then.
   */
  drain(): Cut;
  /**
   * An independent run that continues from where this one is now, with the same data and an id of its own.
   *
   * @throws SnapshotError `SNAPSHOT_VALUE`
   */
  fork(): WorkflowContext<ContextData, Start, Stop>;
  /**
   * The journal of a run that was started with `{ journal: true }`: everything that has happened so far, for
   * `workflow.replay`. With `stream`, an iterable over its pieces, those to come included. Joined in order, the pieces
   * are the journal.
   *
   * @throws SnapshotError `JOURNAL_NOT_KEPT`
   */
  journal(options?: { readonly stream?: false | undefined }): Uint8Array;
  journal(options: { readonly stream: true }): AsyncIterableIterator<Uint8Array>;
  /** Frees what the run holds: cancels it, unless it has ended. Also as `using`, where the runtime knows it. */
  dispose(): void;
}

/** An open question of a run. */
export interface Question {
  /** Names it for `respond`; the same after a recovery. */
  readonly id: string;
  /** The step that asks. */
  readonly step: string;
  /** What was asked: the `ask` of the wait, or the event that the step returned. */
  readonly question: WorkflowEvent | undefined;
  /** The class of the answer; of a wait for one of several classes, the first. */
  readonly expects: EventClass;
  /** Of a nested run: its slot; of one nested in that, `"outer.inner"`. */
  readonly slot?: string | undefined;
}

/** A run at one moment: what was published up to it, and everything else as a snapshot. */
export interface Cut {
  /** The run, without the events of this and of earlier cuts. */
  readonly snapshot: Uint8Array;
  /** What was published since the last cut, in order. */
  readonly events: readonly WorkflowEvent[];
  /** Grows with everything that happens in a run: of two snapshots, the one with the higher number is newer. */
  readonly sequence: bigint;
  /** See {@link WorkflowContext.status}. */
  readonly status: RunStatus;
  /** See {@link WorkflowContext.wakesAt}. */
  readonly wakesAt: Date | undefined;
}

/** Options of `stream`. */
export interface StreamOptions {
  /**
   * With `"waiting"`, the loop ends when the run waits for the outside and everything that was published before has
   * been read. Default: it ends with the run.
   */
  readonly until?: "waiting" | undefined;
  /**
   * Whether the loop also gets a {@link LifecycleEvent} for each thing that happens from now on, among the events in
   * the order in which all of it happens. Default: false.
   *
   * ```ts
   * for await (const event of run.stream({ lifecycle: true })) {
   *   if (event instanceof LifecycleEvent) console.log(event.data.kind, event.data.time);
   * }
   * ```
   */
  readonly lifecycle?: boolean | undefined;
}

/** To whom an event from outside goes. Default: every step that takes it. */
export interface SendOptions {
  /** The one step that gets it. */
  readonly step?: string | undefined;
  /** The nested runs of this slot get it; of a slot in a nested workflow, `"outer.inner"`. */
  readonly slot?: string | undefined;
}
