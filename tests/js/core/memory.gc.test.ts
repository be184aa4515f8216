// Memory: flat over long runs and over many runs, bounded without a reader, given back when runs and readers are abandoned.
// Run with a collector that can be called; everything is measured after full collections.

import { HumanResponseEvent, StartEvent, StopEvent, Workflow, WorkflowContext, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import "../kit/guard.js";

class CountEvent extends WorkflowEvent<number> {
  static readonly type = "count";
}
class AnswerEvent extends HumanResponseEvent<number> {
  static readonly type = "answer";
}

const collect = (globalThis as { gc?: () => void }).gc!;

/** What is held after everything that can go has gone: the heap, and outside it buffers and wasm memory. */
async function held(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    // Finalisers run between turns.
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const MEGABYTE = 2 ** 20;

/** Counts from the start event's number down to 0. */
function countdown(): Workflow<unknown, number, number> {
  const workflow = new Workflow<unknown, number, number>({ timeout: null });
  workflow.addStep(
    { inputs: [StartEvent<number>], outputs: [CountEvent] },
    async (_, { data }) => new CountEvent(data),
  );
  workflow.addStep({ inputs: [CountEvent], outputs: [CountEvent, StopEvent<number>] }, async (_, { data }) =>
    data === 0 ? new StopEvent(0) : new CountEvent(data - 1),
  );
  return workflow;
}

/** Answers at once. */
function oneStep(): Workflow<unknown, number, number> {
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>], outputs: [StopEvent<number>] }, async (_, { data }) => {
    return new StopEvent(data);
  });
  return workflow;
}

/** Waits for a person. */
function waiting(): Workflow<unknown, number, number> {
  const workflow = new Workflow<unknown, number, number>({ timeout: null });
  workflow.addStep({ inputs: [StartEvent<number>], outputs: [StopEvent<number>] }, async ({ requireEvent }) => {
    return new StopEvent((await requireEvent(AnswerEvent)).data);
  });
  return workflow;
}

test("a run of a million events holds no more at its end than after its first tenth", async () => {
  const steps = 1_000_000;
  const samples: number[] = [];
  const workflow = new Workflow<unknown, number, number>({ timeout: null });
  workflow.addStep(
    { inputs: [StartEvent<number>], outputs: [CountEvent] },
    async (_, { data }) => new CountEvent(data),
  );
  workflow.addStep({ inputs: [CountEvent], outputs: [CountEvent, StopEvent<number>] }, async (_, { data }) => {
    if (data % (steps / 5) === 0 && data < steps * 0.9) samples.push(await held());
    return data === 0 ? new StopEvent(0) : new CountEvent(data - 1);
  });
  await workflow.run(steps);
  expect(samples.length).toBe(5);
  expect(Math.max(...samples) - samples[0]!).toBeLessThan(MEGABYTE);
});

test.each([1, 2, 5])(
  "%i chains of synchronous handlers hold no more commands at their end than early on",
  async (chains) => {
    const steps = 100_000;
    const samples: number[] = [];
    const workflow = new Workflow<unknown, number, number>({ timeout: null });
    let left = chains;
    workflow.addStep({ inputs: [StartEvent<number>], outputs: [CountEvent] }, ({ sendEvent }, { data }) => {
      for (let chain = 0; chain < chains; chain += 1) sendEvent(new CountEvent(data));
    });
    workflow.addStep({ inputs: [CountEvent], outputs: [CountEvent, StopEvent<number>] }, (_, { data }) => {
      if (left === chains && data % (steps / 10) === 0) {
        collect();
        samples.push(process.memoryUsage().arrayBuffers);
      }
      if (data > 0) return new CountEvent(data - 1);
      left -= 1;
      return left === 0 ? new StopEvent(0) : undefined;
    });
    await workflow.run(steps);
    expect(samples.length).toBeGreaterThan(9);
    // The commands alone would be 24 bytes a step.
    expect(Math.max(...samples) - samples[chains]!).toBeLessThan(MEGABYTE / 8);
  },
);

test("a reader that keeps up holds nothing", async () => {
  const context = countdown().run(300_000);
  let read = 0;
  const samples: number[] = [];
  for await (const _ of context) {
    read += 1;
    if (read % 100_000 === 0) samples.push(await held());
  }
  expect(read).toBe(300_003);
  expect(Math.max(...samples) - samples[0]!).toBeLessThan(4 * MEGABYTE);
});

test("a hundred thousand finished runs leave nothing behind", async () => {
  const workflow = oneStep();
  const rounds: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    for (let run = 0; run < 20_000; run += 1) await workflow.run(run);
    rounds.push(await held());
  }
  expect(Math.max(...rounds.slice(1)) - rounds[0]!).toBeLessThan(MEGABYTE);
});

test("runs that fail leave nothing behind", async () => {
  const workflow = new Workflow();
  workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async () => {
    throw new TypeError("on purpose");
  });
  const rounds: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    let failures = 0;
    // Not `expect(…).rejects`, which keeps what it was given until the test ends.
    for (let run = 0; run < 3_000; run += 1) await workflow.run(run).catch(() => (failures += 1));
    expect(failures).toBe(3_000);
    rounds.push(await held());
  }
  expect(Math.max(...rounds.slice(1)) - rounds[0]!).toBeLessThan(MEGABYTE);
});

test("200,000 unread events are bounded, and go with their run", async () => {
  const workflow = new Workflow<unknown, number, number>();
  let during = 0;
  workflow.addStep({ inputs: [StartEvent<number>], outputs: [StopEvent<number>] }, async (context, { data }) => {
    for (let event = 0; event < data; event += 1) {
      context.writeEventToStream(new CountEvent(event));
      if (event % 1000 === 0) await Promise.resolve();
    }
    during = await held();
    return new StopEvent(data);
  });
  await workflow.run(1000);
  const before = await held();
  await workflow.run(200_000);
  expect(during - before).toBeLessThan(16 * MEGABYTE);
  expect((await held()) - before).toBeLessThan(4 * MEGABYTE);
  const after = await held();
  await workflow.run(200_000);
  expect((await held()) - after).toBeLessThan(MEGABYTE);
});

test("abandoned runs that wait for the outside are collected, and their part of the engine with them", async () => {
  const workflow = waiting();
  const abandon = async (count: number): Promise<WeakRef<WorkflowContext>[]> => {
    const contexts: WeakRef<WorkflowContext>[] = [];
    for (let run = 0; run < count; run += 1) {
      const context = workflow.run(run);
      await context.idle();
      expect(context.status).toBe("waiting");
      contexts.push(new WeakRef<WorkflowContext>(context as WorkflowContext));
    }
    return contexts;
  };
  await abandon(2_000);
  const before = await held();
  const contexts = await abandon(2_000);
  const after = await held();
  expect(contexts.filter((context) => context.deref() !== undefined).length).toBeLessThan(10);
  expect(after - before).toBeLessThan(MEGABYTE);
});

test("abandoned readers hold nothing up", async () => {
  const context = countdown().run(200_000);
  const cursor = context.stream();
  await cursor.next();
  const abandoned = await (async () => {
    const reader = context.stream();
    await reader.next();
    return new WeakRef(reader);
  })();
  for await (const event of context) if (event instanceof CountEvent && event.data < 100_000) break;
  await held();
  expect(abandoned.deref()).toBeUndefined();
  // The one that is kept has missed nothing.
  let read = 1;
  for await (const _ of cursor) read += 1;
  expect(read).toBe(200_003);
});
