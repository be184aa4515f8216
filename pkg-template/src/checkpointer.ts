// Checkpoints: a snapshot after each step, so that a run can be taken up again from any of them: `stepstream/checkpointer`.
//
// What is known of a checkpoint stands in its key, so it is there as soon as the snapshot is, with whatever store, and a list of
// checkpoints needs no snapshot to be read.

import { ValidationError } from "./errors.js";
import type {
  CompletedStep,
  EventClass,
  RecoverOptions,
  RunArguments,
  RunOf,
  RunOptions,
  Slots,
  StepHook,
  Workflow,
  WorkflowContext,
} from "./index.js";
import { describe } from "./internal/duration.js";
import { readHeader } from "./internal/header.js";
import { newId } from "./internal/new-id.js";
import { typeName } from "./internal/plan.js";
import { isThenable } from "./internal/thenable.js";
import type { SnapshotStore } from "./stores/index.js";
import { memoryStore } from "./stores/memory.js";

/** A snapshot that was taken when a step had completed. */
export interface Checkpoint {
  /** The key of the snapshot in the store. */
  readonly id: string;
  /** The id of the run. */
  readonly runId: string;
  /** How far the run had come, as its snapshots count it: of two checkpoints of a run, the later one has the higher number. */
  readonly sequence: bigint;
  /** The step that had completed. */
  readonly step: string;
  /** The type name of the event that the step was invoked with; of a step with several inputs, the first. */
  readonly input: string;
  /** The type name of the event that the step returned, if it returned one. */
  readonly output: string | undefined;
  /** For {@link WorkflowCheckpointer.runFrom}, or `workflow.recover`. */
  readonly snapshot: Uint8Array;
}

/** Which checkpoints are asked for; what is left out does not matter. */
export interface CheckpointFilter {
  readonly runId?: string | undefined;
  /** The step that had completed. */
  readonly step?: string | undefined;
  /** What it was invoked with: a class of events, or its type name. Events of derived classes have names of their own. */
  readonly input?: EventClass | string | undefined;
  /** What it returned: a class of events, or its type name. */
  readonly output?: EventClass | string | undefined;
}

/** Options of a {@link WorkflowCheckpointer}. */
export interface CheckpointerOptions {
  /** Where the checkpoints are kept. Default: a `memoryStore` of its own. */
  readonly store?: SnapshotStore | undefined;
  /** The steps after which checkpoints are taken, to begin with. Default: all, also those that are added later. */
  readonly steps?: readonly string[] | undefined;
  /**
   * Called when a snapshot could not be taken or saved; the run goes on without that checkpoint. Default: throws the error. What is thrown
   * fails the run, if it has not ended by then, and in any case `flush`.
   */
  readonly onError?: ((error: unknown, completed: CompletedStep, context: WorkflowContext) => void) | undefined;
}

/**
 * Runs a workflow and takes a checkpoint after each step.
 *
 * ```ts
 * const checkpointer = new WorkflowCheckpointer(workflow, { store: fileStore("./checkpoints") });
 * await checkpointer.run("pirates", { llm });
 * await checkpointer.flush();
 *
 * const [draft] = await checkpointer.filter({ output: DraftEvent });
 * await checkpointer.runFrom(draft, { llm }); // As often as you like.
 * ```
 *
 * Everything is in the store: a checkpointer in another process, over the same store, lists the same checkpoints and runs from them. Give each
 * workflow a store to itself. Steps of nested workflows are in the snapshots, and have no checkpoints of their own.
 */
export class WorkflowCheckpointer<ContextData = unknown, Start = unknown, Stop = unknown> {
  /** The workflow that is run. */
  readonly workflow: Workflow<ContextData, Start, Stop, Slots>;
  /** Where the checkpoints are. */
  readonly store: SnapshotStore;
  readonly #onError: CheckpointerOptions["onError"];
  readonly #isEnabledByDefault: boolean;
  /** What was said of single steps. */
  readonly #enabled = new Map<string, boolean>();
  /** The last save of each run, while there is one. */
  readonly #saving = new Map<string, Promise<void>>();
  /** The first error that nobody was told of by `flush` yet. */
  #failure: { readonly error: unknown } | undefined;

  /** @throws ValidationError `INVALID_OPTION`, `UNKNOWN_STEP` */
  constructor(workflow: Workflow<ContextData, Start, Stop, Slots>, options: CheckpointerOptions = {}) {
    const { store = memoryStore(), steps, onError } = options;
    if (onError !== undefined && typeof onError !== "function") {
      throw new ValidationError("INVALID_OPTION", `onError is ${describe(onError)}.`);
    }
    this.workflow = workflow;
    this.store = store;
    this.#onError = onError;
    this.#isEnabledByDefault = steps === undefined;
    for (const step of steps ?? []) this.enable(step);
  }

  /** From now on takes checkpoints after this step. @throws ValidationError `UNKNOWN_STEP` */
  enable(step: string): this {
    return this.#set(step, true);
  }

  /** From now on takes no checkpoints after this step. @throws ValidationError `UNKNOWN_STEP` */
  disable(step: string): this {
    return this.#set(step, false);
  }

