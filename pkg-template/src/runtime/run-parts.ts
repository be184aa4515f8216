// What a run is made of, and where it comes from. The snapshots that a run may come from are known here by these types
// only.

import type { StopEvent, WorkflowEvent } from "../model/events.js";
import type { RunOptions } from "../model/options.js";
import type { EngineRun } from "./engine-run.js";
import type { NestedPlace } from "./parent-link.js";
import type { Plan } from "./plan.js";
import type { AskedQuestions } from "./questions.js";

/**
 * What everything of a run's snapshot is that does not concern the engine. Members that would be empty are left out.
 */
export interface RunContents {
  readonly runId: string;
  /** The start event of a run that has not begun. */
  readonly start?: WorkflowEvent;
  /** Events that no step has got yet: sent before the run began, or meant for nested runs that have not begun. */
  readonly early?: readonly EarlyEvent[];
  /** Events that the run's own reader has not read. */
  readonly unread: readonly WorkflowEvent[];
  /** How many events it has missed and has not been warned of. */
  readonly dropped: number;
  readonly store: Readonly<Record<string, unknown>>;
  readonly stop?: StopEvent;
  /** Of a nested run: how many events the step around it has sent to it. Running again, that step sends them again. */
  readonly received?: number;
  readonly questions?: AskedQuestions;
  /** The program's data, when it was asked for. */
  readonly data?: readonly [unknown];
}

/** An event that was sent to a run before it could be delivered. */
export interface EarlyEvent {
  readonly event: WorkflowEvent;
  /** The step that it is for; all that take it, if there is none. */
  readonly step?: string | undefined;
}

/** A run from a snapshot, checked and not begun. */
export interface RestoredRun {
  readonly plan: Plan;
  readonly contents: RunContents;
  /** The engine's part; not open when the run has completed. */
  readonly engine: EngineRun;
  /** How long the run had been alive, in milliseconds. */
  readonly alive: number;
  /** Nested runs that were under way, by the place of the invocation that started them. */
  readonly nested: ReadonlyMap<number, NestedRuns>;
  /** What attempts had returned that a loop over the steps was holding, by the place of the invocation. */
  readonly returned: ReadonlyMap<number, WorkflowEvent | readonly WorkflowEvent[] | undefined>;
}

/** A snapshot that was read and checked. */
export interface PreparedRun {
  readonly bytes: Uint8Array;
  /**
   * Makes a run; each call gives another one.
   *
   * @param keepsJournal Whether the run keeps a journal: of forks and nested runs that is not known before.
   */
  take(keepsJournal: boolean): RestoredRun;
}

/** The nested runs of an invocation, by key. */
export type NestedRuns = Map<string, PreparedRun>;

/**
 * How a run begins: with an event, from a snapshot, or at its end, when it had completed in an earlier life of the run
 * around it.
 */
export type Origin =
  | { readonly plan: Plan; readonly start: WorkflowEvent }
  | { readonly prepared: PreparedRun }
  | { readonly plan: Plan; readonly stop: StopEvent };

/** What a run is made of, beside its workflow. */
export interface RunParts {
  readonly origin: Origin;
  readonly data: unknown;
  readonly options: RunOptions;
  /** Set when the run is a nested one. */
  readonly place: NestedPlace | undefined;
}
