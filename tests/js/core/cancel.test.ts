// Cancelling a run, from outside and by a signal.

import { CancelledError, StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { expect, test, vi } from "vitest";
import "../kit/fake-clock.js";
import { collect, deferred, expectError, failure, fails, kinds, pause, soon, turn } from "../kit/index.js";

class Note extends WorkflowEvent<string> {}

function endless(onBegin: () => void = () => undefined): Workflow<unknown, unknown, string> {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, () => {
    onBegin();
    return new Promise<undefined>(() => undefined);
  });
  return workflow;
}

test("cancel ends the run with RUN_CANCELLED and the reason as the cause", async () => {
  const context = endless().run(0).start();
  const reader = collect(context);
  const reason = new Error("the user left");
  context.cancel(reason);
  expect(context.status).toBe("cancelled");
  const error = await fails(context, CancelledError, "RUN_CANCELLED");
  expect(error.cause).toBe(reason);
  expect(error.message).toContain("the user left");
  const { events, error: streamed } = await soon(reader);
  expect(kinds(events)).toEqual(["StartEvent"]);
  expect(streamed).toBe(error);
});

test.each([["text"], [0], [null], [{ why: "object" }], [undefined], [Symbol("s")], [Object.create(null)]])(
  "any reason will do: %s",
  async (reason) => {
    const context = endless().run(0).start();
    context.cancel(reason);
    expect((await fails(context, CancelledError, "RUN_CANCELLED")).cause).toBe(reason);
  },
);

test("the steps in flight see their signal abort with the run's error", async () => {
  const aborted = deferred<unknown>();
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    aborted.resolve(signal.reason);
  });
  const context = workflow.run(0).start();
  context.cancel("why");
  const error = await fails(context, CancelledError, "RUN_CANCELLED");
  expect(await soon(aborted.promise)).toBe(error);
});

test("a run that is cancelled before it begins never begins", async () => {
  let begun = 0;
  const context = endless(() => (begun += 1)).run(0);
  context.cancel();
  await fails(context, CancelledError, "RUN_CANCELLED");
  await turn();
  expect(begun).toBe(0);
  expect((await soon(collect(context))).events).toEqual([]);
});

test("cancelling twice, or after the end, does nothing", async () => {
  const context = endless().run(0).start();
  context.cancel("first");
  context.cancel("second");
  expect((await fails(context, CancelledError, "RUN_CANCELLED")).cause).toBe("first");
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, () => new StopEvent("done"));
  const completed = workflow.run(0);
  await soon(completed);
  completed.cancel();
  expect(completed.status).toBe("completed");
  expect((await completed).data).toBe("done");
});

test("a step may cancel its own run", async () => {
  const workflow = new Workflow<WorkflowHolder, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ data }) => {
    data.context?.cancel("from inside");
    return new StopEvent("too late");
  });
  const holder: WorkflowHolder = {};
  const context = workflow.run(0, holder);
  holder.context = context;
  expect((await fails(context, CancelledError, "RUN_CANCELLED")).cause).toBe("from inside");
});

interface WorkflowHolder {
  context?: { cancel(reason?: unknown): void };
}

test("a signal that is already aborted cancels the run before it begins", async () => {
  let begun = 0;
  const workflow = endless(() => (begun += 1));
  const context = workflow.run(0, undefined, { signal: AbortSignal.abort("early") });
  expect((await fails(context, CancelledError, "RUN_CANCELLED")).cause).toBe("early");
  expect(begun).toBe(0);
});

test("a signal that is aborted between run and its beginning counts", async () => {
  let begun = 0;
  const controller = new AbortController();
  const context = endless(() => (begun += 1)).run(0, undefined, { signal: controller.signal });
  controller.abort("in between");
  expect((await fails(context, CancelledError, "RUN_CANCELLED")).cause).toBe("in between");
  expect(begun).toBe(0);
});

test("a signal that is aborted later cancels the run", async () => {
  const controller = new AbortController();
  const context = endless().run(0, undefined, { signal: controller.signal });
  setTimeout(() => controller.abort("later"), 5);
  expect((await fails(context, CancelledError, "RUN_CANCELLED")).cause).toBe("later");
});

test("AbortSignal.timeout cancels with its own reason", async () => {
  vi.useRealTimers(); // The only ones that it has.
  const context = endless().run(0, undefined, { signal: AbortSignal.timeout(10) });
  const error = await fails(context, CancelledError, "RUN_CANCELLED");
  expect((error.cause as DOMException).name).toBe("TimeoutError");
});

test("a run takes its listener off a signal when it ends", async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, "addEventListener");
  const removed = vi.spyOn(signal, "removeEventListener");
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async () => new StopEvent(""));
  await soon(workflow.run(0, undefined, { signal }));
  expect(added).toHaveBeenCalledTimes(1);
  expect(removed).toHaveBeenCalledTimes(1);
  expect(removed.mock.calls[0]![1]).toBe(added.mock.calls[0]![1]);
});

test("one signal may cancel many runs", async () => {
  const controller = new AbortController();
  const workflow = endless();
  const contexts = Array.from({ length: 9 }, () => workflow.run(0, undefined, { signal: controller.signal }).start());
  controller.abort();
  for (const context of contexts) await fails(context, CancelledError, "RUN_CANCELLED");
});

test("dispose cancels, unless the run has ended", async () => {
  const context = endless().run(0).start();
  context.dispose();
  await fails(context, CancelledError, "RUN_CANCELLED");
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, () => new StopEvent("done"));
  const completed = workflow.run(0);
  await soon(completed);
  completed.dispose();
  expect(completed.status).toBe("completed");
});

test("a step that works on after its run was cancelled is refused, and its result counts for nothing", async () => {
  const results: unknown[] = [];
  const done = deferred();
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async (context) => {
    await pause(10);
    for (const act of [
      () => context.sendEvent(new Note("")),
      () => context.writeEventToStream(new Note("")),
      () => context.collectEvents(new Note(""), [Note]),
      () => context.requireEvent(Note),
      () => context.waitForEvent(Note),
      () => context.sleep(0),
    ]) {
      try {
        await act();
        results.push("nothing");
      } catch (error) {
        results.push(error);
      }
    }
    done.resolve();
    return new StopEvent("late");
  });
  const context = workflow.run(0).start();
  context.cancel();
  await soon(done.promise);
  await turn();
  expect(results).toHaveLength(6);
  for (const error of results) expectError(error, CancelledError, "ATTEMPT_ENDED");
  expect(context.status).toBe("cancelled");
});

test("idle resolves when the run is cancelled", async () => {
  const context = endless().run(0);
  const idle = context.idle();
  context.cancel();
  await soon(idle);
});

test("fifty runs on one signal: no warning of too many listeners, and all are cancelled", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  const controller = new AbortController();
  const workflow = new Workflow<unknown, string, string>().addStep(
    { name: "wait", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
    async ({ sleep }) => {
      await sleep(60);
      return new StopEvent("never");
    },
  );
  const runs = Array.from({ length: 50 }, () => workflow.run("x", undefined, { signal: controller.signal }).start());
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort(new Error("enough"));
  for (const run of runs) expect(await failure(run)).toMatchObject({ code: "RUN_CANCELLED" });
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", onWarning);
  expect(warnings).toEqual([]);
});
