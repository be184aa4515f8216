// A run at work: how it begins and ends, what reaches it, and what is known of it between calls into the engine.
//
// 1. User code (handlers, predicates, hooks) is never called while the engine is at work: commands are copied into a
//    queue, and one loop at a time carries them out (`commands.ts`).
// 2. Every path ends in `finish`, once: promise, stream, signals and waits all learn of the same error.
// 3. Payloads live at the line to the engine, which says when one is not needed any more.
// 4. After the end nothing is left in the engine's memory.

import { CancelledError, type EngineError, SnapshotError, ValidationError, asError } from "../errors.js";
import { type EventClass, type StepFailedEvent, type StepFailure, type StopEvent, WorkflowEvent } from "../events.js";
import type { RunOptions, StepHook } from "../run-options.js";
import { Store } from "../store.js";
import type { Workflow } from "../workflow.js";
import { Breath } from "./breath.js";
import { carryOutNext, carryOutUsual, takeWait } from "./commands.js";
import { describe, milliseconds } from "./duration.js";
import { type Survivor, ask, offTrap, onTrap } from "./engine.js";
import type { CodecContext } from "./codec.js";
import { type EarlyEvent, codecOf } from "./document.js";
import type { Invocation, PendingWait } from "./invocation.js";
import { Line } from "./line.js";
import { type Parent, Tie } from "./nested.js";
import { newId } from "./new-id.js";
import { Notes } from "./notes.js";
import { type Plan, typeName } from "./plan.js";
import { type Remains, remainsOf } from "./run-snapshot.js";
import { EventStream } from "./stream.js";
import type { NestedRuns, Thawed } from "./thaw.js";
import type { KnownPattern } from "./questions.js";
import { OUTSIDE, op } from "./words.js";

