// What the libraries of this family did wrong, each turned around.

import { StartEvent, StopEvent, TimeoutError, Workflow, WorkflowEvent } from "stepstream";
import { expect, test, vi } from "vitest";
import "../kit/fake-clock.js";
import { collect, expectError, kinds, pause, soon, turn } from "../kit/index.js";
import { processorTime } from "../kit/processor.js";

class Note extends WorkflowEvent<number> {}
class Other extends WorkflowEvent<number> {}

test("an async handler's error ends stream and promise with the same error, and is no unhandled rejection", async () => {
  const broken = new Error("broken");
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async () => {
    await turn();
    throw broken;
  });
  const context = workflow.run(0);
  const { events, error } = await soon(collect(context));
  expect(kinds(events)).toEqual(["StartEvent"]);
  expect(error).toBe(broken);
  await expect(context).rejects.toBe(broken);
});

test("an error that reaches only the loop is not also an unhandled rejection", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async () => {
    throw new Error("broken");
  });
  const { error } = await soon(collect(workflow.run(0)));
  expect(error).toBeInstanceOf(Error);
});

/** Milliseconds of processor time for each of so many events that no step takes. */
async function unhandledCost(count: number): Promise<number> {
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>] }, ({ sendEvent }, event) => {
    const began = processorTime();
    for (let nth = 0; nth < event.data; nth += 1) sendEvent(new Note(nth));
    return new StopEvent((processorTime() - began) / event.data);
  });
  return (await soon(workflow.run(count))).data;
}

test("the cost of an event that no step takes does not depend on how many came before", async () => {
  for (let round = 0; round < 3; round += 1) await unhandledCost(1_000);
  const best = async (count: number): Promise<number> => {
    const costs = [];
    for (let round = 0; round < 5; round += 1) costs.push(await unhandledCost(count));
    return Math.min(...costs);
  };
  const [few, many] = [await best(1_000), await best(30_000)];
  // It is about 1. A cost that grows with the number of events would make it thirty.
  expect(many / few).toBeLessThan(8);
});

test("the cost of a sent event does not depend on how many waits are open", async () => {
  const cost = async (waits: number): Promise<number> => {
    const workflow = new Workflow<unknown, number, number>();
    workflow.addStep({ inputs: [StartEvent<number>] }, async ({ requireEvent, sendEvent }, event) => {
      for (let nth = 0; nth < event.data; nth += 1) void requireEvent(Other);
      const began = processorTime();
      for (let nth = 0; nth < 2_000; nth += 1) sendEvent(new Note(nth));
      return new StopEvent((processorTime() - began) / 2_000);
    });
    return (await soon(workflow.run(waits))).data;
  };
  for (let round = 0; round < 3; round += 1) await cost(100);
  const best = async (waits: number): Promise<number> =>
    Math.min(await cost(waits), await cost(waits), await cost(waits));
  const [few, many] = [await best(100), await best(5_000)];
  // It is about 1. A cost that grows with the number of waits would make it fifty.
  expect(many / few).toBeLessThan(10);
});

test("the timeout of a run holds while it is iterated", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: 0.05 });
  workflow.addStep({ inputs: [StartEvent], name: "stuck" }, () => new Promise<undefined>(() => undefined));
  const began = performance.now();
  const { events, error } = await soon(collect(workflow.run(0)));
  expect(kinds(events)).toEqual(["StartEvent"]);
  expectError(error, TimeoutError, "RUN_TIMEOUT");
  expect(performance.now() - began).toBeCloseTo(50);
});

test("a run that waits sets no timer but the one of its deadline", async () => {
  const timers = vi.spyOn(globalThis, "setTimeout");
  const intervals = vi.spyOn(globalThis, "setInterval");
  const immediates = vi.spyOn(globalThis, "setImmediate");
  const workflow = new Workflow<unknown, unknown, string>({ timeout: 10 });
  workflow.addStep(
    { inputs: [StartEvent] },
    async ({ requireEvent }) => new StopEvent(String((await requireEvent(Note)).data)),
  );
  const context = workflow.run(0);
  const reader = collect(context);
  const resolveLater = new Promise<void>((resolve) => setTimeout(resolve, 40));
  await resolveLater;
  // One is this test's.
  expect(timers.mock.calls.length).toBeLessThanOrEqual(2);
  expect(intervals).not.toHaveBeenCalled();
  expect(immediates).not.toHaveBeenCalled();
  context.sendEvent(new Note(1));
  await soon(reader);
});

