// Who watches a run, as the run and the runs around it know them.

import type { LifecycleEvent, WorkflowEvent } from "../model/events.js";

/** Watches a run. */
export interface RunWatcher {
  /** Something has happened. */
  lifecycle(event: LifecycleEvent): void;
  /** The stream got an event. */
  publish?(event: WorkflowEvent): void;
  /** Nothing comes any more; with the error that has ended the run. */
  end?(error: Error | undefined): void;
}
