// What freezing a run costs: a snapshot of a run with 1,000 pending events of 1 kB each, against encoding the same payloads with
// the payload codec alone; taking it up again; and how large the snapshot of an idle run is after a long past.
import { stringify } from "devalue";
import { median } from "../lib/stats.mjs";
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

const PENDING = 1000;
const SAMPLES = 40;
const past = Number(process.argv[2]);

class Pending extends WorkflowEvent {
  static type = "pending";
}

class Count extends WorkflowEvent {
  static type = "count";
}

class Go extends WorkflowEvent {
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
const workflow = new Workflow({ name: "frozen", timeout: null, events: [Pending, Go] });
workflow.addStep({ inputs: [StartEvent], outputs: [Count], name: "begin" }, (_, { data }) => new Count(data));
workflow.addStep({ inputs: [Count], outputs: [Count, StopEvent], name: "count" }, async (context, { data }) => {
  if (data > 0) return new Count(data - 1);
  await context.requireEvent(Go);
  return new StopEvent("done");
});

const milliseconds = (work) => {
  const samples = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const start = performance.now();
    work();
    samples.push(performance.now() - start);
  }
  // The first half is warm-up.
  return median(samples.slice(SAMPLES / 2));
};

const run = workflow.run(0);
await run.idle();
const payloads = Array.from({ length: PENDING }, (_, id) => payload(id));
for (const data of payloads) run.sendEvent(new Pending(data));
const encoder = new TextEncoder();
const codecMs = milliseconds(() => encoder.encode(stringify(payloads)));
const snapshotMs = milliseconds(() => run.snapshot());
const bytes = run.snapshot();
const recoverMs = milliseconds(() => workflow.recover(bytes));
const again = workflow.recover(bytes);
again.sendEvent(new Go());
if ((await again).data !== "done") throw new Error("the recovered run came to another end");
run.cancel();

const old = workflow.run(past);
// The stream is read, as in a run whose events matter: unread events would be in the snapshot.
const reading = (async () => {
  for await (const event of old) if (event instanceof Count && event.data === 0) break;
})();
await reading;
await old.idle();
const idleBytes = old.snapshot().length;
old.cancel();

console.log(
  JSON.stringify({ snapshotMs, codecMs, ratio: snapshotMs / codecMs, recoverMs, kB: bytes.length / 1e3, idleBytes }),
);
