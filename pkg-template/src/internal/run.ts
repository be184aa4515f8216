// A run at work: carries out the engine's commands, and tells it what comes of them.
//
// 1. User code (handlers, predicates, hooks) is never called while the engine is at work: commands are copied into a
//    queue, and one loop at a time carries them out, however deep the calls that add to it.
// 2. Every path ends in `#finish`, once: promise, stream, signals and waits all learn of the same error.
// 3. Payloads live at the line to the engine, which says when one is not needed any more.
// 4. After the end nothing is left in the engine's memory.

import {
  CancelledError,
  type EngineError,
  LimitError,
  SnapshotError,
  StalledError,
  TimeoutError,
  ValidationError,
  WorkflowError,
  asError,
} from "../errors.js";
import {
  type EventClass,
  NestedEvent,
  StepFailedEvent,
  type StepFailure,
  StopEvent,
  WorkflowEvent,
} from "../events.js";
import type { RunOptions, StepHook } from "../run-options.js";
import { Store } from "../store.js";
import type { WorkflowContext } from "../context.js";
import type { Workflow } from "../workflow.js";
import { Breath } from "./breath.js";
import { describe, milliseconds } from "./duration.js";
import { describeOpen } from "./describe-open.js";
import {
  type Survivor,
  ask,
  engineError,
  enter,
  leave,
  memoryWords,
  offTrap,
  onTrap,
  readReply,
  trapped,
} from "./engine.js";
import type { CodecContext } from "./codec.js";
import {
  type EarlyEvent,
  type NestedPart,
  Remembered,
  type RunDocument,
  codecOf,
  writeDocument,
  writeSnapshot,
} from "./document.js";
import { Invocation, type PendingWait } from "./invocation.js";
import { judge } from "./judge.js";
import { type FrozenEngine, Line } from "./line.js";
import { newId } from "./new-id.js";
import { Notes } from "./notes.js";
import { type Plan, type PlannedStep, typeName } from "./plan.js";
import { EventStream } from "./stream.js";
import { type NestedRuns, type Thawed, nestedKey } from "./thaw.js";
import { isThenable } from "./thenable.js";
import { NO_ALARM, OUTSIDE, op, outcome, verdict } from "./words.js";

/** Where a run is. */
export type RunStatus = "created" | "running" | "waiting" | "completed" | "failed" | "cancelled";

/** The run around a nested one. */
export interface Parent {
  readonly invocation: Invocation;
  readonly slot: string;
  /** Which nested run of the invocation it is: its slot and a number. */
  readonly key: string;
}

/** Where the snapshot of a nested run comes from. */
interface NestedSource {
  /** The place of the invocation that started it. */
  readonly index: number;
  readonly key: string;
  readonly snapshot: () => Uint8Array;
}

/** What a run is made of. */
export interface RunParts {
  readonly workflow: AnyWorkflow;
  readonly plan: Plan;
  /** What it begins with; undefined when it goes on from a snapshot. */
  readonly start: WorkflowEvent | undefined;
  /** What it goes on from. */
  readonly thawed: Thawed | undefined;
  readonly data: unknown;
  readonly options: RunOptions;
  readonly parent: Parent | undefined;
  /** A store to go on with. */
  readonly store: Store | undefined;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the types of a workflow are its users'.
export type AnyWorkflow = Workflow<any, any, any, any>;

/** Nobody listens. One list for all, as most runs have no listeners. */
const NOBODY: readonly (() => void)[] = [];

export class Run {
  readonly workflow: AnyWorkflow;
  readonly plan: Plan;
  readonly data: unknown;
  readonly store: Store;
  readonly stream: EventStream;
  /** The open waits and sleeps of all invocations, by number. */
  readonly waits = new Map<number, PendingWait>();
  status: RunStatus = "created";
  /** The run's public face. */
  context: unknown;
  /** Set when the run has completed. */
  stop: StopEvent | undefined;
  /** Set when the run has failed or was cancelled. */
  error: Error | undefined;
  /** Set when a step's failure has ended the run. */
  failure: StepFailure | undefined;
  /** Set while somebody goes through the run step by step: is given each completed step, and calls back to let it go on. */
  gate:
    ((invocation: Invocation, output: WorkflowEvent | undefined, go: (output: unknown) => void) => void) | undefined;

