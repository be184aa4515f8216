// The basic shapes of a workflow: chains, loops, steps at the same time, fan-out.

import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, deferred, kinds, soon } from "../kit/index.js";

class First extends WorkflowEvent<number> {}
class Second extends WorkflowEvent<number> {}
class Work extends WorkflowEvent<number> {}
class Done extends WorkflowEvent<number> {}

test("a chain of steps carries data from the start to the stop", async () => {
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>], outputs: [First] }, (_, event) => new First(event.data + 1));
  workflow.addStep({ inputs: [First], outputs: [Second] }, async (_, event) => new Second(event.data * 10));
  workflow.addStep({ inputs: [Second], outputs: [StopEvent<number>] }, (_, event) => new StopEvent(event.data + 5));
  const stop = await soon(workflow.run(1));
  expect(stop).toBeInstanceOf(StopEvent);
  expect(stop.data).toBe(25);
});

test("a run of a start event uses that very event", async () => {
  const start = new StartEvent("x");
  const workflow = new Workflow<unknown, string, unknown>();
  workflow.addStep({ inputs: [StartEvent<string>] }, (_, event) => new StopEvent({ same: event === start }));
  expect((await soon(workflow.run(start))).data).toEqual({ same: true });
});

test("a start event of the user's own class starts the steps that take it", async () => {
  class Begin extends StartEvent<{ topic: string }> {}
  const workflow = new Workflow<unknown, { topic: string }, string>();
  workflow.addStep({ inputs: [Begin] }, (_, event) => new StopEvent(event.data.topic));
  expect((await soon(workflow.run(new Begin({ topic: "tides" })))).data).toBe("tides");
});

test("steps may form a loop", async () => {
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>], outputs: [First] }, (_, event) => new First(event.data));
  workflow.addStep({ inputs: [First], outputs: [Second, StopEvent<number>] }, async (_, event) =>
    event.data >= 100 ? new StopEvent(event.data) : new Second(event.data * 2),
  );
  workflow.addStep({ inputs: [Second], outputs: [First] }, (_, event) => new First(event.data + 1));
  expect((await soon(workflow.run(1))).data).toBe(127);
});

test("a step may take what it returns", async () => {
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>] }, (_, event) => new Work(event.data));
  workflow.addStep({ inputs: [Work] }, (_, event) => (event.data === 0 ? new StopEvent(0) : new Work(event.data - 1)));
  expect((await soon(workflow.run(1_000))).data).toBe(0);
});

test("an input may be a start event or what a later step sends back", async () => {
  const seen: string[] = [];
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [WorkflowEvent.or(StartEvent<number>, First)] }, (_, event) => {
    seen.push(event.constructor.name);
    return new Second(event.data);
  });
  workflow.addStep({ inputs: [Second] }, (_, { data }) => (data < 3 ? new First(data + 1) : new StopEvent(data)));
  expect((await soon(workflow.run(1))).data).toBe(3);
  expect(seen).toEqual(["StartEvent", "First", "First"]);
});

test("two steps that take the start event run at the same time", async () => {
  const [left, right] = [deferred(), deferred()];
  const workflow = new Workflow<unknown, unknown, string>();
  // Each goes on only when the other has begun.
  workflow.addStep({ inputs: [StartEvent], outputs: [First] }, async () => {
    left.resolve();
    await right.promise;
    return new First(1);
  });
  workflow.addStep({ inputs: [StartEvent], outputs: [Second] }, async () => {
    right.resolve();
    await left.promise;
    return new Second(2);
  });
  workflow.addStep({ inputs: [First, Second] }, (_, one, two) => new StopEvent(`${one.data}${two.data}`));
  expect((await soon(workflow.run(0))).data).toBe("12");
});

test("a step's handler takes its events one after the other when numWorkers is 1, in order", async () => {
  const order: number[] = [];
  let [active, most] = [0, 0];
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>] }, ({ sendEvent }, event) => {
    for (let nth = 0; nth < event.data; nth += 1) sendEvent(new Work(nth));
  });
  workflow.addStep({ inputs: [Work], numWorkers: 1 }, async (_, event) => {
    most = Math.max(most, ++active);
    await new Promise((resolve) => setTimeout(resolve, event.data === 0 ? 10 : 0));
    order.push(event.data);
    active -= 1;
    return new Done(event.data);
  });
  workflow.addStep({ inputs: [Done] }, (_, event) => (event.data === 4 ? new StopEvent(event.data) : undefined));
  await soon(workflow.run(5));
  expect(order).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBe(1);
});

test("without numWorkers all of a fan-out is under way at once", async () => {
  const all = deferred();
  let begun = 0;
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>] }, ({ sendEvent }, event) => {
    for (let nth = 0; nth < event.data; nth += 1) sendEvent(new Work(nth));
  });
  workflow.addStep({ inputs: [Work] }, async (_, event) => {
    if (++begun === 100) all.resolve();
    await all.promise;
    return new Done(event.data);
  });
  let sum = 0;
  let count = 0;
  workflow.addStep({ inputs: [Done] }, (_, event) => {
    sum += event.data;
    return ++count === 100 ? new StopEvent(sum) : undefined;
  });
  expect((await soon(workflow.run(100))).data).toBe(4_950);
});

test("the stream has every event in order: start, sent, returned, stop", async () => {
  const workflow = new Workflow<unknown, number, string>();
  workflow.addStep({ inputs: [StartEvent<number>] }, ({ sendEvent, writeEventToStream }) => {
    sendEvent(new First(1));
    writeEventToStream(new Done(0));
    return new Second(2);
  });
  workflow.addStep({ inputs: [First, Second] }, () => new StopEvent("end"));
  const { events, error } = await soon(collect(workflow.run(0)));
  expect(error).toBeUndefined();
  expect(kinds(events)).toEqual(["StartEvent", "First", "Done", "Second", "StopEvent"]);
});

test("what is written to the stream reaches no step", async () => {
  let reached = 0;
  const workflow = new Workflow<unknown, number, string>();
  workflow.addStep({ inputs: [StartEvent<number>] }, async ({ writeEventToStream }) => {
    writeEventToStream(new First(1));
    await Promise.resolve();
    return new StopEvent("end");
  });
  workflow.addStep({ inputs: [First] }, () => void (reached += 1));
  const { events } = await soon(collect(workflow.run(0)));
  expect(kinds(events)).toEqual(["StartEvent", "First", "StopEvent"]);
  expect(reached).toBe(0);
});

test("a step may return nothing: undefined or null", async () => {
  const workflow = new Workflow<unknown, number, string>();
  workflow.addStep({ inputs: [StartEvent<number>] }, async () => null);
  workflow.addStep({ inputs: [StartEvent<number>] }, () => undefined);
  workflow.addStep({ inputs: [StartEvent<number>] }, async () => new StopEvent("from the third"));
  expect((await soon(workflow.run(0))).data).toBe("from the third");
});
