// A StopEvent ends the run: queued work is dropped, steps in flight are notified, the stream ends after it.

import { CancelledError, StartEvent, StopEvent, ValidationError, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, deferred, expectError, fails, kinds, pause, soon, turn } from "../kit/index.js";

class Work extends WorkflowEvent<number> {}
class Other extends WorkflowEvent<number> {}

test("work that is queued behind numWorkers is dropped", async () => {
  let begun = 0;
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    for (let nth = 0; nth < 10; nth += 1) sendEvent(new Work(nth));
  });
  workflow.addStep({ inputs: [Work], numWorkers: 2 }, async (_, { data }) => {
    begun += 1;
    await pause(5);
    return data === 1 ? new StopEvent("enough") : undefined;
  });
  await soon(workflow.run(0));
  await pause(20);
  expect(begun).toBeLessThan(5);
});

test("steps that are due when another returns a StopEvent do not begin", async () => {
  const begun: number[] = [];
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    for (let nth = 0; nth < 5; nth += 1) sendEvent(new Work(nth));
  });
  workflow.addStep({ inputs: [Work] }, (_, { data }) => {
    begun.push(data);
    return data === 1 ? new StopEvent("enough") : undefined;
  });
  const { events, error } = await soon(collect(workflow.run(0)));
  expect(error).toBeUndefined();
  expect(begun).toEqual([0, 1]);
  expect(kinds(events)).toEqual(["StartEvent", "Work", "Work", "Work", "Work", "Work", "StopEvent"]);
});

test("steps that are due when another throws do not begin, and its error is the run's", async () => {
  const broken = new Error("broken");
  const begun: number[] = [];
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    for (let nth = 0; nth < 5; nth += 1) sendEvent(new Work(nth));
  });
  workflow.addStep({ inputs: [Work] }, (_, { data }) => {
    begun.push(data);
    throw broken;
  });
  await expect(soon(workflow.run(0))).rejects.toBe(broken);
  expect(begun).toEqual([0]);
});

test("the signal of steps in flight is aborted", async () => {
  const reasons: unknown[] = [];
  const aborted = deferred();
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "slow" }, async ({ signal }) => {
    expect(signal.aborted).toBe(false);
    signal.addEventListener("abort", () => {
      reasons.push(signal.reason);
      aborted.resolve();
    });
    await new Promise(() => undefined);
  });
  workflow.addStep({ inputs: [StartEvent] }, async () => new StopEvent(""));
  await soon(workflow.run(0));
  await soon(aborted.promise);
  expectError(reasons[0], CancelledError, "ATTEMPT_ENDED");
});

test("a signal that is first asked for after the end is aborted", async () => {
  const late = deferred<AbortSignal>();
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async (context) => {
    await pause(15);
    late.resolve(context.signal);
  });
  workflow.addStep({ inputs: [StartEvent] }, async () => new StopEvent(""));
  await soon(workflow.run(0));
  expect((await soon(late.promise)).aborted).toBe(true);
});

test("what steps in flight return or throw after the end changes nothing", async () => {
  const gate = deferred();
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async () => {
    await gate.promise;
    return new StopEvent("too late");
  });
  workflow.addStep({ inputs: [StartEvent] }, async () => {
    await gate.promise;
    throw new Error("too late");
  });
  workflow.addStep({ inputs: [StartEvent] }, async () => new StopEvent("first"));
  const context = workflow.run(0);
  const { events } = await soon(collect(context));
  gate.resolve();
  await turn();
  expect(kinds(events)).toEqual(["StartEvent", "StopEvent"]);
  expect((await context).data).toBe("first");
  expect(context.status).toBe("completed");
});

test("a StopEvent may be sent, from inside or from outside", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ sendEvent, signal }, event) => {
    if (event.data === "inside") sendEvent(new StopEvent("from inside"));
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  });
  expect((await soon(workflow.run("inside"))).data).toBe("from inside");
  const context = workflow.run("outside");
  context.sendEvent(new StopEvent("from outside"));
  expect((await soon(context)).data).toBe("from outside");
});

test("a step that is not async may send a StopEvent and return or throw afterwards", async () => {
  const workflow = new Workflow<unknown, string, string>();
  workflow.addStep({ inputs: [StartEvent<string>] }, ({ sendEvent }, event) => {
    sendEvent(new StopEvent("sent"));
    if (event.data === "throws") throw new Error("after the end");
    return event.data === "returns" ? new Work(1) : new StopEvent("second");
  });
  workflow.addStep({ inputs: [Work] }, () => undefined);
  for (const how of ["returns", "throws", "stops"]) {
    const context = workflow.run(how);
    const { events, error } = await soon(collect(context));
    expect(error).toBeUndefined();
    expect(kinds(events)).toEqual(["StartEvent", "StopEvent"]);
    expect(context.result).toBe("sent");
  }
});

test("nothing can be sent to a run that has ended", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, () => new StopEvent(""));
  workflow.addStep({ inputs: [Work] }, () => undefined);
  const context = workflow.run(0);
  await soon(context);
  const error = await fails(() => context.sendEvent(new Work(1)), ValidationError, "RUN_ENDED");
  expect(error.message).toContain("Work");
  await fails(() => context.sendEvent(new Work(1), { step: "nobody" }), ValidationError, "RUN_ENDED");
});

test("the first StopEvent counts", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  for (const name of ["one", "two"]) {
    workflow.addStep({ inputs: [StartEvent], name }, async () => new StopEvent(name));
  }
  const context = workflow.run(0);
  const { events } = await soon(collect(context));
  expect(kinds(events)).toEqual(["StartEvent", "StopEvent"]);
  expect((await context).data).toBe("one");
});

test("hasStep and removeStep go by name or handler, and runs under way keep their steps", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  const handler = (): StopEvent<string> => new StopEvent("handler");
  workflow.addStep({ inputs: [StartEvent], name: "first" }, async () => {
    await pause(5);
    return new Other(1);
  });
  workflow.addStep({ inputs: [Other] }, handler);
  expect(workflow.hasStep("first")).toBe(true);
  expect(workflow.hasStep("handler")).toBe(true);
  expect(workflow.hasStep(handler)).toBe(true);
  expect(workflow.hasStep("nobody")).toBe(false);
  expect(workflow.hasStep(() => undefined)).toBe(false);

  const before = workflow.run(0).start();
  expect(workflow.removeStep(handler)).toBe(workflow);
  expect(workflow.hasStep("handler")).toBe(false);
  workflow.addStep({ inputs: [Other], name: "handler" }, () => new StopEvent("replaced"));
  const after = workflow.run(0);
  expect((await soon(before)).data).toBe("handler");
  expect((await soon(after)).data).toBe("replaced");

  workflow.removeStep("handler").removeStep("first");
  await fails(() => workflow.removeStep("first"), ValidationError, "UNKNOWN_STEP");
  await fails(() => workflow.run(0), ValidationError, "NO_STEPS");
});
