// A run at work: carries out the engine's commands, and tells it what comes of them.
//
// 1. User code (handlers, predicates, hooks) is never called while the engine is at work: commands are copied into a
//    queue, and one loop at a time carries them out, however deep the calls that add to it.
// 2. Every path ends in `#end`, once: promise, stream, signals and waits all learn of the same error.
// 3. Payloads live in `#slots`; the engine says when one is not needed any more.
// 4. After the end nothing is left in the engine's memory.

import {
  CancelledError,
  EngineError,
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
import {
  EngineResource,
  type Survivor,
  ask,
  engineError,
  expectNumber,
  memoryWords,
  offTrap,
  onTrap,
  readReply,
  trapped,
} from "./engine.js";
import { Invocation, type PendingWait } from "./invocation.js";
import { newId } from "./new-id.js";
import { type Plan, type PlannedStep, typeName } from "./plan.js";
import { EventStream } from "./stream.js";
import { type Engine, engine } from "./wasm.js";
import { NO_ALARM, OUTSIDE, SETTLED, op, outcome, verdict } from "./words.js";

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

/** In words. */
const LARGE_QUEUE = 4096;

/** How much of what is open an error names; a run may have thousands of steps at work. */
const MOST_NAMED = 10;

const clock = (): number => performance.now();

export class Run {
  readonly workflow: AnyWorkflow;
  readonly plan: Plan;
  readonly data: unknown;
  readonly runId: string;
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
  #resource: EngineResource | undefined;
  /** How the run learns that the instance is gone while it waits; any other run finds out at its next call. */
  #survivor: WeakRef<Survivor> | undefined;
  #handle = 0;
  #bornAt = 0;
  #alarm: ReturnType<typeof setTimeout> | undefined;
  #slots: (WorkflowEvent | undefined)[] = [];
  #freeSlots: number[] = [];
  #invocations: (Invocation | undefined)[] = [];
  /** The queue of commands: words from `#next` to `#end`. */
  #commands: number[] = [];
  #next = 0;
  #end = 0;
  #isCarryingOut = false;
  /** The engine has ended the run; the command that says so may still be behind others. */
  #isSettling = false;
  #predicates = 0;
  /** What was sent before the run had its turn. */
  #early: readonly (() => void)[] = NOBODY;
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
    this.data = data;
    this.runId = options.runId ?? newId();
    this.store = store ?? new Store();
    this.stream = new EventStream(workflow.limits.unreadEvents);
    this.#start = start;
    this.#parent = parent;
    this.#signal = options.signal;
    this.#timeout =
      options.timeout === undefined ? workflow.timeout : milliseconds(options.timeout, "The timeout of a run");
    this.#onStep = options.onStep ?? workflow.onStep;
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
      const { steps, keptEvents } = this.workflow.limits;
      const id = this.runId;
      const make = () => engine().engine_new(this.plan.graph, id, this.#timeout, steps, keptEvents);
      this.#handle = expectNumber(ask(make));
      this.#resource = new EngineResource(this, this.#handle, "engine_free");
      this.#bornAt = clock();
      const type = this.plan.typeOf(this.#start);
      const slot = this.#keep(this.#start);
      this.#take(ask(() => engine().engine_start(this.#handle, type, slot, 0)));
      const early = this.#early;
      this.#early = NOBODY;
      for (const send of early) send();
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
    if (this.#resource === undefined) {
      // The run waits for its turn.
      if (step !== undefined) this.plan.step(step);
      this.#early = [...this.#early, () => this.send(event, step, from)];
      return;
    }
    const target = step === undefined ? 0 : this.plan.step(step).id + 1;
    const type = this.plan.typeOf(event);
    this.#match(event);
    const slot = this.#keep(event);
    const index = from === undefined ? OUTSIDE : from.index;
    const pointer = ask(() =>
      this.#engine().engine_send(this.#handle, index, from?.generation ?? 0, type, slot, target, this.#tickTime()),
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
    const slot = this.#keep(event);
    const index = from === undefined ? OUTSIDE : from.index;
    const pointer = ask(() =>
      this.#engine().engine_write(this.#handle, index, from?.generation ?? 0, slot, this.#tickTime()),
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
      const kept = ask(() => readReply(this.#engine().engine_kept(this.#handle, type)));
      claim = 1 + (kept.find((slot) => where(this.#slots[slot]!)) ?? -1);
      this.#predicates += 1;
    }
    return this.#question(() =>
      this.#engine().engine_wait(
        this.#handle,
        by.index,
        by.generation,
        type,
        id,
        timeout,
        where !== undefined,
        claim,
        this.#alive(),
      ),
    );
  }

  sleep(by: Invocation, delay: number): { wait: number; go: () => void } {
    return this.#question(() =>
      this.#engine().engine_sleep(this.#handle, by.index, by.generation, delay, this.#alive()),
    );
  }

  collect(by: Invocation, event: WorkflowEvent, classes: readonly EventClass[]): WorkflowEvent[] | null {
    const type = this.plan.typeOf(event);
    const expected = Uint32Array.from(classes, (eventClass) => this.plan.typeIdOf(eventClass));
    const slot = this.#keep(event);
    let found: WorkflowEvent[] | null = null;
    const pointer = ask(() =>
      this.#engine().engine_collect(this.#handle, by.index, by.generation, type, slot, expected, this.#tickTime()),
    );
    const memory = memoryWords();
    const at = pointer >>> 2;
    if (memory[at] === 0 && memory[at + 1]! > 0) {
      found = Array.from(memory.subarray(at + 3, at + 3 + memory[at + 1]!), (slot) => this.#slots[slot]!);
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
      this.#take(
        ask(() => this.#engine().engine_block(this.#handle, by.index, by.generation, blocked, this.#tickTime())),
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

  /** The engine's functions, as long as this run's part of it is there. */
  #engine(): Engine {
    if (this.#resource === undefined || this.#resource.isStale) throw new EngineError("ENGINE_PANICKED");
    return engine();
  }

  /** The run's alive time. */
  #alive(): number {
    return clock() - this.#bornAt;
  }

  /** The time of a tick that may do without: reading the clock costs as much as the tick. */
  #tickTime(): number {
    return this.plan.isTimed ? this.#alive() : 0;
  }

  #keep(event: WorkflowEvent): number {
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    this.#slots[slot] = event;
    return slot;
  }

  #drop(slot: number): void {
    this.#slots[slot] = undefined;
    this.#freeSlots.push(slot);
  }

  /** Does something that may fail, and lets the run fail with it. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.#finish("failed", asError(thrown, "a policy or hook"));
    }
    this.#carryOut();
  }

  /** Copies the commands of an answer into the queue. @throws when the answer is an error. */
  #take(pointer: number, detail = ""): void {
    const memory = memoryWords();
    const at = pointer >>> 2;
    if (memory[at] !== 0) {
      if (memory[at] !== SETTLED) throw engineError(memory[at]!, detail);
      this.#isSettling = true;
    }
    const from = at + 3 + memory[at + 1]!;
    const to = from + memory[at + 2]!;
    const commands = this.#commands;
    let end = this.#end;
    for (let word = from; word < to; word += 1) commands[end++] = memory[word]!;
    this.#end = end;
  }

  /** Takes the answer to a tick that brought a payload, which goes back when the tick was refused. */
  #accept(pointer: number, slot: number, detail = ""): void {
    try {
      this.#take(pointer, detail);
    } catch (error) {
      this.#drop(slot);
      throw error;
    }
    this.#carryOut();
  }

  #question(call: () => number): { wait: number; go: () => void } {
    const pointer = ask(call);
    const memory = memoryWords();
    const wait = memory[(pointer >>> 2) + 3]!;
    this.#take(pointer);
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
    if (matches.length > 0) ask(() => this.#engine().engine_matches(this.#handle, Uint32Array.from(matches)));
  }

  // ---- carrying out commands ----

  #carryOut(): void {
    if (this.#isCarryingOut) return;
    this.#isCarryingOut = true;
    const commands = this.#commands;
    try {
      while (this.#next < this.#end) {
        if (commands[this.#next] === op.INVOKE && this.#breath.isDue()) {
          // A run that never waits for anything would keep timers, input and rendering from their turn.
          setTimeout(() => this.#goOn(), 0);
          return;
        }
        this.#carryOutNext(commands);
      }
      this.#next = 0;
      this.#end = 0;
      // The queue keeps its memory, unless a fan-out has made it large.
      if (commands.length > LARGE_QUEUE) commands.length = 0;
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

  #carryOutNext(commands: number[]): void {
    let at = this.#next;
    switch (commands[at++]) {
      case op.PUBLISH:
        this.#next = at + 1;
        this.#publish(this.#slots[commands[at]!]!);
        return;
      case op.RELEASE:
        this.#next = at + 1;
        this.#drop(commands[at]!);
        return;
      case op.INVOKE: {
        const count = commands[at + 4]!;
        this.#next = at + 5 + count;
        if (this.#isSettling) return;
        const step = this.plan.steps[commands[at]!]!;
        const index = commands[at + 1]!;
        // A literal: an array that grows by `push` would be many times the size.
        const inputs = [this.#slots[commands[at + 5]!]!];
        for (let nth = at + 6; nth < this.#next; nth += 1) inputs.push(this.#slots[commands[nth]!]!);
        const invocation = new Invocation(this, step, index, commands[at + 2]!, commands[at + 3]!, inputs);
        if (typeof step.retry === "function") {
          const earlier = invocation.attempt > 1 ? this.#invocations[index] : undefined;
          invocation.began = earlier?.began ?? this.#alive();
        }
        this.#invocations[index] = invocation;
        this.#invoke(invocation);
        return;
      }
      case op.RESOLVE: {
        this.#next = at + 2;
        const event = this.#slots[commands[at + 1]!];
        this.#takeWait(commands[at]!)?.resolve(event);
        return;
      }
      case op.WAKE:
        this.#next = at + 1;
        this.#takeWait(commands[at]!)?.resolve(undefined);
        return;
      case op.EXPIRE: {
        this.#next = at + 1;
        const pending = this.#takeWait(commands[at]!);
        const detail = `Step "${pending?.invocation.step}" waited for ${pending?.what}.`;
        pending?.reject(new TimeoutError("WAIT_TIMEOUT", detail));
        return;
      }
      case op.TIME_OUT: {
        this.#next = at + 2;
        const invocation = this.#invocations[commands[at]!];
        if (invocation === undefined || invocation.isSettled) return;
        const error = new TimeoutError("STEP_TIMEOUT", `The step is "${invocation.step}".`);
        this.#fail(invocation, error);
        return;
      }
      case op.ALARM:
        this.#next = at + 1;
        this.#setAlarm(commands[at]!);
        return;
      case op.IDLE:
        this.#next = at;
        this.#setIdle(true);
        return;
      case op.BUSY:
        this.#next = at;
        this.#setIdle(false);
        return;
      case op.SETTLE:
        this.#next = at + 2;
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
    this.#guard(() => this.#take(ask(() => this.#engine().engine_wake(this.#handle, this.#alive()))));
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
    try {
      const handler = planned.handler as (context: Invocation, ...events: readonly WorkflowEvent[]) => unknown;
      returned = inputs.length === 1 ? handler(invocation, inputs[0]!) : handler(invocation, ...inputs);
    } catch (error) {
      this.#fail(invocation, error);
      return;
    }
    if (!isThenable(returned)) {
      this.#return(invocation, returned);
      return;
    }
    // A foreign thenable may settle twice, or throw: only a promise's word counts.
    const promise = returned instanceof Promise ? returned : Promise.resolve(returned);
    promise.then(
      (output) => this.#return(invocation, output),
      (error: unknown) => this.#fail(invocation, error),
    );
  }

  /** A handler has returned. */
  #return(invocation: Invocation, output: unknown): void {
    if (invocation.isSettled || invocation.ended !== undefined || this.#isSettling) return;
    const isEvent = output instanceof WorkflowEvent;
    if (!isEvent && output !== undefined && output !== null) {
      const detail = `Step "${invocation.step}" returned ${describe(output)}.`;
      this.#fail(invocation, new ValidationError("INVALID_EVENT", detail), verdict.GIVE_UP);
      return;
    }
    if (this.gate !== undefined) {
      this.gate(invocation, isEvent ? output : undefined, (replaced) => this.#complete(invocation, replaced));
      return;
    }
    this.#complete(invocation, output);
  }

  #complete(invocation: Invocation, output: unknown): void {
    if (invocation.isSettled || invocation.ended !== undefined || this.#isSettling) return;
    try {
      let type = 0;
      let slot = 0;
      if (output instanceof WorkflowEvent) {
        const id = this.plan.typeOf(output);
        if (!this.plan.isDeclared(invocation.planned, id, output)) this.#undeclared(invocation.planned, id);
        this.#match(output);
        type = id + 1;
        slot = this.#keep(output);
      }
      invocation.isSettled = true;
      if (invocation.waits !== undefined) this.#closeWaits(invocation);
      if (this.workflow.verbose) this.#log(invocation.planned, type - 1);
      const { index, generation } = invocation;
      let answer: number;
      try {
        // Not through `ask`: its closure would show on this path, the busiest of all.
        answer = this.#engine().engine_complete(this.#handle, index, generation, type, slot, this.#tickTime());
      } catch (cause) {
        throw cause instanceof WorkflowError ? cause : trapped(cause);
      }
      this.#take(answer);
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
    if (invocation.isSettled || invocation.ended !== undefined || this.#isSettling) return;
    invocation.isSettled = true;
    const { planned, inputs, attempt, index, generation } = invocation;
    const error = asError(thrown, planned.name);
    if (invocation.waits !== undefined) this.#closeWaits(invocation);
    invocation.end(error);
    this.#guard(() => {
      const [what, delay] = decided === undefined ? this.#judge(invocation, error) : [decided, 0];
      const failure = { step: planned.name, event: inputs[0]!, events: inputs, error, attempts: attempt };
      const event = new StepFailedEvent(failure);
      const slot = this.#keep(event);
      const type = this.plan.typeOf(event);
      this.#take(
        ask(() => this.#engine().engine_fail(this.#handle, index, generation, type, slot, what, delay, this.#alive())),
      );
    });
  }

  #judge(invocation: Invocation, error: Error): [number, number] {
    const { retry } = invocation.planned;
    if (typeof retry === "function") {
      const elapsed = (this.#alive() - invocation.began) / 1000;
      const seconds = retry({ error, attempt: invocation.attempt, elapsed });
      if (typeof seconds !== "number") return [verdict.GIVE_UP, 0];
      return [verdict.RETRY, Math.max(0, milliseconds(seconds, "What a retry function returned"))];
    }
    const isHopeless = retry?.condition !== undefined && !retry.condition(error, invocation.attempt);
    return [isHopeless ? verdict.GIVE_UP : verdict.POLICY, 0];
  }

  // ---- the end ----

  #settle(how: number, slot: number): void {
    const event = this.#slots[slot];
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
        this.#finish("failed", new TimeoutError("RUN_TIMEOUT", this.#describeOpen()));
        return;
      case outcome.STALLED:
        this.#finish("failed", new StalledError("RUN_STALLED", this.#describeOpen()));
        return;
      case outcome.LIMIT_REACHED:
        this.#finish("failed", new LimitError("STEPS_LIMIT", `The limit is ${this.workflow.limits.steps}.`));
        return;
      default:
        this.#finish("cancelled", new CancelledError("RUN_CANCELLED"));
    }
  }

  /** What the run still waits for, in words. Joins are the engine's; it has closed the waits already, but here they are open. */
  #describeOpen(): string {
    const words = ask(() => readReply(this.#engine().engine_open(this.#handle)));
    const parts: string[] = [];
    for (let at = 0; at < words.length; at += 3) {
      if (words[at] !== 0) continue;
      const step = this.plan.steps[words[at + 1]!]!;
      const missing = step.inputs.filter((_, nth) => (words[at + 2]! & (1 << nth)) === 0);
      const what = missing.map((input) => this.plan.describeInput(input)).join(", ");
      parts.push(`Step "${step.name}" has some of its inputs and lacks ${what}.`);
    }
    const waiting = new Set<Invocation>();
    for (const { what, invocation } of this.waits.values()) {
      if (what === undefined) continue;
      waiting.add(invocation);
      parts.push(`Step "${invocation.step}" waits for ${what}.`);
    }
    for (const invocation of this.#invocations) {
      if (invocation === undefined || invocation.isSettled || waiting.has(invocation)) continue;
      parts.push(`Step "${invocation.step}" is at work.`);
    }
    const more = parts.length - MOST_NAMED;
    return more > 0 ? `${parts.slice(0, MOST_NAMED).join(" ")} ${more} more are open.` : parts.join(" ");
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
    this.#resource?.free();
    this.#commands.length = 0;
    this.#next = 0;
    this.#end = 0;
    const invocations = this.#invocations;
    this.#invocations = [];
    this.#slots = [];
    this.#freeSlots = [];
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

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value instanceof Promise ||
    (typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function")
  );
}
