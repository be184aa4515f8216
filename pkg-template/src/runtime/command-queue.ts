// The commands that the engine has written for a run, carried out one by one. One loop at a time goes through them,
// however deep the calls that add to them, so that user code never runs while the engine does.

import { EngineError } from "../errors/errors.js";
import type { WorkflowEvent } from "../model/events.js";
import { engineError, memoryInts } from "../wasm/engine-calls.js";
import { NO_ALARM, NO_SLOT, OWN, SETTLED, commandLength, op, outcome } from "../wasm/protocol.js";
import type { EngineResource } from "../wasm/resources.js";
import type { Activity } from "../model/run.js";
import type { SlotTable } from "./slot-table.js";
import { YieldPolicy } from "./yield-policy.js";

/** In words. A queue that a fan-out has made larger gives its memory back when it is empty. */
const LARGE_QUEUE = 4096;

const NO_WORDS = /* @__PURE__ */ new Int32Array(0);

/** Carries commands out. */
export interface CommandHandler {
  /** The event goes into the stream. */
  publish(event: WorkflowEvent): void;
  /** A step's handler is to be called: with one event, or with a list of them when the step has several inputs. */
  invoke(
    step: number,
    index: number,
    generation: number,
    attempt: number,
    input: WorkflowEvent | readonly WorkflowEvent[],
  ): void;
  /** A step begins again; what an earlier attempt has written to the stream no longer counts. */
  reset(step: number, attempt: number, input: WorkflowEvent | readonly WorkflowEvent[]): void;
  /** A wait has its event. */
  resolve(wait: number, event: WorkflowEvent): void;
  /** A sleep is over. */
  wake(wait: number): void;
  /** No event came in time for a wait. */
  expire(wait: number): void;
  /** An attempt has used up its time. */
  timeOut(index: number): void;
  /** The engine wants to be woken after so many milliseconds; undefined: not at all. */
  setAlarm(delay: number | undefined): void;
  /** The run's own steps work, all sleep, or wait for the outside, and did not before. */
  setActivity(activity: Activity): void;
  /** The run is over; `how` is an {@link outcome}. */
  settle(how: number, event: WorkflowEvent): void;
  /** A record of what has happened; its command is at `at`. It must be read before the engine is called. */
  trace(words: ArrayLike<number>, at: number): void;
  /** Carrying out a command has thrown. */
  failed(thrown: unknown): void;
}

export class CommandQueue {
  /** The engine has ended the run; the command that says so may still stand behind others. */
  isSettling = false;
  readonly #handler: CommandHandler;
  readonly #slots: SlotTable;
  readonly #yield = new YieldPolicy();
  #resource: EngineResource | undefined;
  /**
   * The commands are the words from `#next` to `#end`. They are read where the engine wrote them, as far as that is
   * possible.
   */
  #words: Int32Array = NO_WORDS;
  #next = 0;
  #end = 0;
  /** The words are in the engine's memory, and the run's next call overwrites them. */
  #isDirect = false;
  /** Where commands are copied to when they cannot stay where they are. */
  #copies: Int32Array = NO_WORDS;
  #isDraining = false;

  constructor(handler: CommandHandler, slots: SlotTable) {
    this.#handler = handler;
    this.#slots = slots;
  }

  /** The engine's part of the run has been made. */
  open(resource: EngineResource): void {
    this.#resource = resource;
  }

  /** Before a call for this run: commands that are left, and that the call would overwrite, are copied. */
  beforeCall(): void {
    if (!this.#isDirect || this.#next >= this.#end) return;
    const [from, to] = [this.#next, this.#end];
    this.#next = this.#end;
    this.#append(this.#fresh(), from, to);
  }

  /** Adds the commands of a reply. @throws the error that the reply is. */
  add(pointer: number, detail: string): void {
    const memory = memoryInts();
    const at = pointer >>> 2;
    if (memory[at] !== 0) {
      if (memory[at] !== SETTLED) throw engineError(memory[at]!, detail);
      this.isSettling = true;
    }
    const reply = memory[at + 1]!;
    const length = memory[at + 2]!;
    if (reply !== OWN) {
      // The next call of any run overwrites it.
      this.#append(memory, at + 3 + reply, at + 3 + reply + length);
    } else if (this.#next === this.#end) {
      this.#words = memory;
      this.#isDirect = true;
      this.#next = at + 3;
      this.#end = at + 3 + length;
    } else if (length > 0) {
      this.#append(memory, at + 3, at + 3 + length);
    }
  }

  /** Copies words behind those that are left. */
  #append(words: Int32Array, from: number, to: number): void {
    if (this.#isDirect || this.#next === this.#end) this.#next = this.#end = 0;
    this.#makeRoom(to - from);
    const copies = this.#copies;
    let end = this.#end;
    // One by one: a view for `set` would cost more than the few words that a reply mostly is.
    for (let at = from; at < to; at += 1) copies[end++] = words[at]!;
    this.#words = copies;
    this.#isDirect = false;
    this.#end = end;
  }

  /**
   * Makes room for so many words behind the last one. What has been carried out gives way: in a chain of synchronous
   * handlers the queue never runs empty, and would grow without end. At most half of it is in use afterwards, so a word
   * is moved once on average.
   */
  #makeRoom(length: number): void {
    const queue = this.#copies;
    const [next, end] = [this.#next, this.#end];
    if (end + length <= queue.length) return;
    const needed = 2 * (end - next + length);
    if (needed <= queue.length) {
      queue.copyWithin(0, next, end);
    } else {
      this.#copies = new Int32Array(Math.max(64, needed));
      this.#copies.set(queue.subarray(next, end));
    }
    this.#next = 0;
    this.#end = end - next;
  }

  /** The words. Memory that grew has left its old views empty. */
  #fresh(): Int32Array {
    if (this.#words.length === 0) {
      // A trap has emptied the view too. The memory of the next instance has nothing of this run.
      if (this.#resource?.isStale === true) throw new EngineError("ENGINE_PANICKED");
      this.#words = memoryInts();
    }
    return this.#words;
  }

  /** Carries out what is in the queue, unless a loop further up the stack does so. */
  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      while (this.#next < this.#end) {
        const command = this.#fresh()[this.#next];
        if (callsUserCode(command) && this.#yield.isDue()) {
          // A run that never waits for anything would keep timers, input and rendering from their turn.
          setTimeout(() => this.#resume(), 0);
          return;
        }
        if (command === op.NEXT) this.#carryOutNext();
        else this.#carryOut();
      }
      this.#rewind();
    } catch (thrown) {
      this.#handler.failed(thrown);
    }
    this.#isDraining = false;
  }

  #resume(): void {
    this.#yield.yielded();
    this.#isDraining = false;
    this.drain();
  }

