// Carries out what the engine wants done. User code is called from here, never while the engine is at work, and one loop
// at a time goes through a run's queue, however deep the calls that add to it.

import { CancelledError, LimitError, StalledError, TimeoutError } from "../errors.js";
import type { StepFailedEvent, StopEvent, WorkflowEvent } from "../events.js";
import { fail, invoke } from "./attempt.js";
import { describeOpen } from "./describe-open.js";
import { ask, engineError } from "./engine.js";
import { Invocation, type PendingWait } from "./invocation.js";
import type { Line } from "./line.js";
import type { Run } from "./run.js";
import { NO_ALARM, NO_SLOT, op, outcome } from "./words.js";

/** Carries out {@link op.NEXT}, which nearly all commands are. */
export function carryOutUsual(run: Run, line: Line): void {
  const { words, next: at } = line;
  line.next = at + 6;
  const step = run.plan.steps[words[at + 1]!]!;
  const index = words[at + 2]!;
  const generation = words[at + 3]!;
  const input = line.payload(words[at + 4]!);
  const released = words[at + 5]!;
  if (released !== NO_SLOT) line.drop(released);
  run.publish(input, false);
  if (line.isSettling) return;
  const invocation = new Invocation(run, step, index, generation, 1, input);
  run.invocations[index] = invocation;
  if (step.retry !== undefined || run.shelved !== undefined) recallEarlier(run, line, invocation, undefined);
  invoke(run, invocation);
}

/** Carries out the next command of a run. */
export function carryOutNext(run: Run, line: Line): void {
  const commands = line.words;
  let at = line.next;
  switch (commands[at++]) {
    case op.PUBLISH:
      line.next = at + 1;
      run.publish(line.payload(commands[at]!), false);
      return;
    case op.RELEASE:
      line.next = at + 1;
      line.drop(commands[at]!);
      return;
    case op.INVOKE:
      line.next = at + 5 + commands[at + 4]!;
      if (!line.isSettling) invoke(run, newInvocation(run, line, at));
      return;
    case op.RESET:
      line.next = at + 2;
      if (!line.isSettling) run.publish(run.plan.streamReset(commands[at]!, commands[at + 1]!), false);
      return;
    case op.RESOLVE: {
      line.next = at + 2;
      const event = line.payload(commands[at + 1]!);
      takeWait(run, commands[at]!)?.resolve(event);
      return;
    }
    case op.WAKE:
      line.next = at + 1;
      takeWait(run, commands[at]!)?.resolve(undefined);
      return;
    case op.EXPIRE: {
      line.next = at + 1;
      const pending = takeWait(run, commands[at]!);
      const detail = `Step "${pending?.invocation.step}" waited for ${pending?.what}.`;
      pending?.reject(new TimeoutError("WAIT_TIMEOUT", detail));
      return;
    }
    case op.TIME_OUT: {
      line.next = at + 2;
      const invocation = run.invocations[commands[at]!];
      if (invocation === undefined || invocation.isSettled) return;
      fail(run, invocation, new TimeoutError("STEP_TIMEOUT", `The step is "${invocation.step}".`));
      return;
    }
    case op.ALARM:
      line.next = at + 1;
      setAlarm(run, commands[at]!);
      return;
    case op.IDLE:
      line.next = at;
      run.setIdle(true);
      return;
    case op.BUSY:
      line.next = at;
      run.setIdle(false);
      return;
    case op.SETTLE:
      line.next = at + 3;
      settle(run, commands[at]!, commands[at + 1]!);
      return;
    default:
      // Whatever this was, what follows cannot be read.
      throw engineError(0);
  }
}

/** The invocation that the words from `at` to the next command tell of. */
function newInvocation(run: Run, line: Line, at: number): Invocation {
  const commands = line.words;
  const step = run.plan.steps[commands[at]!]!;
  const index = commands[at + 1]!;
  const earlier = run.invocations[index];
  const attempt = commands[at + 3]!;
  const input = commands[at + 4] === 1 ? line.payload(commands[at + 5]!) : inputsOf(line, at + 5);
  const invocation = new Invocation(run, step, index, commands[at + 2]!, attempt, input);
  run.invocations[index] = invocation;
  if (attempt > 1 || step.retry !== undefined || run.shelved !== undefined)
    recallEarlier(run, line, invocation, earlier);
  return invocation;
}

function inputsOf(line: Line, from: number): WorkflowEvent[] {
  const inputs: WorkflowEvent[] = [];
  for (let at = from; at < line.next; at += 1) inputs.push(line.payload(line.words[at]!));
  return inputs;
}

/** What an attempt takes over from the one before it, or from an earlier life of the run. */
function recallEarlier(run: Run, line: Line, invocation: Invocation, earlier: Invocation | undefined): void {
  const { planned: step, index } = invocation;
  if (typeof step.retry === "function") {
    invocation.began = (invocation.attempt > 1 ? earlier?.began : undefined) ?? line.alive();
  }
  if (run.shelved !== undefined) {
    invocation.nested = run.shelved.get(index);
    run.shelved.delete(index);
  }
  if (invocation.attempt > 1) invocation.onces = earlier?.onces;
}

/** Takes a wait off that is over, or that nobody can answer any more. */
export function takeWait(run: Run, wait: number): PendingWait | undefined {
  const pending = run.waits.get(wait);
  if (pending?.where !== undefined) run.predicates -= 1;
  return pending?.invocation.takeWait(wait);
}

function setAlarm(run: Run, delay: number): void {
  clearTimeout(run.alarm);
  run.alarm = delay === NO_ALARM ? undefined : setTimeout(() => onAlarm(run), delay);
}

function onAlarm(run: Run): void {
  run.alarm = undefined;
  if (run.isEnded) return;
  const { line } = run;
  run.guard(() => line.take(ask(() => line.engine().engine_wake(line.handle, line.alive()))));
}

/** The run is over, in one of the ways that the engine knows. */
function settle(run: Run, how: number, slot: number): void {
  const event = run.line.payload(slot);
  switch (how) {
    case outcome.COMPLETED:
      run.stop = event as StopEvent;
      run.finish("completed", undefined);
      return;
    case outcome.STEP_FAILED:
      run.failure = (event as StepFailedEvent).data;
      run.finish("failed", run.failure.error);
      return;
    case outcome.TIMED_OUT: {
      const { text, cause } = describeOpen(run);
      run.finish("failed", new TimeoutError("RUN_TIMEOUT", text, cause === undefined ? {} : { cause }));
      return;
    }
    case outcome.STALLED: {
      const { text, cause } = describeOpen(run);
      run.finish("failed", new StalledError("RUN_STALLED", text, cause === undefined ? {} : { cause }));
      return;
    }
    case outcome.LIMIT_REACHED:
      run.finish("failed", new LimitError("STEPS_LIMIT", `The limit is ${run.workflow.limits.steps}.`));
      return;
    default:
      run.finish("cancelled", new CancelledError("RUN_CANCELLED"));
  }
}
