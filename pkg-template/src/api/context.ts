// A run, as programs see it.

import { type OptionNames, checkOptions } from "../errors/check-options.js";
import { SnapshotError, ValidationError } from "../errors/errors.js";
import type { StartEvent, StepFailure, StopEvent, WorkflowEvent } from "../model/events.js";
import type { RecoverOptions, RunOptions } from "../model/options.js";
import type {
  DisposableRun,
  GivenData,
  Cut,
  PausedStep,
  Question,
  RunStatus,
  SendOptions,
  StreamOptions,
  WorkflowContext as RunContext,
} from "../model/run.js";
import { type Observation, observe } from "../model/run-observer.js";
import type { Store } from "../model/store.js";
import type { WorkflowDefinition } from "../runtime/definition.js";
import { LiveRun } from "../runtime/live-run.js";
import { respond } from "../runtime/questions.js";
import type { RunParts } from "../runtime/run-parts.js";
import { capture } from "../snapshot/capture.js";
import { codecOf } from "../snapshot/document.js";
import { JournalWriter } from "../snapshot/journal-writer.js";
import { PreparedSnapshot } from "../snapshot/restore.js";
import { describe } from "../util/describe.js";
import { newId } from "../util/new-id.js";
import { committerOf, drain } from "./cut.js";
import { stepThrough } from "./stepwise.js";

/**
 * A run that lacks its data: what `run` gives when the workflow needs data and got none. `with` makes it a run that may
 * be awaited, iterated and started.
 */
export interface RunWithoutData<ContextData = unknown, Start = unknown, Stop = unknown> extends DisposableRun {
  /** The run with its data. See {@link RunContext.with}. */
  with<Data extends ContextData>(data: Data): RunContext<GivenData<ContextData, Data>, Start, Stop>;
  /** The run's id. */
  readonly runId: string;
  /** See {@link RunContext.status}. */
  readonly status: RunStatus;
  /** The run's state. */
  readonly store: Store;
  /** See {@link RunContext.cancel}. */
  cancel(reason?: unknown): void;
  /** See {@link RunContext.dispose}. */
  dispose(): void;
  /**
   * Nothing that can be called: it makes the compiler refuse `await`, which takes what has no `then` for a finished
   * value.
   */
  then(this: RunContext<ContextData, Start, Stop>, needsData: never): unknown;
}

/** What `run` gives: a run, or one that lacks its data. */
export type RunOf<ContextData, Start, Stop, Given> = (() => Given) extends () => ContextData
  ? RunContext<ContextData, Start, Stop>
  : RunWithoutData<ContextData, Start, Stop>;

/** The arguments of `run`: the input may be left out when it may be undefined. */
export type RunArguments<Start, Given> = undefined extends Start
  ? [input?: Start | StartEvent<Start>, data?: Given, options?: RunOptions]
  : [input: Start | StartEvent<Start>, data?: Given, options?: RunOptions];

/** Makes a run as programs see it. */
export function createContext<ContextData, Start, Stop>(
  definition: WorkflowDefinition,
  parts: RunParts,
): RunContext<ContextData, Start, Stop> {
  return new WorkflowContext<ContextData, Start, Stop>(definition, parts);
}

function makeLiveRun(definition: WorkflowDefinition, { origin, data, options, place }: RunParts): LiveRun {
  const keepsJournal = options.journal === true;
  const restored = "prepared" in origin ? origin.prepared.take(keepsJournal) : undefined;
  // Without a spread, which costs as much as a step.
  return new LiveRun({
    data,
    options,
    place,
    definition,
    plan: "plan" in origin ? origin.plan : restored!.plan,
    start: "start" in origin ? origin.start : undefined,
    stop: "stop" in origin ? origin.stop : undefined,
    restored,
    store: options.context?.store,
    journal: keepsJournal ? journalOf : undefined,
    committer: options.commit === undefined ? undefined : committerOf(options.commit),
  });
}

function journalOf(run: LiveRun): JournalWriter {
  return new JournalWriter(codecOf(run.plan, run.definition.types), run.store, run.runId);
}

