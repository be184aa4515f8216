// Checkpoints: a snapshot after each step, so that a run can be resumed from any of them. The entry
// `stepstream/checkpointer`.
//
// The data of a checkpoint is in its key in the store. So it is saved together with the snapshot, in any store, and
// listing checkpoints reads no snapshot.

import { ValidationError } from "./errors/errors.js";
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
} from "./api/index.js";
import { describe } from "./util/describe.js";
import { readHeader } from "./snapshot/header.js";
import { newId } from "./util/new-id.js";
import { definitionOf } from "./runtime/definition.js";
import { typeName } from "./model/events.js";
import { isThenable } from "./util/thenable.js";
import type { PlainSnapshotStore } from "./stores/index.js";
import { memoryStore } from "./stores/memory.js";
import { type OptionNames, checkOptions } from "./errors/check-options.js";

/** A snapshot that was taken after a step had completed. */
export interface Checkpoint {
  /** The key of the snapshot in the store. */
  readonly id: string;
  /** The id of the run. */
  readonly runId: string;
  /** The sequence of the snapshot: of two checkpoints of a run, the later one has the higher number. */
  readonly sequence: bigint;
  /** The name of the step. */
  readonly step: string;
  /** The type name of the step's input event; of several, the first. */
  readonly input: string;
  /** The type name of the event that the step returned, if any. */
  readonly output: string | undefined;
  /** For {@link WorkflowCheckpointer.runFrom}, or `workflow.recover`. */
  readonly snapshot: Uint8Array;
}

/** Selects checkpoints. A member that is left out selects all. */
export interface CheckpointFilter {
  readonly runId?: string | undefined;
  /** The name of the step. */
  readonly step?: string | undefined;
  /** The class of the step's input event, or its type name. Events of derived classes have other names. */
  readonly input?: EventClass | string | undefined;
  /** The class of the event that the step returned, or its type name. */
  readonly output?: EventClass | string | undefined;
}

const filterNames: OptionNames<CheckpointFilter> = { runId: 1, step: 1, input: 1, output: 1 };

/** Options of a {@link WorkflowCheckpointer}. */
export interface CheckpointerOptions {
  /** Where the checkpoints are saved. Default: a `memoryStore` of its own. */
  readonly store?: PlainSnapshotStore | undefined;
  /** The steps after which checkpoints are taken. Default: all, also those that are added later. */
  readonly steps?: readonly string[] | undefined;
  /**
   * Called when a snapshot could not be taken or saved; the run continues without that checkpoint. Default: throws the
   * error. An error that it throws fails the run if that has not ended, and makes the next `flush` reject.
   */
  readonly onError?: ((error: unknown, completed: CompletedStep, context: WorkflowContext) => void) | undefined;
}

const optionNames: OptionNames<CheckpointerOptions> = { store: 1, steps: 1, onError: 1 };

/**
 * Runs a workflow and takes a checkpoint after each step.
 *
 * ```ts
 * const checkpointer = new WorkflowCheckpointer(workflow, { store: fileStore("./checkpoints") });
 * await checkpointer.run("pirates", { llm });
 * await checkpointer.flush();
 *
 * const [draft] = await checkpointer.filter({ output: DraftEvent });
 * await checkpointer.runFrom(draft, { llm }); // Any number of times.
 * ```
 *
 * The store has all data: a checkpointer in another process with the same store has the same checkpoints. Use a store
 * of its own for each workflow. Steps of nested workflows are in the snapshots, but have no checkpoints of their own.
 */
export class WorkflowCheckpointer<ContextData = unknown, Start = unknown, Stop = unknown> {
  /** The workflow. */
  readonly workflow: Workflow<ContextData, Start, Stop, Slots>;
  /** The store of the checkpoints. */
  readonly store: PlainSnapshotStore;
  readonly #onError: CheckpointerOptions["onError"];
  readonly #isEnabledByDefault: boolean;
  /** The steps that were enabled or disabled by name. */
  readonly #enabled = new Map<string, boolean>();
  /** The last save of each run, while there is one. */
  readonly #saving = new Map<string, Promise<void>>();
  /** The first error that `flush` has not thrown yet. */
  #failure: { readonly error: unknown } | undefined;

  /** @throws ValidationError `INVALID_OPTION`, `UNKNOWN_STEP` */
  constructor(workflow: Workflow<ContextData, Start, Stop, Slots>, options: CheckpointerOptions = {}) {
    checkOptions(options, optionNames, "WorkflowCheckpointer");
    const { store = memoryStore(), steps, onError } = options;
    if (typeof (store as Partial<PlainSnapshotStore> | null)?.save !== "function") {
      throw new ValidationError("INVALID_OPTION", `store is ${describe(store)}.`);
    }
    if (steps !== undefined && !Array.isArray(steps)) {
      throw new ValidationError("INVALID_OPTION", `steps is ${describe(steps)}, not a list of names.`);
    }
    if (onError !== undefined && typeof onError !== "function") {
      throw new ValidationError("INVALID_OPTION", `onError is ${describe(onError)}.`);
    }
    this.workflow = workflow;
    this.store = store;
    this.#onError = onError;
    this.#isEnabledByDefault = steps === undefined;
    for (const step of steps ?? []) this.enable(step);
  }