/** Where a run is. */
export type RunStatus = "created" | "running" | "waiting" | "completed" | "failed" | "cancelled";

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
  plan: Plan;
  readonly data: unknown;
  readonly store: Store;
  readonly stream: EventStream;
  readonly line: Line;
  /** The run's public face. */
  context: unknown;
  status: RunStatus = "created";
  /** Set when the run has completed. */
  stop: StopEvent | undefined;
  /** Set when the run has failed or was cancelled. */
  error: Error | undefined;
  /** Set when a step's failure has ended the run. */
  failure: StepFailure | undefined;
  /** The failure that an error handler took last without returning an event: what may have brought the run to a standstill. */
  unanswered: StepFailedEvent | undefined;
  /** What it begins with; undefined when it goes on from a snapshot that it had begun before. */
  readonly startEvent: WorkflowEvent | undefined;
  /** What was sent before the run had its turn. */
  early: EarlyEvent[] | undefined;
  /** The host's timer for the next deadline. */
  alarm: ReturnType<typeof setTimeout> | undefined;

  // Of attempts.

  /** By their place in the engine's table. */
  invocations: (Invocation | undefined)[] = [];
  /** The open waits and sleeps of all invocations, by number. */
  readonly waits = new Map<number, PendingWait>();
  /** How many of the waits have a condition. */
  predicates = 0;
  /** What steps collect by. */
  patterns: WeakMap<readonly EventClass[], KnownPattern> | undefined;
  /** How many attempts have succeeded. */
  completed = 0;
  readonly onStep: StepHook | undefined;
  /** Set while somebody goes through the run step by step: is given each completed step, and calls back to let it go on. */
  gate:
    ((invocation: Invocation, output: WorkflowEvent | undefined, go: (output: unknown) => void) => void) | undefined;

  // Of nested runs and snapshots.

  /** Set when the run is a nested one. */
  readonly tie: Tie | undefined;
  /** Nested runs under way; made when there is one. */
  children: Set<Run> | undefined;
  /** Nested runs of a snapshot that their invocations, by place, have not asked for again. */
  readonly shelved: Map<number, NestedRuns> | undefined;
  /** Set when the run has failed or was cancelled. */
  remains: Remains | undefined;

  #runId: string | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #timeout: number;
  readonly #notes: Notes | undefined;
  readonly #breath = new Breath();
  #onEnd: readonly (() => void)[] = NOBODY;
  #onIdle: readonly (() => void)[] = NOBODY;
  /** How long it had been alive in earlier lives, in milliseconds. */
  readonly #aliveBefore: number;
  /** How the run learns that the instance is gone while it waits; any other run finds out at its next call. */
  #survivor: WeakRef<Survivor> | undefined;
  #isCarryingOut = false;
  /** The run's own steps wait for the outside. */
  #isIdle = false;
  #nestedAtWork = 0;
  #promise: Promise<StopEvent> | undefined;

  constructor({ workflow, plan, start, thawed, data, options, parent, store }: RunParts) {
    this.workflow = workflow;
    this.plan = plan;
    plan.enter();
    const document = thawed?.document;
    this.line = thawed?.line ?? new Line(plan);
    this.#runId = options.runId ?? document?.runId;
    this.data = data === undefined && document?.data !== undefined ? document.data[0] : data;
    this.store = store ?? new Store(document?.store);
    this.stream = new EventStream(workflow.limits.unreadEvents, document?.unread, document?.dropped);
    this.startEvent = start ?? document?.start;
    this.early = document?.early === undefined ? undefined : [...document.early];
    this.shelved = thawed === undefined ? undefined : new Map(thawed.nested);
    this.#aliveBefore = thawed?.alive ?? 0;
    this.tie = parent === undefined ? undefined : new Tie(this, parent, document?.received ?? 0);
    this.#signal = options.signal;
    this.#timeout =
      options.timeout === undefined ? workflow.timeout : milliseconds(options.timeout, "The timeout of a run");
    this.onStep = options.onStep ?? workflow.onStep;
    if (options.journal === true) this.#notes = new Notes(this.codec, this.store, this.runId);
    if (this.#notes !== undefined && this.line.isOpen) this.line.attach(this.#notes);
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
    this.tie?.begin();
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
    this.guard(() => {
      const line = this.line;
      this.open();
      line.begin(this.#aliveBefore);
      if (this.startEvent === undefined) {
        line.take(ask(() => line.engine().engine_resume(line.handle, line.alive())));
      } else {
        const type = this.plan.typeOf(this.startEvent);
        const slot = line.keep(this.startEvent);
        line.take(ask(() => line.engine().engine_start(line.handle, type, slot, 0)));
      }
      const early = this.early;
      this.early = undefined;
      for (const { event, step } of early ?? []) this.send(event, step, undefined);
    });
  }

  /** Makes the engine's part of the run, unless it is there: from a snapshot. */
  open(): void {
    if (this.line.isOpen) return;
    // A run that had its turn still to come has nothing in an instance that is gone, unless it keeps a journal.
    if (this.plan.isStale && this.#notes === undefined) {
      this.plan.leave();
      this.plan = this.workflow.plan();
      this.plan.enter();
    }
    // The id is where the jitter of retries comes from; without them the engine does not need one.
    const id = this.plan.isTimed ? this.runId : "";
    this.line.open(this.plan, id, this.#timeout, this.workflow.limits, this.#notes);
  }

  /** The journal so far. @throws SnapshotError `JOURNAL_NOT_KEPT` */
  get notes(): Notes {
    if (this.#notes === undefined) throw new SnapshotError("JOURNAL_NOT_KEPT");
    return this.#notes;
  }

  /** The outside cancels the run. */
  cancel(reason: unknown): void {
    if (this.isEnded) return;
    const detail = reason instanceof Error ? `The reason is: ${reason.message}` : "";
    this.finish(
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
    if (this.tie?.isResent() === true) return;
    this.send(event, step, undefined);
    if (this.tie !== undefined) this.tie.received += 1;
  }

  /** An event comes, from an attempt or from the outside: to all steps that take it, or to one. */
  send(event: WorkflowEvent, step: string | undefined, from: Invocation | undefined): void {
    this.checkEvent(event, "sendEvent");
    this.#checkAlive(event);
    if (!this.line.isBegun) {
      // The run waits for its turn. What is wrong with the event is said now, to whoever sends it.
      this.plan.typeOf(event);
      if (step !== undefined) this.plan.checkTarget(step, event);
      (this.early ??= []).push({ event, step });
      return;
    }
    const target = step === undefined ? 0 : this.plan.step(step).id + 1;
    const type = this.plan.typeOf(event);
    const matches = this.match(event);
    // A condition is user code, and may have ended the run.
    if (matches !== undefined) this.#checkAlive(event);
    const slot = this.line.keep(event);
    const index = from === undefined ? OUTSIDE : from.index;
    const detail = step === undefined ? "" : `The step is "${step}", the event ${typeName(this.plan.classOf(type)!)}.`;
    this.line.send(index, from === undefined ? 0 : from.generation, type, slot, target, matches, detail);
    this.carryOut();
  }

  /** An event is for the stream alone. */
  write(event: WorkflowEvent, from: Invocation | undefined): void {
    this.checkEvent(event, "writeEventToStream");
    this.#checkAlive(event);
    const type = this.plan.typeOf(event);
    const slot = this.line.keep(event);
    const index = from === undefined ? OUTSIDE : from.index;
    const pointer = ask(() =>
      this.line.engine().engine_write(this.line.handle, index, from?.generation ?? 0, type, slot, this.line.tickTime()),
    );
    this.accept(pointer, slot);
  }

  /** An attempt takes back a wait or sleep, whose promise is rejected. Nothing happens when it is over already. */
  withdraw(wait: number, by: Invocation, reason: unknown): void {
    const pending = takeWait(this, wait);
    if (pending === undefined) return;
    const detail = `Step "${by.step}" ${pending.what === undefined ? "slept" : `waited for ${pending.what}`}.`;
    pending.reject(new CancelledError("WAIT_WITHDRAWN", detail, reason === undefined ? {} : { cause: reason }));
    const { line } = this;
    if (line.isSettling || by.isSettled) return;
    const { index, generation } = by;
    this.guard(() =>
      line.take(ask(() => line.engine().engine_withdraw(line.handle, index, generation, wait, line.tickTime()))),
    );
  }

  /** An event goes by: the run's own, or that of a run which is nested in it. */
  publish(event: WorkflowEvent, isNested: boolean): void {
    this.stream.push(event);
    if (isNested) this.#notes?.event(event);
    this.tie?.publish(event);
  }

  // ---- talking to the engine ----

  /** Does something that may fail, and lets the run fail with it. */
  guard(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.finish("failed", asError(thrown, "a policy or hook"));
    }
    this.carryOut();
  }

  /** Takes in the answer to a tick that brought a payload. @throws when it was refused. */
  accept(pointer: number, slot: number, detail = ""): void {
    this.line.takeOrDrop(pointer, slot, detail);
    this.carryOut();
  }

  /** @throws ValidationError `INVALID_EVENT` */
  checkEvent(event: unknown, where: string): asserts event is WorkflowEvent {
    if (!(event instanceof WorkflowEvent)) {
      throw new ValidationError("INVALID_EVENT", `${where} got ${describe(event)}.`);
    }
  }

  #checkAlive(event: WorkflowEvent): void {
    if (this.isEnded) {
      throw new ValidationError("RUN_ENDED", `The event is ${this.plan.describeInput(event.constructor as never)}.`);
    }
  }

  /** The waits with a condition that accept an event; undefined where there are no such waits, and nothing was asked. */
  match(event: WorkflowEvent): readonly number[] | undefined {
    if (this.predicates === 0) return undefined;
    const matches: number[] = [];
    for (const [wait, pending] of this.waits) {
      if (pending.where === undefined) continue;
      try {
        if (pending.where(event)) matches.push(wait);
      } catch (error) {
        takeWait(this, wait);
        pending.reject(error);
      }
    }
    return matches;
  }

  // ---- carrying out commands ----

  /** Carries out what is in the queue, unless somebody further up the stack is at it. */
  carryOut(): void {
    if (this.#isCarryingOut) return;
    this.#isCarryingOut = true;
    const line = this.line;
    try {
      while (line.next < line.end) {
        const command = line.fresh()[line.next];
        if ((command === op.NEXT || command === op.INVOKE || command === op.RESOLVE) && this.#breath.isDue()) {
          // A run that never waits for anything would keep timers, input and rendering from their turn.
          setTimeout(() => this.#goOn(), 0);
          return;
        }
        if (command === op.NEXT) carryOutUsual(this, line);
        else carryOutNext(this, line);
      }
      line.rewind();
    } catch (thrown) {
      this.finish("failed", thrown as Error);
    }
    this.#isCarryingOut = false;
  }

  #goOn(): void {
    this.#breath.taken();
    this.#isCarryingOut = false;
    this.carryOut();
  }

  /** From now on the run's own steps wait for the outside, or wait no longer. */
  setIdle(isIdle: boolean): void {
    this.#isIdle = isIdle;
    // Not for every run: a weak reference costs more than all the rest of a short one.
    if (isIdle) this.#survivor ??= onTrap(this);
    this.#updateStatus();
  }

  /** A nested run begins to work, or works no longer: it waits, or has ended. */
  countNested(atWork: 1 | -1): void {
    this.#nestedAtWork += atWork;
    if (!this.isEnded) this.#updateStatus();
  }

  /** A run waits for the outside when its own steps do, and no nested run is at work. */
  #updateStatus(): void {
    const isWaiting = this.#isIdle && this.#nestedAtWork === 0;
    if (isWaiting === (this.status === "waiting")) return;
    this.status = isWaiting ? "waiting" : "running";
    this.tie?.setWaiting(isWaiting);
    if (!isWaiting) return;
    const listeners = this.#onIdle;
    this.#onIdle = NOBODY;
    for (const listener of listeners) listener();
  }

  // ---- the end ----

  /** The engine's instance is gone. */
  poison(error: EngineError): void {
    this.finish("failed", error);
  }

  /** Ends the run, if it has not ended. */
  finish(status: "completed" | "failed" | "cancelled", error: Error | undefined): void {
    if (this.isEnded) return;
    this.status = status;
    this.error = error;
    clearTimeout(this.alarm);
    if (this.#survivor !== undefined) offTrap(this.#survivor);
    if (error !== undefined) this.remains = remainsOf(this);
    this.#notes?.end();
    this.line.close();
    const { invocations } = this;
    this.invocations = [];
    // Made only if somebody is left to be told: an error costs more than all the rest of a short run.
    let reason = error;
    for (const invocation of invocations) {
      if (invocation === undefined || invocation.isSettled) continue;
      invocation.end((reason ??= new CancelledError("ATTEMPT_ENDED", "The run has completed.")));
    }
    for (const child of this.children ?? []) {
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