  #set(step: string, isEnabled: boolean): this {
    if (!this.workflow.hasStep(step)) throw new ValidationError("UNKNOWN_STEP", `The step is ${describe(step)}.`);
    this.#enabled.set(step, isEnabled);
    return this;
  }

  /** As `workflow.run`, with checkpoints. `onStep` of the run, or else of the workflow, is called as well, before the checkpoint is taken. */
  run<Given extends ContextData | undefined = undefined>(
    ...[input, data, options]: RunArguments<Start, Given>
  ): RunOf<ContextData, Start, Stop, Given> {
    const given = [input, data, { ...options, onStep: this.#hook(options) }] as RunArguments<Start, Given>;
    return this.workflow.run(...given);
  }

  /**
   * A run that goes on from a checkpoint, and takes checkpoints as well. It has an id of its own, so that the first run's checkpoints stay as they
   * are; with `options.runId` set to the checkpoint's it adds to those.
   *
   * @param data What handlers find in `context.data`.
   * @throws RecoverError as `workflow.recover`.
   */
  runFrom(
    checkpoint: Pick<Checkpoint, "snapshot">,
    data?: ContextData,
    options: RecoverOptions = {},
  ): WorkflowContext<ContextData, Start, Stop> {
    const { runId = newId() } = options;
    const context = this.workflow.recover(checkpoint.snapshot, { ...options, runId, onStep: this.#hook(options) });
    return context.with(data as ContextData);
  }

  /** The checkpoints of a run, or of all runs, each run's in the order in which they were taken. See {@link WorkflowCheckpointer.filter}. */
  checkpoints(runId?: string): Promise<Checkpoint[]> {
    return this.filter(runId === undefined ? {} : { runId });
  }

  /**
   * The checkpoints that a filter lets through, each run's in the order in which they were taken. Those that are just being saved are waited for. The
   * snapshots are loaded along, so ask for no more than you need.
   *
   * @throws what the store throws.
   */
  async filter(filter: CheckpointFilter = {}): Promise<Checkpoint[]> {
    await this.#settled();
    const { runId, step } = filter;
    const [input, output] = [filter.input, filter.output].map((type) =>
      typeof type === "function" ? typeName(type) : type,
    );
    const ids = await this.store.list(runId === undefined ? "" : `${written(runId)}/`);
    const wanted = ids.flatMap((id) => {
      const found = read(id);
      const isWanted =
        found !== undefined &&
        (runId === undefined || found.runId === runId) &&
        (step === undefined || found.step === step) &&
        (input === undefined || found.input === input) &&
        (output === undefined || found.output === output);
      return isWanted ? [found] : [];
    });
    const loaded = wanted.map(async (found) => {
      const snapshot = await this.store.load(found.id);
      // It may have been deleted in the meantime.
      return snapshot === undefined ? [] : [{ ...found, snapshot }];
    });
    return (await Promise.all(loaded)).flat();
  }

  /**
   * Resolves when everything that was taken is in the store. Call it before the process ends.
   *
   * @throws the first error since the last call; where `onError` is given, the first that it has thrown.
   */
  async flush(): Promise<void> {
    await this.#settled();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  async #settled(): Promise<void> {
    while (this.#saving.size > 0) await Promise.allSettled(this.#saving.values());
  }

  #hook(options: Pick<RunOptions, "onStep"> | undefined): StepHook {
    const users = options?.onStep ?? this.workflow.onStep;
    return (completed, context) => {
      const told = users?.(completed, context);
      const saved = this.#take(completed, context);
      return isThenable(told) ? Promise.all([told, saved]) : saved;
    };
  }

  /** Takes a checkpoint; the promise is rejected when the run has to fail. */
  async #take(completed: CompletedStep, context: WorkflowContext): Promise<void> {
    const { step, input, output } = completed;
    const { status, runId } = context;
    if (!(this.#enabled.get(step) ?? this.#isEnabledByDefault) || status === "failed" || status === "cancelled") return;
    try {
      const snapshot = context.snapshot();
      const about = {
        runId,
        sequence: readHeader(snapshot).sequence,
        step,
        input: typeName(input.constructor as EventClass),
        output: output && typeName(output.constructor as EventClass),
      };
      await this.#save(runId, keyOf(about), snapshot);
    } catch (error) {
      this.#tell(error, completed, context);
    }
  }

  /** Lets `onError` decide what an error means; what it throws is one for the run, and for `flush`. */
  #tell(error: unknown, completed: CompletedStep, context: WorkflowContext): void {
    let left = error;
    try {
      if (this.#onError !== undefined) return this.#onError(error, completed, context);
    } catch (thrown) {
      left = thrown;
    }
    this.#failure ??= { error: left };
    throw left;
  }

  /** One save of a run after the other: were the process to die, no checkpoint would be missing between others. */
  #save(runId: string, id: string, snapshot: Uint8Array): Promise<void> {
    const save = async (): Promise<void> => this.store.save(id, snapshot);
    const saving = (this.#saving.get(runId) ?? Promise.resolve()).then(save, save);
    this.#saving.set(runId, saving);
    const forget = (): void => {
      if (this.#saving.get(runId) === saving) this.#saving.delete(runId);
    };
    saving.then(forget, forget);
    return saving;
  }
}

type Known = Omit<Checkpoint, "snapshot">;

/** So many digits has the highest sequence; all have as many, so that the order of the keys is theirs. */
const DIGITS = 20;

const written = (text: string): string => text.replace(/[%/]/g, (mark) => (mark === "%" ? "%25" : "%2f"));

const unwritten = (text: string): string => text.replace(/%2f/g, "/").replace(/%25/g, "%");

/** The key of a checkpoint: what is known of it, between slashes. */
function keyOf({ runId, sequence, step, input, output = "" }: Omit<Known, "id">): string {
  return [runId, String(sequence).padStart(DIGITS, "0"), step, input, output].map(written).join("/");
}

/** What a key says; undefined when it is no checkpoint's. */
function read(id: string): Known | undefined {
  const [runId = "", digits = "", step = "", input = "", output, ...more] = id.split("/").map(unwritten);
  if (output === undefined || more.length > 0 || digits.length !== DIGITS || !/^\d+$/.test(digits)) return undefined;
  return { id, runId, sequence: BigInt(digits), step, input, output: output === "" ? undefined : output };
}
