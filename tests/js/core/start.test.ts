// When a run begins: by itself in the next microtask, or at its first use.

import { StartEvent, StopEvent, ValidationError, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import { collect, fails, kinds, soon, turn } from "../kit/index.js";

class Note extends WorkflowEvent<string> {}

function observed(): { workflow: Workflow<unknown, string, string>; began: () => number } {
  let begun = 0;
  const workflow = new Workflow<unknown, string, string>();
  workflow.addStep({ inputs: [StartEvent<string>] }, async (_, event) => {
    begun += 1;
    return new StopEvent(event.data);
  });
  workflow.addStep({ inputs: [Note] }, () => undefined);
  return { workflow, began: () => begun };
}

test("a run begins by itself, not before run has returned, in the next microtask", async () => {
  const { workflow, began } = observed();
  const context = workflow.run("x");
  expect([context.status, began()]).toEqual(["created", 0]);
  await Promise.resolve();
  expect(began()).toBe(1);
  await turn();
  expect([context.status, context.result]).toEqual(["completed", "x"]);
});

test.each<[string, (context: ReturnType<Workflow<unknown, string, string>["run"]>) => unknown]>([
  ["start()", (context) => context.start()],
  ["await (then)", (context) => context.then()],
  ["catch", (context) => context.catch()],
  ["finally", (context) => context.finally()],
  ["iteration", (context) => context[Symbol.asyncIterator]()],
  ["stream()", (context) => context.stream()],
  ["sendEvent", (context) => context.sendEvent(new Note("n"))],
  ["idle()", (context) => context.idle()],
])("%s begins the run at once, and only once", async (_, use) => {
  const { workflow, began } = observed();
  const context = workflow.run("x");
  const used = use(context);
  expect(began()).toBe(1);
  expect(context.status).toBe("running");
  use(context);
  await soon(context);
  await used;
  expect(began()).toBe(1);
});

test.each<[string, (context: ReturnType<Workflow<unknown, string, string>["run"]>) => unknown]>([
  ["stepwise()", (context) => context.stepwise().next()],
])("%s begins the run", async (_, use) => {
  const { workflow, began } = observed();
  await soon(Promise.resolve(use(workflow.run("x"))));
  expect(began()).toBe(1);
});

test("looking at a run does not begin it", async () => {
  const { workflow, began } = observed();
  const context = workflow.run("x", "d");
  void [context.status, context.result, context.failure, context.runId, context.store, context.data];
  expect(began()).toBe(0);
  expect(context.status).toBe("created");
  await soon(context);
});

test("start gives the run, and does nothing after the end", async () => {
  const { workflow, began } = observed();
  const context = workflow.run("x");
  expect(context.start()).toBe(context);
  await soon(context);
  context.start();
  await turn();
  expect(began()).toBe(1);
  expect(context.status).toBe("completed");
});

test("a run that is not observed runs to its end, and its failure disturbs nothing", async () => {
  const workflow = new Workflow<unknown, string, string>();
  workflow.addStep({ inputs: [StartEvent<string>] }, async () => {
    throw new Error("nobody listens");
  });
  const context = workflow.run("x");
  await turn();
  expect(context.status).toBe("failed");
  await expect(context).rejects.toThrow("nobody listens");
});

test("an event that is sent at once comes after the start event", async () => {
  const { workflow } = observed();
  const context = workflow.run("x");
  context.sendEvent(new Note("n"));
  const { events } = await soon(collect(context));
  expect(kinds(events)).toEqual(["StartEvent", "Note", "StopEvent"]);
});

test("run ids are unique, or as given", async () => {
  const { workflow } = observed();
  const contexts = Array.from({ length: 1_000 }, () => workflow.run("x"));
  expect(new Set(contexts.map(({ runId }) => runId)).size).toBe(1_000);
  const named = workflow.run("x", undefined, { runId: "mine" });
  expect(named.runId).toBe("mine");
  await soon(Promise.all([named, ...contexts]));
});

test("a start event that no step takes is refused at run", async () => {
  class Begin extends StartEvent<string> {}
  class OtherBegin extends StartEvent<string> {}
  const workflow = new Workflow<unknown, string, string>();
  workflow.addStep({ inputs: [Begin] }, () => new StopEvent(""));
  await fails(() => workflow.run("plain"), ValidationError, "NO_START_STEP");
  const error = await fails(() => workflow.run(new OtherBegin("x")), ValidationError, "NO_START_STEP");
  expect(error.message).toContain("OtherBegin");
  await soon(workflow.run(new Begin("x")));
});

test("a workflow without steps, or without a step for the start, is refused at run", async () => {
  const workflow = new Workflow<unknown, string, string>();
  await fails(() => workflow.run("x"), ValidationError, "NO_STEPS");
  workflow.addStep({ inputs: [Note] }, () => new StopEvent(""));
  await fails(() => workflow.run("x"), ValidationError, "NO_START_STEP");
});