let liveRun: (context: WorkflowContext) => LiveRun;

/** The run behind what programs see; undefined when the value is no run. */
export function liveRunOf(value: unknown): LiveRun | undefined {
  return value instanceof WorkflowContext ? liveRun(value) : undefined;
}

// The member for `using` has a key that not every compiler's library knows, so that it cannot be written into the
// class.
// eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unused-vars
export interface WorkflowContext<ContextData, Start, Stop> extends DisposableRun {}

/** The class behind {@link RunContext}, which has the documentation of its members. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export class WorkflowContext<ContextData = unknown, Start = unknown, Stop = unknown> implements RunContext<
  ContextData,
  Start,
  Stop
> {
  readonly #definition: WorkflowDefinition;
  readonly #parts: RunParts;
  #made: LiveRun | undefined;
  /** It begins by itself, unless `with` has made it a template. */
  #beginsByItself = true;

  constructor(definition: WorkflowDefinition, parts: RunParts) {
    this.#definition = definition;
    this.#parts = parts;
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
    liveRun = (context) => context.#run;
  }

  get #run(): LiveRun {
    return (this.#made ??= this.#make());
  }

  #make(): LiveRun {
    const run = makeLiveRun(this.#definition, this.#parts);
    run.context = this;
    return run;
  }

  with<Data extends ContextData>(data: Data): RunContext<GivenData<ContextData, Data>, Start, Stop> {
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

  start(): this {
    this.#run.start();
    return this;
  }

  get runId(): string {
    return this.#run.runId;
  }

  get data(): ContextData {
    return this.#run.data as ContextData;
  }

  get store(): Store {
    return this.#run.store;
  }

  get status(): RunStatus {
    const { status, isEnded, isReported } = this.#run;
    return isEnded && !isReported ? "running" : status;
  }

  get result(): Stop | undefined {
    return this.#run.isReported ? (this.#run.stop?.data as Stop | undefined) : undefined;
  }

  get failure(): StepFailure | undefined {
    return this.#run.isReported ? this.#run.failure : undefined;
  }

  get pending(): readonly Question[] {
    return this.#run.questions().map(({ accepts: _accepts, answer: _answer, ...question }) => question);
  }

  respond(id: string, answer: unknown): void {
    this.#run.start();
    respond(this.#run.questions(), id, answer);
  }

  sendEvent(event: WorkflowEvent, options: SendOptions = {}): void {
    checkOptions(options, sendNames, "sendEvent");
    this.#run.accept(event, options.step, options.slot);
  }

  cancel(reason?: unknown): void {
    this.#beginsByItself = false;
    this.#run.cancel(reason);
  }

  get wakesAt(): Date | undefined {
    return this.#run.wakesAt;
  }

  idle(options: { readonly until?: "waiting" | "sleeping" | undefined } = {}): Promise<void> {
    checkOptions(options, untilNames, "idle");
    const { until = "waiting" } = options;
    if (until !== "waiting" && until !== "sleeping") refuse("until", until);
    this.#run.start();
    return new Promise((resolve) => this.#run.whenIdle(resolve, until));
  }

  /** See `model/run-observer.ts`. */
  [observe](listener: () => void): Observation {
    const run = this.#run;
    return { warn: (message) => run.definition.warn(message), stop: run.whenChanged(listener) };
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<WorkflowEvent> {
    // Before the run begins: a loop misses nothing, also of steps that run without a pause.
    const reader = this.#run.stream.reader();
    this.#run.start();
    return reader;
  }

  stream(options: StreamOptions = {}): AsyncIterableIterator<WorkflowEvent> {
    checkOptions(options, streamNames, "stream");
    const { until, lifecycle } = options;
    if (until !== undefined && until !== "waiting") refuse("until", until);
    const run = this.#run;
    const isOver = (): boolean => until === "waiting" && run.status === "waiting";
    const cursor = lifecycle === true ? run.watchedStream(isOver) : run.stream.cursor(isOver);
    run.start();
    return cursor;
  }

  stepwise(): AsyncGenerator<PausedStep, void, undefined> {
    return stepThrough(this.#run);
  }

  then<Fulfilled = StopEvent<Stop>, Rejected = never>(
    onFulfilled?: ((stop: StopEvent<Stop>) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    this.#run.start();
    return (this.#run.promise() as Promise<StopEvent<Stop>>).then(onFulfilled, onRejected);
  }

  catch<Rejected = never>(
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<StopEvent<Stop> | Rejected> {
    return this.then(undefined, onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<StopEvent<Stop>> {
    this.#run.start();
    return (this.#run.promise() as Promise<StopEvent<Stop>>).finally(onFinally);
  }

  snapshot(options: { readonly data?: boolean | undefined; readonly unread?: boolean | undefined } = {}): Uint8Array {
    checkOptions(options, snapshotNames, "snapshot");
    return capture(this.#run, { data: options.data === true, unread: options.unread !== false });
  }

  drain(): Cut {
    return drain(this.#run);
  }

  fork(): RunContext<ContextData, Start, Stop> {
    // What is stored under the id of this run is not the fork.
    const { context: _context, runId: _id, commit: _commit, ...others } = this.#parts.options;
    const prepared = new PreparedSnapshot(this.#definition, capture(this.#run, { data: false, unread: true }), {});
    const options = { ...others, runId: newId() };
    const parts: RunParts = { origin: { prepared }, data: this.#run.data, options, place: undefined };
    return createContext(this.#definition, parts);
  }

  journal(options?: { readonly stream?: false | undefined }): Uint8Array;
  journal(options: { readonly stream: true }): AsyncIterableIterator<Uint8Array>;
  journal(options: { readonly stream?: boolean | undefined } = {}): Uint8Array | AsyncIterableIterator<Uint8Array> {
    const writer = this.#run.journal as JournalWriter | undefined;
    if (writer === undefined) throw new SnapshotError("JOURNAL_NOT_KEPT");
    return options.stream === true ? writer.increments() : writer.bytes();
  }

  dispose(): void {
    this.cancel("The run was disposed of.");
  }
}

// Where runtimes have no `Symbol.dispose`, there is no `using` either that would look for it.
if (typeof Symbol.dispose === "symbol") {
  Object.defineProperty(WorkflowContext.prototype, Symbol.dispose, { value: WorkflowContext.prototype.dispose });
}

const runNames: OptionNames<RunOptions> = {
  runId: 1,
  signal: 1,
  context: 1,
  timeout: 1,
  onStep: 1,
  journal: 1,
  commit: 1,
};
const { context: _context, ...continuedNames } = runNames;
const recoverNames: OptionNames<RecoverOptions> = { ...continuedNames, migrate: 1, elapsed: 1 };
const sendNames: OptionNames<SendOptions> = { step: 1, slot: 1 };
const snapshotNames = { data: 1, unread: 1 };
const untilNames = { until: 1 };
const streamNames: OptionNames<StreamOptions> = { until: 1, lifecycle: 1 };
const synonyms = { id: "runId", abortSignal: "signal" };

/**
 * @throws ValidationError `INVALID_OPTION`. A wrong option that was found when the run is under way would be its error,
 * far from the cause.
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
  const { runId, signal, context, onStep, commit }: { readonly [Option in keyof RunOptions]: unknown } = options;
  if (runId !== undefined && (typeof runId !== "string" || runId === "")) refuse("runId", runId);
  // Signals of other realms and of polyfills are as good.
  const canListen = (value: unknown): boolean =>
    typeof (value as { addEventListener?: unknown } | null)?.addEventListener === "function";
  if (signal !== undefined && !canListen(signal)) refuse("signal", signal);
  if (context !== undefined && !(context instanceof WorkflowContext)) refuse("context", context);
  if (onStep !== undefined && typeof onStep !== "function") refuse("onStep", onStep);
  if (commit !== undefined && typeof commit !== "function") refuse("commit", commit);
}

function refuse(what: string, value: unknown): never {
  throw new ValidationError("INVALID_OPTION", `${what} is ${describe(value)}.`);
}
