// Something new that may come at any time, and that readers wait for. Nothing is made while there is no reader.

export class Notifier {
  #awaited: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  /** There is something new: whoever waits goes on. */
  notify(): void {
    const awaited = this.#awaited;
    if (awaited === undefined) return;
    this.#awaited = undefined;
    awaited.resolve();
  }

  /** Resolves when there is something new. */
  wait(): Promise<void> {
    if (this.#awaited === undefined) {
      let resolve!: () => void;
      const promise = new Promise<void>((settle) => (resolve = settle));
      this.#awaited = { promise, resolve };
    }
    return this.#awaited.promise;
  }
}
