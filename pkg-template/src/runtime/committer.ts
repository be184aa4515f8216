// Holds back what the outside sees of a run until it is stored. Whoever stores it (a database, a Durable Object) gets a
// cut: a snapshot, and the events that have been published since the last one. When that has returned, the events go
// out to readers, results of `once` go to their steps, and the end is reported.
//
// 1. There is one call at a time. What happens meanwhile is in the next cut, however much it is.
// 2. Nothing goes out whose cut has not returned. So a run that is killed and recovered from its last cut repeats no
//    side effect whose result a step has seen, and no event that a reader has seen is missing from the cuts.

import { SnapshotError } from "../errors/errors.js";
import type { WorkflowEvent } from "../model/events.js";
import type { Cut } from "../model/run.js";

/** The run, as its committer knows it. */
export interface CommittedRun {
  /** The run as it is now, with these events. @throws SnapshotError */
  cut(events: readonly WorkflowEvent[]): Cut;
  /** The events go out. */
  release(events: readonly WorkflowEvent[]): void;
  /** The run fails. */
  fail(error: Error): void;
}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

export class Committer {
  readonly #run: CommittedRun;
  readonly #commit: (cut: Cut) => PromiseLike<void> | void;
  #held: WorkflowEvent[] = [];
  #waiting: Waiting[] = [];
  #isWanted = false;
  #isAtWork = false;
  #error: Error | undefined;

  constructor(run: CommittedRun, commit: (cut: Cut) => PromiseLike<void> | void) {
    this.#run = run;
    this.#commit = commit;
  }

  /** An event goes out with the next commit. */
  hold(event: WorkflowEvent): void {
    this.#held.push(event);
    this.request();
  }

  /** What has happened so far is to be committed. */
  request(): void {
    this.#isWanted = true;
    if (this.#isAtWork || this.#error !== undefined) return;
    this.#isAtWork = true;
    // Later: a cut in the middle of a turn would have half of what the turn brings.
    queueMicrotask(() => void this.#work());
  }

  /** Resolves when everything that has happened so far is committed. */
  committed(): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.request();
    });
  }

  async #work(): Promise<void> {
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        const [events, waiting] = [this.#held, this.#waiting];
        this.#held = [];
        this.#waiting = [];
        try {
          await this.#commit(this.#run.cut(events));
        } catch (cause) {
          this.#waiting = [...waiting, ...this.#waiting];
          throw cause;
        }
        this.#run.release(events);
        for (const { resolve } of waiting) resolve();
      }
      this.#isAtWork = false;
    } catch (cause) {
      this.#failed(cause);
    }
  }

  #failed(cause: unknown): void {
    this.#error = new SnapshotError("COMMIT_FAILED", cause instanceof Error ? cause.message : "", { cause });
    this.#held = [];
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(this.#error);
    this.#run.fail(this.#error);
  }
}
