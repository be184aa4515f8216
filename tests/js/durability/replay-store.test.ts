// What a replay says of the store: at each tick what it was at that tick, because a snapshot of that moment must be able to go on.
import { expect, test } from "vitest";
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import "../kit/fake-clock.js";

class Counted extends WorkflowEvent<number> {
  static readonly type = "counted";
}

const workflow = new Workflow<undefined, number, number>();
workflow.addStep({ name: "count", inputs: [StartEvent<number>], outputs: [Counted] }, ({ store }, { data }) => {
  store.set("count", data);
  return new Counted(data);
});
workflow.addStep({ name: "wait", inputs: [Counted], outputs: [StopEvent<number>] }, async ({ store, sleep }) => {
  store.set("count", store.get("count", Number.NaN) + 1);
  store.set("isSlept", false);
  await sleep(0.001);
  store.delete("isSlept");
  return new StopEvent(store.get("count", Number.NaN));
});

test("each tick has the store that its steps had left behind before it", async () => {
  const run = workflow.run(1, undefined, { journal: true });
  await run;
  const past = workflow.replay(run.journal(), { until: 0 });
  const stores: unknown[] = [];
  while (past.next()) stores.push(past.store.toJSON());
  expect(stores).toEqual([
    {}, // The run has begun.
    { count: 1 }, // The first step has returned.
    { count: 2, isSlept: false }, // The second one has asked for its sleep.
    { count: 2, isSlept: false }, // The time is over.
    { count: 2 }, // It has returned.
  ]);
  expect(past.next()).toBe(false);
});

test("what was stored by a step that has returned is there when a later moment lives on", async () => {
  const run = workflow.run(5, undefined, { journal: true });
  await run;
  const past = workflow.replay(run.journal(), {
    until: ({ inFlight }) => inFlight.some(({ step }) => step === "wait"),
  });
  expect((await workflow.recover(past.snapshot())).data).toBe(6);
});