test("a run without deadlines sets no timer at all", async () => {
  const timers = vi.spyOn(globalThis, "setTimeout");
  const workflow = new Workflow<unknown, unknown, number>({ timeout: null });
  workflow.addStep({ inputs: [StartEvent] }, async () => new Note(1));
  workflow.addStep({ inputs: [Note] }, async () => new StopEvent(1));
  await workflow.run(0);
  expect(timers).not.toHaveBeenCalled();
});

test("a run that has ended leaves no timer behind", async () => {
  const set = vi.spyOn(globalThis, "setTimeout");
  const cleared = vi.spyOn(globalThis, "clearTimeout");
  const workflow = new Workflow<unknown, unknown, number>({ timeout: 1_000 });
  workflow.addStep({ inputs: [StartEvent], timeout: 500 }, async () => {
    // A run that ends within its first turn sets none.
    for (let turns = 0; turns < 5; turns += 1) await Promise.resolve();
    return new StopEvent(1);
  });
  await workflow.run(0);
  const open = set.mock.results.map(({ value }) => value as unknown);
  const gone = new Set(cleared.mock.calls.map(([timer]) => timer as unknown));
  expect(open.length).toBeGreaterThan(0);
  expect(open.filter((timer) => !gone.has(timer))).toEqual([]);
});

test("a finished result is not wrapped a second time", async () => {
  const workflow = new Workflow<unknown, unknown, { answer: number }>();
  const result = { answer: 42 };
  const stop = new StopEvent(result);
  workflow.addStep({ inputs: [StartEvent] }, () => stop);
  const context = workflow.run(0);
  const first = await soon(context);
  const second = await soon(context);
  const third = await soon(context.then((event) => event));
  expect([first, second, third].every((event) => event === stop)).toBe(true);
  expect(first.data).toBe(result);
  expect(context.result).toBe(result);
});

test("a StopEvent that carries a StopEvent stays as it is", async () => {
  const inner = new StopEvent("inner");
  const workflow = new Workflow<unknown, unknown, StopEvent<string>>();
  workflow.addStep({ inputs: [StartEvent] }, () => new StopEvent(inner));
  expect((await soon(workflow.run(0))).data).toBe(inner);
});

test("classes that a minifier gave one name are distinguished by their static type", async () => {
  // As a minifier leaves them: both are called "e".
  const Draft = class e extends WorkflowEvent<string> {
    static readonly type = "draft";
  };
  const Review = class e extends WorkflowEvent<string> {
    static readonly type = "review";
  };
  expect(Draft.name).toBe(Review.name);
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], outputs: [Draft] }, () => new Draft("d"));
  workflow.addStep({ inputs: [Draft], outputs: [Review] }, (_, { data }) => new Review(`${data}r`));
  workflow.addStep({ inputs: [Review], outputs: [StopEvent<string>] }, (_, { data }) => new StopEvent(data));
  expect((await soon(workflow.run(0))).data).toBe("dr");
});

test("a minified name is not seen in messages where there is a static type", async () => {
  const Draft = class e extends WorkflowEvent<string> {
    static readonly type = "draft";
  };
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "s" }, ({ waitForEvent }) => waitForEvent(Draft, { timeout: 0.001 }));
  const { error } = await soon(collect(workflow.run(0)));
  expectError(error, TimeoutError, "WAIT_TIMEOUT");
  expect((error as Error).message).toContain("draft");
});

test("steps that are added in another order do the same", async () => {
  const steps: ((workflow: Workflow<unknown, number, number>) => unknown)[] = [
    (workflow) => workflow.addStep({ inputs: [StartEvent<number>], name: "a" }, (_, { data }) => new Note(data + 1)),
    (workflow) => workflow.addStep({ inputs: [Note], name: "b" }, (_, { data }) => new Other(data * 2)),
    (workflow) => workflow.addStep({ inputs: [Other], name: "c" }, (_, { data }) => new StopEvent(data)),
  ];
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    const workflow = new Workflow<unknown, number, number>();
    for (const nth of order) steps[nth]!(workflow);
    expect((await soon(workflow.run(1))).data).toBe(4);
  }
});

test("the stream ends when the run has ended, even if its reader comes late", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, () => new StopEvent("x"));
  const context = workflow.run(0);
  await pause(5);
  expect(kinds((await soon(collect(context))).events)).toEqual(["StartEvent", "StopEvent"]);
});
