// A run's part in the engine, and the one door to it. There is a method for each tick. It makes the call, puts the
// commands that come back into the queue, and carries them out: no caller can forget that half.
//
// 1. A tick that is refused throws, and changes nothing; the slot of its payload is free again.
// 2. Commands are carried out when the call has returned, never while the engine is at work.
// 3. After `close` nothing of the run is left in the engine's memory.

import { EngineError, WorkflowError } from "../errors/errors.js";
import type { WorkflowEvent } from "../model/events.js";
import { copyBytes, expectNumber, memoryWords, readReply, ask } from "../wasm/engine-calls.js";
import { type Engine, engine, engineModule, hot } from "../wasm/engine-module.js";
import { OUTSIDE } from "../wasm/protocol.js";
import { EngineResource } from "../wasm/resources.js";
import { type CommandHandler, CommandQueue } from "./command-queue.js";
import type { Plan } from "./plan.js";
import { SlotTable } from "./slot-table.js";

const clock = (): number => performance.now();

/** What a run may use, as the engine takes it. */
export interface EngineLimits {
  readonly steps: number;
  readonly keptEvents: number;
}

/** The id of an attempt. */
export interface AttemptId {
  readonly index: number;
  readonly generation: number;
}

/** The engine's part of a run as bytes, and what belongs to it on this side. */
export interface CapturedEngine {
  readonly image: Uint8Array;
  /** The payloads, in the order of the image's slots. */
  readonly payloads: readonly unknown[];
  /** The place of each of the image's invocations among those of the run. */
  readonly invocations: readonly number[];
}

/** Learns of everything that a journal needs beside the ticks, which the engine writes down itself. */
export interface RunJournal {
  /** The journal begins. */
  attach(run: EngineRun): void;
  /** A slot got a payload. @throws SnapshotError `SNAPSHOT_VALUE` */
  payload(slot: number, payload: unknown): void;
  /** The engine has taken a tick. */
  tick(): void;
  /** The stream got an event that the engine does not know. */
  event(event: WorkflowEvent): void;
  /** The engine's part of the run is about to go. */
  end(): void;
}

/** Reads the reply of `engine_capture` and `replay_capture`, as `src/wasm/engine/snapshot.rs` writes it. */
export function readCaptured(words: Uint32Array, bySlot: readonly unknown[]): CapturedEngine {
  const [address = 0, length = 0, slots = 0] = words;
  const payloads = Array.from(words.subarray(4, 4 + slots), (slot) => bySlot[slot]);
  return { image: copyBytes(address, length), payloads, invocations: [...words.subarray(4 + slots)] };
}

export class EngineRun {
  readonly slots = new SlotTable();
  /** The run has begun, in this life or an earlier one. */
  isBegun = false;
  #handle = 0;
  #resource: EngineResource | undefined;
  #queue: CommandQueue | undefined;
  /** Ticks need the time. Reading the clock costs as much as a tick. */
  #isTimed: boolean;
  #isTraced = false;
  #bornAt = 0;
  #journal: RunJournal | undefined;

  constructor(plan: Plan) {
    this.#isTimed = plan.isTimed;
  }

  get isOpen(): boolean {
    return this.#resource !== undefined;
  }

  /** The engine has ended the run. The command that says so may still stand behind others. */
  get isSettling(): boolean {
    return this.#queue!.isSettling;
  }

  /** The engine's handle of the run. */
  get handle(): number {
    return this.#handle;
  }

