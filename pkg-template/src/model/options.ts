// The options of a workflow and of a run.

import type { EventClass, WorkflowEvent } from "./events.js";
import type { WorkflowContext } from "./run.js";
import type { Signal } from "../util/platform.js";
import type { TypeHook } from "./type-hook.js";

/** What a run may use. */
export interface Limits {
  /** How many steps it may invoke before it fails with a LimitError. Default: any number. */
  readonly steps?: number | undefined;
  /**
   * How many unread events are kept while nobody reads them. Beyond, the oldest are dropped, and the next loop over the run is told with
   * a LimitError (`EVENTS_DROPPED`) before it goes on with the rest; the run itself is not affected. A loop that is under way misses
   * nothing, up to 1,048,576 events behind. Default: 16,384.
   */
  readonly unreadEvents?: number | undefined;
  /** How many events of one type that no step takes are kept for a later `requireEvent`. Default: 4,096. */
  readonly keptEvents?: number | undefined;
}

/** A step that was completed, as `onStep` is told. */
export interface CompletedStep {
  /** The step's name. */
  readonly step: string;
  /** The event it was invoked with; of a step with several inputs, the first. */
  readonly input: WorkflowEvent;
  /** All events it was invoked with. */
  readonly inputs: readonly WorkflowEvent[];
  /** The event it returned, if any. */
  readonly output: WorkflowEvent | undefined;
  /** Which completed step of the run it is, from 1. */
  readonly sequence: number;
  /** Which attempt succeeded, from 1. */
  readonly attempt: number;
}

/**
 * Called after each completed step, when its event has gone on. What it throws fails the run; so does what it rejects with, unless the
 * run has ended by then: nothing waits for it.
 */
export type StepHook = (completed: CompletedStep, context: WorkflowContext) => unknown;

/** Options of a workflow. */
export interface WorkflowOptions {
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
   * Classes of events that occur in runs and that no step names: progress that is written to the stream, answers that are only waited for. A snapshot
   * that is recovered in another process gives instances of them back from the beginning; of a class that is not listed, an event is one of its nearest
   * known base class until the class is first used there.
   */
  readonly events?: readonly EventClass[] | undefined;
  /**
   * Gets warnings: about something that works, and that is probably not meant. Default: `console.warn`.
   */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** How values of your own classes are carried in snapshots, by a name of your choice that must stay the same. */
  readonly types?: Readonly<Record<string, TypeHook>> | undefined;
}

/** Options of a run. */
export interface RunOptions {
  /** Its id. Default: a random UUID. */
  readonly runId?: string | undefined;
  /** Cancels the run when it is aborted. */
  readonly signal?: Signal | undefined;
  /** Goes on with the store of this run. */
  readonly context?: WorkflowContext | undefined;
  /** Instead of the workflow's `timeout`, in seconds. */
  readonly timeout?: number | null | undefined;
  /** Instead of the workflow's `onStep`. */
  readonly onStep?: StepHook | undefined;
  /** Keeps a journal: see `context.journal()`. It grows with everything that happens, and everything in it must be fit for a snapshot. Default: false. */
  readonly journal?: boolean | undefined;
}

/** Options of `recover`. What is left out is as it was: a run goes on with its id and with what was left of its timeout. */
export interface RecoverOptions extends Omit<RunOptions, "context"> {
  /**
   * Takes a snapshot of another version of the workflow, as long as every step and event that it needs is still there. Default: false.
   */
  readonly migrate?: boolean | undefined;
}