  /** Takes checkpoints after this step from now on. @throws ValidationError `UNKNOWN_STEP` */
  enable(step: string): this {
    return this.#set(step, true);
  }

  /** Takes no checkpoints after this step from now on. @throws ValidationError `UNKNOWN_STEP` */
  disable(step: string): this {
    return this.#set(step, false);
  }

  #set(step: string, isEnabled: boolean): this {
    if (!this.workflow.hasStep(step)) throw new ValidationError("UNKNOWN_STEP", `The step is ${describe(step)}.`);
    this.#enabled.set(step, isEnabled);
    return this;
  }

  /**
   * As `workflow.run`, with checkpoints. The `onStep` of the run, or else of the workflow, is called before each
   * checkpoint.
   */
  run<Given extends ContextData | undefined = undefined>(
    ...[input, data, options]: RunArguments<Start, Given>
  ): RunOf<ContextData, Start, Stop, Given> {
    const given = [input, data, { ...options, onStep: this.#hook(options) }] as RunArguments<Start, Given>;
    return this.workflow.run(...given);
  }

  /**
   * Resumes a run from a checkpoint, with checkpoints. The new run has an id of its own, so that the checkpoints of the
   * first run are not changed. With the checkpoint's id as `options.runId`, it adds to those.
   *
   * @param data The `context.data` of handlers.
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

  /** The checkpoints of a run or of all runs; those of a run in order. See {@link WorkflowCheckpointer.filter}. */
  checkpoints(runId?: string): Promise<Checkpoint[]> {
    return this.filter(runId === undefined ? {} : { runId });
  }

  /**
   * The checkpoints that a filter selects; those of a run in order. Waits until all checkpoints are saved. The
   * snapshots are loaded too, so select no more than you need.
   *
   * @throws ValidationError `INVALID_OPTION`; and whatever the store throws.
   */
  async filter(filter: CheckpointFilter = {}): Promise<Checkpoint[]> {
    checkOptions(filter, filterNames, "The filter of checkpoints");
    await this.#settled();
    const { runId, step } = filter;
    const [input, output] = [filter.input, filter.output].map((type) =>
      typeof type === "function" ? typeName(type) : type,
    );
    const ids = await this.store.list(runId === undefined ? "" : `${escaped(runId)}/`);
    const wanted = ids.flatMap((id) => {
      const found = dataOf(id);
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
      // It may have been deleted since.
      return snapshot === undefined ? [] : [{ ...found, snapshot }];
    });
    return (await Promise.all(loaded)).flat();
  }

  /**
   * Resolves when all checkpoints are in the store. Call it before the process ends.
   *
   * @throws The first error since the last call; with `onError`, the first error that it threw.
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
    const users = options?.onStep ?? definitionOf(this.workflow)?.onStep;
    return (completed, context) => {
      const called = users?.(completed, context);
      const saved = this.#take(completed, context);
      return isThenable(called) ? Promise.all([called, saved]) : saved;
    };
  }

  /** Takes a checkpoint; rejects when the run has to fail. */
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
      this.#report(error, completed, context);
    }
  }

  /** Reports an error to `onError`; what that throws fails the run, and `flush`. */
  #report(error: unknown, completed: CompletedStep, context: WorkflowContext): void {
    let remaining = error;
    try {
      if (this.#onError !== undefined) return this.#onError(error, completed, context);
    } catch (thrown) {
      remaining = thrown;
    }
    this.#failure ??= { error: remaining };
    throw remaining;
  }

  /** Saves the checkpoints of a run one after another, so that a process that dies leaves no gap between them. */
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

type CheckpointData = Omit<Checkpoint, "snapshot">;

/** The digits of the highest sequence. All keys have as many, so that their order is that of the sequences. */
const DIGITS = 20;

const escaped = (text: string): string => text.replace(/[%/]/g, (mark) => (mark === "%" ? "%25" : "%2f"));

const unescaped = (text: string): string => text.replace(/%2f/g, "/").replace(/%25/g, "%");

/** The key of a checkpoint: its data, separated by slashes. */
function keyOf({ runId, sequence, step, input, output = "" }: Omit<CheckpointData, "id">): string {
  return [runId, String(sequence).padStart(DIGITS, "0"), step, input, output].map(escaped).join("/");
}

/** The data in a key; undefined if it is not the key of a checkpoint. */
function dataOf(id: string): CheckpointData | undefined {
  const [runId = "", digits = "", step = "", input = "", output, ...more] = id.split("/").map(unescaped);
  if (output === undefined || more.length > 0 || digits.length !== DIGITS || !/^\d+$/.test(digits)) return undefined;
  return { id, runId, sequence: BigInt(digits), step, input, output: output === "" ? undefined : output };
}
