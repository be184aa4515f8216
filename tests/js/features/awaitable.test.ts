// A run is a PromiseLike: everything that takes a promise takes a run.

import { CancelledError, StartEvent, StopEvent, Workflow, WorkflowContext } from "stepstream";
import { expect, test, vi } from "vitest";
import "../kit/fake-clock.js";
import { failure, fails, soon, turn } from "../kit/index.js";

const boom = new Error("boom");

function workflow(pauseMs = 0): Workflow<unknown, string, string> {
  return new Workflow<unknown, string, string>().addStep(
    { inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
    async (context, event) => {
      if (pauseMs > 0) await context.sleep(pauseMs / 1000);
      if (event.data === "boom") throw boom;
      return new StopEvent(`${event.data}!`);
    },
  );
}

test("Promise.all takes runs among other things", async () => {
  const [one, two, three] = await soon(Promise.all([workflow().run("a"), workflow(2).run("b"), 3]));
  expect([one.data, two.data, three]).toEqual(["a!", "b!", 3]);
});

test("Promise.race gives the first", async () => {
  const slow = workflow(60_000).run("slow");
  expect((await soon(Promise.race([slow, workflow().run("fast")]))).data).toBe("fast!");
  slow.cancel();
});

test("Promise.allSettled and Promise.any distinguish results and failures", async () => {
  const [good, bad] = await soon(Promise.allSettled([workflow().run("a"), workflow().run("boom")]));
  expect(good.status === "fulfilled" && good.value.data).toBe("a!");
  expect(bad.status === "rejected" && bad.reason).toBe(boom);
  expect((await soon(Promise.any([workflow().run("boom"), workflow().run("a")]))).data).toBe("a!");
});

test("an async function that returns a run returns its stop event", async () => {
  const returned = await soon((async () => workflow().run("a"))());
  expect(returned).toBeInstanceOf(StopEvent);
  expect(returned).not.toBeInstanceOf(WorkflowContext);
});

test("every await gives the same stop event, before and after the end", async () => {
  const context = workflow().run("a");
  const [first, second] = await soon(Promise.all([context, context]));
  expect(second).toBe(first);
  expect(await soon(context)).toBe(first);
  expect(context.result).toBe("a!");
});

test("every await gives the same error, before and after the end", async () => {
  const context = workflow().run("boom");
  expect([await failure(context), await failure(context)]).toEqual([boom, boom]);
  expect(await failure(context)).toBe(boom);
});

test("then, catch and finally do what a promise's do", async () => {
  expect(
    await soon(
      workflow()
        .run("a")
        .then(({ data }) => data.length),
    ),
  ).toBe(2);
  expect(
    await soon(
      workflow()
        .run("boom")
        .then(
          () => "no",
          (error: unknown) => error,
        ),
    ),
  ).toBe(boom);
  expect(
    await soon(
      workflow()
        .run("boom")
        .catch((error: unknown) => error),
    ),
  ).toBe(boom);
  expect(
    (
      await soon(
        workflow()
          .run("a")
          .catch(() => null),
      )
    )?.data,
  ).toBe("a!");
  const after = vi.fn();
  expect((await soon(workflow().run("a").finally(after))).data).toBe("a!");
  expect(await failure(workflow().run("boom").finally(after))).toBe(boom);
  expect(after.mock.calls).toEqual([[], []]);
  expect((await soon(workflow().run("a").then())).data).toBe("a!");
  expect((await soon(workflow().run("a").then(null, null))).data).toBe("a!");
});

test("what a callback throws is the rejection", async () => {
  const thrown = new Error("in the callback");
  const chained = workflow()
    .run("a")
    .then(() => {
      throw thrown;
    });
  expect(await failure(chained)).toBe(thrown);
});

test("`then` begins the run at once", () => {
  const context = workflow(60_000).run("a");
  expect(context.status).toBe("created");
  void context.then(
    () => {},
    () => {},
  );
  expect(context.status).toBe("sleeping");
  context.cancel();
});

test("a run that is not awaited fails in silence", async () => {
  const context = workflow().run("boom");
  await turn();
  await turn();
  expect(context.status).toBe("failed");
  expect(context.failure?.error).toBe(boom);
});

test("a run that ended is awaited as one under way", async () => {
  const context = workflow().run("a").start();
  await context.idle();
  expect(context.status).toBe("completed");
  expect((await soon(context)).data).toBe("a!");
  const cancelled = workflow().run("a");
  cancelled.cancel("no more");
  expect((await fails(cancelled, CancelledError, "RUN_CANCELLED")).cause).toBe("no more");
});
