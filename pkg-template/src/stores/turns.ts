// One thing at a time, by key.

const ignore = (): void => {};

/** Runs work under a key when all earlier work under the key has settled. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const settled = turn.then(ignore, ignore);
    this.#last.set(key, settled);
    void settled.then(() => this.#last.get(key) === settled && this.#last.delete(key));
    return turn;
  }
}
