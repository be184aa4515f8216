// One attempt of one step: what is behind a handler's context.

import { CancelledError, ValidationError } from "../errors.js";
import type { WorkflowContext } from "../context.js";
import { EventChoice, type EventClass, type EventInput, type StopEvent, WorkflowEvent } from "../events.js";
import type { HandlerContext, NestedWorkflow, Slots, WaitOptions } from "../handler-context.js";
import type { RunOptions } from "../run-options.js";
import type { Store } from "../store.js";
import { NONE, describe, milliseconds } from "./duration.js";
import type { PlannedStep } from "./plan.js";
import { type Opened, collect, openSleep, openWait, recall, remember } from "./questions.js";
import type { AnyWorkflow, Run } from "./run.js";
import { checkInput, takes } from "./step.js";
import { type NestedRuns, nestedKey } from "./thaw.js";

/** A wait or sleep whose promise is open. */
export interface PendingWait {
  /** The type of event, in words; undefined for a sleep. */
  readonly what: string | undefined;
  readonly invocation: Invocation;
  /** Set when not every event of the type will do. */
  readonly where: ((event: WorkflowEvent) => boolean) | undefined;
  readonly resolve: (event: WorkflowEvent | undefined) => void;
  readonly reject: (error: unknown) => void;
  /** What may withdraw it, and how. */
  signal?: AbortSignal;
  onAbort?: () => void;
}

/** What a wait is made of, once it was checked. */
interface Question {
  readonly what?: string;
  readonly accepts?: PendingWait["where"];
  readonly open: () => Opened;
}

const onceKey = (key: string): string => `once:${key}`;

const ignore = (): void => undefined;

function checkSignal(signal: unknown): void {
  // By what it can do: a signal of another realm is one as well.
  const { aborted, addEventListener } = (signal ?? {
    aborted: false,
    addEventListener: ignore,
  }) as Partial<AbortSignal>;
  if (typeof aborted === "boolean" && typeof addEventListener === "function") return;
  throw new ValidationError("INVALID_OPTION", `signal is ${describe(signal)}.`);
}

/** What few attempts need; made when one does, so that the others stay small: thousands may be in flight. */
class Extras {
  /** When the first attempt began, in milliseconds of alive time; known only where a retry function asks for it. */
  began = 0;
  /** The attempt counts for nothing any more; this is why. */
  ended: Error | undefined;
  /** The numbers of the open waits; made when there is one. */
  waits: Set<number> | undefined;
  /** Nested runs of an earlier life that this attempt has not asked for again. */
  nested: NestedRuns | undefined;
  /** What happens once and was begun, by key; later attempts share it. */
  onces: Map<string, Promise<unknown>> | undefined;
  /** How many runs of each nested workflow this attempt has started. */
  nestedCounts: Map<string, number> | undefined;
  controller: AbortController | undefined;
  /** A step that sends many events asks for it each time. */
  sendEvent: HandlerContext["sendEvent"] | undefined;
}

export class Invocation implements HandlerContext {
  readonly run: Run;
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
    run: Run,
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

  get began(): number {
    return this.#extras?.began ?? 0;
  }

  set began(began: number) {
    this.#more.began = began;
  }

  get ended(): Error | undefined {
    return this.#extras?.ended;
  }

  get waits(): Set<number> | undefined {
    return this.#extras?.waits;
  }

  get nested(): NestedRuns | undefined {
    return this.#extras?.nested;
  }

