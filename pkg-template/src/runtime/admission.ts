// How many runs of a workflow may be under way at a time.

import type { Run } from "./live-run.js";

/** Lets runs in, as many at a time as there is room for; the rest wait, first in, first out. */
export class Admission {
  readonly #most: number;
  readonly #inside = new Set<Run>();
  readonly #waiting = new Set<Run>();
  #isLettingIn = false;

  constructor(most: number) {
    this.#most = most;
  }

  enter(run: Run): void {
    if (this.#most === Infinity) {
      run.begin();
    } else if (this.#inside.size < this.#most) {
      this.#inside.add(run);
      run.begin();
    } else {
      this.#waiting.add(run);
    }
  }

  leave(run: Run): void {
    this.#waiting.delete(run);
    if (!this.#inside.delete(run)) return;
    // A run may end while it begins, and come here again: one loop lets all in, or thousands of those would overflow the stack.
    if (this.#isLettingIn) return;
    this.#isLettingIn = true;
    while (this.#inside.size < this.#most) {
      const [next] = this.#waiting;
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.enter(next);
    }
    this.#isLettingIn = false;
  }
}
