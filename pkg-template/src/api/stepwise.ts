// A loop over the steps of a run.

import { WorkflowEvent } from "../model/events.js";
import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";

import { type HeldStep, eventsOf, isList } from "../runtime/attempts.js";
import type { PausedStep } from "../model/run.js";
import type { LiveRun } from "../runtime/live-run.js";

/**
 * Yields each step when it has returned; its event goes on when the loop asks for the next. When the loop is left
 * early, the run goes on by itself. Steps that run at the same time are yielded one after the other, in the order in
 * which they return.
 */
export async function* stepThrough(run: LiveRun): AsyncGenerator<PausedStep, void, undefined> {
  const { attempts } = run;
  const held: HeldStep[] = [];
  let wake: (() => void) | undefined;
  const notify = (): void => wake?.();
  const gate = (step: HeldStep): void => {
    held.push(step);
    notify();
  };
  attempts.gate = gate;
  run.whenEnded(notify);
  try {
    run.start();
    for (;;) {
      const next = held.shift();
      if (next === undefined) {
        if (run.isEnded) break;
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      try {
        yield pausedStep(next);
      } finally {
        attempts.release(next);
      }
    }
  } finally {
    // A later loop may have taken over.
    if (attempts.gate === gate) attempts.gate = undefined;
    for (const step of held.splice(0)) attempts.release(step);
  }
  if (run.error !== undefined) throw run.error;
}

function pausedStep(held: HeldStep): PausedStep {
  const { step, inputs, attempt } = held.invocation;
  return {
    step,
    input: inputs[0]!,
    inputs,
    attempt,
    get output() {
      return eventsOf(held.output)[0];
    },
    get outputs() {
      return eventsOf(held.output);
    },
    replace(event) {
      const wrong = isList(event) ? event.find((member) => !(member instanceof WorkflowEvent)) : undefined;
      const isEvent = isList(event)
        ? wrong === undefined && !event.includes(undefined as never)
        : event instanceof WorkflowEvent;
      if (event !== undefined && !isEvent) {
        throw new ValidationError("INVALID_EVENT", `replace got ${describe(isList(event) ? wrong : event)}.`);
      }
      held.output = isList(event) ? [...event] : event;
    },
  };
}