  set nested(nested: NestedRuns | undefined) {
    if (nested !== undefined || this.#extras !== undefined) this.#more.nested = nested;
  }

  get onces(): Map<string, Promise<unknown>> | undefined {
    return this.#extras?.onces;
  }

  set onces(onces: Map<string, Promise<unknown>> | undefined) {
    if (onces !== undefined || this.#extras !== undefined) this.#more.onces = onces;
  }

  get data(): unknown {
    return this.run.data;
  }

  get store(): Store {
    return this.run.store;
  }

  get runId(): string {
    return this.run.runId;
  }

  get step(): string {
    return this.planned.name;
  }

  get signal(): AbortSignal {
    const extras = this.#more;
    if (extras.controller === undefined) {
      extras.controller = new AbortController();
      if (extras.ended !== undefined) extras.controller.abort(extras.ended);
    }
    return extras.controller.signal;
  }

  // Handlers take the methods off the context, so each is a getter that gives a bound function: nothing is made for a
  // handler that does not use it.

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
    return (input, options = {}) => this.#wait(input, options as WaitOptions<WorkflowEvent>) as Promise<never>;
  }

  get collectEvents(): HandlerContext["collectEvents"] {
    return (event, classes) => {
      this.#checkRunning();
      if (!(event instanceof WorkflowEvent)) {
        throw new ValidationError("INVALID_EVENT", `collectEvents got ${describe(event)}.`);
      }
      if (!Array.isArray(classes)) {
        throw new ValidationError("INVALID_OPTION", `The classes that collectEvents got are ${describe(classes)}.`);
      }
      // Nothing is asked for, so nothing is missing.
      if (classes.length === 0) return [] as never;
      return collect(this, event, classes) as never;
    };
  }

  get sleep(): HandlerContext["sleep"] {
    return (seconds, { signal } = {}) =>
      this.#open(signal, () => {
        const delay = milliseconds(seconds, "sleep");
        return { open: () => openSleep(this, delay === NONE ? Number.MAX_VALUE : delay) };
      }) as Promise<never>;
  }

  get workflows(): Readonly<Record<string, NestedWorkflow<Slots[string]>>> {
    const slots = this.run.workflow.workflows;
    const nested: Record<string, NestedWorkflow<Slots[string]>> = {};
    for (const [slot, workflow] of Object.entries<AnyWorkflow>(slots)) {
      nested[slot] = {
        run: (input: unknown, data: unknown = this.run.data, options: RunOptions = {}) =>
          this.#runNested(workflow, slot, input, data, options) as never,
      };
    }
    return nested;
  }

  #runNested(workflow: AnyWorkflow, slot: string, input: unknown, data: unknown, options: RunOptions): WorkflowContext {
    this.#check();
    const counts: Map<string, number> = (this.#more.nestedCounts ??= new Map());
    const count = counts.get(slot) ?? 0;
    counts.set(slot, count + 1);
    const key = `${slot}#${count}`;
    const parent = { invocation: this, slot, key };
    const done = this.isSettled ? undefined : recall(this, nestedKey(key));
    if (done !== undefined) return workflow.completed(done.value as StopEvent, data, options, parent);
    const shelf = this.nested?.get(key);
    if (shelf === undefined) return workflow.runNested(input, data, options, parent);
    this.nested?.delete(key);
    return workflow.recoverNested(shelf, data, options, parent);
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

  #once(key: string, act: () => unknown): Promise<unknown> {
    const known = recall(this, onceKey(key));
    if (known !== undefined) return Promise.resolve(known.value);
    const onces: Map<string, Promise<unknown>> = (this.#more.onces ??= new Map());
    let begun = onces.get(key);
    if (begun === undefined) {
      begun = Promise.resolve().then(act);
      onces.set(key, begun);
      // What has failed has not happened.
      begun.catch(() => onces.delete(key));
    }
    return begun.then((value) => {
      // The result may come when this attempt is over; the next one shares it, and remembers it then.
      if (this.ended === undefined && !this.isSettled) remember(this, onceKey(key), value);
      return value;
    });
  }

  /** @throws CancelledError when the attempt is over. */
  #check(): void {
    if (this.ended !== undefined) {
      throw new CancelledError("ATTEMPT_ENDED", `The step is "${this.step}".`, { cause: this.ended });
    }
  }

  /** @throws CancelledError also when the handler has returned: nobody is there any more to get an answer. */
  #checkRunning(): void {
    this.#check();
    if (this.isSettled)
      throw new CancelledError("ATTEMPT_ENDED", `The step is "${this.step}"; its handler has returned.`);
  }

  #wait(
    input: EventInput,
    { where, timeout, id, ask, signal }: WaitOptions<WorkflowEvent>,
  ): Promise<WorkflowEvent | undefined> {
    return this.#open(signal, () => {
      checkInput(input, "A wait was asked for");
      if (where !== undefined && typeof where !== "function") {
        throw new ValidationError("INVALID_OPTION", `where is ${describe(where)}.`);
      }
      const limit = milliseconds(timeout, "The timeout of a wait");
      if (ask !== undefined) this.run.checkEvent(ask, "ask");
      // The engine waits for one type; a choice is a wait for any event, with a condition.
      const isChoice = input instanceof EventChoice;
      let accepts = isChoice ? (event: WorkflowEvent) => takes(input, event) && (where?.(event) ?? true) : where;
      // It is opened all the same, so that an attempt which runs again asks for the same; but no event may be lost in it.
      if (signal?.aborted === true) accepts = () => false;
      const eventClass: EventClass = isChoice ? WorkflowEvent : input;
      const what = id ?? this.run.plan.describeInput(input);
      return { what, accepts, open: () => openWait(this, eventClass, accepts, limit, id, ask) };
    });
  }

  /** Asks the engine for something and gives the promise of it. */
  #open(signal: AbortSignal | undefined, prepare: () => Question): Promise<WorkflowEvent | undefined> {
    const promise = new Promise<WorkflowEvent | undefined>((resolve, reject) => {
      this.#checkRunning();
      checkSignal(signal);
      const { what, accepts, open } = prepare();
      const { wait, go } = open();
      const pending: PendingWait = { what, invocation: this, where: accepts, resolve, reject };
      (this.#more.waits ??= new Set()).add(wait);
      this.run.waits.set(wait, pending);
      // The answer may be here already, and can be given only now.
      go();
      if (signal === undefined || !this.run.waits.has(wait)) return;
      const withdraw = (): void => this.run.withdraw(wait, this, signal.reason);
      if (signal.aborted) withdraw();
      else signal.addEventListener("abort", (pending.onAbort = withdraw), { once: true });
      pending.signal = signal;
    });
    // Whoever forgot a wait must not be told of its end by an unhandled rejection.
    promise.catch(ignore);
    return promise;
  }

  /** Takes one of the open waits off. */
  takeWait(wait: number): PendingWait | undefined {
    const pending = this.run.waits.get(wait);
    this.waits?.delete(wait);
    this.run.waits.delete(wait);
    // A signal may outlive many waits.
    if (pending?.onAbort !== undefined) pending.signal?.removeEventListener("abort", pending.onAbort);
    return pending;
  }

  /** The attempt is over: what it still waits for will not come, and what it still does counts for nothing. */
  end(reason: Error): void {
    if (this.ended !== undefined) return;
    const extras = this.#more;
    extras.ended = reason;
    this.dropWaits(reason);
    extras.controller?.abort(reason);
  }

  /** Rejects the open waits. */
  dropWaits(reason: Error): void {
    if (this.waits === undefined) return;
    const waits = [...this.waits];
    this.#more.waits = undefined;
    for (const wait of waits) {
      const error = new CancelledError("ATTEMPT_ENDED", `The step is "${this.step}".`, { cause: reason });
      this.takeWait(wait)?.reject(error);
    }
  }
}
