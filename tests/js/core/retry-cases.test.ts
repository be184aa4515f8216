// Retry policies beside Python's tenacity, from which their names come: its waits and stops are in `retry-cases.json`,
// which `retry-cases.py` has written.

import {
  type RetryCondition,
  StartEvent,
  type StopStrategy,
  type WaitStrategy,
  Workflow,
  retryAlways,
  retryIfCauseType,
  retryIfErrorType,
  retryIfMessage,
  retryNever,
  retryNot,
  retryPolicy,
  retryUnlessErrorType,
  stopAfterAttempt,
  stopAfterDelay,
  stopAll,
  stopAny,
  stopBeforeDelay,
  stopNever,
  waitChain,
  waitExponential,
  waitExponentialJitter,
  waitFixed,
  waitFullJitter,
  waitIncrementing,
  waitNone,
  waitRandom,
  waitSum,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { failure, soon } from "../kit/index.js";
import cases from "./retry-cases.json" with { type: "json" };

class Root extends Error {}
class Middle extends Error {}
class Outer extends Error {}

interface Policy {
  readonly wait?: WaitStrategy;
  readonly stop?: StopStrategy;
  readonly retry?: RetryCondition;
}

const two = waitFixed(2);
const one = waitFixed(1);

const policies: Readonly<Record<string, Policy>> = {
  none: { wait: waitNone },
  fixed: { wait: waitFixed(2.5) },
  random: { wait: waitRandom({ min: 1, max: 3 }) },
  incrementing: { wait: waitIncrementing({ initial: 1, step: 3, max: 20 }) },
  exponential: { wait: waitExponential({ initial: 0.5, factor: 3, max: 60 }) },
  "exponential jitter": { wait: waitExponentialJitter() },
  "exponential jitter, wide": { wait: waitExponentialJitter({ initial: 0.25, max: 9, factor: 1.5, jitter: 4 }) },
  "random exponential": { wait: waitFullJitter() },
  "random exponential, min": { wait: waitFullJitter({ initial: 0.5, max: 30, min: 3 }) },
  chain: { wait: waitChain(one, two, waitExponentialJitter({ initial: 4, max: 10 })) },
  sum: { wait: waitSum(waitFixed(3), waitRandom({ min: 0, max: 2 })) },
  "stop after attempt": { wait: one, stop: stopAfterAttempt(4) },
  "stop after delay": { wait: two, stop: stopAfterDelay(7) },
  "stop after delay, on the dot": { wait: two, stop: stopAfterDelay(6) },
  "stop before delay": { wait: two, stop: stopBeforeDelay(7) },
  "stop before delay, on the dot": { wait: two, stop: stopBeforeDelay(6) },
  "stop before delay, growing": { wait: waitExponential({ max: Infinity }), stop: stopBeforeDelay(20) },
  "stop any": { wait: two, stop: stopAny(stopBeforeDelay(9), stopAfterAttempt(3)) },
  "stop all": { wait: two, stop: stopAll(stopBeforeDelay(9), stopAfterAttempt(3)) },
  "stop never": { wait: two, stop: stopNever },
  "retry always": { wait: one, retry: retryAlways },
  "retry never": { wait: one, retry: retryNever },
  "retry on type": { wait: one, retry: retryIfErrorType(Outer) },
  "retry on other type": { wait: one, retry: retryIfErrorType(Root) },
  "retry unless type": { wait: one, retry: retryUnlessErrorType(Outer) },
  "retry on cause": { wait: one, retry: retryIfCauseType(Middle) },
  "retry on inner cause": { wait: one, retry: retryIfCauseType(Root) },
  "retry on cause, itself": { wait: one, retry: retryIfCauseType(Outer) },
  "retry on message": { wait: one, retry: retryIfMessage(/^out/) },
  "retry not on message": { wait: one, retry: retryNot(retryIfMessage(/^out/)) },
};

/** The waits between the attempts of a step that always fails, in seconds. */
async function waitsOf({ retry, wait = waitNone, stop = stopNever }: Policy, spent: number): Promise<number[]> {
  const waits: number[] = [];
  let failed: number | undefined;
  const policy = retryPolicy({ retry, wait, stop: stopAny(stop, stopAfterAttempt(cases.attempts)) });
  const workflow = new Workflow({ timeout: null }).addStep(
    { name: "fail", inputs: [StartEvent], retry: policy },
    async () => {
      if (failed !== undefined) waits.push((performance.now() - failed) / 1000);
      await new Promise((resolve) => setTimeout(resolve, spent * 1000));
      failed = performance.now();
      throw new Outer("outer", { cause: new Middle("middle", { cause: new Root("root") }) });
    },
  );
  await failure(soon(Promise.resolve(workflow.run(0))));
  return waits;
}

test("every case of tenacity has its policy here", () => {
  expect(cases.cases.map(({ name }) => name)).toEqual(Object.keys(policies));
});

// The engine counts whole milliseconds, and the clock of the tests may be a fraction of one late.
const MS = 0.0021;

test.each(cases.cases)("$name", async ({ name, spent, low, high }) => {
  const waits = await waitsOf(policies[name]!, spent);
  expect(waits).toHaveLength(low.length);
  waits.forEach((wait, nth) => {
    expect(wait).toBeGreaterThanOrEqual(low[nth]! - MS);
    expect(wait).toBeLessThanOrEqual(high[nth]! + MS);
  });
});

test.each(cases.cases.filter(({ low, high }) => low.some((wait, nth) => wait !== high[nth])))(
  "$name draws, and not always the same",
  async ({ name, spent, low, high }) => {
    const waits = await waitsOf(policies[name]!, spent);
    const drawn = waits.filter((_, nth) => low[nth] !== high[nth]);
    expect(drawn.some((wait, nth) => wait - low[nth]! > MS || high[nth]! - wait > MS)).toBe(true);
    expect(new Set(await waitsOf(policies[name]!, spent))).not.toEqual(new Set(waits));
  },
);
