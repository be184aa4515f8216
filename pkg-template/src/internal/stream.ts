// The stream of a run's events: a linked list, so that what every reader has read is collected by itself, and a reader
// that somebody abandoned holds nothing up.

import { LimitError } from "../errors.js";
import type { WorkflowEvent } from "../events.js";

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

export class EventStream {
  /** The last node that the run's own reader has read. */
  #read: Node = { event: undefined, next: undefined };
  #last: Node = this.#read;
  #unread = 0;
  #dropped = 0;
  #end: End | undefined;
  #news: { readonly promise: Promise<void>; readonly tell: () => void } | undefined;
  readonly #limit: number;

  /** @param limit How many events the run's own reader may be behind; beyond, the oldest are dropped and it is told. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  push(event: WorkflowEvent): void {
    const node: Node = { event, next: undefined };
    this.#last.next = node;
    this.#last = node;
    if (++this.#unread > this.#limit) {
      this.#read = this.#read.next!;
      this.#unread -= 1;
      this.#dropped += 1;
    }
    this.#tell();
  }

  /** Nothing comes after this; with an error, readers get it when they have read the rest. */
  end(error: Error | undefined): void {
    this.#end ??= new End(error);
    this.#tell();
  }

  #tell(): void {
    const news = this.#news;
    if (news === undefined) return;
    this.#news = undefined;
    news.tell();
  }

  #wait(): Promise<void> {
    if (this.#news === undefined) {
      let tell!: () => void;
      const promise = new Promise<void>((resolve) => (tell = resolve));
      this.#news = { promise, tell };
    }
    return this.#news.promise;
  }

  /** The run's own reader: all its iterators go on from one place. */
  reader(): AsyncIterableIterator<WorkflowEvent> {
    return iterate(() => {
      const dropped = this.#dropped;
      if (dropped > 0) {
        this.#dropped = 0;
        throw new LimitError("EVENTS_DROPPED", `${dropped} events were dropped.`);
      }
      const next = this.#read.next;
      if (next === undefined) return this.#end ?? this.#wait();
      this.#read = next;
      this.#unread -= 1;
      return next.event!;
    });
  }

  /** A reader of its own, from the oldest event that the run's own reader has not read. */
  cursor(): AsyncIterableIterator<WorkflowEvent> {
    let read = this.#read;
    return iterate(() => {
      const next = read.next;
      if (next === undefined) return this.#end ?? this.#wait();
      read = next;
      return next.event!;
    });
  }
}

/** An iterator over what `take` gives: an event, the end, or a promise to try again after. */
function iterate(take: () => WorkflowEvent | End | Promise<void>): AsyncIterableIterator<WorkflowEvent> {
  let isDone = false;
  const iterator: AsyncIterableIterator<WorkflowEvent> = {
    async next() {
      while (!isDone) {
        const taken = take();
        if (taken instanceof Promise) {
          await taken;
        } else if (taken instanceof End) {
          isDone = true;
          if (taken.error !== undefined) throw taken.error;
        } else {
          return { done: false, value: taken };
        }
      }
      return { done: true, value: undefined };
    },
    return() {
      isDone = true;
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]() {
      return iterator;
    },
  };
  return iterator;
}
