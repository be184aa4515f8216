// A run at work: how it begins, what reaches it, and its one end.
//
// 1. Every path ends in `#finish`, once: promise, stream, signals and waits all learn of the same error
//    (`tests/js/core/cancel.test.ts`, `tests/js/core/stalled.test.ts`).
// 2. User code (handlers, conditions, hooks) is never called while the engine is at work
//    (`tests/js/core/reentry.test.ts`).
// 3. After the end nothing of the run is left in the engine's memory (`tests/js/core/leaks.gc.test.ts`).

import { milliseconds } from "../model/duration.js";
import { CancelledError, type EngineError, TimeoutError, ValidationError, asError } from "../errors/errors.js";
import {
  type EventClass,
  InputRequiredEvent,
  type NestedEvent,
  type StepFailedEvent,
  type StepFailure,
  type StopEvent,
  WorkflowEvent,
  typeName,
} from "../model/events.js";
import type { StepHook } from "../model/options.js";
import type { Activity, RunStatus } from "../model/run.js";
import { type Store, checkStore, claimStore, leaveStore, makeStore } from "../model/store.js";
import { onAbort } from "../util/abort.js";
import { describe } from "../util/describe.js";
import { newId } from "../util/new-id.js";
import { engineModule } from "../wasm/engine-module.js";
import type { TrapListener } from "../wasm/loader.js";
import { outcome } from "../wasm/protocol.js";
import { Attempts, type AttemptsRun } from "./attempts.js";
import { CollectPatterns } from "./collect-patterns.js";
import type { Committer } from "./committer.js";
import type { CommandHandler } from "./command-queue.js";
import type { WorkflowDefinition } from "./definition.js";
import { describeOpen } from "./describe-open.js";
import { type CapturedEngine, EngineRun, type RunJournal } from "./engine-run.js";
import { EventStream } from "./event-stream.js";
import type { Invocation } from "./invocation.js";
import { RunLifecycle } from "./lifecycle.js";
import { NestedRunTable, type NestedSource, earlier } from "./nested-runs.js";
import { type NestedRun, ParentLink } from "./parent-link.js";
import type { Plan } from "./plan.js";
import { type AskedQuestions, type OpenQuestion, Questions } from "./questions.js";
import type { EarlyEvent, RestoredRun, RunParts } from "./run-parts.js";
import type { RunWatcher } from "./run-watcher.js";
import { errorOf } from "./run-outcome.js";
import { resetEvent } from "./reset-event.js";
import { WaitTable } from "./wait-table.js";

/** What a run that failed or was cancelled leaves for snapshots. */
export interface FinalImage {
  readonly engine: CapturedEngine;
  readonly nested: readonly NestedSource[];
}

/** What a live run is made of. */
export interface LiveRunParts extends Omit<RunParts, "origin"> {
  readonly definition: WorkflowDefinition;
  readonly plan: Plan;
  /** What it begins with; undefined when it comes from a snapshot. */
  readonly start: WorkflowEvent | undefined;
  readonly restored: RestoredRun | undefined;
  /** What it has completed with in an earlier life of the run around it. */
  readonly stop: StopEvent | undefined;
  /** A store to go on with. */
  readonly store: Store | undefined;
  /** Makes the journal; undefined when none is kept. */
  readonly journal: ((run: LiveRun) => RunJournal) | undefined;
  /** Makes what commits the run; undefined when nothing does. */
  readonly committer: ((run: LiveRun) => Committer) | undefined;
}

interface IdleListener {
  readonly callback: () => void;
  readonly until: "waiting" | "sleeping";
}

/** For runs without listeners, which most are. */
const NONE: readonly never[] = [];

function isIdle(status: RunStatus, until: "waiting" | "sleeping"): boolean {
  return status === "waiting" || status === until;
}

