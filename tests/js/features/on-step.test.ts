// The hook that is called after each completed step.

import {
  type CompletedStep,
  StartEvent,
  StepError,
  type StepHook,
  StopEvent,
  Workflow,
  WorkflowContext,
  WorkflowEvent,
} from "stepstream";
import { expect, test, vi } from "vitest";
import "../kit/fake-clock.js";
import { expectError, failure, kinds, soon, turn } from "../kit/index.js";

class Draft extends WorkflowEvent<string> {
  static readonly type = "draft";
}

const workflow = (onStep?: StepHook): Workflow<unknown, string, string> =>
  new Workflow<unknown, string, string>(onStep === undefined ? {} : { onStep })
    .addStep({ inputs: [StartEvent<string>], outputs: [Draft], name: "write" }, (_, event) => new Draft(event.data))
    .addStep({ inputs: [StartEvent<string>], name: "silent" }, async () => {})
    .addStep({ inputs: [Draft], outputs: [StopEvent<string>], name: "publish" }, async ({ sleep }, draft) => {
      await sleep(0.002);
      return new StopEvent(draft.data);
    });

test("is called for each completed step, in sequence, and given the run", async () => {
  const reported: CompletedStep[] = [];
  const runs = new Set<unknown>();
  const context = workflow((completed, run) => {
    reported.push(completed);
    runs.add(run);
  }).run("x");
  await soon(context);
  expect(reported.map(({ step, sequence, attempt }) => [step, sequence, attempt])).toEqual([
    ["write", 1, 1],
    ["silent", 2, 1],
    ["publish", 3, 1],
  ]);
  expect(kinds(reported.map(({ input }) => input))).toEqual(["StartEvent", "StartEvent", "Draft"]);
  expect(reported.map(({ output }) => output?.constructor.name)).toEqual(["Draft", undefined, "StopEvent"]);
  expect(reported[2]?.inputs).toEqual([reported[0]?.output]);
  expect([...runs]).toHaveLength(1);
  expect(runs.has(context)).toBe(true);
  expect([...runs][0]).toBeInstanceOf(WorkflowContext);
});

test("each run counts for itself", async () => {
  const reported: [string, number][] = [];
  const used = workflow(({ sequence }, { runId }) => void reported.push([runId, sequence]));
  await soon(Promise.all([used.run("x", undefined, { runId: "a" }), used.run("x", undefined, { runId: "b" })]));
  for (const id of ["a", "b"]) {
    expect(reported.filter(([runId]) => runId === id).map(([, sequence]) => sequence)).toEqual([1, 2, 3]);
  }
});

test("a run's own hook goes before the workflow's", async () => {
  const general = vi.fn();
  const own = vi.fn();
  await soon(workflow(general).run("x", undefined, { onStep: own }));
  expect([general.mock.calls.length, own.mock.calls.length]).toEqual([0, 3]);
});

test("a hook that throws fails the run with that error", async () => {
  const boom = new Error("in the hook");
  const context = workflow(({ step }) => {
    if (step === "write") throw boom;
  }).run("x");
  expect(await failure(context)).toBe(boom);
  expect(context.status).toBe("failed");
  expect(context.failure).toBeUndefined();
});

test("a hook that throws at the last step fails the run as well", async () => {
  const boom = new Error("in the hook");
  const context = workflow(({ output }) => {
    if (output instanceof StopEvent) throw boom;
  }).run("x");
  expect(await failure(context)).toBe(boom);
});

test("a hook that rejects fails the run with that error", async () => {
  const boom = new Error("in the hook");
  const context = workflow(async ({ step }) => {
    await turn();
    if (step === "write") throw boom;
  }).run("x");
  const late = context.with(undefined);
  expect(await failure(late)).toBe(boom);
  expect(late.status).toBe("failed");
});

test("what a hook throws that is not an error is the cause of one", async () => {
  const error = await failure(
    workflow(() => {
      throw "text";
    }).run("x"),
  );
  expectError(error, StepError, "STEP_FAILED");
  expect((error as Error).cause).toBe("text");
});

test("a hook may look at the run, send events and cancel", async () => {
  const seen: string[] = [];
  const used = workflow((_, run) => {
    seen.push(run.status);
    run.store.edit<number>("steps", (steps = 0) => steps + 1);
  });
  const context = used.run("x");
  await soon(context);
  expect(context.store.get("steps")).toBe(3);
  expect(seen).toHaveLength(3);
  const cancelled = workflow(({ sequence }, run) => {
    if (sequence === 1) run.cancel("from the hook");
  }).run("x");
  await failure(cancelled);
  expect(cancelled.status).toBe("cancelled");
});

test("is not called for attempts that failed", async () => {
  const reported: string[] = [];
  const failing = new Workflow<unknown, string, string>({ onStep: ({ step }) => void reported.push(step) });
  failing.addStep({ inputs: [StartEvent<string>], name: "failing" }, () => {
    throw new Error("boom");
  });
  await failure(failing.run("x"));
  expect(reported).toEqual([]);
});

test("a hook that rejects after the run has ended changes nothing", async () => {
  const context = workflow(async ({ output }) => {
    await turn();
    if (output instanceof StopEvent) throw new Error("too late");
  }).run("x");
  expect((await soon(context)).data).toBe("x");
  await turn();
  await turn();
  expect([context.status, context.result]).toEqual(["completed", "x"]);
});
