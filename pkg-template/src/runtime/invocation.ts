// One attempt of one step: what is behind a handler's context.

import { milliseconds, NONE } from "../model/duration.js";
import { type OptionNames, checkOptions } from "../errors/check-options.js";
import { CancelledError, ValidationError } from "../errors/errors.js";
import { EventChoice, type EventClass, type EventInput, type StepFailedEvent, WorkflowEvent } from "../model/events.js";
import type { CollectEventsOptions, HandlerContext, SleepOptions, WaitOptions } from "../model/handler-context.js";
import type { NestedWorkflow, Slots } from "../model/nested.js";
import type { RunOptions } from "../model/options.js";
import { checkInput, classesOf, takes } from "../model/step.js";
import { type Store, dropEdits, storeFor } from "../model/store.js";
import { onAbort } from "../util/abort.js";
import { describe } from "../util/describe.js";
import { isThenable } from "../util/thenable.js";
import type { CollectPatterns } from "./collect-patterns.js";
import type { WorkflowDefinition } from "./definition.js";
import type { EngineRun } from "./engine-run.js";
import type { OuterRun } from "./parent-link.js";
import type { Plan, PlannedStep } from "./plan.js";
import { Remembered, nestedKey, onceKey } from "./remembered.js";
import type { NestedRuns, Origin } from "./run-parts.js";
import type { OpenWait, WaitTable } from "./wait-table.js";

/** The run, as an attempt knows it. */
export interface InvocationRun extends OuterRun {
  readonly definition: WorkflowDefinition;
  readonly plan: Plan;
  readonly engine: EngineRun;
  readonly waits: WaitTable;
  readonly patterns: CollectPatterns;
  readonly data: unknown;
  readonly store: Store;
  readonly runId: string;
  /** An event comes from an attempt; undefined when its handler has returned. */
  send(event: WorkflowEvent, step: string | undefined, from: Invocation | undefined): void;
  /** A wait was opened: an event that is held for nested runs may be due. */
  deliverHeld(): void;
  /** An attempt writes to the stream. */
  write(event: WorkflowEvent, from: Invocation | undefined): void;
}

function checkSignal(signal: unknown): void {
  if (signal === undefined) return;
  // By what it can do: a signal of another realm is one as well.
  const { aborted, addEventListener } = Object(signal) as Partial<AbortSignal>;
  if (typeof aborted === "boolean" && typeof addEventListener === "function") return;
  throw new ValidationError("INVALID_OPTION", `signal is ${describe(signal)}.`);
}

/** What few attempts need. It is made when one does, so that the others stay small: thousands may be in flight. */
class Extras {
  /** When the first attempt began, in milliseconds of alive time, once someone has asked. */
  began: number | undefined;
  /** What the attempt before this one has failed with. */
  lastError: Error | undefined;
  /** Why nothing that the attempt does counts any more. */
  ended: Error | undefined;
  /** Nested runs of an earlier life that this attempt has not asked for again. */
  nested: NestedRuns | undefined;
  /** Side effects that were begun, by key; later attempts share them. */
  onces: Map<string, Promise<unknown>> | undefined;
  /** How many runs of each nested workflow this attempt has started. */
  nestedCounts: Map<string, number> | undefined;
  controller: AbortController | undefined;
  /** The run's store, as this attempt uses it. */
  store: Store | undefined;
  /** The waits by their promises, for `firstOf`. */
  waits: WeakMap<object, number> | undefined;
  /** A step that sends many events asks for it each time. */
  sendEvent: HandlerContext["sendEvent"] | undefined;
}

/** What the side effect of a `once` gets. */
class OnceCall {
  readonly #invocation: Invocation;
  readonly #key: string;

  constructor(invocation: Invocation, key: string) {
    this.#invocation = invocation;
    this.#key = key;
  }

  get idempotencyKey(): string {
    const { runId, order } = this.#invocation;
    return `${runId}/${order}/${this.#key}`;
  }
}

const waitNames: OptionNames<WaitOptions<WorkflowEvent>> = { where: 1, timeout: 1, id: 1, ask: 1, signal: 1 };
const collectNames: OptionNames<CollectEventsOptions> = { buffer: 1 };
const sleepNames: OptionNames<SleepOptions> = { signal: 1 };

