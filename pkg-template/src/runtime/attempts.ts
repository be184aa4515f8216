// The attempts of a run: each from the call of its handler to what the engine learns of it.

import { CancelledError, TimeoutError, ValidationError, asError } from "../errors/errors.js";
import { InputRequiredEvent, StepFailedEvent, type StepFailure, WorkflowEvent, typeName } from "../model/events.js";
import type { StepHook } from "../model/options.js";
import type { WorkflowContext } from "../model/run.js";
import { describe } from "../util/describe.js";
import { isThenable } from "../util/thenable.js";
import { verdict } from "../wasm/protocol.js";
import { Invocation, type InvocationRun } from "./invocation.js";
import type { PlannedStep } from "./plan.js";
import type { Questions } from "./questions.js";
import { decideRetry } from "./retry-decision.js";
import type { NestedRuns } from "./run-parts.js";

/** The run, as its attempts know it. */
export interface AttemptsRun extends InvocationRun {
  /** The run as programs see it, for `onStep`. */
  readonly context: unknown;
  readonly onStep: StepHook | undefined;
  /** The waits with a condition that accept an event; undefined when there is none with a condition. */
  match(event: WorkflowEvent): readonly number[] | undefined;
  readonly asked: Questions;
  /** The run fails. */
  fail(error: Error): void;
}

/** What a step returns. */
export type Output = WorkflowEvent | readonly WorkflowEvent[] | undefined;

/** The events that a step returns. */
export function eventsOf(output: Output): readonly WorkflowEvent[] {
  if (output === undefined || output === null) return [];
  return isList(output) ? output : [output];
}

