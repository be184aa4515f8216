// The event that says that a step begins again.

import { StreamReset, type WorkflowEvent } from "../model/events.js";
import type { Plan } from "./plan.js";

export function resetEvent(
  plan: Plan,
  step: number,
  attempt: number,
  input: WorkflowEvent | readonly WorkflowEvent[],
): StreamReset {
  const { name, resetDetails } = plan.steps[step]!;
  const inputs = Array.isArray(input) ? (input as readonly WorkflowEvent[]) : [input as WorkflowEvent];
  return new StreamReset({ ...resetDetails?.(inputs), step: name, attempt });
}
