// A run, as programs see it.

import { type OptionNames, checkOptions } from "../errors/check-options.js";
import { SnapshotError, ValidationError } from "../errors/errors.js";
import type { StartEvent, StepFailure, StopEvent, WorkflowEvent } from "../model/events.js";
import type { RecoverOptions, RunOptions } from "../model/options.js";
import type { GivenData, PausedStep, Run, RunStatus, SendOptions } from "../model/run.js";
import type { Store } from "../model/store.js";
import type { WorkflowDefinition } from "../runtime/definition.js";
import { LiveRun } from "../runtime/live-run.js";
import type { RunParts } from "../runtime/run-parts.js";
import { capture } from "../snapshot/capture.js";
import { codecOf } from "../snapshot/document.js";
import { JournalWriter } from "../snapshot/journal-writer.js";
import { PreparedSnapshot } from "../snapshot/restore.js";
import { describe } from "../util/describe.js";
import { newId } from "../util/new-id.js";
import { stepThrough } from "./stepwise.js";

/** The key of `using`, where the compiler's library has it. */
type DisposeKey = SymbolConstructor extends { readonly dispose: infer Key extends symbol } ? Key : never;

/** Lets `using` free a run, where the compiler's library knows it. */
export type DisposableRun = { readonly [Key in DisposeKey]: () => void };

/**
 * A run that lacks its data: what `run` gives when the workflow needs data and got none. `with` makes it a run that may be awaited, iterated and
 * started.
 */
export interface RunWithoutData<ContextData = unknown, Start = unknown, Stop = unknown> extends DisposableRun {
  /** The run with its data. See {@link WorkflowContext.with}. */
  with<Data extends ContextData>(data: Data): WorkflowContext<GivenData<ContextData, Data>, Start, Stop>;
  /** The run's id. */
  readonly runId: string;
  /** See {@link WorkflowContext.status}. */
  readonly status: RunStatus;
  /** The run's state. */
  readonly store: Store;
  /** See {@link WorkflowContext.cancel}. */
  cancel(reason?: unknown): void;
  /** See {@link WorkflowContext.dispose}. */
  dispose(): void;
  /** Nothing that can be called: it makes the compiler refuse `await`, which takes what has no `then` for a finished value. */
  then(this: WorkflowContext<ContextData, Start, Stop>, needsData: never): unknown;
}

/** What `run` gives: a run, or one that lacks its data. */
export type RunOf<ContextData, Start, Stop, Given> = (() => Given) extends () => ContextData
  ? WorkflowContext<ContextData, Start, Stop>
  : RunWithoutData<ContextData, Start, Stop>;

/** The arguments of `run`: the input may be left out when it may be undefined. */
export type RunArguments<Start, Given> = undefined extends Start
  ? [input?: Start | StartEvent<Start>, data?: Given, options?: RunOptions]
  : [input: Start | StartEvent<Start>, data?: Given, options?: RunOptions];

let construct: (definition: WorkflowDefinition, parts: RunParts) => WorkflowContext;

/** Makes a run as programs see it. */
export function createContext<ContextData, Start, Stop>(
  definition: WorkflowDefinition,
  parts: RunParts,
): WorkflowContext<ContextData, Start, Stop> {
  return construct(definition, parts) as WorkflowContext<ContextData, Start, Stop>;
}

function makeLiveRun(definition: WorkflowDefinition, { origin, ...parts }: RunParts): LiveRun {
  const { options } = parts;
  const keepsJournal = options.journal === true;
  const restored = "prepared" in origin ? origin.prepared.take(keepsJournal) : undefined;
  return new LiveRun({
    ...parts,
    definition,
    plan: "plan" in origin ? origin.plan : restored!.plan,
    start: "start" in origin ? origin.start : undefined,
    stop: "stop" in origin ? origin.stop : undefined,
    restored,
    store: options.context?.store,
    journal: keepsJournal ? journalOf : undefined,
  });
}

function journalOf(run: LiveRun): JournalWriter {
  return new JournalWriter(codecOf(run.plan, run.definition.types), run.store, run.runId);
}

/** The key under which the type of the start event's data stands, for inference alone. */
declare const start: unique symbol;

// The member for `using` has a key that not every compiler's library knows, so that it cannot be written into the class.
// eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unused-vars
export interface WorkflowContext<ContextData, Start, Stop> extends DisposableRun {}