  /** {@link op.NEXT}, which nearly all commands are. */
  #carryOutNext(): void {
    const words = this.#words;
    const at = this.#next;
    this.#next = at + 6;
    const input = this.#slots.event(words[at + 4]!);
    const step = words[at + 1]!;
    const index = words[at + 2]!;
    const generation = words[at + 3]!;
    const released = words[at + 5]!;
    if (released !== NO_SLOT) this.#slots.release(released);
    this.#handler.publish(input);
    if (!this.isSettling) this.#handler.invoke(step, index, generation, 1, input);
  }

  #carryOut(): void {
    const words = this.#words;
    const at = this.#next;
    const [a, b] = [words[at + 1]!, words[at + 2]!];
    this.#next = at + commandLength(words, at);
    switch (words[at]) {
      case op.PUBLISH:
        this.#handler.publish(this.#slots.event(a));
        return;
      case op.RELEASE:
        this.#slots.release(a);
        return;
      case op.INVOKE:
        if (!this.isSettling) {
          this.#handler.invoke(a, b, words[at + 3]!, words[at + 4]!, this.#inputs(words, at + 5));
        }
        return;
      case op.RESET:
        if (!this.isSettling) this.#handler.reset(a, b, this.#inputsOfNext(words, at));
        return;
      case op.RESOLVE:
        this.#handler.resolve(a, this.#slots.event(b));
        return;
      case op.WAKE:
        this.#handler.wake(a);
        return;
      case op.EXPIRE:
        this.#handler.expire(a);
        return;
      case op.TIME_OUT:
        this.#handler.timeOut(a);
        return;
      case op.ALARM:
        this.#handler.setAlarm(a === NO_ALARM ? undefined : a);
        return;
      case op.IDLE:
        this.#handler.setActivity("waiting");
        return;
      case op.DOZE:
        this.#handler.setActivity("sleeping");
        return;
      case op.BUSY:
        this.#handler.setActivity("running");
        return;
      case op.SETTLE:
        this.#handler.settle(a, this.#slots.event(b));
        return;
      case op.TRACE:
        this.#handler.trace(words, at);
        return;
      default:
        // Whatever this was, what follows cannot be read.
        throw engineError(0);
    }
  }

  /** The events of the invocation that follows a reset. */
  #inputsOfNext(words: Int32Array, at: number): WorkflowEvent | readonly WorkflowEvent[] {
    return this.#inputs(words, at + commandLength(words, at) + 5);
  }

  /** The events of an invocation, whose number stands at `at` and whose slots follow. */
  #inputs(words: Int32Array, at: number): WorkflowEvent | readonly WorkflowEvent[] {
    const count = words[at]!;
    if (count === 1) return this.#slots.event(words[at + 1]!);
    return Array.from({ length: count }, (_, nth) => this.#slots.event(words[at + 1 + nth]!));
  }

  /**
   * Events that are published and still in the queue, and the stop event when the run has completed and that is still
   * in the queue.
   */
  pending(
    resetEvent: (step: number, attempt: number, input: WorkflowEvent | readonly WorkflowEvent[]) => WorkflowEvent,
  ): {
    readonly published: WorkflowEvent[];
    readonly stop: WorkflowEvent | undefined;
  } {
    const published: WorkflowEvent[] = [];
    let stop: WorkflowEvent | undefined;
    const words = this.#next < this.#end ? this.#fresh() : NO_WORDS;
    for (let at = this.#next; at < this.#end; at += commandLength(words, at)) {
      const [a, b] = [words[at + 1]!, words[at + 2]!];
      if (words[at] === op.NEXT) published.push(this.#slots.event(words[at + 4]!));
      if (words[at] === op.PUBLISH) published.push(this.#slots.event(a));
      if (words[at] === op.RESET) published.push(resetEvent(a, b, this.#inputsOfNext(words, at)));
      if (words[at] === op.SETTLE && a === outcome.COMPLETED) stop = this.#slots.event(b);
    }
    return { published, stop };
  }

  #rewind(): void {
    this.#next = 0;
    this.#end = 0;
    if (this.#copies.length > LARGE_QUEUE) this.#copies = NO_WORDS;
  }

  /** Forgets all commands. */
  close(): void {
    this.#copies = NO_WORDS;
    this.#words = NO_WORDS;
    this.#isDirect = false;
    this.#rewind();
  }
}

function callsUserCode(command: number | undefined): boolean {
  return command === op.NEXT || command === op.INVOKE || command === op.RESOLVE;
}
