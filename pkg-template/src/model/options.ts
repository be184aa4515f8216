// The options of a workflow and of a run.

import type { OptionNames } from "../errors/check-options.js";
import type { EventClass, WorkflowEvent } from "./events.js";
import type { Cut, WorkflowContext } from "./run.js";
import type { Signal } from "../util/platform.js";
import type { StandardSchema } from "./standard-schema.js";
import type { TypeHook } from "./type-hook.js";

/** What a run may use. */
export interface Limits {
  /** How many steps it may invoke before it fails with a LimitError. Default: any number. */
  readonly steps?: number | undefined;
  /**
   * How many unread events are kept while no loop reads them. Beyond that, the oldest are dropped. The next loop over
   * the run gets a LimitError (`EVENTS_DROPPED`) once, and the loop after it gets the rest; the run itself is not
   * affected. A loop in progress may be 1,048,576 events behind before it misses one. Default: 16,384.
   */
  readonly unreadEvents?: number | undefined;
  /** How many events of one type that no step takes are kept for a later `requireEvent`. Default: 4,096. */
  readonly keptEvents?: number | undefined;
}

/** A completed step, as `onStep` gets it. */
export interface CompletedStep {
  /** The step's name. */
  readonly step: string;
  /** The event it was invoked with; of several, the first. Undefined only of a step that gathers, if there was none. */
  readonly input: WorkflowEvent;
  /** All events it was invoked with. */
  readonly inputs: readonly WorkflowEvent[];
  /** The event it returned, if any; of an array, the first. */
  readonly output: WorkflowEvent | undefined;
  /** All events it returned. */
  readonly outputs: readonly WorkflowEvent[];
  /** Which completed step of the run it is, from 1. */
  readonly sequence: number;
  /** Which attempt succeeded, from 1. */
  readonly attempt: number;
}

/**
 * Called after each completed step, before anything comes of its event. What it throws fails the run. What it rejects
 * with fails the run too, unless the run has ended by then: the run does not wait for it.
 */
export type StepHook = (completed: CompletedStep, context: WorkflowContext) => unknown;

/** Options of a workflow. */
export interface WorkflowOptions<State = unknown> {
  /** Its name in messages. Default: the class's name. */
  readonly name?: string | undefined;
  /** How many seconds a run may be alive; null for any time. Default: 60. */
  readonly timeout?: number | null | undefined;
  /** Logs every step to the console. Default: false. */
  readonly verbose?: boolean | undefined;
  /** How many runs may be under way at a time; the rest wait, first in, first out. Default: any number. */
  readonly maxConcurrentRuns?: number | undefined;
  /** What each run may use. */
  readonly limits?: Limits | undefined;
  /** Called after each completed step of every run. */
  readonly onStep?: StepHook | undefined;
  /**
   * Classes of events that no step names in its inputs and outputs, such as progress that is written to the stream and
   * answers that are only waited for. With them, a snapshot that is recovered in another process has instances of these
   * classes from the beginning. An event of a class that is not listed is an instance of its nearest known base class,
   * until the class is first used there.
   */
  readonly events?: readonly EventClass[] | undefined;
  /**
   * Gets warnings about what works and is probably not meant, such as an event that a step returns and did not declare.
   * Default: `console.warn`.
   */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** How values of your own classes are written into snapshots, each under a name that must stay the same. */
  readonly types?: Readonly<Record<string, TypeHook>> | undefined;
  /**
   * What the store of every run must be: a Standard Schema of an object. A run begins with the defaults of the schema,
   * and every change is checked. The schema must have a default for every member, accept what it gives, and check
   * synchronously.
   *
   * ```ts
   * const workflow = new Workflow({ state: z.object({ count: z.number().default(0) }) });
   * ```
   */
  readonly state?: StandardSchema<unknown, State> | undefined;
}

/** The names of the options of a workflow. */
export const workflowOptionNames: OptionNames<WorkflowOptions> = {
  name: 1,
  timeout: 1,
  verbose: 1,
  maxConcurrentRuns: 1,
  limits: 1,
  onStep: 1,
  events: 1,
  onWarning: 1,
  types: 1,
  state: 1,
};

/** Options of a run. */
export interface RunOptions {
  /** Its id. Default: a random UUID. */
  readonly runId?: string | undefined;
  /** Cancels the run when it is aborted. */
  readonly signal?: Signal | undefined;
  /** The run uses the store of this earlier run, which must have ended: two runs cannot share one (`STORE_IN_USE`). */
  readonly context?: WorkflowContext | undefined;
  /** How many seconds the run may be alive; null for no limit. Default: the workflow's `timeout`. */
  readonly timeout?: number | null | undefined;
  /** Called after each completed step. Default: the workflow's `onStep`. */
  readonly onStep?: StepHook | undefined;
  /**
   * Keeps a journal; see `context.journal()`. It grows with everything that happens, and can hold only what a snapshot
   * can hold. Default: false.
   */
  readonly journal?: boolean | undefined;
  /**
   * Stores what has happened, before anything outside the run learns of it: it is awaited before the result of a `once`
   * is given to its step, before an event goes out to a reader, and before the run is reported ended. There is one call
   * at a time; what happens meanwhile is in the next cut. A run that is killed, and recovered from its last stored cut,
   * repeats no side effect of a `once` whose commit had returned. If it throws or rejects, the run fails with a
   * SnapshotError `COMMIT_FAILED`, and nothing more goes out.
   *
   * ```ts
   * const run = workflow.run(input, data, { commit: (cut) => database.save(runId, cut.snapshot, cut.events) });
   * ```
   */
  readonly commit?: ((cut: Cut) => PromiseLike<void> | void) | undefined;
}

/** Options of `recover`. By default a run keeps its id, and has as much time as was left of its timeout. */
export interface RecoverOptions extends Omit<RunOptions, "context"> {
  /**
   * Accepts a snapshot of another version of the workflow, as long as it has every step and event that the snapshot
   * needs. Default: false.
   */
  readonly migrate?: boolean | undefined;
  /**
   * How many seconds have passed that are to count for the run: its sleeps, retries and timeouts continue by as much.
   * Default: 0, time stands still while a run is a snapshot.
   */
  readonly elapsed?: number | undefined;
}