  #runId: string | undefined;
  readonly #start: WorkflowEvent | undefined;
  readonly #parent: Parent | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #timeout: number;
  readonly #onStep: StepHook | undefined;
  readonly #notes: Notes | undefined;
  /** Nested runs under way; made when there is one. */
  #children: Set<Run> | undefined;
  /** Nested runs of a snapshot that their invocations, by place, have not asked for again. */
  readonly #shelved: Map<number, NestedRuns> | undefined;
  readonly #breath = new Breath();
  #onEnd: readonly (() => void)[] = NOBODY;
  #onIdle: readonly (() => void)[] = NOBODY;
  readonly #line: Line;
  /** How long it had been alive in earlier lives, in milliseconds. */
  readonly #aliveBefore: number;
  /** Set when the run has failed or was cancelled: what a snapshot needs of the engine. */
  #frozen: FrozenEngine | undefined;
  #frozenNested: NestedSource[] | undefined;
  /** How the run learns that the instance is gone while it waits; any other run finds out at its next call. */
  #survivor: WeakRef<Survivor> | undefined;
  #alarm: ReturnType<typeof setTimeout> | undefined;
  #invocations: (Invocation | undefined)[] = [];
  #isCarryingOut = false;
  #predicates = 0;
  /** What was sent before the run had its turn. */
  #early: EarlyEvent[] | undefined;
  /** Of a nested run: how many events the step around it has sent to it, over all its lives. */
  #received: number;
  /** How many of them that step, which runs again, has not sent again. */
  #resent: number;
  /** A nested run that waits for the outside, and its parent knows. */
  #isBlocking = false;
  #completed = 0;
  #promise: Promise<StopEvent> | undefined;