const ignore = (): void => undefined;

export class Invocation implements HandlerContext {
  readonly run: InvocationRun;
  readonly planned: PlannedStep;
  readonly index: number;
  readonly generation: number;
  readonly attempt: number;
  /** The one event, or all events of a step with several inputs. */
  readonly input: WorkflowEvent | readonly WorkflowEvent[];
  /** The handler has returned or thrown. */
  isSettled: boolean;
  #extras: Extras | undefined;

  constructor(
    run: InvocationRun,
    planned: PlannedStep,
    index: number,
    generation: number,
    attempt: number,
    input: WorkflowEvent | readonly WorkflowEvent[],
  ) {
    this.run = run;
    this.planned = planned;
    this.index = index;
    this.generation = generation;
    this.attempt = attempt;
    this.input = input;
    this.isSettled = false;
    this.#extras = undefined;
  }

  get #more(): Extras {
    return (this.#extras ??= new Extras());
  }

  get inputs(): readonly WorkflowEvent[] {
    return Array.isArray(this.input) ? (this.input as readonly WorkflowEvent[]) : [this.input as WorkflowEvent];
  }

  get ended(): Error | undefined {
    return this.#extras?.ended;
  }

  /** Nothing that the attempt does counts any more. */
  get isOver(): boolean {
    return this.isSettled || this.#extras?.ended !== undefined;
  }

  get nested(): NestedRuns | undefined {
    return this.#extras?.nested;
  }

