// One consistent cut through a run, for hosts that store it.

import type { WorkflowEvent } from "../model/events.js";
import type { Cut } from "../model/run.js";
import { Committer } from "../runtime/committer.js";
import type { LiveRun } from "../runtime/live-run.js";
import { capture } from "../snapshot/capture.js";
import { readHeader } from "../snapshot/header.js";

/** The run as it is now, with events that are not in the snapshot. @throws SnapshotError */
function cutOf(run: LiveRun, events: readonly WorkflowEvent[]): Cut {
  const snapshot = capture(run, { data: false, unread: false });
  return { snapshot, events, sequence: readHeader(snapshot).sequence, status: run.status, wakesAt: run.wakesAt };
}

/** Takes what was published and not read out of the run. @throws SnapshotError */
export function drain(run: LiveRun): Cut {
  const cut = cutOf(run, run.stream.unread().events);
  run.stream.skip();
  return cut;
}

/** Makes what commits a run by a function of the program. */
export function committerOf(commit: (cut: Cut) => PromiseLike<void> | void): (run: LiveRun) => Committer {
  return (run) =>
    new Committer(
      {
        cut: (events) => cutOf(run, events),
        release: (events) => events.forEach((event) => run.release(event)),
        fail: (error) => run.commitFailed(error),
      },
      commit,
    );
}