  /** Says who carries commands out. */
  connect(handler: CommandHandler): void {
    this.#queue = new CommandQueue(handler, this.slots);
    if (this.#resource !== undefined) this.#queue.open(this.#resource);
  }

  /** Makes the engine's part of the run. It must be {@link watch}ed if it lives on. */
  open(plan: Plan, runId: string, timeout: number, { steps, keptEvents }: EngineLimits, journal?: RunJournal): void {
    const isKept = journal !== undefined;
    this.#isTimed = plan.isTimed;
    this.#hold(expectNumber(ask(() => engine().engine_new(plan.graph, runId, timeout, steps, keptEvents, isKept))));
    if (journal !== undefined) this.attach(journal);
  }

  /** Takes over the engine's part of a run, and the payloads that it knows. */
  adopt(handle: number, payloads: readonly unknown[]): void {
    this.#hold(handle);
    this.watch();
    this.slots.fill(payloads);
  }

  #hold(handle: number): void {
    this.#handle = handle;
    this.#resource = new EngineResource(handle, "engine_free");
    this.#queue?.open(this.#resource);
    // Nothing runs yet, so there are no records.
    if (this.#isTraced) ask(() => engine().engine_trace(handle, true));
  }

  /** Begins or ends tracing: whether there are records among the commands. */
  trace(isTraced: boolean): void {
    this.#isTraced = isTraced;
    if (this.#resource === undefined) return;
    this.#queue!.add(
      ask(() => this.#engine().engine_trace(this.#handle, isTraced)),
      "",
    );
    this.drain();
  }

  /** From now on the engine's part is freed also when the run is abandoned and collected. */
  watch(): void {
    this.#resource?.watch(this);
  }

  /** From now on the journal learns of everything. */
  attach(journal: RunJournal): void {
    this.#journal = journal;
    this.#isTimed = true;
    journal.attach(this);
    this.slots.all.forEach((payload, slot) => journal.payload(slot, payload));
  }

  /** The run's time begins to count; what it was alive before, in milliseconds, is counted already. */
  begin(alive: number): void {
    this.isBegun = true;
    this.#bornAt = clock() - alive;
  }

  /** How long the run has been alive, in milliseconds. */
  alive(): number {
    return clock() - this.#bornAt;
  }

  /** The time of a tick that may do without. */
  #tickTime(): number {
    return this.#isTimed || this.#isTraced ? this.alive() : 0;
  }

  /** Puts a payload into a slot. */
  #keep(payload: unknown): number {
    const slot = this.slots.keep(payload);
    if (this.#journal !== undefined) this.#journal.payload(slot, payload);
    return slot;
  }

  // ---- ticks ----

  /** The run begins with an event. */
  start(type: number, event: unknown): void {
    const slot = this.#keep(event);
    this.#tick((engine) => engine.engine_start(this.#handle, type, slot, 0), slot);
  }

  /** A run from a snapshot goes on. */
  resume(): void {
    this.#tick((engine) => engine.engine_resume(this.#handle, this.alive()));
  }

  /**
   * An event comes: from an attempt, or from the outside when `from` is undefined.
   *
   * @param target The step that gets it, plus 1; 0 for all that take it.
   * @param matches The waits with a condition that accept it.
   */
  send(
    from: AttemptId | undefined,
    type: number,
    event: unknown,
    target: number,
    matches: readonly number[] | undefined,
    detail: string,
  ): void {
    const slot = this.#keep(event);
    const index = from === undefined ? OUTSIDE : from.index;
    const generation = from === undefined ? 0 : from.generation;
    if (matches !== undefined && matches.length > 0) {
      const waits = Uint32Array.from(matches);
      const now = this.#tickTime();
      this.#tick(
        (engine) => engine.engine_send_matching(this.#handle, index, generation, type, slot, target, waits, now),
        slot,
        detail,
      );
      return;
    }
    let reply: number;
    try {
      engineModule.enter();
      this.#beforeCall();
      reply = hot.send(this.#handle, index, generation, type, slot, target, this.#tickTime()) >>> 0;
      engineModule.leave();
    } catch (cause) {
      throw this.#thrown(cause);
    }
    this.#accept(reply, slot, detail);
    this.drain();
  }

  /** An event goes into the stream and to no step. Not through a closure either: an agent does it for each token. */
  write(from: AttemptId | undefined, type: number, event: unknown): void {
    const slot = this.#keep(event);
    const index = from === undefined ? OUTSIDE : from.index;
    const generation = from === undefined ? 0 : from.generation;
    let reply: number;
    try {
      engineModule.enter();
      this.#beforeCall();
      reply = hot.write(this.#handle, index, generation, type, slot, this.#tickTime()) >>> 0;
      engineModule.leave();
    } catch (cause) {
      throw this.#thrown(cause);
    }
    this.#accept(reply, slot, "");
    this.drain();
  }

  /**
   * An attempt has succeeded. Not through a closure, which would show on this path, the busiest of all.
   *
   * @param type Of its output, plus 1; 0 when it has none.
   * @param accepted Called when the engine has accepted it, before anything comes of it.
   */
  complete(
    index: number,
    generation: number,
    type: number,
    event: unknown,
    matches: readonly number[] | undefined,
    accepted: (() => void) | undefined,
  ): void {
    const slot = type === 0 ? 0 : this.#keep(event);
    let reply: number;
    try {
      engineModule.enter();
      this.#beforeCall();
      reply =
        matches === undefined || matches.length === 0
          ? hot.complete(this.#handle, index, generation, type, slot, this.#tickTime()) >>> 0
          : this.#completeMatching(index, generation, type, slot, matches);
      engineModule.leave();
    } catch (cause) {
      throw this.#thrown(cause);
    }
    this.#accept(reply, type === 0 ? undefined : slot, "");
    if (accepted !== undefined) accepted();
    this.drain();
  }

  /**
   * An attempt has succeeded with an array of events.
   *
   * @param types Of the events.
   * @param matches Pairs of an event's position and a wait with a condition that accepts it.
   * @param accepted As of {@link complete}.
   */
  completeList(
    { index, generation }: AttemptId,
    types: readonly number[],
    events: readonly unknown[],
    matches: readonly number[],
    accepted: (() => void) | undefined,
  ): void {
    const outputs = new Uint32Array(2 * events.length);
    const kept: number[] = [];
    try {
      events.forEach((event, nth) => {
        const slot = this.slots.keep(event);
        kept.push(slot);
        this.#journal?.payload(slot, event);
        outputs[2 * nth] = types[nth]!;
        outputs[2 * nth + 1] = slot;
      });
      const waits = Uint32Array.from(matches);
      const now = this.#tickTime();
      this.#call((engine) => engine.engine_complete_list(this.#handle, index, generation, outputs, waits, now));
    } catch (error) {
      // The last one first, so that the lowest numbers are taken first again.
      for (const slot of kept.reverse()) this.slots.release(slot);
      throw error;
    }
    if (accepted !== undefined) accepted();
    this.drain();
  }

  #completeMatching(index: number, generation: number, type: number, slot: number, matches: readonly number[]): number {
    const waits = Uint32Array.from(matches);
    return engine().engine_complete_matching(this.#handle, index, generation, type, slot, waits, this.#tickTime());
  }

  /**
   * An attempt has failed.
   *
   * @param verdict What is to come of it, as `verdict` in the protocol; with `delay` in milliseconds.
   */
  fail({ index, generation }: AttemptId, type: number, event: unknown, verdict: number, delay: number): void {
    const slot = this.#keep(event);
    const now = this.alive();
    this.#tick((engine) => engine.engine_fail(this.#handle, index, generation, type, slot, verdict, delay, now), slot);
  }

  /**
   * A running step asks for an event.
   *
   * @param timeout In milliseconds, or -1.
   * @param claim For a wait with a condition: the slot of the kept event that it takes, plus 1; 0 for none.
   * @param question Published once, when the step asks for the first time.
   * @param opened Gets the number of the wait, before anything comes of it: its answer may be there already.
   */
  wait(
    { index, generation }: AttemptId,
    type: number,
    options: {
      readonly id: string | undefined;
      readonly timeout: number;
      readonly isConditional: boolean;
      readonly claim: number;
      readonly question: { readonly type: number; readonly event: unknown } | undefined;
    },
    opened: (wait: number) => void,
  ): void {
    const { id, timeout, isConditional, claim, question } = options;
    const slot = question === undefined ? undefined : this.#keep(question.event);
    const [askType, askSlot] = question === undefined ? [0, 0] : [question.type + 1, slot!];
    const now = this.alive();
    this.#open(
      (engine) =>
        engine.engine_wait(
          this.#handle,
          index,
          generation,
          type,
          id,
          timeout,
          isConditional,
          claim,
          askType,
          askSlot,
          now,
        ),
      opened,
      slot,
    );
  }

  /** A running step sleeps, for so many milliseconds; `opened` as of {@link wait}. */
  sleep({ index, generation }: AttemptId, delay: number, opened: (wait: number) => void): void {
    const now = this.alive();
    this.#open((engine) => engine.engine_sleep(this.#handle, index, generation, delay, now), opened);
  }

  /** A wait or sleep is withdrawn. */
  withdraw({ index, generation }: AttemptId, wait: number): void {
    const now = this.#tickTime();
    this.#tick((engine) => engine.engine_withdraw(this.#handle, index, generation, wait, now));
  }

  /** A running step puts an event to those that it collects. Returns the slots of a complete collection. */
  collect(
    { index, generation }: AttemptId,
    type: number,
    event: unknown,
    pattern: number | Uint32Array,
    buffer: string | undefined,
  ): unknown[] | undefined {
    const slot = this.#keep(event);
    const now = this.#tickTime();
    let found: unknown[] | undefined;
    this.#tick(
      (engine) =>
        typeof pattern === "number"
          ? engine.engine_collect(this.#handle, index, generation, type, slot, pattern, buffer, now)
          : engine.engine_collect_list(this.#handle, index, generation, type, slot, pattern, buffer, now),
      slot,
      "",
      (reply) => {
        if (reply.length > 0) found = Array.from(reply, (kept) => this.slots.event(kept));
      },
    );
    return found;
  }

  /** Makes a list of types ready for {@link collect}; {@link NO_PATTERN} when the run has as many as it may. */
  pattern(expected: Uint32Array): number {
    return expectNumber(ask(() => this.#engine().engine_pattern(this.#handle, expected)));
  }

  /** How many events a step has collected by a pattern, in a buffer. */
  collected({ index, generation }: AttemptId, pattern: number, buffer: string | undefined): number {
    return ask(() => this.#engine().engine_collected(this.#handle, index, generation, pattern, buffer));
  }

  /** A nested run holds up the step around it, or no longer does; `how` is a {@link hold}. */
  hold({ index, generation }: AttemptId, how: number): void {
    const now = this.#tickTime();
    this.#tick((engine) => engine.engine_hold(this.#handle, index, generation, how, now));
  }

  /** The outside answers one wait. */
  answer(wait: number, type: number, event: unknown): void {
    const slot = this.#keep(event);
    const now = this.#tickTime();
    this.#tick((engine) => engine.engine_answer(this.#handle, wait, type, slot, now), slot);
  }

  /** An invocation remembers something; what it remembers under the key already stays. */
  remember({ index, generation }: AttemptId, key: string, value: unknown): void {
    const slot = this.#keep(value);
    const now = this.#tickTime();
    this.#tick((engine) => engine.engine_once(this.#handle, index, generation, key, slot, now), slot);
  }

  /** The alarm has gone off. */
  wake(): void {
    this.#tick((engine) => engine.engine_wake(this.#handle, this.alive()));
  }

  // ---- queries, which change nothing ----

  /**
   * When the first attempt of an invocation began, in milliseconds of alive time; -1 when the engine does not know it
   * any more. From now on the run reads the clock at every tick.
   */
  began({ index, generation }: AttemptId): number {
    this.#isTimed = true;
    if (!this.isOpen) return -1;
    return ask(() => this.#engine().engine_began(this.#handle, index, generation));
  }

  /** The failure of the attempt before the one that runs, as an event. */
  failure({ index, generation }: AttemptId): unknown {
    const found = ask(() => this.#engine().engine_failure(this.#handle, index, generation));
    return found === 0 ? undefined : this.slots.event(found - 1);
  }

  /** What an invocation remembers under a key, in this attempt or from an earlier one. */
  recall({ index, generation }: AttemptId, key: string): unknown {
    const found = ask(() => this.#engine().engine_recall(this.#handle, index, generation, key));
    return found === 0 ? undefined : this.slots.event(found - 1);
  }

  /** The slots of the kept events of a type, oldest first. */
  kept(type: number): Uint32Array {
    return ask(() => readReply(this.#engine().engine_kept(this.#handle, type)));
  }

  /** The place of an invocation among all arrivals of the run: its own through attempts and recoveries. */
  order({ index, generation }: AttemptId): number {
    return ask(() => this.#engine().engine_order(this.#handle, index, generation));
  }

  /** In how many milliseconds the next timer is due; undefined when there is none. */
  dueIn(): number | undefined {
    const due = ask(() => this.#engine().engine_due(this.#handle));
    return due < 0 ? undefined : Math.max(0, due - this.alive());
  }

  /** What is open in the run, as `engine_open` writes it. */
  openWork(): Uint32Array {
    return ask(() => readReply(this.#engine().engine_open(this.#handle, this.isBegun ? this.alive() : 0)));
  }

  /** The engine's part of the run as it is now. */
  capture(): CapturedEngine {
    const alive = this.isBegun ? this.alive() : 0;
    const words = ask(() => readReply(this.#engine().engine_capture(this.#handle, alive)));
    return readCaptured(words, this.slots.all);
  }

  /** See {@link CommandQueue.pending}. */
  pending(...args: Parameters<CommandQueue["pending"]>): ReturnType<CommandQueue["pending"]> {
    return this.#queue!.pending(...args);
  }

  /** Puts a record into the journal. */
  note(bytes: Uint8Array): void {
    ask(() => this.#engine().engine_note(this.#handle, bytes));
  }

  /** The records of the journal since the last call. */
  takeRecords(): Uint8Array {
    const [address = 0, length = 0] = ask(() => readReply(this.#engine().engine_drain(this.#handle)));
    return copyBytes(address, length);
  }

  // ---- what all of them share ----

  /** Carries out what is in the queue. */
  drain(): void {
    this.#queue!.drain();
  }

  /** The engine's functions, as long as this run's part is there. @throws EngineError `ENGINE_PANICKED` */
  #engine(): Engine {
    this.#beforeCall();
    return engine();
  }

  #beforeCall(): void {
    if (this.#resource === undefined || this.#resource.isStale) throw new EngineError("ENGINE_PANICKED");
    if (this.#queue !== undefined) this.#queue.beforeCall();
  }

  #thrown(cause: unknown): unknown {
    if (!(cause instanceof WorkflowError)) return engineModule.trapped(cause);
    engineModule.leave();
    return cause;
  }

  /** Accepts a reply. The slot of a payload is free again when the tick was refused. */
  #accept(reply: number, slot: number | undefined, detail: string): void {
    try {
      this.#queue!.add(reply, detail);
    } catch (error) {
      if (slot !== undefined) this.slots.release(slot);
      throw error;
    }
    if (this.#journal !== undefined) this.#journal.tick();
  }

  /** Makes a call and accepts its reply. */
  #call(call: (engine: Engine) => number): void {
    this.#accept(
      ask(() => call(this.#engine())),
      undefined,
      "",
    );
  }

  #tick(call: (engine: Engine) => number, slot?: number, detail = "", replied?: (reply: Uint32Array) => void): void {
    const reply = ask(() => call(this.#engine()));
    if (replied !== undefined) {
      const memory = memoryWords();
      const at = reply >>> 2;
      if (memory[at] === 0) replied(memory.slice(at + 3, at + 3 + memory[at + 1]!));
    }
    this.#accept(reply, slot, detail);
    this.drain();
  }

  #open(call: (engine: Engine) => number, opened: (wait: number) => void, slot?: number): void {
    this.#tick(call, slot, "", ([wait]) => opened(wait!));
  }

  /** Frees everything. */
  close(): void {
    this.#resource?.free();
    this.#queue?.close();
    this.slots.clear();
  }
}