  set nested(nested: NestedRuns | undefined) {
    if (nested !== undefined || this.#extras !== undefined) this.#more.nested = nested;
  }

  /** Takes over what later attempts share with an earlier one, in this life of the run or another. */
  follow(earlier: Invocation | undefined): void {
    this.#more.lastError = (this.run.engine.failure(this) as StepFailedEvent | undefined)?.data.error;
    const onces = earlier === undefined ? undefined : earlier.#extras?.onces;
    if (onces !== undefined) this.#more.onces = onces;
  }

  // ---- the handler's context ----
  // Handlers take the methods off the context, so each is a getter that gives a bound function: nothing is made for a
  // handler that does not use it.

  get data(): unknown {
    return this.run.data;
  }

  get store(): Store {
    return (this.#more.store ??= storeFor(this.run.store));
  }

  get runId(): string {
    return this.run.runId;
  }

  get step(): string {
    return this.planned.name;
  }

  get lastError(): Error | undefined {
    return this.#extras?.lastError;
  }

  get elapsed(): number {
    const { engine } = this.run;
    let began = this.#extras?.began;
    if (began === undefined) {
      began = engine.began(this);
      if (began < 0) throw new CancelledError("ATTEMPT_ENDED", `The step is "${this.step}".`);
      this.#more.began = began;
    }
    return Math.max(0, engine.alive() - began) / 1000;
  }

  get signal(): AbortSignal {
    const extras = this.#more;
    if (extras.controller === undefined) {
      extras.controller = new AbortController();
      if (extras.ended !== undefined) extras.controller.abort(extras.ended);
    }
    return extras.controller.signal;
  }

  get sendEvent(): HandlerContext["sendEvent"] {
    return (this.#more.sendEvent ??= (event, options) => {
      this.#check();
      this.run.send(event, options?.step, this.isSettled ? undefined : this);
    });
  }

  get writeEventToStream(): HandlerContext["writeEventToStream"] {
    return (event) => {
      this.#check();
      this.run.write(event, this.isSettled ? undefined : this);
    };
  }

  get requireEvent(): HandlerContext["requireEvent"] {
    return (input) => this.#wait(input, {}) as Promise<never>;
  }

  get waitForEvent(): HandlerContext["waitForEvent"] {
    return (input, options = {}) => {
      checkOptions(options, waitNames, "waitForEvent", { predicate: "where", filter: "where" });
      return this.#wait(input, options as WaitOptions<WorkflowEvent>) as Promise<never>;
    };
  }

  get firstOf(): HandlerContext["firstOf"] {
    return (waits) => this.#firstOf(waits as Readonly<Record<string, PromiseLike<unknown>>>) as Promise<never>;
  }

  get collectEvents(): HandlerContext["collectEvents"] {
    return (event, classes, options = {}) => {
      this.#checkRunning();
      checkOptions(options, collectNames, "collectEvents", { bufferId: "buffer", key: "buffer" });
      const { buffer } = options;
      if (buffer !== undefined && (typeof buffer !== "string" || buffer === "")) {
        throw new ValidationError("INVALID_OPTION", `The buffer that collectEvents got is ${describe(buffer)}.`);
      }
      if (!(event instanceof WorkflowEvent)) {
        throw new ValidationError("INVALID_EVENT", `collectEvents got ${describe(event)}.`);
      }
      if (!Array.isArray(classes)) {
        throw new ValidationError("INVALID_OPTION", `The classes that collectEvents got are ${describe(classes)}.`);
      }
      // No class is asked for, so none is missing.
      if (classes.length === 0) return [] as never;
      const { plan, engine, patterns } = this.run;
      const type = plan.typeOf(event);
      const pattern = patterns.of(classes as readonly EventClass[], buffer, this, plan, engine);
      return (engine.collect(this, type, event, pattern, buffer) ?? null) as never;
    };
  }

  get sleep(): HandlerContext["sleep"] {
    return (seconds, options = {}) => {
      checkOptions(options, sleepNames, "sleep");
      return this.#sleep(seconds, options) as Promise<never>;
    };
  }

  get once(): HandlerContext["once"] {
    return (key, act) => {
      this.#checkRunning();
      if (typeof key !== "string" || key === "") {
        throw new ValidationError("INVALID_OPTION", `The key that once got is ${describe(key)}.`);
      }
      if (typeof act !== "function") {
        throw new ValidationError("INVALID_OPTION", `What once should do for "${key}" is ${describe(act)}.`);
      }
      return this.#once(key, act) as Promise<never>;
    };
  }

  get workflows(): Readonly<Record<string, NestedWorkflow<Slots[string]>>> {
    const nested: Record<string, NestedWorkflow<Slots[string]>> = {};
    for (const [slot, definition] of this.run.definition.slots) {
      nested[slot] = {
        run: (input: unknown, data: unknown = this.run.data, options: RunOptions = {}) =>
          this.#runNested(definition, slot, input, data, options) as never,
      };
    }
    return nested;
  }

  // ---- what is behind it ----

  #runNested(
    definition: WorkflowDefinition,
    slot: string,
    input: unknown,
    data: unknown,
    options: RunOptions,
  ): unknown {
    this.#check();
    const counts: Map<string, number> = (this.#more.nestedCounts ??= new Map());
    const count = counts.get(slot) ?? 0;
    counts.set(slot, count + 1);
    const key = `${slot}#${count}`;
    const origin = this.#originOf(key, definition) ?? definition.begin(input);
    return definition.makeRun({ origin, data, options, place: { invocation: this, slot, key } });
  }

  /** Where a nested run comes from that this invocation has started in an earlier attempt or life. */
  #originOf(key: string, definition: WorkflowDefinition): Origin | undefined {
    const done = this.isSettled ? undefined : this.#recall(nestedKey(key));
    if (done !== undefined) return { plan: definition.plan(), stop: done.value as never };
    const prepared = this.nested?.get(key);
    return prepared === undefined ? undefined : { prepared };
  }

