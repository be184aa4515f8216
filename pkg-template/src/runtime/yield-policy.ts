// When a run that never waits for anything should let the rest of the program have its turn. Promises alone never do:
// a chain of them keeps timers, input and rendering waiting until its end.

/** How long a run may go on without a pause, in milliseconds. */
const LONGEST = 50;
/** How many turns of user code to let pass between two looks at the clock, which costs as much as a turn. */
const STRIDE = 1024;
/** The most turns without a pause. Some runtimes stop the clock while code runs. */
const MOST = 64 * STRIDE;

export class YieldPolicy {
  #turns = 0;
  #since = 0;

  /** Counts a turn of user code, an invocation or the answer to a wait; true when it is time for a pause. */
  isDue(): boolean {
    this.#turns += 1;
    if (this.#turns % STRIDE !== 0) return false;
    const now = performance.now();
    // The clock is first read here: a short run never comes so far.
    if (this.#since === 0) this.#since = now;
    return this.#turns >= MOST || now - this.#since > LONGEST;
  }

  /** A pause was made. */
  yielded(): void {
    this.#turns = 0;
    this.#since = performance.now();
  }
}
