// Retries: every strategy, conditions, and policies of one's own.

import {
  type RetryFunction,
  type RetryPolicy,
  StartEvent,
  StepError,
  StopEvent,
  ValidationError,
  type WaitStrategy,
  Workflow,
  retryAll,
  retryAny,
  retryIfErrorType,
  retryIfMessage,
  retryPolicy,
  retryUnlessErrorType,
  stopAfterAttempt,
  stopAfterDelay,
  stopAll,
  stopAny,
  stopNever,
  waitChain,
  waitExponential,
  waitFixed,
  waitFullJitter,
  waitIncrementing,
  waitRandom,
  waitSum,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, fails, failure, kinds, soon } from "../kit/index.js";

interface Attempts {
  /** When each attempt began, in milliseconds since the first. */
  readonly times: number[];
  readonly error: unknown;
  readonly value: string | undefined;
}

/** Runs one step that fails so many times. */
async function attempt(
  retry: RetryPolicy | RetryFunction | undefined,
  failures: number,
  error: (nth: number) => unknown = (nth) => new Error(`failure ${nth}`),
): Promise<Attempts> {
  const times: number[] = [];
  let first = 0;
  const workflow = new Workflow<unknown, unknown, string>();
  const parameters = { inputs: [StartEvent], name: "flaky" } as const;
  workflow.addStep(retry === undefined ? parameters : { ...parameters, retry }, async (context) => {
    if (times.length === 0) first = performance.now();
    times.push(performance.now() - first);
    expect(context.attempt).toBe(times.length);
    if (times.length <= failures) throw error(times.length);
    return new StopEvent(`attempt ${context.attempt}`);
  });
  const context = workflow.run(0);
  try {
    const { data } = await soon(context);
    return { times, error: undefined, value: data };
  } catch (thrown) {
    expect(context.failure?.attempts).toBe(times.length);
    return { times, error: thrown, value: undefined };
  }
}

/** The pauses between attempts, in milliseconds. */
const gaps = ({ times }: Attempts): number[] => times.slice(1).map((time, nth) => time - times[nth]!);

const waiting = (wait: WaitStrategy, attempts = 4): RetryPolicy =>
  retryPolicy({ wait, stop: stopAfterAttempt(attempts) });

test("without a policy a step has one attempt", async () => {
  const { times, error } = await attempt(undefined, 1);
  expect(times).toHaveLength(1);
  expect(error).toEqual(new Error("failure 1"));
});

test("a step that succeeds in the end goes on", async () => {
  const { value, times } = await attempt(waiting(waitFixed(0.001), 5), 3);
  expect(value).toBe("attempt 4");
  expect(times).toHaveLength(4);
});

test("the last error is the run's", async () => {
  const { error } = await attempt(waiting(waitFixed(0), 3), 9);
  expect(error).toEqual(new Error("failure 3"));
});

test("failed attempts are not in the stream, and its result is there once", async () => {
  let attempts = 0;
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], retry: waiting(waitFixed(0)) }, () => {
    attempts += 1;
    if (attempts < 3) throw new Error("again");
    return new StopEvent("x");
  });
  expect(kinds((await soon(collect(workflow.run(0)))).events)).toEqual(["StartEvent", "StopEvent"]);
});

// From and to how many milliseconds each pause lasts; without an end, it is exact.
const cases: [string, WaitStrategy, number[], number[]][] = [
  ["waitFixed", waitFixed(0.02), [20, 20, 20], []],
  ["waitExponential", waitExponential({ initial: 0.01, factor: 2, max: 10 }), [10, 20, 40], []],
  ["waitExponential with max", waitExponential({ initial: 0.01, factor: 10, max: 0.03 }), [10, 30, 30], []],
  ["waitIncrementing", waitIncrementing({ initial: 0.01, step: 0.015 }), [10, 25, 40], []],
  ["waitIncrementing with max", waitIncrementing({ initial: 0, step: 0.02, max: 0.03 }), [0, 20, 30], []],
  ["waitRandom", waitRandom({ min: 0.01, max: 0.03 }), [10, 10, 10], [30, 30, 30]],
  ["waitFullJitter", waitFullJitter({ initial: 0.02, factor: 1, max: 0.02 }), [0, 0, 0], [20, 20, 20]],
  ["waitChain", waitChain(waitFixed(0.005), waitFixed(0.03)), [5, 30, 30], []],
  ["waitSum", waitSum(waitFixed(0.01), waitIncrementing({ initial: 0, step: 0.01 })), [10, 20, 30], []],
];

