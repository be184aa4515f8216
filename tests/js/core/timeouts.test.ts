// Timeouts of runs, steps and waits; durations that make no sense.

import {
  CancelledError,
  HumanResponseEvent,
  StartEvent,
  StopEvent,
  TimeoutError,
  ValidationError,
  Workflow,
  WorkflowEvent,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, deferred, expectError, fails, failure, pause, soon } from "../kit/index.js";

class Answer extends HumanResponseEvent<string> {}
class Left extends WorkflowEvent<string> {}
class Right extends WorkflowEvent<string> {}

const never = (): Promise<undefined> => new Promise(() => undefined);

test("a run that takes too long fails with RUN_TIMEOUT, its step is notified, and nothing is left open", async () => {
  const aborted = deferred<unknown>();
  const workflow = new Workflow<unknown, unknown, string>({ timeout: 0.03 });
  workflow.addStep({ inputs: [StartEvent] }, async ({ signal }) => {
    signal.addEventListener("abort", () => aborted.resolve(signal.reason));
    return never();
  });
  const context = workflow.run(0);
  const error = await fails(context, TimeoutError, "RUN_TIMEOUT");
  expect(await soon(aborted.promise)).toBe(error);
  expect(context.status).toBe("failed");
  expect(context.failure).toBeUndefined();
});

test("RUN_TIMEOUT names the waits and joins that are open", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: 0.03 });
  workflow.addStep({ inputs: [StartEvent], name: "asker" }, async ({ requireEvent }) => {
    await requireEvent(Answer);
  });
  workflow.addStep({ inputs: [StartEvent], name: "lefty" }, () => new Left(""));
  workflow.addStep({ inputs: [Left, Right], name: "joiner" }, () => new StopEvent(""));
  const { message } = await fails(workflow.run(0), TimeoutError, "RUN_TIMEOUT");
  expect(message).toContain('"asker" waits for Answer');
  expect(message).toContain('"joiner"');
  expect(message).toContain("lacks Right");
});

test("RUN_TIMEOUT names the steps that are still at work", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: 0.03 });
  workflow.addStep({ inputs: [StartEvent], name: "slowpoke" }, never);
  expect((await fails(workflow.run(0), TimeoutError, "RUN_TIMEOUT")).message).toContain('"slowpoke"');
});

test("the timeout of a run may be given at run, and null is none", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: 0.03 });
  workflow.addStep({ inputs: [StartEvent] }, async () => {
    await pause(70);
    return new StopEvent("in time");
  });
  expect((await soon(workflow.run(0, undefined, { timeout: null }))).data).toBe("in time");
  expect((await soon(workflow.run(0, undefined, { timeout: 10 }))).data).toBe("in time");
  await fails(workflow.run(0, undefined, { timeout: 0.01 }), TimeoutError, "RUN_TIMEOUT");
  await fails(workflow.run(0), TimeoutError, "RUN_TIMEOUT");
});

test("a timeout of 0 ends a run that does not end at once", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: 0 });
  workflow.addStep({ inputs: [StartEvent] }, never);
  await fails(workflow.run(0), TimeoutError, "RUN_TIMEOUT");
});

test("the timeout of a step ends the attempt: STEP_TIMEOUT, signal aborted, what it does later counts for nothing", async () => {
  const late = deferred<unknown>();
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "slow", timeout: 0.02 }, async ({ signal, sendEvent }) => {
    await pause(50);
    expect(signal.aborted).toBe(true);
    try {
      sendEvent(new StopEvent("late"));
    } catch (error) {
      late.resolve(error);
    }
    return new StopEvent("late");
  });
  const context = workflow.run(0);
  const error = await fails(context, TimeoutError, "STEP_TIMEOUT");
  expect(error.message).toContain('"slow"');
  expect(context.failure).toMatchObject({ step: "slow", attempts: 1, error });
  expectError(await soon(late.promise), CancelledError, "ATTEMPT_ENDED");
});

test("a step in time is not timed out later", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], timeout: 0.03 }, async () => {
    await pause(2);
    return new Left("");
  });
  workflow.addStep({ inputs: [Left] }, async () => {
    await pause(60);
    return new StopEvent("fine");
  });
  expect((await soon(workflow.run(0))).data).toBe("fine");
});

