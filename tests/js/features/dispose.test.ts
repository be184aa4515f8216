// Releasing what runs and workflows hold.

import { CancelledError, StartEvent, StopEvent, Workflow } from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { fails, soon, turn } from "../kit/index.js";

/** A workflow whose runs go on until they are ended from outside, unless an option says otherwise. */
function workflow(signals: AbortSignal[] = []): Workflow<unknown, string, string> {
  return new Workflow<unknown, string, string>().addStep(
    { inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
    async (context, event) => {
      signals.push(context.signal);
      if (event.data === "for ever") await context.sleep(Infinity);
      return new StopEvent(event.data);
    },
  );
}

test("a run that is disposed of is cancelled, and its steps learn of it", async () => {
  const signals: AbortSignal[] = [];
  const context = workflow(signals).run("for ever").start();
  expect(signals[0]?.aborted).toBe(false);
  context.dispose();
  expect(context.status).toBe("cancelled");
  expect(signals[0]?.aborted).toBe(true);
  await fails(context, CancelledError, "RUN_CANCELLED");
});

test("disposing of a run that has ended, or twice, changes nothing", async () => {
  const context = workflow().run("x");
  await soon(context);
  context.dispose();
  context.dispose();
  expect([context.status, context.result]).toEqual(["completed", "x"]);
  expect((await soon(context)).data).toBe("x");
});

test("a run that is disposed of before it began never begins", async () => {
  const signals: AbortSignal[] = [];
  const context = workflow(signals).run("x");
  context.dispose();
  await turn();
  expect([context.status, signals.length]).toEqual(["cancelled", 0]);
});

test("`using` ends the run with its block", async () => {
  let kept;
  {
    using context = workflow().run("for ever").start();
    kept = context;
    expect(context.status).toBe("sleeping");
  }
  expect(kept.status).toBe("cancelled");
});

test("`using` leaves the result of a run that is over", async () => {
  const block = async () => {
    using context = workflow().run("x");
    return (await context).data;
  };
  expect(await soon(block())).toBe("x");
});

test("a workflow that is disposed of may be used again", async () => {
  const used = workflow();
  expect((await soon(used.run("a"))).data).toBe("a");
  used.dispose();
  used.dispose();
  expect((await soon(used.run("b"))).data).toBe("b");
  expect(used.validate().filter(({ severity }) => severity === "error")).toEqual([]);
});

test("runs go on when their workflow is disposed of", async () => {
  const used = new Workflow<unknown, string, string>();
  used.addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<string>] }, async (context, event) => {
    await context.sleep(0.005);
    return new StopEvent(event.data);
  });
  const context = used.run("x").start();
  const later = used.run("y");
  used.dispose();
  expect((await soon(context)).data).toBe("x");
  expect((await soon(later)).data).toBe("y");
});