test.each(cases)("%s waits as long as it says", async (_, wait, least, most) => {
  const attempts = await attempt(waiting(wait), 3);
  expect(attempts.value).toBe("attempt 4");
  gaps(attempts).forEach((gap, nth) => {
    expect(gap).toBeGreaterThanOrEqual(least[nth]!);
    // Timers have whole milliseconds, so that an end is rounded up.
    expect(gap).toBeLessThan((most[nth] ?? least[nth]!) + 1);
  });
});

test("random waits depend on the run id alone", async () => {
  const delays = async (runId: string): Promise<number[]> => {
    const times: number[] = [];
    const workflow = new Workflow<unknown, unknown, string>();
    const retry = retryPolicy({ wait: waitRandom({ min: 0, max: 0.12 }), stop: stopAfterAttempt(4) });
    workflow.addStep({ inputs: [StartEvent], retry }, () => {
      times.push(performance.now());
      if (times.length < 4) throw new Error("again");
      return new StopEvent("");
    });
    await soon(workflow.run(0, undefined, { runId }));
    return times.slice(1).map((time, nth) => time - times[nth]!);
  };
  const [one, same, other] = [await delays("seven"), await delays("seven"), await delays("eleven")];
  expect(same).toEqual(one);
  expect(other).not.toEqual(one);
});

test("stopAfterAttempt stops after so many attempts", async () => {
  for (const most of [1, 2, 7]) {
    expect((await attempt(waiting(waitFixed(0), most), 99)).times).toHaveLength(most);
  }
});

test("stopAfterDelay stops when the time is over", async () => {
  const attempts = await attempt(retryPolicy({ wait: waitFixed(0.01), stop: stopAfterDelay(0.05) }), 99);
  expect(attempts.times.map(Math.round)).toEqual([0, 10, 20, 30, 40, 50]);
});

test("stopNever goes on", async () => {
  expect((await attempt(retryPolicy({ wait: waitFixed(0), stop: stopNever }), 50)).value).toBe("attempt 51");
});

test("stopAny stops at the first that says so, stopAll at the last", async () => {
  const [three, five] = [stopAfterAttempt(3), stopAfterAttempt(5)];
  expect((await attempt(retryPolicy({ wait: waitFixed(0), stop: stopAny(five, three) }), 99)).times).toHaveLength(3);
  expect((await attempt(retryPolicy({ wait: waitFixed(0), stop: stopAll(five, three) }), 99)).times).toHaveLength(5);
  const mixed = stopAny(stopAll(three, stopNever), five);
  expect((await attempt(retryPolicy({ wait: waitFixed(0), stop: mixed }), 99)).times).toHaveLength(5);
});

test("by default a policy has three attempts, five seconds apart", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  const times: number[] = [];
  workflow.addStep({ inputs: [StartEvent], retry: retryPolicy() }, () => {
    times.push(Math.round(performance.now()));
    throw new Error("again");
  });
  expect(await failure(workflow.run(0))).toEqual(new Error("again"));
  expect(times.map((time) => time - times[0]!)).toEqual([0, 5_000, 10_000]);
});

const network = (): Error => Object.assign(new RangeError("network is down"), { extra: 1 });

test.each([
  ["retryIfErrorType", retryIfErrorType(RangeError), 3],
  ["retryIfErrorType of an ancestor", retryIfErrorType(Error), 3],
  ["retryIfErrorType of another class", retryIfErrorType(TypeError), 1],
  ["retryUnlessErrorType", retryUnlessErrorType(RangeError), 1],
  ["retryUnlessErrorType of another class", retryUnlessErrorType(TypeError), 3],
  ["retryIfMessage with a text", retryIfMessage("network"), 3],
  ["retryIfMessage with another text", retryIfMessage("disk"), 1],
  ["retryIfMessage with an expression", retryIfMessage(/^network.*down$/), 3],
  ["retryIfMessage with a global expression", retryIfMessage(/network/g), 3],
  ["retryAny", retryAny(retryIfMessage("disk"), retryIfMessage("network")), 3],
  ["retryAll", retryAll(retryIfMessage("disk"), retryIfMessage("network")), 1],
  ["a condition on the attempt", (_: Error, nth: number) => nth < 2, 2],
])("%s decides whether an error is tried again", async (_, retry, attempts) => {
  const policy = retryPolicy({ retry, wait: waitFixed(0), stop: stopAfterAttempt(3) });
  expect((await attempt(policy, 99, network)).times).toHaveLength(attempts);
});

