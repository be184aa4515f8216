// A run's line to the engine: its handle, its clock, the payloads that the engine knows by number, and the queue of
// commands that have come back.

import { EngineError, WorkflowError } from "../errors.js";
import type { WorkflowEvent } from "../events.js";
import {
  EngineResource,
  ask,
  copyBytes,
  engineError,
  enter,
  expectNumber,
  leave,
  memoryInts,
  readReply,
  trapped,
} from "./engine.js";
import type { Notes } from "./notes.js";
import type { Plan } from "./plan.js";
import { type Engine, engine, hot } from "./wasm.js";
import { OWN, SETTLED, commandLength, op, outcome } from "./words.js";

/** In words. */
const LARGE_QUEUE = 4096;

const NO_WORDS = /* @__PURE__ */ new Int32Array(0);

const clock = (): number => performance.now();

/** What a run may use, as the engine takes it. */
export interface EngineLimits {
  readonly steps: number;
  readonly keptEvents: number;
}

/** The engine's part of a run as bytes, and what belongs to it on this side. */
export interface FrozenEngine {
  readonly image: Uint8Array;
  /** The payloads, in the order of the image's slots. */
  readonly payloads: readonly unknown[];
  /** The place of each of the image's invocations among those of the run. */
  readonly invocations: readonly number[];
}

/** Reads the reply of `engine_capture` and `replay_capture`, as `src/wasm/engine/snapshot.rs` writes it. */
export function readFrozen(words: Uint32Array, bySlot: readonly unknown[]): FrozenEngine {
  const [address = 0, length = 0, slots = 0] = words;
  const payloads = Array.from(words.subarray(4, 4 + slots), (slot) => bySlot[slot]);
  return { image: copyBytes(address, length), payloads, invocations: [...words.subarray(4 + slots)] };
}

export class Line {
  /** The engine has ended the run; the command that says so may still be behind others. */
  isSettling = false;
  /**
   * The queue of commands: words from `next` to `end`. They are read where the engine has written them; only when it is called again while
   * some are left are those copied aside.
   */
  words: Int32Array = NO_WORDS;
  next = 0;
  end = 0;
  /** The words are in the engine's memory. */
  #isDirect = false;
  /** Where commands are copied to. */
  #queue: Int32Array = NO_WORDS;
  handle = 0;
  readonly #isTimed: boolean;
  #resource: EngineResource | undefined;
  #bornAt = 0;
  /** Told of every payload, when the run keeps a journal. */
  #notes: Notes | undefined;
  #slots: unknown[] = [];
  #freeSlots: number[] = [];

  constructor(plan: Plan) {
    this.#isTimed = plan.isTimed;
  }

  /** The run has begun, in this life or an earlier one. */
  isBegun = false;

  get isOpen(): boolean {
    return this.#resource !== undefined;
  }

  /** Makes the engine's part of the run. */
  open(plan: Plan, runId: string, timeout: number, { steps, keptEvents }: EngineLimits, notes?: Notes): void {
    const isNoted = notes !== undefined;
    this.adopt(
      expectNumber(ask(() => engine().engine_new(plan.graph, runId, timeout, steps, keptEvents, isNoted))),
      [],
    );
    if (notes !== undefined) this.attach(notes);
  }

  /** Takes over the engine's part of a run, and the payloads that it knows. */
  adopt(handle: number, payloads: readonly unknown[]): void {
    this.handle = handle;
    this.#resource = new EngineResource(this, handle, "engine_free");
    this.#slots = [...payloads];
  }

  /** From now on notes are made for the journal. */
  attach(notes: Notes): void {
    this.#notes = notes;
    notes.attach(this);
    this.#slots.forEach((payload, slot) => notes.payload(slot, payload));
  }

  /** The run's time begins to count; what it was alive before, in milliseconds, is counted already. */
  begin(alive = 0): void {
    this.isBegun = true;
    this.#bornAt = clock() - alive;
  }