test("each attempt has the step's whole timeout", async () => {
  let attempts = 0;
  const workflow = new Workflow<unknown, unknown, string>();
  const retry = retryPolicy({ wait: waitFixed(0), stop: stopAfterAttempt(5) });
  workflow.addStep({ inputs: [StartEvent], timeout: 0.03, retry }, async () => {
    attempts += 1;
    if (attempts < 4) return never();
    return new StopEvent(`attempt ${attempts}`);
  });
  expect((await soon(workflow.run(0))).data).toBe("attempt 4");
});

test("the result of a timed-out attempt does not take the place of the next one's", async () => {
  let attempts = 0;
  const gate = deferred();
  const workflow = new Workflow<unknown, unknown, string>();
  const retry = retryPolicy({ wait: waitFixed(0), stop: stopAfterAttempt(2) });
  workflow.addStep({ inputs: [StartEvent], timeout: 0.05, retry }, async ({ attempt }) => {
    attempts += 1;
    if (attempts === 1) {
      await gate.promise;
      return new StopEvent("of the first attempt");
    }
    gate.resolve();
    await pause(10);
    return new StopEvent(`of attempt ${attempt}`);
  });
  expect((await soon(workflow.run(0))).data).toBe("of attempt 2");
});

test("the timeout of a step does not run while its event is queued", async () => {
  let done = 0;
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    for (let nth = 0; nth < 4; nth += 1) sendEvent(new Left(""));
  });
  workflow.addStep({ inputs: [Left], numWorkers: 1, timeout: 0.15 }, async () => {
    await pause(60);
    done += 1;
    return done === 4 ? new StopEvent(done) : undefined;
  });
  expect((await soon(workflow.run(0))).data).toBe(4);
});

test("many deadlines at once are each met, in order", async () => {
  const order: number[] = [];
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ sleep }) => {
    // Far apart: the machine may be busy while they are set.
    const sleeps = [500, 100, 400, 200, 300].map(async (ms) => {
      await sleep(ms / 1000);
      order.push(ms);
    });
    await Promise.all(sleeps);
    return new StopEvent("");
  });
  await soon(workflow.run(0));
  expect(order).toEqual([100, 200, 300, 400, 500]);
});

const bad: [unknown][] = [[NaN], [-1], [-Infinity], [-1e-9], ["5"], [{}], [true], [[]]];

test.each(bad)("a timeout of %s is refused wherever it is given", async (value) => {
  const timeout = value as number;
  await fails(() => new Workflow({ timeout }), ValidationError, "INVALID_DURATION");
  const workflow = new Workflow<unknown, unknown, string>();
  await fails(
    () => workflow.addStep({ inputs: [StartEvent], timeout }, () => undefined),
    ValidationError,
    "INVALID_DURATION",
  );
  expect(workflow.stepNames).toEqual([]);
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent, sleep }) => {
    await fails(waitForEvent(Answer, { timeout }), ValidationError, "INVALID_DURATION");
    await fails(sleep(timeout), ValidationError, "INVALID_DURATION");
    return new StopEvent("went on");
  });
  await fails(() => workflow.run(0, undefined, { timeout }), ValidationError, "INVALID_DURATION");
  expect((await soon(workflow.run(0))).data).toBe("went on");
});

const huge: [number][] = [[1e300], [Number.MAX_VALUE], [Infinity], [2 ** 31 / 1000], [2 ** 32], [2 ** 53], [1e15]];

test.each(huge)("a timeout of %d does not go off, at once or ever", async (timeout) => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout });
  workflow.addStep({ inputs: [StartEvent], timeout }, async ({ waitForEvent, sleep }) => {
    void sleep(timeout);
    return new StopEvent((await waitForEvent(Answer, { timeout })).data);
  });
  const context = workflow.run(0).start();
  await pause(30);
  expect(context.status).not.toBe("failed");
  context.sendEvent(new Answer("still there"));
  expect((await soon(context)).data).toBe("still there");
});

test("a tiny timeout is a timeout", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: Number.MIN_VALUE });
  workflow.addStep({ inputs: [StartEvent] }, never);
  expectError((await soon(collect(workflow.run(0)))).error, TimeoutError, "RUN_TIMEOUT");
});

test("sleep is over when the run is, and does not hold it up", async () => {
  const slept = deferred<unknown>();
  const workflow = new Workflow<unknown, unknown, string>({ timeout: 0.03 });
  workflow.addStep({ inputs: [StartEvent] }, async ({ sleep }) => {
    slept.resolve(await failure(sleep(3_600)));
  });
  await fails(workflow.run(0), TimeoutError, "RUN_TIMEOUT");
  expectError(await soon(slept.promise), CancelledError, "ATTEMPT_ENDED");
});
