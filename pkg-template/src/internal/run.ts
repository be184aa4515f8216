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
import { Invocation, type PendingWait } from "./invocation.js";
import { judge } from "./judge.js";
import { Line } from "./line.js";
import { newId } from "./new-id.js";
import { type Plan, type PlannedStep, typeName } from "./plan.js";
import { EventStream } from "./stream.js";
import { isThenable } from "./thenable.js";
import { NO_ALARM, OUTSIDE, op, outcome, verdict } from "./words.js";

/** Where a run is. */
export type RunStatus = "created" | "running" | "waiting" | "completed" | "failed" | "cancelled";

/** The run around a nested one. */
export interface Parent {
  readonly invocation: Invocation;
  readonly slot: string;
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
  readonly #start: WorkflowEvent;
  readonly #parent: Parent | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #timeout: number;
  readonly #onStep: StepHook | undefined;
  /** Nested runs under way; made when there is one. */
  #children: Set<Run> | undefined;
  readonly #breath = new Breath();
  #onEnd: readonly (() => void)[] = NOBODY;
  #onIdle: readonly (() => void)[] = NOBODY;
  readonly #line: Line;
  /** How the run learns that the instance is gone while it waits; any other run finds out at its next call. */
  #survivor: WeakRef<Survivor> | undefined;
  #alarm: ReturnType<typeof setTimeout> | undefined;
  #invocations: (Invocation | undefined)[] = [];
  #isCarryingOut = false;
  #predicates = 0;
  /** What was sent before the run had its turn. */
  #early: (() => void)[] | undefined;
  /** A nested run that waits for the outside, and its parent knows. */
  #isBlocking = false;
  #completed = 0;
  #promise: Promise<StopEvent> | undefined;

  constructor(
    workflow: AnyWorkflow,
    plan: Plan,
    start: WorkflowEvent,
    data: unknown,
    options: RunOptions,
    parent: Parent | undefined,
    store: Store | undefined,
  ) {
    this.workflow = workflow;
    this.plan = plan;
    plan.enter();
    this.#line = new Line(plan);
    this.data = data;
    this.#runId = options.runId;
    this.store = store ?? new Store();
    this.stream = new EventStream(workflow.limits.unreadEvents);
    this.#start = start;
    this.#parent = parent;
    this.#signal = options.signal;
    this.#timeout =
      options.timeout === undefined ? workflow.timeout : milliseconds(options.timeout, "The timeout of a run");
    this.#onStep = options.onStep ?? workflow.onStep;
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
      // The id is where the jitter of retries comes from; without them the engine does not need one.
      const id = this.plan.isTimed ? this.runId : "";
      line.open(this, this.plan, id, this.#timeout, this.workflow.limits);
      const type = this.plan.typeOf(this.#start);
      const slot = line.keep(this.#start);
      line.take(ask(() => line.engine().engine_start(line.handle, type, slot, 0)));
      const early = this.#early;
      this.#early = undefined;
      for (const send of early ?? []) send();
    });
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

  // ---- from steps ----

  send(event: WorkflowEvent, step: string | undefined, from: Invocation | undefined): void {
    this.#checkEvent(event, "sendEvent");
    this.#checkAlive(event);
    if (!this.#line.isOpen) {
      // The run waits for its turn. What is wrong with the event is said now, to whoever sends it.
      this.plan.typeOf(event);
      if (step !== undefined) this.plan.checkTarget(step, event);
      (this.#early ??= []).push(() => this.send(event, step, from));
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
    const slot = this.#line.keep(event);
    const index = from === undefined ? OUTSIDE : from.index;
    const pointer = ask(() =>
      this.#line.engine().engine_write(this.#line.handle, index, from?.generation ?? 0, slot, this.#line.tickTime()),
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
      if (child.#isBlocking) this.#block(by, false);
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
  #publish(event: WorkflowEvent): void {
    this.stream.push(event);
    if (this.#parent === undefined) return;
    const { invocation, slot } = this.#parent;
    const nested =
      event instanceof NestedEvent
        ? new NestedEvent({ slot: `${slot}.${event.data.slot}`, event: event.data.event })
        : new NestedEvent({ slot, event });
    if (!invocation.run.isEnded) invocation.run.#publish(nested);
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

  #finish(status: "completed" | "failed" | "cancelled", error: Error | undefined): void {
    if (this.isEnded) return;
    this.status = status;
    this.error = error;
    clearTimeout(this.#alarm);
    if (this.#survivor !== undefined) offTrap(this.#survivor);
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
