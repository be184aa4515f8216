// What the lifecycle events of a run carry. They are what pictures, traces and progress bars are made of.

/** An error, as lifecycle events carry it. */
export interface LifecycleError {
  /** The name of its class, such as `TimeoutError`. */
  readonly name: string;
  /** Its code, if it is one of the package's errors; see `docs/errors.md`. */
  readonly code?: string | undefined;
  /** What it says. */
  readonly message: string;
}

/** Where a nested run is: the invocation around it, and the slot of its workflow. */
export interface LifecycleScope {
  /** The slot under which the nested workflow was added. */
  readonly slot: string;
  /** Which nested run of the invocation it is: the slot and a number. */
  readonly key: string;
  /** The step that runs it. */
  readonly step: string;
  /** The invocation of that step. Left out if it began before the first observer came and is over. */
  readonly invocation?: string | undefined;
}

/** What every lifecycle event carries. */
export interface LifecycleCommon {
  /**
   * When, in whole milliseconds of the alive time of the run that is observed, from 0. What happens in a nested run has
   * the time at which it is reported.
   */
  readonly time: number;
  /** For an event of a nested run: where that is, from the outside in. */
  readonly nested?: readonly LifecycleScope[] | undefined;
}

/** What the events of a step's invocation carry. */
export interface LifecycleStep {
  /** The step's name. */
  readonly step: string;
  /** The invocation: the same in all attempts, and after each recovery. */
  readonly invocation: string;
  /** The `eventId` of the event that led to it. Left out if that came before the first observer or the recovery. */
  readonly cause?: string | undefined;
}

/** What the events of an attempt carry. */
export interface LifecycleAttempt extends LifecycleStep {
  /** Which attempt it is, from 1. */
  readonly attempt: number;
}

/** What the lifecycle events about an event carry. */
export interface LifecycleOfEvent {
  /** The event's type name. */
  readonly event: string;
  /** Which event it is, among all of the run. Left out if it came before the first observer or the recovery. */
  readonly eventId?: string | undefined;
}

/** What each kind of lifecycle event carries, beside its time. */
export interface LifecycleKinds {
  /** An invocation was made of a complete set of events. It starts when a worker of the step is free. */
  "step.queued": LifecycleStep & {
    /** The `eventId` of each of its events, in the order of the inputs, as far as they are known. */
    readonly causes: readonly string[];
  };
  /** An attempt starts. */
  "step.started": LifecycleAttempt;
  /** An attempt waits for an event, or sleeps. */
  "step.waiting": LifecycleAttempt & {
    /** The type name of the event that it waits for. Left out if it sleeps. */
    readonly event?: string | undefined;
    /** How long at most, in seconds. Left out if there is no limit. */
    readonly delay?: number | undefined;
  };
  /** An attempt failed, and another follows. */
  "step.retrying": LifecycleAttempt & {
    /** In how many seconds the next attempt is due. */
    readonly delay: number;
    /** What the handler threw. */
    readonly error: LifecycleError;
  };
  /** An attempt succeeded. */
  "step.succeeded": LifecycleAttempt;
  /** An attempt failed, and no other follows. */
  "step.failed": LifecycleAttempt & {
    /** What the handler threw. */
    readonly error: LifecycleError;
  };
  /** An attempt has used up the step's timeout. That it retries or fails is told next. */
  "step.timedOut": LifecycleAttempt;
  /** An event was returned or sent by a step, or came from outside. */
  "event.sent": LifecycleOfEvent & {
    /** The step that sent it. Left out if it came from outside. */
    readonly step?: string | undefined;
    /** The invocation that sent it. */
    readonly invocation?: string | undefined;
    /** The attempt that sent it. */
    readonly attempt?: number | undefined;
  };
  /** A step got an event. One event may go to several. */
  "event.delivered": LifecycleOfEvent & {
    /** The step. */
    readonly step: string;
    /** The invocation that got it. Left out if the step lacks other inputs still. */
    readonly invocation?: string | undefined;
    /** The attempt that waited for it. Left out if it is an input. */
    readonly attempt?: number | undefined;
  };
  /** No step takes the event, so it is kept for a later wait. */
  "event.kept": LifecycleOfEvent;
  /** A kept event is dropped, because `limits.keptEvents` is reached. */
  "event.dropped": LifecycleOfEvent;
  /** The run starts. */
  "run.started": {
    /** Whether it resumes from a snapshot. */
    readonly isRecovered: boolean;
  };
  /** The run waits for an event from outside. */
  "run.waiting": object;
  /** Nothing in the run moves until a point in time. */
  "run.sleeping": object;
  /** The run goes on after it was waiting or sleeping. */
  "run.woke": object;
  /** The run has ended. Nothing comes after this. */
  "run.ended": {
    /** How. */
    readonly outcome: "completed" | "failed" | "cancelled";
    /** The `eventId` of the stop event, if it has completed. */
    readonly cause?: string | undefined;
    /** Why, if it has not completed. */
    readonly error?: LifecycleError | undefined;
  };
}

/** What a lifecycle event is about. */
export type LifecycleKind = keyof LifecycleKinds;

/** The data of a lifecycle event; its `kind` tells what else it carries. `LifecycleData<"step.retrying">` is of one. */
export type LifecycleData<Kind extends LifecycleKind = LifecycleKind> = {
  readonly [One in Kind]: { readonly kind: One } & LifecycleCommon & LifecycleKinds[One];
}[Kind];
