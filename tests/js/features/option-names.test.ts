// Options that do not exist are refused, with the name that was probably meant. TypeScript refuses them before; JavaScript does not.

import {
  RetryPolicy,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  retryPolicy,
  waitExponential,
  waitFullJitter,
  waitIncrementing,
  waitRandom,
} from "stepstream";
import { describe, expect, test } from "vitest";
import { fails, soon } from "../kit/index.js";

const end = (_: unknown, event: StartEvent<string>) => new StopEvent(event.data);

const workflow = () =>
  new Workflow<unknown, string, string>().addStep(
    { name: "end", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
    end,
  );

const parameters = { name: "end", inputs: [StartEvent], outputs: [StopEvent] };

const wrong: Readonly<Record<string, readonly [act: () => unknown, nearest: string]>> = {
  "new Workflow({ timout })": [() => new Workflow({ timout: 3 } as never), "timeout"],
  "new Workflow({ maxConcurentRuns })": [() => new Workflow({ maxConcurentRuns: 3 } as never), "maxConcurrentRuns"],
  "new Workflow({ limits: { step } })": [() => new Workflow({ limits: { step: 3 } } as never), "steps"],
  "addStep({ input })": [() => new Workflow().addStep({ input: [StartEvent] } as never, end as never), "inputs"],
  "addStep({ numWorker })": [
    () => new Workflow().addStep({ ...parameters, numWorker: 2 } as never, end as never),
    "numWorkers",
  ],
  "addStep({ retries })": [() => new Workflow().addStep({ ...parameters, retries: 2 } as never, end as never), "retry"],
  "catchError({ step })": [() => new Workflow().catchError({ step: ["end"] } as never, end as never), "steps"],
  "run({ runID })": [() => workflow().run("x", undefined, { runID: "a" } as never), "runId"],
  "run({ abortSignal })": [
    () => workflow().run("x", undefined, { abortSignal: new AbortController().signal } as never),
    "signal",
  ],
  "recover({ migrat })": [
    () => workflow().recover(workflow().run("x").snapshot(), { migrat: true } as never),
    "migrate",
  ],
  "sendEvent({ setp })": [
    () =>
      workflow()
        .run("x")
        .sendEvent(new StartEvent("x"), { setp: "end" } as never),
    "step",
  ],
  "snapshot({ date })": [
    () =>
      workflow()
        .run("x")
        .snapshot({ date: true } as never),
    "data",
  ],
  "waitExponential({ min })": [() => waitExponential({ min: 1 } as never), "initial"],
  "waitFullJitter({ maximum })": [() => waitFullJitter({ maxx: 1 } as never), "max"],
  "waitIncrementing({ start })": [() => waitIncrementing({ start: 1 } as never), "initial"],
  "waitRandom({ mn })": [() => waitRandom({ mn: 1 } as never), "min"],
  "retryPolicy({ stopp })": [() => retryPolicy({ stopp: 1 } as never), "stop"],
};

describe("an option that does not exist is refused, and the nearest name is given:", () => {
  test.each(Object.entries(wrong))("%s", async (_, [act, nearest]) => {
    const error = await fails(act, ValidationError, "INVALID_OPTION");
    expect(error.message).toContain(`\`${nearest}\``);
  });

  test("also in waits and sleeps of a step, which fails", async () => {
    for (const act of ["waitForEvent", "sleep"] as const) {
      const failing = new Workflow<unknown, string, string>().addStep(
        { name: "wait", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
        async (context) => {
          if (act === "sleep") await context.sleep(1, { sginal: undefined, signl: 1 } as never);
          else await context.waitForEvent(StartEvent, { timeot: 1 } as never);
          return new StopEvent("never");
        },
      );
      await fails(failing.run("x"), ValidationError, "INVALID_OPTION");
    }
  });

  test("nothing has changed by then", async () => {
    const unchanged = workflow();
    await fails(
      () => unchanged.addStep({ ...parameters, name: "other", retrys: 1 } as never, end as never),
      ValidationError,
      "INVALID_OPTION",
    );
    expect(unchanged.stepNames).toEqual(["end"]);
  });
});

test("an option that is undefined counts as left out, whatever its name", async () => {
  const lenient = new Workflow<unknown, string, string>({ timeout: undefined, nothing: undefined } as never).addStep(
    { name: "end", inputs: [StartEvent<string>], outputs: [StopEvent<string>], retry: undefined } as never,
    end as never,
  );
  expect((await soon(lenient.run("x", undefined, { runId: undefined } as never))).data).toBe("x");
  expect(retryPolicy({ wait: undefined } as never)).toBeInstanceOf(RetryPolicy);
});

test("options that are no object are refused", async () => {
  for (const options of [3, "fast", null, []]) {
    await fails(() => new Workflow(options as never), ValidationError, "INVALID_OPTION");
    await fails(() => workflow().run("x", undefined, options as never), ValidationError, "INVALID_OPTION");
  }
});