  /** What the invocation remembers under a key, from this attempt or an earlier one. */
  #recall(key: string): Remembered | undefined {
    return this.run.engine.recall(this, key) as Remembered | undefined;
  }

  remember(key: string, value: Remembered): void {
    this.run.engine.remember(this, key, value);
  }

  /** Its place among all arrivals of the run: its own through attempts and recoveries. */
  get order(): number {
    return this.run.engine.order(this);
  }

  /** A nested run has begun: until then, snapshots have what it was in its earlier life. */
  nestedBegan(key: string): void {
    this.nested?.delete(key);
  }

  hold(how: number): void {
    this.run.engine.hold(this, how);
  }

  #once(key: string, act: (call: OnceCall) => unknown): Promise<unknown> {
    const known = this.#recall(onceKey(key));
    if (known !== undefined) return Promise.resolve(known.value);
    const onces: Map<string, Promise<unknown>> = (this.#more.onces ??= new Map());
    let begun = onces.get(key);
    if (begun === undefined) {
      const call = new OnceCall(this, key);
      begun = Promise.resolve().then(() => act(call));
      onces.set(key, begun);
      // What has failed has not happened.
      begun.catch(() => onces.delete(key));
    }
    return begun.then((value) => {
      // The result may come when this attempt is over; the next one shares it, and remembers it then.
      if (!this.isOver) this.remember(onceKey(key), new Remembered(value));
      const committed = this.run.committed();
      return committed === undefined ? value : committed.then(() => value);
    });
  }

  /** @throws CancelledError when the attempt is over. */
  #check(): void {
    if (this.ended !== undefined) {
      throw new CancelledError("ATTEMPT_ENDED", `The step is "${this.step}".`, { cause: this.ended });
    }
  }

  /** @throws CancelledError also when the handler has returned: there is no place for an answer any more. */
  #checkRunning(): void {
    this.#check();
    if (this.isSettled) {
      throw new CancelledError("ATTEMPT_ENDED", `The step is "${this.step}"; its handler has returned.`);
    }
  }

  #wait(input: EventInput, options: WaitOptions<WorkflowEvent>): Promise<WorkflowEvent | undefined> {
    const { where, timeout, id, ask, signal } = options;
    return this.#open(signal, (promise) => {
      checkInput(input, "The class that a wait got is");
      if (where !== undefined && typeof where !== "function") {
        throw new ValidationError("INVALID_OPTION", `where is ${describe(where)}.`);
      }
      if (ask !== undefined && !(ask instanceof WorkflowEvent)) {
        throw new ValidationError("INVALID_EVENT", `ask is ${describe(ask)}.`);
      }
      const limit = milliseconds(timeout, "The timeout of a wait");
      const { plan, engine, waits } = this.run;
      // The engine waits for one type; a choice is a wait for any event, with a condition.
      const isChoice = input instanceof EventChoice;
      let accepts = isChoice ? (event: WorkflowEvent) => takes(input, event) && (where?.(event) ?? true) : where;
      // It is opened all the same, so that an attempt that runs again asks for the same; but no event may be lost in
      // it.
      if (signal?.aborted === true) accepts = () => false;
      const types = classesOf(input).map((eventClass) => plan.typeIdOf(eventClass));
      const engineType = isChoice ? plan.typeIdOf(WorkflowEvent) : types[0]!;
      const what = id ?? plan.describeInput(input);
      this.#warnOfShadow(what, types);
      const claim = accepts === undefined ? 0 : 1 + this.#keptFor(engineType, accepts);
      const question = ask === undefined ? undefined : { type: plan.typeOf(ask), event: ask };
      const isConditional = accepts !== undefined;
      engine.wait(this, engineType, { id, timeout: limit, isConditional, claim, question }, (number) => {
        waits.add(number, { owner: this, what, id, ask, types, where: accepts, ...promise(number) });
      });
      this.run.deliverHeld();
    });
  }

  /** The slot of the oldest kept event that a condition accepts, or -1. */
  #keptFor(type: number, accepts: (event: WorkflowEvent) => boolean): number {
    const { engine } = this.run;
    return engine.kept(type).find((slot) => accepts(engine.slots.event(slot))) ?? -1;
  }

  #warnOfShadow(what: string, types: readonly number[]): void {
    const { plan, waits, definition } = this.run;
    if (waits.size === 0 || this.planned.warnedOfShadow) return;
    const shadow = waits.shadowOf(
      this,
      types.map((type) => plan.lineageOf(type)),
    );
    if (shadow === undefined) return;
    this.planned.warnedOfShadow = true;
    definition.warn(
      `Step "${this.step}" waits for ${what} while an older wait of it for ${shadow.what} is still open, ` +
        "and that one gets the next event. " +
        "If the older wait has lost a Promise.race, use context.firstOf({ … }), which withdraws the losers, or " +
        "give the wait a signal and abort it.",
    );
  }

  #sleep(seconds: number, { signal }: SleepOptions): Promise<WorkflowEvent | undefined> {
    return this.#open(signal, (promise) => {
      const delay = milliseconds(seconds, "The duration of a sleep");
      const { engine, waits } = this.run;
      engine.sleep(this, delay === NONE ? Number.MAX_VALUE : delay, (number) => {
        waits.add(number, { owner: this, what: undefined, types: [], where: undefined, ...promise(number) });
      });
    });
  }

  /** Opens a wait or sleep, and gives the promise of it. */
  #open(
    signal: AbortSignal | undefined,
    open: (promise: (number: number) => Pick<OpenWait, "resolve" | "reject">) => void,
  ): Promise<WorkflowEvent | undefined> {
    let opened: number | undefined;
    let stopListening = ignore;
    const promise = new Promise<WorkflowEvent | undefined>((resolve, reject) => {
      this.#checkRunning();
      checkSignal(signal);
      open((number) => {
        opened = number;
        return { resolve, reject };
      });
      if (opened !== undefined && signal !== undefined) {
        const number = opened;
        // At once, when it is aborted already.
        stopListening = onAbort(signal, () => this.#withdraw(number, signal.reason));
      }
    });
    // A wait that the program does not look at any more must not end in an unhandled rejection.
    promise.then(stopListening, stopListening);
    if (opened !== undefined) (this.#more.waits ??= new WeakMap()).set(promise, opened);
    return promise;
  }

  #withdrawn(what: string | undefined, cause: unknown): CancelledError {
    const subject = what === undefined ? "" : ` It waited for ${what}.`;
    const options = cause === undefined ? {} : { cause };
    return new CancelledError("WAIT_WITHDRAWN", `The step is "${this.step}".${subject}`, options);
  }

  /** Withdraws a wait or sleep that is still open. */
  #withdraw(number: number, cause: unknown): void {
    const wait = this.run.waits.remove(number);
    if (wait === undefined) return;
    this.run.guard(() => this.run.engine.withdraw(this, number));
    wait.reject(this.#withdrawn(wait.what, cause));
  }

  #firstOf(waits: Readonly<Record<string, PromiseLike<unknown>>>): Promise<[string, unknown]> {
    this.#checkRunning();
    const entries = typeof waits === "object" && waits !== null ? Object.entries(waits) : [];
    const wrong = entries.find(([, wait]) => !isThenable(wait));
    if (entries.length === 0 || wrong !== undefined) {
      const what = wrong === undefined ? describe(waits) : `${describe(wrong[1])} under "${wrong[0]}"`;
      throw new ValidationError("INVALID_OPTION", `firstOf needs promises by key, and got ${what}.`);
    }
    const numbers = entries.map(([, wait]) => this.#extras?.waits?.get(wait));
    const losers = new Set<number>();
    const withdrawOthers = (winner: number | undefined): void => {
      for (const number of numbers) {
        if (number === undefined || number === winner || losers.has(number)) continue;
        losers.add(number);
        this.#withdraw(number, undefined);
      }
    };
    const waitsOf = (number: number | undefined): OpenWait | undefined =>
      number === undefined ? undefined : this.run.waits.get(number);
    const early = numbers.find((number) => number !== undefined && waitsOf(number) === undefined);
    if (early !== undefined) withdrawOthers(early);
    for (const number of numbers) {
      const wait = waitsOf(number);
      // At once, when the answer comes: until the promise has settled, another event could answer another wait and get
      // lost.
      if (wait !== undefined) wait.answered = () => withdrawOthers(number);
    }
    return new Promise((resolve, reject) => {
      entries.forEach(([key, wait], nth) => {
        const number = numbers[nth];
        wait.then(
          (value) => {
            withdrawOthers(number);
            resolve([key, value]);
          },
          (error: unknown) => {
            if (number !== undefined && losers.has(number)) return;
            withdrawOthers(number);
            reject(error as Error);
          },
        );
      });
    });
  }

  /** The attempt is over: its open waits reject, and nothing that it still does counts. */
  end(reason: Error): void {
    if (this.ended !== undefined) return;
    const extras = this.#more;
    extras.ended = reason;
    this.rejectWaits(reason);
    if (extras.store !== undefined) dropEdits(extras.store, reason, this.step);
    extras.controller?.abort(reason);
  }

  /** Rejects the open waits. */
  rejectWaits(reason: Error): void {
    if (this.run.waits.size === 0) return;
    for (const wait of this.run.waits.removeAllOf(this)) {
      wait.reject(new CancelledError("ATTEMPT_ENDED", `The step is "${this.step}".`, { cause: reason }));
    }
  }
}
