// An attempt of a step, from the call of its handler to what the engine is told of it.

import type { WorkflowContext } from "../context.js";
import { CancelledError, ValidationError, WorkflowError, asError } from "../errors.js";
import { StepFailedEvent, WorkflowEvent } from "../events.js";
import type { StepHook } from "../run-options.js";
import { describe } from "./duration.js";
import { ask, enter, leave, trapped } from "./engine.js";
import type { Invocation } from "./invocation.js";
import { judge } from "./judge.js";
import { type PlannedStep, typeName } from "./plan.js";
import type { Run } from "./run.js";
import { isThenable } from "./thenable.js";
import { verdict } from "./words.js";

/** Calls the handler. What comes of it is told to the engine, now or when its promise has settled. */
export function invoke(run: Run, invocation: Invocation): void {
  const { planned, inputs } = invocation;
  if (run.workflow.verbose) console.log(`Running step ${planned.name}`);
  let returned: unknown;
  let isPromise: boolean;
  try {
    const handler = planned.handler as (context: Invocation, ...events: readonly WorkflowEvent[]) => unknown;
    returned = inputs.length === 1 ? handler(invocation, inputs[0]!) : handler(invocation, ...inputs);
    isPromise = isThenable(returned);
  } catch (error) {
    fail(run, invocation, error);
    return;
  }
  if (!isPromise) {
    onReturn(run, invocation, returned);
    return;
  }
  // A foreign thenable may settle twice, or throw: only a promise's word counts.
  const promise = returned instanceof Promise ? (returned as Promise<unknown>) : Promise.resolve(returned);
  promise.then(
    (output) => onReturn(run, invocation, output),
    (error: unknown) => fail(run, invocation, error),
  );
}

/** The handler has returned, and its word still counts. */
function onReturn(run: Run, invocation: Invocation, output: unknown): void {
  if (isOver(run, invocation)) return;
  let isEvent = false;
  try {
    isEvent = output instanceof WorkflowEvent;
  } catch {
    // A proxy that throws at every look is no event. Nothing may be thrown here: it would get lost in the promise.
  }
  if (!isEvent && output !== undefined && output !== null) {
    const detail = `Step "${invocation.step}" returned ${describe(output)}.`;
    fail(run, invocation, new ValidationError("INVALID_EVENT", detail), verdict.GIVE_UP);
    return;
  }
  if (run.gate !== undefined) {
    run.gate(invocation, isEvent ? (output as WorkflowEvent) : undefined, (replaced) =>
      complete(run, invocation, replaced),
    );
    return;
  }
  complete(run, invocation, output);
}

/** Whether nothing that the attempt brings counts any more. */
function isOver(run: Run, invocation: Invocation): boolean {
  return invocation.isSettled || invocation.ended !== undefined || run.line.isSettling;
}

function complete(run: Run, invocation: Invocation, output: unknown): void {
  if (isOver(run, invocation)) return;
  const { plan, line } = run;
  try {
    let type = 0;
    let slot = 0;
    if (output instanceof WorkflowEvent) {
      const id = plan.typeOf(output);
      if (!plan.isDeclared(invocation.planned, id, output)) onUndeclared(run, invocation.planned, id);
      run.match(output);
      type = id + 1;
      slot = line.keep(output);
    }
    invocation.isSettled = true;
    if (invocation.waits !== undefined) closeWaits(run, invocation);
    if (run.workflow.verbose) log(run, invocation.planned, type - 1);
    const { index, generation } = invocation;
    let answer: number;
    try {
      // Not through `ask`: its closure would show on this path, the busiest of all.
      enter();
      answer = line.engine().engine_complete(line.handle, index, generation, type, slot, line.tickTime());
      leave();
    } catch (cause) {
      if (!(cause instanceof WorkflowError)) throw trapped(cause);
      leave();
      throw cause;
    }
    line.take(answer);
    run.completed += 1;
    if (run.onStep !== undefined) tell(run, run.onStep, invocation, type === 0 ? undefined : (output as WorkflowEvent));
  } catch (thrown) {
    if (invocation.isSettled) run.finish("failed", asError(thrown, "onStep"));
    else fail(run, invocation, thrown, verdict.GIVE_UP);
    return;
  }
  run.carryOut();
}

function log(run: Run, step: PlannedStep, type: number): void {
  const eventClass = run.plan.classOf(type);
  const what = eventClass === undefined ? "no event" : `event ${typeName(eventClass)}`;
  console.log(`Step ${step.name} produced ${what}`);
}

function onUndeclared(run: Run, step: PlannedStep, type: number): void {
  const detail = `Step "${step.name}" returned ${typeName(run.plan.classOf(type)!)}.`;
  const error = new ValidationError("UNDECLARED_OUTPUT", detail);
  if (run.workflow.isStrict) throw error;
  if (!step.warned) console.warn(error.message);
  step.warned = true;
}

function tell(run: Run, hook: StepHook, invocation: Invocation, output: WorkflowEvent | undefined): void {
  const { step, inputs, attempt } = invocation;
  const sequence = run.completed;
  const told = hook({ step, input: inputs[0]!, inputs, output, sequence, attempt }, run.context as WorkflowContext);
  if (isThenable(told)) {
    Promise.resolve(told).catch((error: unknown) => run.finish("failed", asError(error, "onStep")));
  }
}

function closeWaits(run: Run, invocation: Invocation): void {
  for (const wait of invocation.waits ?? []) if (run.waits.get(wait)?.where !== undefined) run.predicates -= 1;
  invocation.dropWaits(new CancelledError("ATTEMPT_ENDED", "The handler has returned."));
}

/** The attempt has failed: its handler threw, it timed out, or it returned something impossible. */
export function fail(run: Run, invocation: Invocation, thrown: unknown, decided?: number): void {
  if (isOver(run, invocation)) return;
  invocation.isSettled = true;
  const { planned, inputs, attempt, index, generation } = invocation;
  const error = asError(thrown, planned.name);
  if (invocation.waits !== undefined) closeWaits(run, invocation);
  invocation.end(error);
  const { plan, line } = run;
  run.guard(() => {
    const [what, delay] = decided === undefined ? judge(invocation, error, line.alive()) : [decided, 0];
    const failure = { step: planned.name, event: inputs[0]!, events: inputs, error, attempts: attempt };
    const event = new StepFailedEvent(failure);
    const slot = line.keep(event);
    const type = plan.typeOf(event);
    line.take(
      ask(() => line.engine().engine_fail(line.handle, index, generation, type, slot, what, delay, line.alive())),
    );
  });
}