test("a condition that throws ends the run with its error", async () => {
  const broken = new Error("broken condition");
  const retry = retryPolicy({
    wait: waitFixed(0),
    retry: () => {
      throw broken;
    },
  });
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], retry }, () => {
    throw new Error("of the step");
  });
  expect(await failure(workflow.run(0))).toBe(broken);
});

test("a retry function decides itself, and knows error, attempt and elapsed time", async () => {
  const asked: { message: string; attempt: number; elapsed: number }[] = [];
  const retry: RetryFunction = ({ error, attempt: nth, elapsed }) => {
    asked.push({ message: error.message, attempt: nth, elapsed });
    return nth < 4 ? 0.01 : null;
  };
  const attempts = await attempt(retry, 99);
  expect(attempts.times).toHaveLength(4);
  expect(attempts.error).toEqual(new Error("failure 4"));
  expect(asked.map(({ message, attempt: nth }) => `${message} ${nth}`)).toEqual([
    "failure 1 1",
    "failure 2 2",
    "failure 3 3",
    "failure 4 4",
  ]);
  expect(asked.map(({ elapsed }) => elapsed)).toEqual([0, 0.01, 0.02, 0.03]);
});

test.each([[null], [undefined], [false], ["soon"], [{}], [true]])(
  "a retry function that answers %s gives up",
  async (answer) => {
    expect((await attempt(() => answer as null, 99)).times).toHaveLength(1);
  },
);

test("a retry function that answers 0 tries again at once", async () => {
  expect((await attempt(({ attempt: nth }) => (nth < 20 ? 0 : false), 10)).value).toBe("attempt 11");
});

test.each([[NaN], [-1], [-Infinity]])(
  "a retry function that answers %d ends the run with INVALID_DURATION",
  async (answer) => {
    const workflow = new Workflow<unknown, unknown, string>();
    workflow.addStep({ inputs: [StartEvent], retry: () => answer }, () => {
      throw new Error("of the step");
    });
    await fails(workflow.run(0), ValidationError, "INVALID_DURATION");
  },
);

test.each([[1e300], [Number.MAX_VALUE]])(
  "a retry function that answers %d waits for as long as the run may live",
  async (answer) => {
    let attempts = 0;
    const workflow = new Workflow<unknown, unknown, string>({ timeout: 0.03 });
    workflow.addStep({ inputs: [StartEvent], retry: () => answer }, () => {
      attempts += 1;
      throw new Error("of the step");
    });
    expect((await failure(workflow.run(0))) as Error).toHaveProperty("code", "RUN_TIMEOUT");
    expect(attempts).toBe(1);
  },
);

test("something that is not an Error is retried as a StepError with it as the cause", async () => {
  const seen: Error[] = [];
  const retry: RetryFunction = ({ error }) => {
    seen.push(error);
    return seen.length < 2 ? 0 : null;
  };
  const { error } = await attempt(retry, 99, (nth) => `text ${nth}`);
  expect(seen.map((one) => [one instanceof StepError, one.cause])).toEqual([
    [true, "text 1"],
    [true, "text 2"],
  ]);
  expect(error).toBe(seen[1]);
});

test("only the step that failed is repeated, with the same event", async () => {
  const events: unknown[] = [];
  let others = 0;
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "other" }, () => void (others += 1));
  workflow.addStep({ inputs: [StartEvent], name: "flaky", retry: waiting(waitFixed(0)) }, async (_, event) => {
    events.push(event);
    if (events.length < 3) throw new Error("again");
    return new StopEvent("");
  });
  await soon(workflow.run(0));
  expect(others).toBe(1);
  expect(events).toHaveLength(3);
  expect(new Set(events).size).toBe(1);
});

test("a step that waits for its next attempt gives its worker to others", async () => {
  const order: string[] = [];
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    sendEvent(new StartEvent("bad"), { step: "work" });
    sendEvent(new StartEvent("good"), { step: "work" });
  });
  workflow.addStep(
    { inputs: [StartEvent], name: "work", numWorkers: 1, retry: waiting(waitFixed(0.02)) },
    async (context, { data }) => {
      if (data === 0) return undefined;
      order.push(`${String(data)} ${context.attempt}`);
      if (data === "bad" && context.attempt === 1) throw new Error("again");
      return data === "bad" ? new StopEvent("") : undefined;
    },
  );
  await soon(workflow.run(0));
  expect(order).toEqual(["bad 1", "good 1", "bad 2"]);
});

