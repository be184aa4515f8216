// The stream of a run's events: a linked list, so that what every reader has read is collected by itself, and a reader
// that somebody abandoned holds nothing up.

import { LimitError } from "../errors.js";
import type { WorkflowEvent } from "../events.js";
import { News } from "./news.js";

interface Node {
  readonly event: WorkflowEvent | undefined;
  next: Node | undefined;
}

/** What a reader finds when it has read everything. */
class End {
  readonly error: Error | undefined;

  constructor(error: Error | undefined) {
    this.error = error;
  }
}

/** How far a loop that is under way may be behind. Far more than any screen takes, and still bounded. */
const MOST_UNREAD = 2 ** 20;

export class EventStream {
  /** The last node that the run's own reader has read. */
  #read: Node = { event: undefined, next: undefined };
  #last: Node = this.#read;
  #unread = 0;
  #dropped = 0;
  #end: End | undefined;
  readonly #news = new News();
  /** How many loops over the run are under way. */
  #readers = 0;
  readonly #limit: number;

  /**
   * @param limit How many unread events are kept while nobody reads; beyond, the oldest are dropped and the next reader is told.
   * @param unread What a snapshot had that was not read.
   * @param dropped How many its reader had missed and was not told.
   */
  constructor(limit: number, unread: readonly WorkflowEvent[] = [], dropped = 0) {
    this.#limit = limit;
    for (const event of unread) this.push(event);
    this.#dropped += dropped;
  }

  /** What the run's own reader has not read, and how many events it has missed without being told. */
  unread(): { readonly events: WorkflowEvent[]; readonly dropped: number } {
    const events: WorkflowEvent[] = [];
    for (let at = this.#read.next; at !== undefined; at = at.next) events.push(at.event!);
    return { events, dropped: this.#dropped };
  }

  push(event: WorkflowEvent): void {
    const node: Node = { event, next: undefined };
    this.#last.next = node;
    this.#last = node;
    this.#unread += 1;
    const limit = this.#readers === 0 ? this.#limit : Math.max(this.#limit, MOST_UNREAD);
    while (this.#unread > limit) {
      this.#read = this.#read.next!;
      this.#unread -= 1;
      this.#dropped += 1;
    }
    this.#news.tell();
  }

  /** Nothing comes after this; with an error, readers get it when they have read the rest. */
  end(error: Error | undefined): void {
    this.#end ??= new End(error);
    this.#news.tell();
  }

  /** The run's own reader: all its iterators go on from one place. */
  reader(): AsyncIterableIterator<WorkflowEvent> {
    this.#readers += 1;
    const leave = (): void => void (this.#readers -= 1);
    return iterate(leave, () => {
      const dropped = this.#dropped;
      if (dropped > 0) {
        this.#dropped = 0;
        throw new LimitError("EVENTS_DROPPED", `${dropped} events were dropped.`);
      }
      const next = this.#read.next;
      if (next === undefined) return this.#end ?? this.#news.wait();
      this.#read = next;
      this.#unread -= 1;
      return next.event!;
    });
  }

  /** A reader of its own, from the oldest event that the run's own reader has not read. */
  cursor(): AsyncIterableIterator<WorkflowEvent> {
    let read = this.#read;
    return iterate(undefined, () => {
      const next = read.next;
      if (next === undefined) return this.#end ?? this.#news.wait();
      read = next;
      return next.event!;
    });
  }
}

/** An iterator over what `take` gives: an event, the end, or a promise to try again after. `leave` is called when it is done. */
function iterate(
  leave: (() => void) | undefined,
  take: () => WorkflowEvent | End | Promise<void>,
): AsyncIterableIterator<WorkflowEvent> {
  let isDone = false;
  const finish = (): void => {
    if (!isDone) leave?.();
    isDone = true;
  };
  const iterator: AsyncIterableIterator<WorkflowEvent> = {
    async next() {
      while (!isDone) {
        let taken;
        try {
          taken = take();
        } catch (error) {
          // A loop is left by an error without a word to its iterator.
          finish();
          throw error;
        }
        if (taken instanceof Promise) {
          await taken;
        } else if (taken instanceof End) {
          finish();
          if (taken.error !== undefined) throw taken.error;
        } else {
          return { done: false, value: taken };
        }
      }
      return { done: true, value: undefined };
    },
    return() {
      finish();
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]() {
      return iterator;
    },
  };
  return iterator;
}
