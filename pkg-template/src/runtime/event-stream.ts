// The stream of a run's events: a linked list of chunks. What every reader has read is garbage by itself, and a reader
// that was abandoned holds nothing up.

import { LimitError } from "../errors/errors.js";
import type { WorkflowEvent } from "../model/events.js";

/** Events in their order; the last place is for the next chunk. */
type Chunk = (WorkflowEvent | Chunk | undefined)[];

/** Most runs are short; a node for each event would cost five times the memory of a place in an array. */
const FIRST_CHUNK = 8;
const CHUNK = 64;

const chunkOf = (length: number): Chunk => new Array<WorkflowEvent | undefined>(length + 1);

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
  /** Where the run's own reader goes on, and where the next event goes. */
  #read: Chunk = chunkOf(FIRST_CHUNK);
  #readAt = 0;
  #last: Chunk = this.#read;
  #lastAt = 0;
  #unread = 0;
  #dropped = 0;
  /** There are, or were, readers with places of their own: nothing is cut off any more. */
  #isShared = false;
  #end: End | undefined;
  /** What serves the readers that wait for an event, usually one at most; made for the first of them. */
  #waiting: (() => void)[] | undefined;
  /** How many loops over the run are under way. */
  #readers = 0;
  readonly #limit: number;

  /**
   * @param limit How many unread events are kept while no loop reads. Beyond it the oldest are dropped, and the next
   * reader gets an error.
   * @param unread What a snapshot had that was not read.
   * @param dropped How many its reader had missed and has not been warned of.
   */
  constructor(limit: number, unread: readonly WorkflowEvent[] = [], dropped = 0) {
    this.#limit = limit;
    for (const event of unread) this.push(event);
    this.#dropped += dropped;
  }

  /** What the run's own reader has not read, and how many events it has missed without a warning. */
  unread(): { readonly events: WorkflowEvent[]; readonly dropped: number } {
    const events: WorkflowEvent[] = [];
    let [chunk, at] = [this.#read, this.#readAt];
    for (let left = this.#unread; left > 0; left -= 1) {
      if (at === chunk.length - 1) [chunk, at] = [chunk[at] as Chunk, 0];
      events.push(chunk[at++] as WorkflowEvent);
    }
    return { events, dropped: this.#dropped };
  }

  /** The run's own reader goes on behind everything that has come so far. */
  skip(): void {
    while (this.#unread > 0) this.#take();
  }

  push(event: WorkflowEvent): void {
    let at = this.#lastAt;
    if (at === this.#last.length - 1) {
      const next = chunkOf(CHUNK);
      this.#last[at] = next;
      this.#last = next;
      at = 0;
    }
    this.#last[at] = event;
    this.#lastAt = at + 1;
    this.#unread += 1;
    if (this.#unread > this.#limit) this.#drop();
    this.wake();
  }

  #drop(): void {
    const limit = this.#readers === 0 ? this.#limit : Math.max(this.#limit, MOST_UNREAD);
    while (this.#unread > limit) {
      this.#take();
      this.#dropped += 1;
    }
  }

  /**
   * The next event of the run's own reader. What it has read is cut off: a chunk that was promoted to the old
   * generation and is dead would keep its successor alive at each minor collection, which promotes that one too, and so
   * all that ever come.
   */
  #take(): WorkflowEvent {
    let chunk = this.#read;
    let at = this.#readAt;
    if (at === chunk.length - 1) {
      const next = chunk[at] as Chunk;
      if (!this.#isShared) chunk[at] = undefined;
      this.#read = chunk = next;
      at = 0;
    }
    const event = chunk[at] as WorkflowEvent;
    if (!this.#isShared) chunk[at] = undefined;
    this.#readAt = at + 1;
    this.#unread -= 1;
    return event;
  }

  /** Nothing comes after this; with an error, readers get it when they have read the rest. */
  end(error: Error | undefined): void {
    this.#end ??= new End(error);
    this.wake();
  }

  /**
   * Serves the readers that wait, in their order: there is something new, or they are at their end. One that gets
   * nothing waits again, behind the others.
   */
  wake(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    for (let left = waiting.length; left > 0; left -= 1) waiting.shift()!();
  }

  /** How a reader waits. */
  #wait(): (serve: () => void) => void {
    const waiting = (this.#waiting ??= []);
    return (serve) => void waiting.push(serve);
  }

  /**
   * The run's own reader: all its iterators go on from one place.
   *
   * @param left Called when the iterator is done.
   * @param isOver As of {@link cursor}.
   */
  reader(left?: () => void, isOver?: () => boolean): AsyncIterableIterator<WorkflowEvent> {
    this.#readers += 1;
    const leave = (): void => {
      this.#readers -= 1;
      left?.();
    };
    return iterate(leave, this.#wait(), () => {
      const dropped = this.#dropped;
      if (dropped > 0) {
        this.#dropped = 0;
        throw new LimitError("EVENTS_DROPPED", `${dropped} events were dropped.`);
      }
      if (this.#unread > 0) return this.#take();
      return this.#end ?? (isOver?.() === true ? new End(undefined) : undefined);
    });
  }

  /**
   * A reader of its own, from the oldest event that the run's own reader has not read.
   *
   * @param isOver Asked when it has read everything: whether it ends there, and not with the stream.
   */
  cursor(isOver: () => boolean): AsyncIterableIterator<WorkflowEvent> {
    this.#isShared = true;
    let chunk = this.#read;
    let at = this.#readAt;
    return iterate(undefined, this.#wait(), () => {
      if (chunk === this.#last && at === this.#lastAt) return this.#end ?? (isOver() ? new End(undefined) : undefined);
      if (at === chunk.length - 1) {
        chunk = chunk[at] as Chunk;
        at = 0;
      }
      return chunk[at++] as WorkflowEvent;
    });
  }
}

/** A call of an iterator's `next` that has no result yet. */
interface Request {
  resolve(result: IteratorResult<WorkflowEvent, undefined>): void;
  reject(error: unknown): void;
}

/**
 * An iterator over what `take` gives: an event, the end, or undefined when there is nothing yet. Then `wait` gets a
 * function to call when there is something new. It settles the promise that the reader awaits in the same turn: every
 * token passes here, and a promise in between would be the most expensive part of the way. `leave` is called when the
 * iterator is done.
 */
function iterate(
  leave: (() => void) | undefined,
  wait: (serve: () => void) => void,
  take: () => WorkflowEvent | End | undefined,
): AsyncIterableIterator<WorkflowEvent> {
  let isDone = false;
  /** In their order; a loop has one at most. */
  const requests: Request[] = [];
  const finish = (): void => {
    if (!isDone) leave?.();
    isDone = true;
  };
  /** Settles a request; false when there is nothing yet. */
  const settle = (request: Request): boolean => {
    let taken;
    try {
      if (!isDone) taken = take();
    } catch (error) {
      // A loop is left by an error without a word to its iterator.
      finish();
      request.reject(error);
      return true;
    }
    if (taken === undefined && !isDone) return false;
    if (taken instanceof End || taken === undefined) {
      finish();
      if (taken?.error === undefined) request.resolve({ done: true, value: undefined });
      else request.reject(taken.error);
    } else {
      request.resolve({ done: false, value: taken });
    }
    return true;
  };
  const serve = (): void => {
    while (requests.length > 0 && settle(requests[0]!)) requests.shift();
    if (requests.length > 0) wait(serve);
  };
  const iterator: AsyncIterableIterator<WorkflowEvent, undefined> = {
    next() {
      return new Promise((resolve, reject) => {
        const request = { resolve, reject };
        if (requests.length === 0 && settle(request)) return;
        if (requests.push(request) === 1) wait(serve);
      });
    },
    return() {
      finish();
      for (const request of requests.splice(0)) settle(request);
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]() {
      return iterator;
    },
  };
  return iterator;
}
