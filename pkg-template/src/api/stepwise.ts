// Going through a run step by step.

import { WorkflowEvent } from "../model/events.js";
import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";

import type { Run } from "../runtime/live-run.js";

/** A step that has returned, before its event goes on. */
export interface PausedStep {
  /** The step's name. */
  readonly step: string;
  /** The event it was invoked with; of a step with several inputs, the first. */
  readonly input: WorkflowEvent;
  /** All events it was invoked with. */
  readonly inputs: readonly WorkflowEvent[];
  /** The event that will go on: what the step returned, or what {@link PausedStep.replace} put in its place. */
  readonly output: WorkflowEvent | undefined;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** Lets another event go on, or none. Must be called before the loop goes on. */
  replace(event: WorkflowEvent | undefined): void;
}

/**
 * Yields each step when it has returned; its event goes on when the loop asks for the next. When the loop is left early, the run
 * goes on by itself. Steps that run at the same time are yielded one after the other, in the order in which they return.
 */
export async function* stepThrough(run: Run): AsyncGenerator<PausedStep, void, undefined> {
  const paused: { readonly step: PausedStep; readonly go: () => void }[] = [];
  let wake: (() => void) | undefined;
  const notify = (): void => wake?.();
  const gate: Run["gate"] = (invocation, returned, go) => {
    let output = returned;
    const { step, inputs, attempt } = invocation;
    const pausedStep: PausedStep = {
      step,
      input: inputs[0]!,
      inputs,
      attempt,
      get output() {
        return output;
      },
      replace(event) {
        if (event !== undefined && !(event instanceof WorkflowEvent)) {
          throw new ValidationError("INVALID_EVENT", `replace got ${describe(event)}.`);
        }
        output = event;
      },
    };
    paused.push({ step: pausedStep, go: () => go(output) });
    notify();
  };
  run.gate = gate;
  run.whenEnded(notify);
  try {
    run.start();
    for (;;) {
      const next = paused.shift();
      if (next === undefined) {
        if (run.isEnded) break;
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      try {
        yield next.step;
      } finally {
        next.go();
      }
    }
  } finally {
    // A later loop may have taken over.
    if (run.gate === gate) run.gate = undefined;
    for (const { go } of paused.splice(0)) go();
  }
  if (run.error !== undefined) throw run.error;
}
