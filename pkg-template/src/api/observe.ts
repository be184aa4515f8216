// Tells what happens in a run.

import { ValidationError } from "../errors/errors.js";
import type { LifecycleEvent } from "../model/events.js";
import type { WorkflowContext } from "../model/run.js";
import { describe } from "../util/describe.js";
import { errorMessage } from "../util/error-message.js";
import { isThenable } from "../util/thenable.js";
import { liveRunOf } from "./context.js";

/**
 * Calls a function with a {@link LifecycleEvent} for each thing that happens in a run from now on, and in the runs
 * nested in it: a step is queued, starts, waits, retries, ends; an event is sent, delivered, kept, dropped; the run
 * starts, waits, goes on, ends. It does not begin the run, and changes nothing in it. An observer that comes late gets
 * what follows; that of a run that has ended gets nothing.
 *
 * The observer is called before whatever comes of the event: before a step's handler runs, before a published event is
 * in the stream. If it throws, or returns a promise that rejects, the workflow's `onWarning` is told, and the run goes
 * on. A run that is observed takes a longer way through the engine; one that is not has no cost.
 *
 * ```ts
 * const stop = observe(run, ({ data }) => {
 *   if (data.kind === "step.started") console.log(`${data.step}, attempt ${data.attempt}`);
 * });
 * ```
 *
 * @returns A function that stops it.
 * @throws ValidationError `INVALID_OPTION` when the first argument is no run, or the second no function.
 */
export function observe(run: WorkflowContext, observer: (event: LifecycleEvent) => void): () => void {
  const live = liveRunOf(run);
  if (live === undefined) throw new ValidationError("INVALID_OPTION", `The run to observe is ${describe(run)}.`);
  if (typeof observer !== "function") {
    throw new ValidationError("INVALID_OPTION", `The observer is ${describe(observer)}.`);
  }
  const warn = (thrown: unknown): void =>
    live.definition.warn(`An observer of "${live.definition.name}" failed: ${errorMessage(thrown)}`);
  const lifecycle = (event: LifecycleEvent): void => {
    try {
      const returned: unknown = observer(event);
      if (isThenable(returned)) Promise.resolve(returned).catch(warn);
    } catch (thrown) {
      warn(thrown);
    }
  };
  return live.watch({ lifecycle });
}