  constructor({ workflow, plan, start, thawed, data, options, parent, store }: RunParts) {
    this.workflow = workflow;
    this.plan = plan;
    plan.enter();
    const document = thawed?.document;
    this.#line = thawed?.line ?? new Line(plan);
    this.#runId = options.runId ?? document?.runId;
    this.data = data === undefined && document?.data !== undefined ? document.data[0] : data;
    this.store = store ?? new Store(document?.store);
    this.stream = new EventStream(workflow.limits.unreadEvents, document?.unread, document?.dropped);
    this.#start = start ?? document?.start;
    this.#early = document?.early === undefined ? undefined : [...document.early];
    this.#shelved = thawed === undefined ? undefined : new Map(thawed.nested);
    this.#aliveBefore = thawed?.alive ?? 0;
    this.#parent = parent;
    this.#received = parent === undefined ? 0 : (document?.received ?? 0);
    this.#resent = this.#received;
    this.#signal = options.signal;
    this.#timeout =
      options.timeout === undefined ? workflow.timeout : milliseconds(options.timeout, "The timeout of a run");
    this.#onStep = options.onStep ?? workflow.onStep;
    if (options.journal === true) this.#notes = new Notes(this.codec, this.store, this.runId);
    if (this.#notes !== undefined && this.#line.isOpen) this.#line.attach(this.#notes);
    if (document?.stop !== undefined) {
      this.stop = document.stop;
      this.status = "completed";
      this.stream.end(undefined);
      plan.leave();
    }
  }

  /** What the payload codec must know of the workflow. */
  get codec(): CodecContext {
    return codecOf(this.plan, this.workflow.types);
  }

  /** Made when somebody asks: the first random UUID of a process takes longer than a short run. */
  get runId(): string {
    return (this.#runId ??= newId());
  }

  get isEnded(): boolean {
    return this.status === "completed" || this.status === "failed" || this.status === "cancelled";
  }

  // ---- from the outside ----

  /** Begins the run, if it has not begun: at once, or when the workflow has room for it. */
  start(): void {
    if (this.status !== "created") return;
    this.status = "running";
    if (this.#parent !== undefined) this.#parent.invocation.run.#adopt(this, this.#parent.invocation);
    if (this.isEnded) return;
    if (this.#signal?.aborted === true) {
      this.cancel(this.#signal.reason);
      return;
    }
    if (this.#signal !== undefined) this.#listen(this.#signal);
    this.workflow.admission.enter(this);
  }

  #listen(signal: AbortSignal): void {
    const onAbort = (): void => this.cancel(signal.reason);
    signal.addEventListener("abort", onAbort);
    // A signal may outlive many runs.
    this.whenEnded(() => signal.removeEventListener("abort", onAbort));
  }

  /** Called when the workflow has room for the run. */
  begin(): void {
    if (this.isEnded) return;
    this.#guard(() => {
      const line = this.#line;
      this.#open();
      line.begin(this.#aliveBefore);
      if (this.#start === undefined) {
        line.take(ask(() => line.engine().engine_resume(line.handle, line.alive())));
      } else {
        const type = this.plan.typeOf(this.#start);
        const slot = line.keep(this.#start);
        line.take(ask(() => line.engine().engine_start(line.handle, type, slot, 0)));
      }
      const early = this.#early;
      this.#early = undefined;
      for (const { event, step } of early ?? []) this.send(event, step, undefined);
    });
  }

  /** Makes the engine's part of the run, unless it is there: from a snapshot. */
  #open(): void {
    if (this.#line.isOpen) return;
    // The id is where the jitter of retries comes from; without them the engine does not need one.
    const id = this.plan.isTimed ? this.runId : "";
    this.#line.open(this.plan, id, this.#timeout, this.workflow.limits, this.#notes);
  }

  /** The run as bytes. @throws SnapshotError `SNAPSHOT_VALUE`; EngineError when the engine was lost, and the run with it. */
  snapshot(withData: boolean): Uint8Array {
    const { published, stop = this.stop } = this.#line.queued();
    const frozen = stop === undefined ? this.#freeze() : undefined;
    const { events, dropped } = this.stream.unread();
    const nested = frozen === undefined ? [] : this.#nestedParts(frozen);
    const document: RunDocument = {
      runId: this.runId,
      ...(this.#start === undefined || this.#line.isBegun || stop !== undefined ? {} : { start: this.#start }),
      ...(this.#early === undefined ? {} : { early: this.#early }),
      payloads: frozen?.payloads ?? [],
      unread: [...events, ...published],
      dropped,
      store: this.store.toJSON(),
      ...(stop === undefined ? {} : { stop: stop as StopEvent }),
      ...(nested.length === 0 ? {} : { nested }),
      ...(this.#received === 0 ? {} : { received: this.#received }),
      ...(withData ? { data: [this.data] } : {}),
    };
    return writeSnapshot(this.plan.fingerprint, frozen?.image, writeDocument(document, this.codec, this.plan));
  }

  #freeze(): FrozenEngine {
    if (this.#frozen !== undefined) return this.#frozen;
    const line = this.#line;
    const isOpen = line.isOpen;
    if (!isOpen && line.isBegun) throw this.error!;
    this.#open();
    try {
      return line.freeze();
    } finally {
      if (!isOpen && this.isEnded) line.close();
    }
  }

  #nestedParts({ invocations }: FrozenEngine): NestedPart[] {
    const positions = new Map(invocations.map((index, position) => [index, position]));
    return (this.#frozenNested ?? this.#nestedRuns()).flatMap(({ index, key, snapshot }) => {
      const invocation = positions.get(index);
      return invocation === undefined ? [] : [{ invocation, key, snapshot: snapshot() }];
    });
  }

  /** The nested runs that are under way, and those of an earlier life that were not asked for again yet, by the place of their invocation. */
  #nestedRuns(): NestedSource[] {
    const sources: NestedSource[] = [];
    for (const child of this.#children ?? []) {
      const { invocation, key } = child.#parent!;
      // One that goes on when the step that started it has returned does not survive.
      if (invocation.isSettled || invocation.ended !== undefined) continue;
      sources.push({ index: invocation.index, key, snapshot: () => child.snapshot(false) });
    }
    const add = (index: number, runs: NestedRuns | undefined): void => {
      for (const [key, { bytes }] of runs ?? []) sources.push({ index, key, snapshot: () => bytes });
    };
    for (const [index, runs] of this.#shelved ?? []) add(index, runs);
    for (const invocation of this.#invocations) {
      if (invocation?.nested !== undefined && !invocation.isSettled) add(invocation.index, invocation.nested);
    }
    return sources;
  }

  /** The journal so far. @throws SnapshotError `JOURNAL_NOT_KEPT` */
  get notes(): Notes {
    if (this.#notes === undefined) throw new SnapshotError("JOURNAL_NOT_KEPT");
    return this.#notes;
  }

  cancel(reason: unknown): void {
    if (this.isEnded) return;
    const detail = reason instanceof Error ? `The reason is: ${reason.message}` : "";
    this.#finish(
      "cancelled",
      new CancelledError("RUN_CANCELLED", detail, reason === undefined ? {} : { cause: reason }),
    );
  }

  /** The promise of the stop event; made when somebody asks, so that a failure nobody asks about disturbs nobody. */
  promise(): Promise<StopEvent> {
    this.#promise ??= new Promise((resolve, reject) => {
      const settle = (): void => (this.stop === undefined ? reject(this.error!) : resolve(this.stop));
      if (this.isEnded) settle();
      else this.whenEnded(settle);
    });
    return this.#promise;
  }

  /** Calls back when the run has ended, or waits for the outside. */
  whenIdle(callback: () => void): void {
    if (this.isEnded || this.status === "waiting") callback();
    else this.#onIdle = [...this.#onIdle, callback];
  }

  whenEnded(callback: () => void): void {
    if (this.isEnded) callback();
    else this.#onEnd = [...this.#onEnd, callback];
  }

  /** An event from the outside. */
  receive(event: WorkflowEvent, step: string | undefined): void {
    this.start();
    if (this.#resent > 0) {
      this.#resent -= 1;
      return;
    }
    this.send(event, step, undefined);
    if (this.#parent !== undefined) this.#received += 1;
  }

  // ---- from steps ----

  send(event: WorkflowEvent, step: string | undefined, from: Invocation | undefined): void {
    this.#checkEvent(event, "sendEvent");
    this.#checkAlive(event);
    if (!this.#line.isBegun) {
      // The run waits for its turn. What is wrong with the event is said now, to whoever sends it.
      this.plan.typeOf(event);
      if (step !== undefined) this.plan.checkTarget(step, event);
      (this.#early ??= []).push({ event, step });
      return;
    }
    const target = step === undefined ? 0 : this.plan.step(step).id + 1;
    const type = this.plan.typeOf(event);
    this.#match(event);
    // A condition is user code, and may have ended the run.
    this.#checkAlive(event);
    const slot = this.#line.keep(event);
    const index = from === undefined ? OUTSIDE : from.index;
    const pointer = ask(() =>
      this.#line
        .engine()
        .engine_send(this.#line.handle, index, from?.generation ?? 0, type, slot, target, this.#line.tickTime()),
    );
    this.#accept(
      pointer,
      slot,
      step === undefined ? "" : `The step is "${step}", the event ${typeName(this.plan.classOf(type)!)}.`,
    );
  }

  write(event: WorkflowEvent, from: Invocation | undefined): void {
    this.#checkEvent(event, "writeEventToStream");
    this.#checkAlive(event);
    const type = this.plan.typeOf(event);
    const slot = this.#line.keep(event);
    const index = from === undefined ? OUTSIDE : from.index;
    const pointer = ask(() =>
      this.#line
        .engine()
        .engine_write(this.#line.handle, index, from?.generation ?? 0, type, slot, this.#line.tickTime()),
    );
    this.#accept(pointer, slot);
  }

  /** What an invocation remembers under a key, in this attempt or from an earlier one. */
  recall(by: Invocation, key: string): Remembered | undefined {
    const found = ask(() => this.#line.engine().engine_recall(this.#line.handle, by.index, by.generation, key));
    return found === 0 ? undefined : (this.#line.payload(found - 1) as unknown as Remembered);
  }

  /** Lets an invocation remember something; what it remembers under the key already stays. */
  remember(by: Invocation, key: string, value: unknown): void {
    const slot = this.#line.keep(new Remembered(value));
    const pointer = ask(() =>
      this.#line.engine().engine_once(this.#line.handle, by.index, by.generation, key, slot, this.#line.tickTime()),
    );
    this.#accept(pointer, slot);
  }

  wait(
    by: Invocation,
    eventClass: EventClass,
    where: PendingWait["where"],
    timeout: number,
    id: string | undefined,
  ): { wait: number; go: () => void } {
    const type = this.plan.typeIdOf(eventClass);
    let claim = 0;
    if (where !== undefined) {
      const kept = ask(() => readReply(this.#line.engine().engine_kept(this.#line.handle, type)));
      claim = 1 + (kept.find((slot) => where(this.#line.payload(slot))) ?? -1);
      this.#predicates += 1;
    }
    return this.#question(() =>
      this.#line
        .engine()
        .engine_wait(
          this.#line.handle,
          by.index,
          by.generation,
          type,
          id,
          timeout,
          where !== undefined,
          claim,
          this.#line.alive(),
        ),
    );
  }

  sleep(by: Invocation, delay: number): { wait: number; go: () => void } {
    return this.#question(() =>
      this.#line.engine().engine_sleep(this.#line.handle, by.index, by.generation, delay, this.#line.alive()),
    );
  }

  collect(by: Invocation, event: WorkflowEvent, classes: readonly EventClass[]): WorkflowEvent[] | null {
    const type = this.plan.typeOf(event);
    const expected = this.plan.typeIdsOf(classes);
    const slot = this.#line.keep(event);
    let found: WorkflowEvent[] | null = null;
    const pointer = ask(() =>
      this.#line
        .engine()
        .engine_collect(this.#line.handle, by.index, by.generation, type, slot, expected, this.#line.tickTime()),
    );
    const memory = memoryWords();
    const at = pointer >>> 2;
    if (memory[at] === 0 && memory[at + 1]! > 0) {
      found = Array.from(memory.subarray(at + 3, at + 3 + memory[at + 1]!), (slot) => this.#line.payload(slot));
    }
    this.#accept(pointer, slot);
    return found;
  }

  /** A nested run begins. */
  #adopt(child: Run, by: Invocation): void {
    this.#children ??= new Set();
    this.#children.add(child);
    if (this.isEnded) child.cancel(this.error);
    child.whenEnded(() => {
      this.#children?.delete(child);
      if (this.isEnded || by.isSettled || by.ended !== undefined) return;
      if (child.#isBlocking) this.#block(by, false);
      // If the step runs again after a recovery, the nested run need not.
      const { stop } = child;
      if (stop !== undefined) this.#guard(() => this.remember(by, nestedKey(child.#parent!.key), stop));
    });
  }

  #block(by: Invocation, blocked: boolean): void {
    if (this.isEnded || by.isSettled || by.ended !== undefined) return;
    this.#guard(() =>
      this.#line.take(
        ask(() =>
          this.#line.engine().engine_block(this.#line.handle, by.index, by.generation, blocked, this.#line.tickTime()),
        ),
      ),
    );
  }

  /** An event of a nested run goes by. */
  #publish(event: WorkflowEvent, isNested = false): void {
    this.stream.push(event);
    if (isNested) this.#notes?.event(event);
    if (this.#parent === undefined) return;
    const { invocation, slot } = this.#parent;
    const nested =
      event instanceof NestedEvent
        ? new NestedEvent({ slot: `${slot}.${event.data.slot}`, event: event.data.event })
        : new NestedEvent({ slot, event });
    if (!invocation.run.isEnded) invocation.run.#publish(nested, true);
  }

  // ---- talking to the engine ----

  /** Does something that may fail, and lets the run fail with it. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.#finish("failed", asError(thrown, "a policy or hook"));
    }
    this.#carryOut();
  }

  #accept(pointer: number, slot: number, detail = ""): void {
    this.#line.takeOrDrop(pointer, slot, detail);
    this.#carryOut();
  }

  #question(call: () => number): { wait: number; go: () => void } {
    const pointer = ask(call);
    const memory = memoryWords();
    const wait = memory[(pointer >>> 2) + 3]!;
    this.#line.take(pointer);
    return { wait, go: () => this.#carryOut() };
  }

  #checkEvent(event: unknown, where: string): asserts event is WorkflowEvent {
    if (!(event instanceof WorkflowEvent)) {
      throw new ValidationError("INVALID_EVENT", `${where} got ${describe(event)}.`);
    }
  }

  #checkAlive(event: WorkflowEvent): void {
    if (this.isEnded) {
      throw new ValidationError("RUN_ENDED", `The event is ${this.plan.describeInput(event.constructor as never)}.`);
    }
  }

  /** Tells the engine which of the waits with a condition accept an event. */
  #match(event: WorkflowEvent): void {
    if (this.#predicates === 0) return;
    const matches: number[] = [];
    for (const [wait, pending] of this.waits) {
      if (pending.where === undefined) continue;
      try {
        if (pending.where(event)) matches.push(wait);
      } catch (error) {
        this.#takeWait(wait);
        pending.reject(error);
      }
    }
    if (matches.length > 0) ask(() => this.#line.engine().engine_matches(this.#line.handle, Uint32Array.from(matches)));
  }

  // ---- carrying out commands ----

  #carryOut(): void {
    if (this.#isCarryingOut) return;
    this.#isCarryingOut = true;
    const line = this.#line;
    try {
      while (line.next < line.end) {
        const command = line.commands[line.next];
        if ((command === op.INVOKE || command === op.RESOLVE) && this.#breath.isDue()) {
          // A run that never waits for anything would keep timers, input and rendering from their turn.
          setTimeout(() => this.#goOn(), 0);
          return;
        }
        this.#carryOutNext(line);
      }
      line.rewind();
    } catch (thrown) {
      this.#finish("failed", thrown as Error);
    }
    this.#isCarryingOut = false;
  }

  #goOn(): void {
    this.#breath.taken();
    this.#isCarryingOut = false;
    this.#carryOut();
  }

  #carryOutNext(line: Line): void {
    const { commands } = line;
    let at = line.next;
    switch (commands[at++]) {
      case op.PUBLISH:
        line.next = at + 1;
        this.#publish(line.payload(commands[at]!));
        return;
      case op.RELEASE:
        line.next = at + 1;
        line.drop(commands[at]!);
        return;
      case op.INVOKE: {
        const count = commands[at + 4]!;
        line.next = at + 5 + count;
        if (line.isSettling) return;
        const step = this.plan.steps[commands[at]!]!;
        const index = commands[at + 1]!;
        // A literal: an array that grows by `push` would be many times the size.
        const inputs = [line.payload(commands[at + 5]!)];
        for (let nth = at + 6; nth < line.next; nth += 1) inputs.push(line.payload(commands[nth]!));
        const invocation = new Invocation(this, step, index, commands[at + 2]!, commands[at + 3]!, inputs);
        if (typeof step.retry === "function") {
          const earlier = invocation.attempt > 1 ? this.#invocations[index] : undefined;
          invocation.began = earlier?.began ?? line.alive();
        }
        if (this.#shelved !== undefined) {
          invocation.nested = this.#shelved.get(index);
          this.#shelved.delete(index);
        }
        if (invocation.attempt > 1) invocation.onces = this.#invocations[index]?.onces;
        this.#invocations[index] = invocation;
        this.#invoke(invocation);
        return;
      }
      case op.RESOLVE: {
        line.next = at + 2;
        const event = line.payload(commands[at + 1]!);
        this.#takeWait(commands[at]!)?.resolve(event);
        return;
      }
      case op.WAKE:
        line.next = at + 1;
        this.#takeWait(commands[at]!)?.resolve(undefined);
        return;
      case op.EXPIRE: {
        line.next = at + 1;
        const pending = this.#takeWait(commands[at]!);
        const detail = `Step "${pending?.invocation.step}" waited for ${pending?.what}.`;
        pending?.reject(new TimeoutError("WAIT_TIMEOUT", detail));
        return;
      }
      case op.TIME_OUT: {
        line.next = at + 2;
        const invocation = this.#invocations[commands[at]!];
        if (invocation === undefined || invocation.isSettled) return;
        const error = new TimeoutError("STEP_TIMEOUT", `The step is "${invocation.step}".`);
        this.#fail(invocation, error);
        return;
      }
      case op.ALARM:
        line.next = at + 1;
        this.#setAlarm(commands[at]!);
        return;
      case op.IDLE:
        line.next = at;
        this.#setIdle(true);
        return;
      case op.BUSY:
        line.next = at;
        this.#setIdle(false);
        return;
      case op.SETTLE:
        line.next = at + 2;
        this.#settle(commands[at]!, commands[at + 1]!);
        return;
      default:
        // Whatever this was, what follows cannot be read.
        throw engineError(0);
    }
  }

  #takeWait(wait: number): PendingWait | undefined {
    const pending = this.waits.get(wait);
    if (pending?.where !== undefined) this.#predicates -= 1;
    return pending?.invocation.takeWait(wait);
  }

  #setAlarm(delay: number): void {
    clearTimeout(this.#alarm);
    this.#alarm = delay === NO_ALARM ? undefined : setTimeout(() => this.#onAlarm(), delay);
  }

  #onAlarm(): void {
    this.#alarm = undefined;
    if (this.isEnded) return;
    this.#guard(() =>
      this.#line.take(ask(() => this.#line.engine().engine_wake(this.#line.handle, this.#line.alive()))),
    );
  }

  #setIdle(isIdle: boolean): void {
    this.status = isIdle ? "waiting" : "running";
    if (this.#parent !== undefined && this.#isBlocking !== isIdle) {
      this.#isBlocking = isIdle;
      this.#parent.invocation.run.#block(this.#parent.invocation, isIdle);
    }
    if (!isIdle) return;
    // Not for every run: a weak reference costs more than all the rest of a short one.
    this.#survivor ??= onTrap(this);
    const listeners = this.#onIdle;
    this.#onIdle = NOBODY;
    for (const listener of listeners) listener();
  }

  #invoke(invocation: Invocation): void {
    const { planned, inputs } = invocation;
    if (this.workflow.verbose) console.log(`Running step ${planned.name}`);
    let returned: unknown;
    let isPromise: boolean;
    try {
      const handler = planned.handler as (context: Invocation, ...events: readonly WorkflowEvent[]) => unknown;
      returned = inputs.length === 1 ? handler(invocation, inputs[0]!) : handler(invocation, ...inputs);
      isPromise = isThenable(returned);
    } catch (error) {
      this.#fail(invocation, error);
      return;
    }
    if (!isPromise) {
      this.#return(invocation, returned);
      return;
    }
    // A foreign thenable may settle twice, or throw: only a promise's word counts.
    const promise = returned instanceof Promise ? (returned as Promise<unknown>) : Promise.resolve(returned);
    promise.then(
      (output) => this.#return(invocation, output),
      (error: unknown) => this.#fail(invocation, error),
    );
  }

  /** A handler has returned. */
  #return(invocation: Invocation, output: unknown): void {
    if (invocation.isSettled || invocation.ended !== undefined || this.#line.isSettling) return;
    let isEvent = false;
    try {
      isEvent = output instanceof WorkflowEvent;
    } catch {
      // A proxy that throws at every look is no event. Nothing may be thrown here: it would get lost in the promise.
    }
    if (!isEvent && output !== undefined && output !== null) {
      const detail = `Step "${invocation.step}" returned ${describe(output)}.`;
      this.#fail(invocation, new ValidationError("INVALID_EVENT", detail), verdict.GIVE_UP);
      return;
    }
    if (this.gate !== undefined) {
      this.gate(invocation, isEvent ? (output as WorkflowEvent) : undefined, (replaced) =>
        this.#complete(invocation, replaced),
      );
      return;
    }
    this.#complete(invocation, output);
  }

  #complete(invocation: Invocation, output: unknown): void {
    if (invocation.isSettled || invocation.ended !== undefined || this.#line.isSettling) return;
    try {
      let type = 0;
      let slot = 0;
      if (output instanceof WorkflowEvent) {
        const id = this.plan.typeOf(output);
        if (!this.plan.isDeclared(invocation.planned, id, output)) this.#undeclared(invocation.planned, id);
        this.#match(output);
        type = id + 1;
        slot = this.#line.keep(output);
      }
      invocation.isSettled = true;
      if (invocation.waits !== undefined) this.#closeWaits(invocation);
      if (this.workflow.verbose) this.#log(invocation.planned, type - 1);
      const { index, generation } = invocation;
      let answer: number;
      try {
        // Not through `ask`: its closure would show on this path, the busiest of all.
        enter();
        answer = this.#line
          .engine()
          .engine_complete(this.#line.handle, index, generation, type, slot, this.#line.tickTime());
        leave();
      } catch (cause) {
        if (!(cause instanceof WorkflowError)) throw trapped(cause);
        leave();
        throw cause;
      }
      this.#line.take(answer);
      this.#completed += 1;
      if (this.#onStep !== undefined)
        this.#tell(this.#onStep, invocation, type === 0 ? undefined : (output as WorkflowEvent));
    } catch (thrown) {
      if (invocation.isSettled) this.#finish("failed", asError(thrown, "onStep"));
      else this.#fail(invocation, thrown, verdict.GIVE_UP);
      return;
    }
    this.#carryOut();
  }

  #log(step: PlannedStep, type: number): void {
    const eventClass = this.plan.classOf(type);
    const what = eventClass === undefined ? "no event" : `event ${typeName(eventClass)}`;
    console.log(`Step ${step.name} produced ${what}`);
  }

  #undeclared(step: PlannedStep, type: number): void {
    const detail = `Step "${step.name}" returned ${typeName(this.plan.classOf(type)!)}.`;
    const error = new ValidationError("UNDECLARED_OUTPUT", detail);
    if (this.workflow.isStrict) throw error;
    if (!step.warned) console.warn(error.message);
    step.warned = true;
  }

  #tell(hook: StepHook, invocation: Invocation, output: WorkflowEvent | undefined): void {
    const { step, inputs, attempt } = invocation;
    const sequence = this.#completed;
    const told = hook({ step, input: inputs[0]!, inputs, output, sequence, attempt }, this.context as WorkflowContext);
    if (isThenable(told))
      Promise.resolve(told).catch((error: unknown) => this.#finish("failed", asError(error, "onStep")));
  }

  #closeWaits(invocation: Invocation): void {
    for (const wait of invocation.waits ?? []) if (this.waits.get(wait)?.where !== undefined) this.#predicates -= 1;
    invocation.dropWaits(new CancelledError("ATTEMPT_ENDED", "The handler has returned."));
  }

  /** An attempt has failed: its handler threw, it timed out, or it returned something impossible. */
  #fail(invocation: Invocation, thrown: unknown, decided?: number): void {
    if (invocation.isSettled || invocation.ended !== undefined || this.#line.isSettling) return;
    invocation.isSettled = true;
    const { planned, inputs, attempt, index, generation } = invocation;
    const error = asError(thrown, planned.name);
    if (invocation.waits !== undefined) this.#closeWaits(invocation);
    invocation.end(error);
    this.#guard(() => {
      const [what, delay] = decided === undefined ? judge(invocation, error, this.#line.alive()) : [decided, 0];
      const failure = { step: planned.name, event: inputs[0]!, events: inputs, error, attempts: attempt };
      const event = new StepFailedEvent(failure);
      const slot = this.#line.keep(event);
      const type = this.plan.typeOf(event);
      this.#line.take(
        ask(() =>
          this.#line
            .engine()
            .engine_fail(this.#line.handle, index, generation, type, slot, what, delay, this.#line.alive()),
        ),
      );
    });
  }

  // ---- the end ----

  #settle(how: number, slot: number): void {
    const event = this.#line.payload(slot);
    switch (how) {
      case outcome.COMPLETED:
        this.stop = event as StopEvent;
        this.#finish("completed", undefined);
        return;
      case outcome.STEP_FAILED:
        this.failure = (event as StepFailedEvent).data;
        this.#finish("failed", this.failure.error);
        return;
      case outcome.TIMED_OUT:
        this.#finish(
          "failed",
          new TimeoutError("RUN_TIMEOUT", describeOpen(this.plan, this.#line, this.#invocations, this.waits.values())),
        );
        return;
      case outcome.STALLED:
        this.#finish(
          "failed",
          new StalledError("RUN_STALLED", describeOpen(this.plan, this.#line, this.#invocations, this.waits.values())),
        );
        return;
      case outcome.LIMIT_REACHED:
        this.#finish("failed", new LimitError("STEPS_LIMIT", `The limit is ${this.workflow.limits.steps}.`));
        return;
      default:
        this.#finish("cancelled", new CancelledError("RUN_CANCELLED"));
    }
  }

  /** The engine's instance is gone. */
  poison(error: EngineError): void {
    this.#finish("failed", error);
  }

  /** Keeps what a snapshot of a run that did not complete needs. */
  #shelve(): void {
    if (!this.#line.isOpen) return;
    try {
      this.#frozen = this.#line.freeze();
      this.#frozenNested = this.#nestedRuns();
    } catch {
      // The engine is gone, and with it the run: there is no snapshot but one that was taken before.
    }
  }

  #finish(status: "completed" | "failed" | "cancelled", error: Error | undefined): void {
    if (this.isEnded) return;
    this.status = status;
    this.error = error;
    clearTimeout(this.#alarm);
    if (this.#survivor !== undefined) offTrap(this.#survivor);
    if (error !== undefined) this.#shelve();
    this.#notes?.end();
    this.#line.close();
    const invocations = this.#invocations;
    this.#invocations = [];
    // Made only if somebody is left to be told: an error costs more than all the rest of a short run.
    let reason = error;
    for (const invocation of invocations) {
      if (invocation === undefined || invocation.isSettled) continue;
      invocation.end((reason ??= new CancelledError("ATTEMPT_ENDED", "The run has completed.")));
    }
    for (const child of this.#children ?? []) {
      child.cancel((reason ??= new CancelledError("ATTEMPT_ENDED", "The run has completed.")));
    }
    this.stream.end(error);
    const listeners = [...this.#onIdle, ...this.#onEnd];
    this.#onIdle = NOBODY;
    this.#onEnd = NOBODY;
    for (const listener of listeners) listener();
    this.workflow.admission.leave(this);
    this.plan.leave();
  }
}
