// A run with 1,000 pending events of 1 kB, for what is measured of snapshots; and the codec alone on the same payloads.
import { stringify } from "devalue";
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

const PENDING = 1000;

class Pending extends WorkflowEvent {
  static type = "pending";
}

export class Count extends WorkflowEvent {
  static type = "count";
}

export class Go extends WorkflowEvent {
  static type = "go";
}

const text = "The quick brown fox jumps over the lazy dog. ".repeat(20);
const payload = (id) => ({
  id,
  name: `item ${id}`,
  tags: ["a", "b", "c"],
  price: id / 3,
  at: null,
  text: `${id} ${text}`,
});

/** Counts down, and then waits for an event from outside. */
export const workflow = new Workflow({ name: "frozen", timeout: null, events: [Pending, Go] });
workflow.addStep({ inputs: [StartEvent], outputs: [Count], name: "begin" }, (_, { data }) => new Count(data));
workflow.addStep({ inputs: [Count], outputs: [Count, StopEvent], name: "count" }, async (context, { data }) => {
  if (data > 0) return new Count(data - 1);
  await context.requireEvent(Go);
  return new StopEvent("done");
});

/** The run, at rest, and `encode`: the payloads as bytes, by the codec that snapshots use, and no more than that. */
export async function pendingRun() {
  const run = workflow.run(0);
  await run.idle();
  const payloads = Array.from({ length: PENDING }, (_, id) => payload(id));
  for (const data of payloads) run.sendEvent(new Pending(data));
  const encoder = new TextEncoder();
  return { run, encode: () => encoder.encode(stringify(payloads)) };
}
