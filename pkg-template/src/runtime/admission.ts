// How many runs of a workflow may be under way at a time.

/** A run, as far as admission is concerned. */
export interface AdmittedRun {
  /** Called when there is room for it. */
  begin(): void;
}

/** Lets runs begin, as many at a time as there is room for; the rest wait, first in, first out. */
export class Admission {
  /** How many; Infinity for any number. */
  readonly most: number;
  readonly #inside = new Set<AdmittedRun>();
  readonly #waiting = new Set<AdmittedRun>();
  #isLettingIn = false;

  constructor(most: number) {
    this.most = most;
  }

  enter(run: AdmittedRun): void {
    if (this.most === Infinity) {
      run.begin();
    } else if (this.#inside.size < this.most) {
      this.#inside.add(run);
      run.begin();
    } else {
      this.#waiting.add(run);
    }
  }

  leave(run: AdmittedRun): void {
    this.#waiting.delete(run);
    if (!this.#inside.delete(run)) return;
    // A run may end while it begins, and come here again: one loop lets all in. Without it, thousands would overflow
    // the stack.
    if (this.#isLettingIn) return;
    this.#isLettingIn = true;
    while (this.#inside.size < this.most) {
      const [next] = this.#waiting;
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.enter(next);
    }
    this.#isLettingIn = false;
  }
}