export class LiveRun implements AttemptsRun, CommandHandler, NestedRun, TrapListener {
  readonly definition: WorkflowDefinition;
  plan: Plan;
  readonly data: unknown;
  readonly stream: EventStream;
  readonly engine: EngineRun;
  readonly waits = new WaitTable();
  readonly attempts: Attempts;
  /** The run as programs see it. */
  context: unknown;
  status: RunStatus = "created";
  /** Set when the run has completed. */
  stop: StopEvent | undefined;
  /** Set when the run has failed or was cancelled. */
  error: Error | undefined;
  /** Set when a step's failure has ended the run. */
  failure: StepFailure | undefined;
  /** What it begins with; undefined when it comes from a snapshot of a run that had begun. */
  readonly startEvent: WorkflowEvent | undefined;
  readonly onStep: StepHook | undefined;
  readonly journal: RunJournal | undefined;
  readonly #committer: Committer | undefined;
  /** What a snapshot had of questions. */
  readonly #askedBefore: AskedQuestions | undefined;
  #asked: Questions | undefined;
  /** The outside has learnt of the end. */
  #isReported = false;
  /** Events of a snapshot that nothing has committed. */
  #uncommitted: readonly WorkflowEvent[] = NONE;
  /** Set when the run is a nested one. */
  readonly link: ParentLink | undefined;
  /** Set when the run has failed or was cancelled. */
  final: FinalImage | undefined;

  #runId: string | undefined;
  #store: Store | undefined;
  #patterns: CollectPatterns | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #timeout: number;
  /** Events that came before the run began. */
  #early: EarlyEvent[] | undefined;
  /** The host's timer for the next deadline. */
  #alarm: ReturnType<typeof setTimeout> | undefined;
  /** The alarm that is to be set when the run has outlived its first turn. */
  #firstAlarm: number | undefined;
  #isInFirstTurn = true;
  #onEnd: readonly (() => void)[] = NONE;
  #onIdle: readonly IdleListener[] = NONE;
  #onChange: readonly (() => void)[] = NONE;
  /** How long it had been alive in earlier lives, in milliseconds. */
  readonly #aliveBefore: number;
  /** How the run learns of a trap while it waits; any other run finds out at its next call. */
  #trapListener: WeakRef<TrapListener> | undefined;
  /** What the run's own steps do. */
  #activity: Activity = "running";
  #nestedRuns: NestedRunTable | undefined;
  /** Made when somebody watches the run. */
  #lifecycle: RunLifecycle | undefined;
  #promise: Promise<StopEvent> | undefined;

