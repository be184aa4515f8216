// An attempt of a step, from the call of its handler to what the engine is told of it.

import type { WorkflowContext } from "../context.js";
import { CancelledError, ValidationError, asError } from "../errors.js";
import { StepFailedEvent, WorkflowEvent } from "../events.js";
import type { StepHook } from "../run-options.js";
import { describe } from "./duration.js";
import { ask } from "./engine.js";
import type { Invocation } from "./invocation.js";
import { judge } from "./judge.js";
import { type PlannedStep, typeName } from "./plan.js";
import type { Run } from "./run.js";
import { isThenable } from "./thenable.js";
import { verdict } from "./words.js";

type Handler = (context: Invocation, ...events: readonly WorkflowEvent[]) => unknown;

/** Calls the handler. What comes of it is told to the engine, now or when its promise has settled. */
export function invoke(run: Run, invocation: Invocation): void {
  const { planned, input } = invocation;
  if (run.workflow.verbose) console.log(`Running step ${planned.name}`);
  let returned: unknown;
  let promise: Promise<unknown>;
  try {
    const handler = planned.handler as Handler;
    returned = Array.isArray(input)
      ? handler(invocation, ...(input as WorkflowEvent[]))
      : handler(invocation, input as WorkflowEvent);
    if (returned instanceof Promise) {
      promise = returned;
    } else if (isThenable(returned)) {
      // A foreign thenable may settle twice, or throw: only a promise's word counts.
      promise = Promise.resolve(returned);
    } else {
      onReturn(invocation, returned);
      return;
    }
  } catch (error) {
    fail(run, invocation, error);
    return;
  }
  promise.then(
    (output) => onReturn(invocation, output),
    (error: unknown) => fail(invocation.run, invocation, error),
  );
}

/** The handler has returned, and its word still counts. */
function onReturn(invocation: Invocation, output: unknown): void {
  const { run, planned } = invocation;
  if (isOver(run, invocation)) return;
  let type = 0;
  if (output !== undefined && output !== null) {
    try {
      if (output instanceof WorkflowEvent) type = output.constructor === planned.lastClass ? planned.lastType + 1 : -1;
    } catch {
      // A proxy that throws at every look is no event. Nothing may be thrown here: it would get lost in the promise.
    }
    if (type === 0) {
      const detail = `Step "${invocation.step}" returned ${describe(output)}.`;
      fail(run, invocation, new ValidationError("INVALID_EVENT", detail), verdict.GIVE_UP);
      return;
    }
  }
  if (run.gate !== undefined) {
    run.gate(invocation, type === 0 ? undefined : (output as WorkflowEvent), (replaced) =>
      complete(run, invocation, replaced, replaced instanceof WorkflowEvent ? -1 : 0),
    );
    return;
  }
  complete(run, invocation, output, type);
}

/** Whether nothing that the attempt brings counts any more. */
function isOver(run: Run, invocation: Invocation): boolean {
  return invocation.isSettled || invocation.ended !== undefined || run.line.isSettling;
}

/** The type of an event that a step returns. @throws when it may not return it. */
function outputType(run: Run, planned: PlannedStep, output: WorkflowEvent): number {
  const { plan } = run;
  const id = plan.typeOf(output);
  if (plan.isDeclared(planned, id, output)) {
    planned.lastClass = output.constructor;
    planned.lastType = id;
  } else {
    onUndeclared(run, planned, id);
  }
  return id;
}

/** @param type Of the output, plus 1; 0 where there is none, and -1 where it is not known yet. */
function complete(run: Run, invocation: Invocation, output: unknown, type: number): void {
  if (isOver(run, invocation)) return;
  const { line } = run;
  try {
    let slot = 0;
    let matches: readonly number[] | undefined;
    if (type !== 0) {
      if (type < 0) type = outputType(run, invocation.planned, output as WorkflowEvent) + 1;
      matches = run.match(output as WorkflowEvent);
      slot = line.keep(output);
    }
    invocation.isSettled = true;
    if (invocation.waits !== undefined) closeWaits(run, invocation);
    if (run.workflow.verbose) log(run, invocation.planned, type - 1);
    if (type === 0 && invocation.planned.handles !== undefined) run.unanswered = invocation.input as StepFailedEvent;
    // What it took is not held any longer than needed.
    run.invocations[invocation.index] = undefined;
    line.complete(invocation.index, invocation.generation, type, slot, matches);
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