/**
 * A run: awaitable, and async-iterable over its events.
 *
 * It begins when it is first awaited, iterated, sent an event or `start()`ed, and otherwise by itself in the next microtask.
 *
 * ```ts
 * const context = workflow.run("pirates");
 * for await (const event of context) console.log(event);
 * const { data } = await context;
 * ```
 *
 * Mind that an `async` function that returns a run returns its result, as with every awaitable.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export class WorkflowContext<ContextData = unknown, Start = unknown, Stop = unknown> implements Run<ContextData, Stop> {
  /** Carries the type of the start event's data for inference; there is nothing at run time. */
  declare protected readonly [start]?: Start;

  readonly #definition: WorkflowDefinition;
  readonly #parts: RunParts;
  #made: LiveRun | undefined;
  /** It begins by itself, unless `with` has made it a template. */
  #beginsByItself = true;

  private constructor(definition: unknown, parts: unknown) {
    this.#definition = definition as WorkflowDefinition;
    this.#parts = parts as RunParts;
    const { origin, place } = this.#parts;
    // A run from a snapshot is made when it is used: of most only a copy with other data is.
    if (!("prepared" in origin)) this.#made = this.#make();
    // The run around it must not be seen waiting while this one is about to begin.
    const outer = place?.invocation.run;
    outer?.countNested(1);
    queueMicrotask(() => {
      if (this.#beginsByItself) this.#run.start();
      outer?.countNested(-1);
    });
  }

  static {
    construct = (definition, parts) => new WorkflowContext(definition, parts);
  }

  get #run(): LiveRun {
    return (this.#made ??= this.#make());
  }

  #make(): LiveRun {
    const run = makeLiveRun(this.#definition, this.#parts);
    run.context = this;
    return run;
  }

  /**
   * A run of its own with the same start event and other data. The run it is called on becomes a template, which begins only when it is
   * itself used: `run(x).with(d)` runs once, and of `c.with(a)`, `c.with(b)` and `c` each may be used.
   */
  with<Data extends ContextData>(data: Data): WorkflowContext<GivenData<ContextData, Data>, Start, Stop> {
    this.#beginsByItself = false;
    const { runId, ...others } = this.#parts.options;
    // Two runs cannot have one id; but a run that goes on is the one that it was.
    const options = !("prepared" in this.#parts.origin) || runId === undefined ? others : { ...others, runId };
    return createContext<GivenData<ContextData, Data>, Start, Stop>(this.#definition, {
      ...this.#parts,
      options,
      data,
    });
  }

  /** Begins the run, if it has not begun. */
  start(): this {
    this.#run.start();
    return this;
  }

  /** The run's id. */
  get runId(): string {
    return this.#run.runId;
  }

  /** What was given to `run` or `with`. */
  get data(): ContextData {
    return this.#run.data as ContextData;
  }

  /** The run's state. */
  get store(): Store {
    return this.#run.store;
  }

  /**
   * `created`: it has not begun. `running`: it goes on by itself. `waiting`: it goes on when the outside sends an event. `completed`, `failed`,
   * `cancelled`: it has ended.
   */
  get status(): RunStatus {
    return this.#run.status;
  }

  /** What the StopEvent carries; undefined until the run has completed. */
  get result(): Stop | undefined {
    return this.#run.stop?.data as Stop | undefined;
  }

  /** The step whose failure has ended the run, if one has. */
  get failure(): StepFailure | undefined {
    return this.#run.failure;
  }

  /**
   * Sends an event into the run; begins the run if it has not begun. The event goes to all steps that take it, or to the step or
   * slot that the options name. An event that no step and no wait of this run takes goes to the nested runs that wait for it.
   *
   * ```ts
   * run.sendEvent(new AnswerEvent("yes"));
   * run.sendEvent(new AnswerEvent("yes"), { slot: "review" });
   * ```
   *
   * @throws ValidationError `RUN_ENDED`, `INVALID_EVENT`, `UNKNOWN_STEP`, `UNKNOWN_SLOT` (no nested run is under way in it),
   * `EVENT_NOT_TAKEN` (the step does not take it).
   */
  sendEvent(event: WorkflowEvent, options: SendOptions = {}): void {
    checkOptions(options, sendNames, "sendEvent");
    this.#run.accept(event, options.step, options.slot);
  }

  /** Ends the run: it rejects with a CancelledError whose `cause` is the reason. Does nothing when it has ended already. */
  cancel(reason?: unknown): void {
    this.#beginsByItself = false;
    this.#run.cancel(reason);
  }

  /** Resolves when the run has ended, or goes on only when the outside sends an event. Never rejects. */
  idle(): Promise<void> {
    this.#run.start();
    return new Promise((resolve) => this.#run.whenIdle(resolve));
  }

  /** The events that were not read yet, and those to come. Every loop over the run goes on where the last one left off. */
  [Symbol.asyncIterator](): AsyncIterableIterator<WorkflowEvent> {
    // Before the run begins: a loop misses nothing, also of steps that run without a pause.
    const reader = this.#run.stream.reader();
    this.#run.start();
    return reader;
  }

  /** The same as a loop over the run, with a place of its own: what is read here is not taken from others. */
  stream(): AsyncIterableIterator<WorkflowEvent> {
    const cursor = this.#run.stream.cursor();
    this.#run.start();
    return cursor;
  }

  /**
   * Goes through the run step by step: yields each step when it has returned, before its event goes on.
   *
   * ```ts
   * for await (const paused of context.stepwise()) {
   *   if (paused.output instanceof DraftEvent) paused.replace(new DraftEvent(improved));
   * }
   * ```
   */
  stepwise(): AsyncGenerator<PausedStep, void, undefined> {
    return stepThrough(this.#run);
  }

  /** See Promise. Resolves with the StopEvent; rejects with the error that ended the run. */
  then<Fulfilled = StopEvent<Stop>, Rejected = never>(
    onFulfilled?: ((stop: StopEvent<Stop>) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    this.#run.start();
    return (this.#run.promise() as Promise<StopEvent<Stop>>).then(onFulfilled, onRejected);
  }

  /** See Promise. */
  catch<Rejected = never>(
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<StopEvent<Stop> | Rejected> {
    return this.then(undefined, onRejected);
  }

  /** See Promise. */
  finally(onFinally?: (() => void) | null): Promise<StopEvent<Stop>> {
    this.#run.start();
    return (this.#run.promise() as Promise<StopEvent<Stop>>).finally(onFinally);
  }

  /**
   * The run as bytes: everything that `workflow.recover` needs to go on, in this process or another. May be taken at any moment, also of a run
   * that has not begun, has failed or has completed; the run goes on as if nothing had happened. Its size follows what is alive, not what has happened.
   *
   * @param options `data`: whether the run's data goes along. Default: false; it is given anew with `with`.
   * @throws SnapshotError `SNAPSHOT_VALUE` with the `path` of what cannot be carried. EngineError `ENGINE_PANICKED` when the run was lost.
   */
  snapshot(options: { readonly data?: boolean | undefined } = {}): Uint8Array {
    checkOptions(options, snapshotNames, "snapshot");
    return capture(this.#run, { data: options.data === true });
  }

  /**
   * A run of its own that goes on from where this one is now, with the same data and an id of its own.
   *
   * @throws SnapshotError `SNAPSHOT_VALUE`
   */
  fork(): WorkflowContext<ContextData, Start, Stop> {
    const { context: _context, runId: _id, ...others } = this.#parts.options;
    const prepared = new PreparedSnapshot(this.#definition, capture(this.#run, { data: false }), {});
    const options = { ...others, runId: newId() };
    const parts: RunParts = { origin: { prepared }, data: this.#run.data, options, place: undefined };
    return createContext(this.#definition, parts);
  }

  /**
   * The journal of a run that was started with `{ journal: true }`: everything that has happened so far, for `workflow.replay`. With `stream`, an
   * iterable over the same in pieces, those to come included; joined in order they are the journal.
   *
   * @throws SnapshotError `JOURNAL_NOT_KEPT`
   */
  journal(options?: { readonly stream?: false | undefined }): Uint8Array;
  journal(options: { readonly stream: true }): AsyncIterableIterator<Uint8Array>;
  journal(options: { readonly stream?: boolean | undefined } = {}): Uint8Array | AsyncIterableIterator<Uint8Array> {
    const writer = this.#run.journal as JournalWriter | undefined;
    if (writer === undefined) throw new SnapshotError("JOURNAL_NOT_KEPT");
    return options.stream === true ? writer.increments() : writer.bytes();
  }

  /** Frees what the run holds: cancels it, unless it has ended. Also as `using`, where the runtime knows it. */
  dispose(): void {
    this.cancel("The run was disposed of.");
  }
}

// Where runtimes have no `Symbol.dispose`, there is no `using` either that would look for it.
if (typeof Symbol.dispose === "symbol") {
  Object.defineProperty(WorkflowContext.prototype, Symbol.dispose, { value: WorkflowContext.prototype.dispose });
}

const runNames: OptionNames<RunOptions> = { runId: 1, signal: 1, context: 1, timeout: 1, onStep: 1, journal: 1 };
const { context: _context, ...continuedNames } = runNames;
const recoverNames: OptionNames<RecoverOptions> = { ...continuedNames, migrate: 1 };
const sendNames: OptionNames<SendOptions> = { step: 1, slot: 1 };
const snapshotNames = { data: 1 };
const synonyms = { id: "runId", abortSignal: "signal" };

/**
 * @throws ValidationError `INVALID_OPTION`. A wrong option that was found when the run is under way would be its error, far from the
 * cause.
 */
export function checkRunOptions(options: RunOptions): void {
  checkOptions(options, runNames, "run", synonyms);
  checkValues(options);
}

/** @throws ValidationError `INVALID_OPTION` */
export function checkRecoverOptions(options: RecoverOptions): void {
  checkOptions(options, recoverNames, "recover", synonyms);
  checkValues(options);
}

function checkValues(options: RunOptions): void {
  const { runId, signal, context, onStep }: { readonly [Option in keyof RunOptions]: unknown } = options;
  if (runId !== undefined && (typeof runId !== "string" || runId === "")) refuse("runId", runId);
  // Signals of other realms and of polyfills are as good.
  const canListen = (value: unknown): boolean =>
    typeof (value as { addEventListener?: unknown } | null)?.addEventListener === "function";
  if (signal !== undefined && !canListen(signal)) refuse("signal", signal);
  if (context !== undefined && !(context instanceof WorkflowContext)) refuse("context", context);
  if (onStep !== undefined && typeof onStep !== "function") refuse("onStep", onStep);
}

function refuse(what: string, value: unknown): never {
  throw new ValidationError("INVALID_OPTION", `${what} is ${describe(value)}.`);
}
