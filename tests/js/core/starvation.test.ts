// A run that never waits for anything but promises leaves timers, I/O and other runs their turn.

import { CancelledError, StartEvent, StopEvent, TimeoutError, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import { collect, fails, pause, soon, turn } from "../kit/index.js";
import { processorTime } from "../kit/processor.js";

class Again extends WorkflowEvent<number> {}

const kinds: [string, (event: Again) => Again | Promise<Again>][] = [
  ["async steps", async ({ data }) => new Again(data + 1)],
  ["steps that are not async", ({ data }) => new Again(data + 1)],
  [
    "steps that await more than once",
    async ({ data }) => {
      for (let nth = 0; nth < 3; nth += 1) await Promise.resolve();
      return new Again(data + 1);
    },
  ],
];

function endless(
  step: (event: Again) => Again | Promise<Again>,
  timeout: number | null = null,
): Workflow<unknown, unknown, string> {
  const workflow = new Workflow<unknown, unknown, string>({ timeout });
  workflow.addStep({ inputs: [StartEvent] }, () => new Again(0));
  workflow.addStep({ inputs: [Again] }, (_, event) => step(event));
  return workflow;
}

test.each(kinds)("a cycle of %s can be cancelled from a timer", async (_, step) => {
  const context = endless(step).run(0);
  setTimeout(() => context.cancel("from a timer"), 10);
  expect((await fails(context, CancelledError, "RUN_CANCELLED")).cause).toBe("from a timer");
});

test.each(kinds)("the timeout of a run with a cycle of %s holds", async (_, step) => {
  await fails(endless(step, 0.05).run(0), TimeoutError, "RUN_TIMEOUT");
});

test.each(kinds)("a signal that times out cancels a cycle of %s", async (_, step) => {
  const context = endless(step).run(0, undefined, { signal: AbortSignal.timeout(20) });
  await fails(context, CancelledError, "RUN_CANCELLED");
});

test.each(kinds)("timers of others go off in time during a cycle of %s", async (_, step) => {
  const context = endless(step).run(0).start();
  // In time on the processor, of which the cycle takes all that it gets: it gives way after some milliseconds of it.
  let least = Infinity;
  for (let nth = 0; nth < 5; nth += 1) {
    const began = processorTime();
    await pause(1);
    least = Math.min(least, processorTime() - began);
  }
  context.cancel();
  await fails(context, CancelledError, "RUN_CANCELLED");
  expect(least).toBeLessThan(500);
});

test.each(kinds)("a reader sees the events of a cycle of %s while it goes on", async (_, step) => {
  const context = endless(step).run(0);
  let seen = 0;
  for await (const event of context) {
    if (event instanceof Again) seen += 1;
    if (seen === 5_000) break;
  }
  expect(context.status).toBe("running");
  context.cancel();
  await fails(context, CancelledError, "RUN_CANCELLED");
});

test("another run finishes while one goes round for ever", async () => {
  const context = endless(async ({ data }) => new Again(data + 1))
    .run(0)
    .start();
  const other = new Workflow<unknown, unknown, string>();
  other.addStep({ inputs: [StartEvent] }, async () => {
    await turn();
    return new StopEvent("other");
  });
  expect((await soon(other.run(0))).data).toBe("other");
  context.cancel();
  await fails(context, CancelledError, "RUN_CANCELLED");
});

test("a cycle of steps that wait for kept events leaves timers their turn", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ sendEvent, requireEvent }) => {
    for (;;) {
      sendEvent(new Again(1));
      await requireEvent(Again);
    }
  });
  const context = workflow.run(0).start();
  setTimeout(() => context.cancel(), 10);
  await fails(context, CancelledError, "RUN_CANCELLED");
});

test("a pause loses nothing: a long run of quick steps does all of them, in order", async () => {
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [StartEvent] }, () => new Again(0));
  let last = -1;
  workflow.addStep({ inputs: [Again] }, (_, { data }) => {
    expect(data).toBe(last + 1);
    last = data;
    return data === 150_000 ? new StopEvent(data) : new Again(data + 1);
  });
  const context = workflow.run(0);
  const cursor = collect(context.stream());
  expect((await soon(context)).data).toBe(150_000);
  expect((await soon(cursor)).events).toHaveLength(150_003);
});
