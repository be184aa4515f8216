// Something that readers wait for and that may come at any time; nothing is made while nobody waits.

export class News {
  #awaited: { readonly promise: Promise<void>; readonly tell: () => void } | undefined;

  /** There is something new: whoever waits goes on. */
  tell(): void {
    const awaited = this.#awaited;
    if (awaited === undefined) return;
    this.#awaited = undefined;
    awaited.tell();
  }

  /** Resolves when there is something new. */
  wait(): Promise<void> {
    if (this.#awaited === undefined) {
      let tell!: () => void;
      const promise = new Promise<void>((resolve) => (tell = resolve));
      this.#awaited = { promise, tell };
    }
    return this.#awaited.promise;
  }
}