  constructor(parts: LiveRunParts) {
    const { definition, plan, start, restored, stop, data, options, place, store, journal, committer } = parts;
    const contents = restored?.contents;
    // Before anything else: a store that is in use is the fault of whoever makes the run.
    if (store !== undefined) checkStore(store, definition.state);
    this.definition = definition;
    this.plan = plan;
    plan.enter();
    this.engine = restored?.engine ?? new EngineRun(plan);
    this.engine.connect(this);
    this.#runId = options.runId ?? contents?.runId;
    this.data = data === undefined && contents?.data !== undefined ? contents.data[0] : data;
    const { state } = definition;
    const isStoreLater = contents === undefined && state === undefined;
    this.#store = store ?? (isStoreLater ? undefined : makeStore(contents?.store, state));
    this.#committer = committer?.(this);
    const unread = contents?.unread ?? NONE;
    if (committer !== undefined) this.#uncommitted = unread;
    const { unreadEvents } = definition.limits;
    this.stream = new EventStream(unreadEvents, committer === undefined ? unread : NONE, contents?.dropped);
    this.#askedBefore = contents?.questions;
    this.startEvent = start ?? contents?.start;
    this.#early = contents?.early === undefined ? undefined : [...contents.early];
    this.attempts = new Attempts(this, restored?.nested, restored?.returned);
    this.#aliveBefore = restored?.alive ?? 0;
    // A run that has completed gets nothing any more: whatever is sent to it was sent before.
    const received = stop === undefined ? (contents?.received ?? 0) : Number.MAX_SAFE_INTEGER;
    this.link = place === undefined ? undefined : new ParentLink(this, place, received);
    this.#signal = options.signal;
    this.#timeout =
      options.timeout === undefined ? definition.timeout : milliseconds(options.timeout, "The timeout of a run");
    this.onStep = options.onStep ?? definition.onStep;
    this.journal = journal?.(this);
    if (this.journal !== undefined && this.engine.isOpen) this.engine.attach(this.journal);
    const completed = stop ?? contents?.stop;
    if (completed !== undefined) {
      this.stop = completed;
      this.status = "completed";
      for (const event of this.#uncommitted) this.stream.push(event);
      this.stream.end(undefined);
      this.#isReported = true;
      plan.leave();
    }
  }

  /** Made when it is asked for: the first random UUID of a process takes longer than a short run. */
  get runId(): string {
    return (this.#runId ??= newId());
  }

  /** Made when it is asked for, like all that follow. */
  get store(): Store {
    if (this.#store === undefined) {
      this.#store = makeStore();
      if (this.status !== "created" && !this.isEnded) claimStore(this.#store, this, undefined);
    }
    return this.#store;
  }

  get patterns(): CollectPatterns {
    return (this.#patterns ??= new CollectPatterns());
  }

  get asked(): Questions {
    return (this.#asked ??= new Questions(this, this.#askedBefore));
  }

  /** Whether the run has ended, and the outside may know. */
  get isReported(): boolean {
    return this.#isReported;
  }

  get isEnded(): boolean {
    return this.status === "completed" || this.status === "failed" || this.status === "cancelled";
  }

  // ---- the beginning ----

  /** Begins the run, if it has not begun: at once, or when the workflow has room for it. */
  start(): void {
    if (this.status !== "created") return;
    this.status = "running";
    this.#statusChanged();
    this.link?.begin();
    if (this.isEnded) return;
    try {
      if (this.#store !== undefined) claimStore(this.#store, this, this.definition.state);
    } catch (error) {
      this.failed(error);
      return;
    }
    const signal = this.#signal;
    if (signal?.aborted === true) {
      this.cancel(signal.reason);
      return;
    }
    // A signal may outlive many runs.
    if (signal !== undefined) this.whenEnded(onAbort(signal, () => this.cancel(signal.reason)));
    this.definition.admission.enter(this);
  }

  /** Called when the workflow has room for the run. */
  begin(): void {
    if (this.isEnded) return;
    this.guard(() => {
      const { engine, startEvent } = this;
      for (const event of this.#uncommitted) this.publish(event);
      this.#uncommitted = NONE;
      this.open();
      engine.begin(this.#aliveBefore);
      if (startEvent === undefined) engine.resume();
      else engine.start(this.plan.typeOf(startEvent), startEvent);
      this.#deliverEarly();
    });
    if (!this.isEnded) queueMicrotask(() => this.#endFirstTurn());
  }

  /**
   * A run whose first steps end at once is over by now. Any other may be abandoned, and may have to be woken: what that
   * needs (a finaliser, the host's timer) costs as much as the rest of a short run.
   */
  #endFirstTurn(): void {
    this.#isInFirstTurn = false;
    if (this.isEnded) return;
    this.engine.watch();
    // Where a runtime allows no timers, as at the module scope of a Worker, the run fails with what it says.
    this.guard(() => {
      if (this.#firstAlarm !== undefined) this.setAlarm(this.#firstAlarm);
    });
  }

  #deliverEarly(): void {
    const early = this.early;
    this.#early = undefined;
    this.#nestedRuns?.clearHeld();
    for (const { event, step } of early) if (!this.isEnded) this.#route(event, step);
  }

  // ---- questions ----

  questions(): OpenQuestion[] {
    return this.asked.list();
  }

  get nestedQuestions(): readonly OpenQuestion[] {
    return this.#nestedRuns?.questions() ?? NONE;
  }

  /** A nested run waits now, or a step of this run: an event that is held for one of them may be due. */
  deliverHeld(): void {
    const held = this.#nestedRuns?.held.length ?? 0;
    if (held > 0 && this.engine.isBegun && !this.isEnded) this.#deliverEarly();
  }

  /** Makes the engine's part of the run, unless it is there from a snapshot. */
  open(): void {
    if (this.engine.isOpen) return;
    // A run that has not begun has nothing in an instance that is gone, unless it keeps a journal.
    if (this.plan.isStale && this.journal === undefined) {
      this.plan.leave();
      this.plan = this.definition.plan();
      this.plan.enter();
    }
    // The jitter of retries comes from the id; without retries the engine does not need one.
    const id = this.plan.isTimed ? this.runId : "";
    this.engine.open(this.plan, id, this.#timeout, this.definition.limits, this.journal);
  }

  // ---- what reaches it ----

  /** An event from the program: for a nested run, from the step around it, which sends it again when it runs again. */
  accept(event: WorkflowEvent, step: string | undefined, slot: string | undefined): void {
    this.start();
    if (this.link?.isResent() === true) return;
    this.receive(event, step, slot);
    if (this.link !== undefined) this.link.received += 1;
  }

  /** An event from outside of all runs. */
  receive(event: WorkflowEvent, step?: string, slot?: string): void {
    this.#checkEvent(event, "sendEvent");
    this.#checkAlive(event);
    if (slot === undefined) {
      if (this.#asked !== undefined || this.#askedBefore !== undefined) this.asked.answered(event);
      this.#route(event, step);
    } else {
      this.#nested.deliverTo(slot, event);
    }
  }

  get #nested(): NestedRunTable {
    return (this.#nestedRuns ??= new NestedRunTable());
  }

  /** An event from outside: to this run, unless only runs nested in it wait for it. */
  #route(event: WorkflowEvent, step: string | undefined): void {
    const { unclaimed } = this.attempts;
    const hasNested = this.#nestedRuns?.isEmpty === false || unclaimed.size > 0;
    if (step === undefined && this.engine.isBegun && hasNested && !this.#mayTake(event)) {
      this.#meetClassOf(event);
      if (this.#nested.deliver(event)) return;
      // A nested run that has not come so far may take it: one at work, or one of an earlier life that its step has not
      // asked for again.
      if (this.#nested.isAtWork || unclaimed.size > 0) {
        this.#nested.hold(event);
        return;
      }
    }
    this.send(event, step, undefined);
  }

  /** The class of an event from a snapshot may be one that only a nested run knows. */
  #meetClassOf(event: WorkflowEvent): void {
    if (!this.plan.isStandIn(event.constructor)) return;
    const eventClass = this.#nested.classNamed(typeName(event.constructor as EventClass));
    if (eventClass !== undefined) this.plan.typeIdOf(eventClass);
  }

  classNamed(name: string): EventClass | undefined {
    const own = this.plan.classNamed(name);
    if (own !== undefined && !this.plan.isStandIn(own)) return own;
    return this.#nestedRuns?.classNamed(name);
  }

  /**
   * Whether a step takes the event, has said that it waits for such a one, or has ever waited for one: then it may wait
   * for another, which is kept for it.
   */
  #mayTake(event: WorkflowEvent): boolean {
    if (this.plan.isAwaited(event)) return true;
    return this.plan.isTaken(event) || this.waits.knows(this.plan.lineageOf(this.plan.typeOf(event)));
  }

  takes(event: WorkflowEvent): boolean {
    const { plan, waits } = this;
    const isTaken = plan.isTaken(event) || waits.takes(event, plan.lineageOf(plan.typeOf(event)));
    return isTaken || this.#nestedRuns?.takes(event) === true;
  }

  /** An event comes, from an attempt or from outside: to all steps that take it, or to one. */
  send(event: WorkflowEvent, step: string | undefined, from: Invocation | undefined): void {
    this.#checkEvent(event, "sendEvent");
    this.#checkAlive(event);
    const { plan } = this;
    if (!this.engine.isBegun) {
      // The run has to wait for its turn. What is wrong with the event is said now, to whoever sends it.
      plan.typeOf(event);
      if (step !== undefined) plan.checkTarget(step, event);
      (this.#early ??= []).push({ event, step });
      return;
    }
    const target = step === undefined ? 0 : plan.targetOf(step, event);
    const type = plan.typeOf(event);
    let matches: readonly number[] | undefined;
    if (this.waits.conditional > 0) {
      matches = this.match(event);
      // A condition is user code, and may have ended the run.
      this.#checkAlive(event);
    }
    const detail = step === undefined ? "" : `The step is "${step}", the event ${typeName(plan.classOf(type)!)}.`;
    this.engine.send(from, type, event, target, matches, detail);
  }

  /** An event goes into the stream and to no step. */
  write(event: WorkflowEvent, from: Invocation | undefined): void {
    this.#checkEvent(event, "writeEventToStream");
    this.#checkAlive(event);
    if (from !== undefined && event instanceof InputRequiredEvent) this.asked.ask(from.step, event);
    this.engine.write(from, this.plan.typeOf(event), event);
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

  /** The waits with a condition that accept an event. A condition that throws rejects its wait. */
  match(event: WorkflowEvent): readonly number[] | undefined {
    const { waits, plan, engine } = this;
    const matches: number[] = [];
    for (const number of waits.conditionalFor(plan.lineageOf(plan.typeOf(event)))) {
      const wait = waits.get(number);
      try {
        if (wait?.where?.(event) === true) matches.push(number);
      } catch (error) {
        waits.remove(number);
        this.guard(() => engine.withdraw(wait!.owner as Invocation, number));
        wait!.reject(error);
      }
    }
    return matches.length === 0 ? undefined : matches;
  }

  /** Does something that may fail, and lets the run fail with it. */
  guard(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.failed(thrown);
    }
  }

  // ---- commands of the engine ----

  publish(event: WorkflowEvent): void {
    if (this.#committer === undefined) this.release(event);
    else this.#committer.hold(event);
    if (this.link !== undefined) this.link.publish(event);
  }

  /** An event goes out to readers. */
  release(event: WorkflowEvent): void {
    this.stream.push(event);
    if (this.#lifecycle !== undefined) this.#lifecycle.publish(event);
  }

  invoke(
    step: number,
    index: number,
    generation: number,
    attempt: number,
    input: WorkflowEvent | readonly WorkflowEvent[],
  ): void {
    this.attempts.begin(this.plan.steps[step]!, index, generation, attempt, input);
  }

  reset(step: number, attempt: number, input: WorkflowEvent | readonly WorkflowEvent[]): void {
    this.publish(resetEvent(this.plan, step, attempt, input));
  }

  resolve(wait: number, event: WorkflowEvent): void {
    this.#answer(wait)?.resolve(event);
  }

  wake(wait: number): void {
    this.#answer(wait)?.resolve(undefined);
  }

  expire(number: number): void {
    const wait = this.#answer(number);
    wait?.reject(new TimeoutError("WAIT_TIMEOUT", `Step "${wait.owner.step}" waited for ${wait.what}.`));
  }

  #answer(number: number): ReturnType<WaitTable["answer"]> {
    const wait = this.waits.answer(number);
    wait?.answered?.();
    return wait;
  }

  timeOut(index: number): void {
    this.attempts.timeOut(index);
  }

  setAlarm(delay: number | undefined): void {
    if (this.#isInFirstTurn) {
      this.#firstAlarm = delay;
      return;
    }
    if (this.#alarm !== undefined) clearTimeout(this.#alarm);
    this.#alarm = delay === undefined ? undefined : setTimeout(() => this.#onAlarm(), delay);
  }

  #onAlarm(): void {
    this.#alarm = undefined;
    if (!this.isEnded) this.guard(() => this.engine.wake());
  }

  setActivity(activity: Activity): void {
    this.#activity = activity;
    // Not for every run: a weak reference costs more than all the rest of a short one.
    if (activity !== "running") this.#trapListener ??= engineModule.onTrap(this);
    this.#updateStatus();
  }

  settle(how: number, event: WorkflowEvent): void {
    if (how === outcome.COMPLETED) {
      this.stop = event as StopEvent;
      this.#finish("completed", undefined);
      return;
    }
    if (how === outcome.STEP_FAILED) this.failure = (event as StepFailedEvent).data;
    const error = errorOf(how, event, () => describeOpen(this), this.definition.limits.steps);
    this.#finish(how === outcome.CANCELLED ? "cancelled" : "failed", error);
  }

  trace(words: ArrayLike<number>, at: number): void {
    this.#lifecycle?.record(words, at);
  }

  failed(thrown: unknown): void {
    this.fail(asError(thrown, "a policy or hook"));
  }

  // ---- nested runs ----

  addNested(link: ParentLink): void {
    this.#nested.add(link);
    this.#lifecycle?.addNested(link);
  }

  removeNested(link: ParentLink): void {
    this.#nestedRuns?.remove(link);
    this.#lifecycle?.removeNested(link);
  }

  publishNested(event: NestedEvent): void {
    this.publish(event);
    this.journal?.event(event);
  }

  countNested(atWork: 1 | -1): void {
    this.#nested.count(atWork);
    if (this.isEnded) return;
    this.#updateStatus();
    if (atWork < 0) this.deliverHeld();
  }

  /**
   * The nested runs that belong into a snapshot: those under way, and those of an earlier life that were not asked for
   * again yet.
   */
  nestedSources(): NestedSource[] {
    const sources = this.#nestedRuns?.sources() ?? [];
    const add = (index: number, runs: Iterable<[string, { readonly bytes: Uint8Array }]>): void => {
      for (const [key, { bytes }] of runs) sources.push({ index, key, source: bytes });
    };
    for (const [index, runs] of this.attempts.unclaimed) add(index, runs);
    for (const { index, nested, isSettled } of this.attempts)
      if (nested !== undefined && !isSettled) add(index, nested);
    return sources;
  }

  // ---- those who watch it ----

  /** Lets a watcher know of everything that happens from now on, in nested runs too. Returns what stops that. */
  watch(watcher: RunWatcher): () => void {
    if (this.isEnded) return () => undefined;
    if (this.#lifecycle === undefined) {
      this.#lifecycle = new RunLifecycle({
        step: (step) => this.plan.steps[step]!.name,
        type: (type) => typeName(this.plan.classOf(type)!),
        payload: (slot) => this.engine.slots.event(slot),
        now: () => (this.engine.isBegun ? Math.floor(this.engine.alive()) : 0),
      });
      this.guard(() => this.engine.trace(true));
      for (const link of this.#nestedRuns?.links ?? []) this.#lifecycle.addNested(link);
    }
    const lifecycle = this.#lifecycle;
    lifecycle.add(watcher);
    return () => {
      lifecycle.remove(watcher);
      if (lifecycle.isWatched || this.#lifecycle !== lifecycle) return;
      this.#lifecycle = undefined;
      lifecycle.close();
      if (!this.isEnded) this.guard(() => this.engine.trace(false));
    };
  }

  /**
   * The events that were not read yet, and from now on both events and lifecycle events, in their order. `isOver` as of
   * {@link EventStream.cursor}.
   */
  watchedStream(isOver: () => boolean): AsyncIterableIterator<WorkflowEvent> {
    const { events, dropped } = this.stream.unread();
    const stream = new EventStream(this.definition.limits.unreadEvents, events, dropped);
    if (this.isEnded) this.whenEnded(() => stream.end(this.error));
    const push = (event: WorkflowEvent): void => stream.push(event);
    const stopWatching = this.watch({ lifecycle: push, publish: push, end: (error) => stream.end(error) });
    const stopListening = this.whenChanged(() => stream.wake());
    const leave = (): void => {
      stopWatching();
      stopListening();
    };
    return stream.reader(leave, isOver);
  }

  // ---- what is known of it ----

  /** Events that no step has got yet. */
  get early(): readonly EarlyEvent[] {
    const held = this.#nestedRuns?.held ?? [];
    return [...(this.#early ?? []), ...held.map((event) => ({ event }))];
  }

  /**
   * The promise of the stop event; made when it is asked for, so that a failure that no one awaits is no unhandled
   * rejection.
   */
  promise(): Promise<StopEvent> {
    this.#promise ??= new Promise((resolve, reject) => {
      const settle = (): void => (this.stop === undefined ? reject(this.error!) : resolve(this.stop));
      if (this.isReported) settle();
      else this.whenEnded(settle);
    });
    return this.#promise;
  }

  /** Calls back when the run has ended, waits for the outside, or, if that is enough, sleeps. */
  whenIdle(callback: () => void, until: "waiting" | "sleeping"): void {
    if (this.isReported || isIdle(this.status, until)) callback();
    else this.#onIdle = [...this.#onIdle, { callback, until }];
  }

  /** When the next timer is due, of a run that sleeps or waits. */
  get wakesAt(): Date | undefined {
    if (this.status !== "sleeping" && this.status !== "waiting") return undefined;
    const due = this.engine.dueIn();
    return earlier(due === undefined ? undefined : new Date(Date.now() + due), this.#nestedRuns?.wakesAt);
  }

  whenEnded(callback: () => void): void {
    if (this.isReported) callback();
    else this.#onEnd = [...this.#onEnd, callback];
  }

  /** Calls back after each change of the status, until the function that it returns is called. */
  whenChanged(callback: () => void): () => void {
    const listener = (): void => callback();
    this.#onChange = [...this.#onChange, listener];
    return () => (this.#onChange = this.#onChange.filter((other) => other !== listener));
  }

  #statusChanged(): void {
    for (const listener of this.#onChange) listener();
  }

  /** A run does what its own steps do, and works while a nested run works. */
  #updateStatus(): void {
    const status = this.#nestedRuns?.isAtWork === true ? "running" : this.#activity;
    if (status === this.status) return;
    this.status = status;
    this.link?.setActivity(status);
    this.#statusChanged();
    if (status === "running") return;
    this.#committer?.request();
    if (status === "waiting") this.stream.wake();
    const listeners = this.#onIdle;
    this.#onIdle = listeners.filter(({ until }) => !isIdle(status, until));
    for (const { callback, until } of listeners) if (isIdle(status, until)) callback();
  }

  // ---- the end ----

  /** The program cancels the run. */
  cancel(reason: unknown): void {
    if (this.isEnded) return;
    const detail = reason instanceof Error ? `The reason is: ${reason.message}` : "";
    const options = reason === undefined ? {} : { cause: reason };
    this.#finish("cancelled", new CancelledError("RUN_CANCELLED", detail, options));
  }

  fail(error: Error): void {
    this.#finish("failed", error);
  }

  /** The engine's instance is gone. */
  trapped(error: EngineError): void {
    this.fail(error);
  }

  /** Ends the run, if it has not ended. */
  #finish(status: "completed" | "failed" | "cancelled", error: Error | undefined): void {
    if (this.isEnded) return;
    this.status = status;
    this.error = error;
    if (this.#alarm !== undefined) clearTimeout(this.#alarm);
    if (this.#trapListener !== undefined) engineModule.offTrap(this.#trapListener);
    if (error !== undefined) this.final = this.#finalImage();
    this.journal?.end();
    this.engine.close();
    // Made only if there is an attempt or a nested run to end: an error costs more than all the rest of a short run.
    let made = error;
    const reason = (): Error => (made ??= new CancelledError("ATTEMPT_ENDED", "The run has completed."));
    this.attempts.endAll(reason);
    this.#nestedRuns?.cancelAll(reason);
    if (this.#store !== undefined) leaveStore(this.#store, this);
    if (this.#committer === undefined) {
      this.#report();
      return;
    }
    // A commit that fails comes to `commitFailed`.
    this.#committer.committed().then(
      () => this.#report(),
      () => undefined,
    );
  }

  // ---- commits ----

  committed(): Promise<void> | undefined {
    return this.link === undefined ? this.#committer?.committed() : this.link.place.invocation.run.committed();
  }

  /** What has happened cannot be stored: nothing more goes out. */
  commitFailed(error: Error): void {
    this.#finish("failed", error);
    if (this.#isReported) return;
    this.status = "failed";
    this.stop = undefined;
    this.error = error;
    this.#report();
  }

  /** The outside learns of the end. */
  #report(): void {
    if (this.#isReported) return;
    this.#isReported = true;
    this.#lifecycle?.end(this.status as "completed" | "failed" | "cancelled", this.error);
    this.#lifecycle = undefined;
    this.stream.end(this.error);
    const [onIdle, onEnd] = [this.#onIdle, this.#onEnd];
    this.#onIdle = NONE;
    this.#onEnd = NONE;
    for (const { callback } of onIdle) callback();
    for (const listener of onEnd) listener();
    this.#statusChanged();
    this.definition.admission.leave(this);
    this.plan.leave();
  }

  #finalImage(): FinalImage | undefined {
    if (!this.engine.isOpen) return undefined;
    try {
      return { engine: this.engine.capture(), nested: this.nestedSources() };
    } catch {
      // The engine is gone, and the run with it: there is no snapshot but one that was taken before.
      return undefined;
    }
  }
}