/** Whether something is an array. Never throws, unlike `Array.isArray` of a proxy that was revoked. */
export function isList<Value>(value: Value): value is Extract<Value, readonly unknown[]> {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** Whether something is an event. A proxy that throws at every look is none; what it threw would get lost. */
function isEvent(value: unknown): value is WorkflowEvent {
  try {
    return value instanceof WorkflowEvent;
  } catch {
    return false;
  }
}

/** A step that has returned, held until a loop over the steps asks for the next. */
export interface HeldStep {
  readonly invocation: Invocation;
  /** What it returned, or what the loop has put in its place. */
  output: Output;
}

/** A loop over the steps: gets each step that has returned, and calls {@link Attempts.release} to let it go on. */
export type Gate = (held: HeldStep) => void;

type Handler = (context: Invocation, ...events: readonly (WorkflowEvent | readonly WorkflowEvent[])[]) => unknown;

export class Attempts {
  /** How many attempts have succeeded. */
  completed = 0;
  /** Set while a loop goes through the run step by step. */
  gate: Gate | undefined;
  /** The failure that an error handler took last and made no event of. */
  unanswered: StepFailure | undefined;
  readonly #run: AttemptsRun;
  /** By their place in the engine's table. */
  #table: (Invocation | undefined)[] = [];
  #held: Set<HeldStep> | undefined;
  /**
   * Nested runs of an earlier life that were not asked for again, by the place of the invocation that had started them.
   */
  readonly #nested: Map<number, NestedRuns> | undefined;
  /** What attempts of an earlier life had returned, by the place of the invocation. */
  readonly #returned: Map<number, Output> | undefined;

  constructor(
    run: AttemptsRun,
    nested: ReadonlyMap<number, NestedRuns> | undefined,
    returned: ReadonlyMap<number, Output> | undefined,
  ) {
    this.#run = run;
    this.#nested = nested === undefined || nested.size === 0 ? undefined : new Map(nested);
    this.#returned = returned === undefined || returned.size === 0 ? undefined : new Map(returned);
  }

  [Symbol.iterator](): Iterator<Invocation> {
    return this.#table.filter((invocation) => invocation !== undefined)[Symbol.iterator]();
  }

  /** Steps that have returned and are held by a loop. */
  get held(): Iterable<HeldStep> {
    return this.#held ?? [];
  }

  /** Nested runs of an earlier life whose step has not begun again yet. */
  get unclaimed(): ReadonlyMap<number, NestedRuns> {
    return this.#nested ?? new Map<number, NestedRuns>();
  }

  // ---- the beginning ----

  /** Begins an attempt: calls the handler. */
  begin(
    step: PlannedStep,
    index: number,
    generation: number,
    attempt: number,
    input: WorkflowEvent | readonly WorkflowEvent[],
  ): void {
    const invocation = new Invocation(this.#run, step, index, generation, attempt, input);
    const earlier = this.#table[index];
    this.#table[index] = invocation;
    if (attempt > 1 || this.#nested !== undefined) this.#follow(invocation, earlier);
    if (this.#returned?.has(index) === true) {
      const output = this.#returned.get(index);
      this.#returned.delete(index);
      this.#onReturn(invocation, output);
      return;
    }
    this.#call(invocation);
  }

  /**
   * An attempt takes over what an earlier one of the invocation has left, in this life of the run or an earlier one.
   */
  #follow(invocation: Invocation, earlier: Invocation | undefined): void {
    const { index, attempt } = invocation;
    if (this.#nested !== undefined) {
      invocation.nested = this.#nested.get(index);
      this.#nested.delete(index);
    }
    if (attempt > 1) invocation.follow(earlier);
  }

  #call(invocation: Invocation): void {
    const { planned, input } = invocation;
    if (this.#run.definition.verbose) console.log(`Running step ${planned.name}`);
    let promise: Promise<unknown>;
    try {
      const handler = planned.handler as Handler;
      const returned =
        planned.collects !== undefined
          ? handler(invocation, [...invocation.inputs])
          : Array.isArray(input)
            ? handler(invocation, ...(input as WorkflowEvent[]))
            : handler(invocation, input as WorkflowEvent);
      if (returned instanceof Promise) {
        promise = returned;
      } else if (isThenable(returned)) {
        // A foreign thenable may settle twice, or throw: only what a promise makes of it counts.
        promise = Promise.resolve(returned);
      } else {
        this.#onReturn(invocation, returned);
        return;
      }
    } catch (error) {
      this.fail(invocation, error);
      return;
    }
    promise.then(
      (output) => this.#onReturn(invocation, output),
      (error: unknown) => this.fail(invocation, error),
    );
  }

  // ---- the end ----

  /** Whether nothing that the attempt brings counts any more. */
  #isOver(invocation: Invocation): boolean {
    return invocation.isSettled || invocation.ended !== undefined || this.#run.engine.isSettling;
  }

  /** The handler has returned. */
  #onReturn(invocation: Invocation, output: unknown): void {
    if (this.#isOver(invocation)) return;
    const { planned } = invocation;
    // The type of the output, plus 1; 0 where there is none, and -1 where it is not known yet.
    let type = 0;
    if (output !== undefined && output !== null) {
      if (isEvent(output)) type = output.constructor === planned.lastClass ? planned.lastType + 1 : -1;
      if (type === 0 && isList(output)) {
        this.#onList(invocation, output);
        return;
      }
      if (type === 0) {
        const detail = `Step "${invocation.step}" returned ${describe(output)}.`;
        this.fail(invocation, new ValidationError("INVALID_EVENT", detail), verdict.GIVE_UP);
        return;
      }
    }
    if (this.gate !== undefined) this.#hold(this.gate, invocation, type === 0 ? undefined : (output as WorkflowEvent));
    else this.#complete(invocation, output as WorkflowEvent | undefined, type);
  }

  /** The handler has returned an array. */
  #onList(invocation: Invocation, output: readonly unknown[]): void {
    let events: WorkflowEvent[];
    try {
      // A copy, without holes: what the program does to its array from now on does not count.
      events = Array.from(output) as WorkflowEvent[];
      const wrong = events.findIndex((event) => !isEvent(event));
      if (wrong >= 0) {
        const what = `Step "${invocation.step}" returned an array`;
        throw new ValidationError("INVALID_EVENT", `${what} whose member ${wrong} is ${describe(events[wrong])}.`);
      }
    } catch (error) {
      this.fail(invocation, error, verdict.GIVE_UP);
      return;
    }
    if (this.gate !== undefined) this.#hold(this.gate, invocation, events);
    else this.#completeList(invocation, events);
  }

  /** A loop over the steps gets the step. */
  #hold(gate: Gate, invocation: Invocation, output: Output): void {
    const held: HeldStep = { invocation, output };
    (this.#held ??= new Set()).add(held);
    gate(held);
  }

  /** A step that was held goes on. */
  release(held: HeldStep): void {
    if (this.#held?.delete(held) !== true) return;
    const { invocation, output } = held;
    if (isList(output)) this.#completeList(invocation, output);
    else this.#complete(invocation, output, output === undefined ? 0 : -1);
  }

  #complete(invocation: Invocation, output: WorkflowEvent | undefined, knownType: number): void {
    if (this.#isOver(invocation)) return;
    const run = this.#run;
    const { planned, index, generation } = invocation;
    let type = knownType;
    try {
      let matches: readonly number[] | undefined;
      if (type !== 0) {
        if (type < 0) type = this.#outputType(planned, output!) + 1;
        if (run.waits.conditional > 0) matches = run.match(output!);
        // A condition is user code, and may have ended the run.
        if (matches !== undefined && this.#isOver(invocation)) return;
      }
      if (type === 0) this.#onNothing(invocation);
      if (run.definition.verbose) this.#log(planned, type - 1);
      if (planned.asks && output !== undefined && output.constructor === planned.lastClass) {
        run.asked.ask(planned.name, output);
      }
      const accepted = this.#settle(invocation, output);
      run.engine.complete(index, generation, type, output, matches, accepted);
    } catch (thrown) {
      this.#onThrown(invocation, thrown);
    }
  }

  #completeList(invocation: Invocation, events: readonly WorkflowEvent[]): void {
    if (this.#isOver(invocation)) return;
    const run = this.#run;
    const { planned } = invocation;
    try {
      const types = events.map((event) =>
        event.constructor === planned.lastClass ? planned.lastType : this.#outputType(planned, event),
      );
      const matches: number[] = [];
      if (run.waits.conditional > 0) {
        events.forEach((event, nth) => run.match(event)?.forEach((wait) => matches.push(nth, wait)));
        // A condition is user code, and may have ended the run.
        if (this.#isOver(invocation)) return;
      }
      if (events.length === 0) this.#onNothing(invocation);
      for (const event of events) {
        if (event instanceof InputRequiredEvent && !run.plan.isTaken(event)) run.asked.ask(planned.name, event);
      }
      if (run.definition.verbose)
        for (const type of new Set(events.length === 0 ? [-1] : types)) this.#log(planned, type);
      const accepted = this.#settle(invocation, events);
      run.engine.completeList(invocation, types, events, matches, accepted);
    } catch (thrown) {
      this.#onThrown(invocation, thrown);
    }
  }

  /** A step has returned no event. */
  #onNothing({ planned, input }: Invocation): void {
    if (planned.handles !== undefined) this.unanswered = (input as StepFailedEvent).data;
  }

  /** The attempt has succeeded. Returns what is to be called when the engine has accepted that. */
  #settle(invocation: Invocation, output: Output): (() => void) | undefined {
    const run = this.#run;
    invocation.isSettled = true;
    if (run.waits.size > 0) invocation.rejectWaits(new CancelledError("ATTEMPT_ENDED", "The handler has returned."));
    // What it took is not held any longer than needed.
    this.#table[invocation.index] = undefined;
    this.completed += 1;
    const { onStep } = run;
    return onStep === undefined ? undefined : () => this.#callHook(onStep, invocation, output);
  }

  /** Something has thrown on the way from a handler's return to the engine. */
  #onThrown(invocation: Invocation, thrown: unknown): void {
    if (invocation.isSettled) this.#run.fail(asError(thrown, "onStep"));
    else this.fail(invocation, thrown, verdict.GIVE_UP);
  }

  /** The type of an event that a step returns. @throws ValidationError `UNDECLARED_OUTPUT` under `strict()`. */
  #outputType(planned: PlannedStep, output: WorkflowEvent): number {
    const { plan } = this.#run;
    const id = plan.typeOf(output);
    if (plan.isDeclared(planned, id, output)) {
      planned.lastClass = output.constructor;
      planned.lastType = id;
      planned.asks = output instanceof InputRequiredEvent && !plan.isTaken(output);
    } else {
      this.#onUndeclared(planned, id);
    }
    return id;
  }

  #onUndeclared(step: PlannedStep, type: number): void {
    const { plan, definition } = this.#run;
    const declared = (step.outputs ?? []).map(typeName).join(", ");
    const detail = `Step "${step.name}" returned ${typeName(plan.classOf(type)!)}, but its outputs are [${declared}].`;
    const error = new ValidationError("UNDECLARED_OUTPUT", detail);
    if (definition.isStrict) throw error;
    if (!step.warned) definition.warn(error.message);
    step.warned = true;
  }

  #log(step: PlannedStep, type: number): void {
    const eventClass = this.#run.plan.classOf(type);
    const what = eventClass === undefined ? "no event" : `event ${typeName(eventClass)}`;
    console.log(`Step ${step.name} produced ${what}`);
  }

  #callHook(hook: StepHook, invocation: Invocation, output: Output): void {
    const { step, inputs, attempt } = invocation;
    const sequence = this.completed;
    const outputs = eventsOf(output);
    const returned = hook(
      { step, input: inputs[0]!, inputs, output: outputs[0], outputs, sequence, attempt },
      this.#run.context as WorkflowContext,
    );
    if (isThenable(returned)) {
      Promise.resolve(returned).catch((error: unknown) => this.#run.fail(asError(error, "onStep")));
    }
  }

  /** The attempt has failed: its handler threw, it timed out, or it returned something impossible. */
  fail(invocation: Invocation, thrown: unknown, decided?: number): void {
    if (this.#isOver(invocation)) return;
    invocation.isSettled = true;
    const { planned, inputs, attempt } = invocation;
    const error = asError(thrown, planned.name);
    if (this.#run.waits.size > 0) {
      invocation.rejectWaits(new CancelledError("ATTEMPT_ENDED", "The handler has returned."));
    }
    invocation.end(error);
    const { plan, engine } = this.#run;
    this.#run.guard(() => {
      const { elapsed } = invocation;
      const [what, delay] = decided === undefined ? decideRetry(invocation, error) : [decided, 0];
      const event = new StepFailedEvent({
        step: planned.name,
        event: inputs[0]!,
        events: inputs,
        error,
        attempts: attempt,
        elapsed,
        failedAt: Date.now(),
      });
      engine.fail(invocation, plan.typeOf(event), event, what, delay);
    });
  }

  /** An attempt has used up its time. */
  timeOut(index: number): void {
    const invocation = this.#table[index];
    if (invocation === undefined || invocation.isSettled) return;
    this.fail(invocation, new TimeoutError("STEP_TIMEOUT", `The step is "${invocation.step}".`));
  }

  /** The run has ended; `reason` makes the error that attempts under way are ended with. */
  endAll(reason: () => Error): void {
    const table = this.#table;
    this.#table = [];
    this.#held = undefined;
    for (const invocation of table) {
      if (invocation === undefined || invocation.isSettled) continue;
      invocation.end(reason());
    }
  }
}