  /** The engine's functions, as long as this run's part of it is there. */
  engine(): Engine {
    if (this.#resource === undefined || this.#resource.isStale) throw new EngineError("ENGINE_PANICKED");
    if (this.#isDirect && this.next < this.end) this.#putAside();
    return engine();
  }

  /** What is left of the commands would be overwritten. */
  #putAside(): void {
    const left = this.fresh().subarray(this.next, this.end);
    this.next = 0;
    this.end = 0;
    this.#append(left);
  }

  #append(words: Int32Array): void {
    if (this.next === this.end) this.next = this.end = 0;
    this.#makeRoom(words.length);
    this.#queue.set(words, this.end);
    this.words = this.#queue;
    this.#isDirect = false;
    this.end += words.length;
  }

  /**
   * Makes room for so many words behind the last one. What has been carried out gives way: where handlers are synchronous, the queue may never be
   * empty, so it would grow for as long as they go on. At most half of it is in use afterwards, so a word is moved once on average.
   */
  #makeRoom(length: number): void {
    const { next, end } = this;
    const queue = this.#queue;
    if (end + length <= queue.length) return;
    const needed = 2 * (end - next + length);
    if (needed <= queue.length) {
      queue.copyWithin(0, next, end);
    } else {
      this.#queue = new Int32Array(Math.max(64, needed));
      this.#queue.set(queue.subarray(next, end));
    }
    this.next = 0;
    this.end = end - next;
  }

  /** The words; memory that grows leaves its old views empty. */
  fresh(): Int32Array {
    if (this.words.length === 0) {
      // A trap has emptied the view too: in the memory of the next instance there is nothing of this run.
      if (this.#resource?.isStale === true) throw new EngineError("ENGINE_PANICKED");
      this.words = memoryInts();
    }
    return this.words;
  }

  /** The run's alive time. */
  alive(): number {
    return clock() - this.#bornAt;
  }

  /** The time of a tick that may do without: reading the clock costs as much as the tick. */
  tickTime(): number {
    return this.#isTimed ? this.alive() : 0;
  }

  /** Gives a payload a number. */
  keep(payload: unknown): number {
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    this.#slots[slot] = payload;
    if (this.#notes !== undefined) this.#notes.payload(slot, payload);
    return slot;
  }

  /** The event of a number that the engine has named. */
  payload(slot: number): WorkflowEvent {
    return this.#slots[slot] as WorkflowEvent;
  }

  /** Forgets a payload. */
  drop(slot: number): void {
    this.#slots[slot] = undefined;
    this.#freeSlots.push(slot);
  }

  /** Copies the commands of an answer into the queue. @throws when the answer is an error. */
  take(pointer: number, detail = ""): void {
    const memory = memoryInts();
    const at = pointer >>> 2;
    if (memory[at] !== 0) {
      if (memory[at] !== SETTLED) throw engineError(memory[at]!, detail);
      this.isSettling = true;
    }
    const reply = memory[at + 1]!;
    const length = memory[at + 2]!;
    if (reply !== OWN) {
      // The next call of anybody overwrites it.
      this.#append(memory.subarray(at + 3 + reply, at + 3 + reply + length));
    } else if (this.next === this.end) {
      this.words = memory;
      this.#isDirect = true;
      this.next = at + 3;
      this.end = at + 3 + length;
    } else if (length > 0) {
      let { end } = this;
      if (end + length > this.#queue.length) {
        this.#append(memory.subarray(at + 3, at + 3 + length));
      } else {
        const queue = this.#queue;
        for (let word = at + 3; word < at + 3 + length; word += 1) queue[end++] = memory[word]!;
        this.end = end;
      }
    }
    if (this.#notes !== undefined) this.#notes.tick();
  }

  /** An attempt has succeeded. Not through `ask`: its closure would show on this path, the busiest of all. */
  complete(
    index: number,
    generation: number,
    type: number,
    slot: number,
    matches: readonly number[] | undefined,
  ): void {
    if (matches !== undefined && matches.length > 0) {
      const waits = Uint32Array.from(matches);
      const time = this.tickTime();
      this.take(
        ask(() => this.engine().engine_complete_matching(this.handle, index, generation, type, slot, waits, time)),
      );
      return;
    }
    let answer: number;
    try {
      enter();
      if (this.#resource === undefined || this.#resource.isStale) throw new EngineError("ENGINE_PANICKED");
      if (this.#isDirect && this.next < this.end) this.#putAside();
      answer = hot.complete(this.handle, index, generation, type, slot, this.#isTimed ? this.alive() : 0) >>> 0;
      leave();
    } catch (cause) {
      if (!(cause instanceof WorkflowError)) throw trapped(cause);
      leave();
      throw cause;
    }
    this.take(answer);
  }

  /** An event comes. @throws when it was refused; its payload goes back. */
  send(
    index: number,
    generation: number,
    type: number,
    slot: number,
    target: number,
    matches: readonly number[] | undefined,
    detail: string,
  ): void {
    if (matches !== undefined && matches.length > 0) {
      const waits = Uint32Array.from(matches);
      const time = this.tickTime();
      const matching = (): number =>
        this.engine().engine_send_matching(this.handle, index, generation, type, slot, target, waits, time);
      this.takeOrDrop(ask(matching), slot, detail);
      return;
    }
    let answer: number;
    try {
      enter();
      if (this.#resource === undefined || this.#resource.isStale) throw new EngineError("ENGINE_PANICKED");
      if (this.#isDirect && this.next < this.end) this.#putAside();
      answer = hot.send(this.handle, index, generation, type, slot, target, this.#isTimed ? this.alive() : 0) >>> 0;
      leave();
    } catch (cause) {
      if (!(cause instanceof WorkflowError)) throw trapped(cause);
      leave();
      throw cause;
    }
    this.takeOrDrop(answer, slot, detail);
  }

  /** The engine's part of the run as it is now. */
  freeze(): FrozenEngine {
    const alive = this.isBegun ? this.alive() : 0;
    return readFrozen(
      ask(() => readReply(this.engine().engine_capture(this.handle, alive))),
      this.#slots,
    );
  }

  /** The events that were published and are still in the queue, and the stop event, if the run has completed and it is in the queue. */
  queued(plan: Plan): { readonly published: WorkflowEvent[]; readonly stop: WorkflowEvent | undefined } {
    const published: WorkflowEvent[] = [];
    let stop: WorkflowEvent | undefined;
    const commands = this.fresh();
    for (let at = this.next; at < this.end; at += commandLength(commands, at)) {
      if (commands[at] === op.NEXT) published.push(this.payload(commands[at + 4]!));
      if (commands[at] === op.RESET) published.push(plan.streamReset(commands[at + 1]!, commands[at + 2]!));
      if (commands[at] === op.PUBLISH) published.push(this.payload(commands[at + 1]!));
      if (commands[at] === op.SETTLE && commands[at + 1] === outcome.COMPLETED) stop = this.payload(commands[at + 2]!);
    }
    return { published, stop };
  }

  /** Takes the answer to a tick that brought a payload, which goes back when the tick was refused. */
  takeOrDrop(pointer: number, slot: number, detail = ""): void {
    try {
      this.take(pointer, detail);
    } catch (error) {
      this.drop(slot);
      throw error;
    }
  }

  /** The queue has been carried out; it keeps its memory, unless a fan-out has made it large. */
  rewind(): void {
    this.next = 0;
    this.end = 0;
    if (this.#queue.length > LARGE_QUEUE) this.#queue = NO_WORDS;
  }

  /** Lets go of everything. */
  close(): void {
    this.#resource?.free();
    this.#queue = NO_WORDS;
    this.words = NO_WORDS;
    this.#isDirect = false;
    this.rewind();
    this.#slots = [];
    this.#freeSlots = [];
  }
}
