// The lifecycle events of a run, for those who watch it. It is there only while somebody does.
//
// 1. A watcher is called while commands are executed, as handlers are: never while the engine is at work.
// 2. What a watcher throws does not reach the run (`tests/js/features/lifecycle.test.ts`).

import { LifecycleEvent, type WorkflowEvent } from "../model/events.js";
import { LifecycleReader, type LifecycleOutcome, type LifecycleSource } from "./lifecycle-reader.js";
import type { ParentLink } from "./parent-link.js";
import type { RunWatcher } from "./run-watcher.js";

/** The run that is watched. */
export interface WatchedRun extends LifecycleSource {
  /** How long it has been alive, in whole milliseconds. */
  now(): number;
}

export class RunLifecycle {
  readonly #run: WatchedRun;
  readonly #reader: LifecycleReader;
  readonly #watchers = new Set<RunWatcher>();
  /** What stops the watching of each nested run. */
  readonly #nested = new Map<ParentLink, () => void>();

  constructor(run: WatchedRun) {
    this.#run = run;
    this.#reader = new LifecycleReader(run);
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  add(watcher: RunWatcher): void {
    this.#watchers.add(watcher);
  }

  remove(watcher: RunWatcher): void {
    this.#watchers.delete(watcher);
  }

  /** The engine has written a record. */
  record(words: ArrayLike<number>, at: number): void {
    const event = this.#reader.read(words, at);
    if (event !== undefined) this.#report(event);
  }

  /** The stream got an event. */
  publish(event: WorkflowEvent): void {
    for (const watcher of [...this.#watchers]) watcher.publish?.(event);
  }

  #report(event: LifecycleEvent): void {
    for (const watcher of [...this.#watchers]) watcher.lifecycle(event);
  }

  /** A nested run is about to begin, or is under way. */
  addNested(link: ParentLink): void {
    const { slot, key, invocation } = link.place;
    let id: string | undefined;
    const lifecycle = ({ data }: LifecycleEvent): void => {
      // While the attempt runs, its place is its own.
      id ??= this.#reader.invocationAt(invocation.index, invocation.generation);
      const scope = { slot, key, step: invocation.step, ...(id === undefined ? {} : { invocation: id }) };
      // One clock for all that a watcher gets.
      const time = this.#run.now();
      this.#report(new LifecycleEvent({ ...data, time, nested: [scope, ...(data.nested ?? [])] }));
    };
    this.#nested.set(link, link.nested.watch({ lifecycle }));
  }

  removeNested(link: ParentLink): void {
    this.#nested.get(link)?.();
    this.#nested.delete(link);
  }

  /** The run has ended. */
  end(outcome: LifecycleOutcome, error: Error | undefined): void {
    this.#report(this.#reader.end(outcome, error, this.#run.now()));
    for (const watcher of [...this.#watchers]) watcher.end?.(error);
    this.close();
  }

  /** Nobody watches any more. */
  close(): void {
    this.#watchers.clear();
    for (const stop of this.#nested.values()) stop();
    this.#nested.clear();
  }
}