test("the signal of a failed attempt is aborted, the next attempt has its own", async () => {
  const signals: AbortSignal[] = [];
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], retry: waiting(waitFixed(0)) }, async ({ signal }) => {
    signals.push(signal);
    expect(signal.aborted).toBe(false);
    if (signals.length === 1) throw new Error("again");
    return new StopEvent("");
  });
  await soon(workflow.run(0));
  expect(signals[0]!.aborted).toBe(true);
  expect(signals[0]).not.toBe(signals[1]);
});

test("cancelling a run that waits for an attempt ends it at once", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], retry: retryPolicy({ wait: waitFixed(100) }) }, () => {
    throw new Error("again");
  });
  const context = workflow.run(0).start();
  context.cancel();
  expect(await failure(context)).toHaveProperty("code", "RUN_CANCELLED");
});

test("strategies and policies that are wrong are refused where they are made", async () => {
  const wrong: [() => unknown, string][] = [
    [() => waitFixed(-1), "INVALID_DURATION"],
    [() => waitFixed(NaN), "INVALID_DURATION"],
    [() => waitFixed("1" as never), "INVALID_DURATION"],
    [() => waitExponential({ factor: -1 }), "INVALID_RETRY"],
    [() => waitExponential({ factor: NaN }), "INVALID_RETRY"],
    [() => waitRandom({ min: -1 }), "INVALID_DURATION"],
    [() => stopAfterAttempt(NaN), "INVALID_RETRY"],
    [() => stopAfterAttempt(-1), "INVALID_RETRY"],
    [() => stopAfterDelay(NaN), "INVALID_DURATION"],
    [() => retryPolicy({ wait: 5 as never }), "INVALID_RETRY"],
    [() => retryPolicy({ stop: {} as never }), "INVALID_RETRY"],
    [() => retryPolicy({ retry: "always" as never }), "INVALID_RETRY"],
    [() => waitChain(5 as never), "INVALID_RETRY"],
    [() => waitSum(undefined as never), "INVALID_RETRY"],
    [() => stopAny({} as never), "INVALID_RETRY"],
    [() => new Workflow().addStep({ inputs: [StartEvent], retry: {} as never }, () => undefined), "INVALID_RETRY"],
  ];
  for (const [make, code] of wrong) await fails(make, ValidationError, code);
});

test.each<[string, () => WaitStrategy]>([
  ["a chain of nothing", () => waitChain()],
  ["a sum of nothing", () => waitSum()],
  ["a random wait with min above max", () => waitRandom({ min: 0.002, max: 0.001 })],
  ["a factor of 0", () => waitExponential({ initial: 0.001, factor: 0 })],
  ["a factor below 1", () => waitExponential({ initial: 0.004, factor: 0.5 })],
  ["an enormous factor under a small max", () => waitExponential({ initial: 0.001, factor: 1e308, max: 0.002 })],
  [
    "nested strategies",
    () => waitChain(waitSum(waitFixed(0), waitChain(waitFixed(0.001))), waitFullJitter({ max: 0.001 })),
  ],
])("%s is either refused or works", async (_, make) => {
  let wait;
  try {
    wait = make();
  } catch (error) {
    expect(error).toBeInstanceOf(ValidationError);
    return;
  }
  expect((await attempt(waiting(wait, 30), 20)).value).toBe("attempt 21");
});

test("strategies nested very deep are refused or work, and break nothing", async () => {
  let wait = waitFixed(0);
  for (let depth = 0; depth < 5_000; depth += 1) wait = waitSum(wait);
  const workflow = new Workflow<unknown, unknown, string>();
  let attempts = 0;
  workflow.addStep({ inputs: [StartEvent], name: "deep", retry: waiting(wait) }, () => {
    attempts += 1;
    if (attempts === 1) throw new Error("again");
    return new StopEvent("fine");
  });
  try {
    expect((await soon(workflow.run(0))).data).toBe("fine");
  } catch (error) {
    expect(error).toHaveProperty("code", "INVALID_RETRY");
  }
  expect((await attempt(waiting(waitFixed(0)), 1)).value).toBe("attempt 2");
});
