// What the attempts of a step know of each other, also when there is a snapshot between them.

import {
  CancelledError,
  type HandlerContext,
  StartEvent,
  StepFailedEvent,
  StopEvent,
  Workflow,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { expectError, failure, pause, soon } from "../kit/index.js";
import { Answer, reborn } from "./kit.js";

class RateLimitError extends Error {
  override readonly name = "RateLimitError";
  readonly status = 429;
  /** What no snapshot holds. */
  readonly retryLater = (): void => undefined;
}

interface Seen {
  readonly attempt: number;
  readonly lastError: unknown;
  readonly elapsed: number;
}

/** A step that notes what it sees, fails so often, and then waits. */
function failing(seen: Seen[], failures: number, error: () => unknown = () => new Error("no")): () => Workflow {
  const retry = retryPolicy({ wait: waitFixed(10), stop: stopAfterAttempt(5) });
  return () =>
    new Workflow({ timeout: null, name: "failing" }).addStep(
      { name: "work", inputs: [StartEvent], outputs: [StopEvent], retry },
      async ({ attempt, lastError, elapsed, waitForEvent }: HandlerContext) => {
        seen.push({ attempt, lastError, elapsed });
        await pause(1000);
        if (attempt <= failures) throw error();
        return new StopEvent((await waitForEvent(Answer)).data);
      },
    ) as Workflow;
}

test("an attempt knows its number, the last error, and how long it takes already", async () => {
  const seen: Seen[] = [];
  const errors = [new RateLimitError("slow down"), new RateLimitError("still")];
  const run = failing(seen, 2, () => errors[seen.length - 1])().run("x");
  run.sendEvent(new Answer("yes"));
  await soon(run);
  expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(seen[0]!.lastError).toBeUndefined();
  expect(seen[1]!.lastError, "the object that was thrown").toBe(errors[0]);
  expect(seen[2]!.lastError).toBe(errors[1]);
  const elapsed = seen.map((one) => one.elapsed);
  [0, 11, 22].forEach((time, nth) => expect(elapsed[nth]).toBeCloseTo(time, 1));
});

test("what is no error was made one for the next attempt", async () => {
  const seen: Seen[] = [];
  const run = failing(seen, 1, () => "text")().run("x");
  run.sendEvent(new Answer("yes"));
  await soon(run);
  expectError(seen[1]!.lastError, (await import("stepstream")).StepError, "STEP_FAILED");
  expect((seen[1]!.lastError as Error).cause).toBe("text");
});

test("a snapshot in the pause carries the last error and the time, as far as they can be carried", async () => {
  const seen: Seen[] = [];
  const cause = Object.assign(new TypeError("refused"), { socket: () => undefined, code: "ECONNREFUSED" });
  const make = failing(seen, 1, () => Object.assign(new RateLimitError("slow down", { cause }), { limit: 7 }));
  const first = make().run("x").start();
  await pause(4000);
  const second = reborn(first, make);
  second.sendEvent(new Answer("yes"));
  expect((await soon(second)).data).toBe("yes");
  expect(seen).toHaveLength(2);
  const { lastError, attempt, elapsed } = seen[1]!;
  expect(attempt).toBe(2);
  expect(elapsed, "a second of work and ten of waiting").toBeCloseTo(11, 1);
  expect(lastError).toBeInstanceOf(Error);
  expect(lastError).toMatchObject({ name: "RateLimitError", message: "slow down", status: 429, limit: 7 });
  expect(lastError).not.toHaveProperty("retryLater");
  const inner = (lastError as Error).cause;
  expect(inner).toBeInstanceOf(TypeError);
  expect(inner).toMatchObject({ message: "refused", code: "ECONNREFUSED" });
  expect(inner).not.toHaveProperty("socket");
});

test("an attempt that runs again after a snapshot sees the same error", async () => {
  const seen: Seen[] = [];
  const make = failing(seen, 1);
  const first = make().run("x").start();
  await pause(11_500);
  expect(seen).toHaveLength(2);
  const second = reborn(first, make).start();
  await pause(500);
  const third = reborn(second, make);
  third.sendEvent(new Answer("yes"));
  await soon(third);
  expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 2, 2]);
  for (const { lastError } of seen.slice(1)) expect(lastError).toMatchObject({ message: "no" });
  expect(seen[3]!.elapsed).toBeCloseTo(12, 1);
});

test("the message of a run that was too slow names the failure, also after a snapshot", async () => {
  const make = failing([], 9);
  const first = make().run("x").start();
  await pause(2000);
  const bytes = first.snapshot();
  first.cancel();
  const error = (await failure(soon(Promise.resolve(make().recover(bytes, { timeout: 1 }))))) as Error;
  expect(error.message).toContain("attempt 1 failed: no");
  expect(error.cause).toMatchObject({ message: "no" });
});

test("a journal leads to a run whose next attempt knows the error", async () => {
  const seen: Seen[] = [];
  const make = failing(seen, 1);
  const run = make().run("x", undefined, { journal: true }).start();
  await pause(3000);
  const replay = make().replay(run.journal());
  run.cancel();
  const again = make().recover(replay.snapshot());
  replay.dispose();
  again.sendEvent(new Answer("yes"));
  await soon(again);
  expect(seen[1]).toMatchObject({ attempt: 2, lastError: { message: "no" } });
});

test("a failure says how long the attempts took and when the last one failed", async () => {
  const retry = retryPolicy({ wait: waitFixed(10), stop: stopAfterAttempt(2) });
  const begun = Date.now();
  const workflow = new Workflow<unknown, unknown, StepFailedEvent>()
    .addStep({ name: "work", inputs: [StartEvent], outputs: [], retry }, async () => {
      await pause(500);
      throw new Error("no");
    })
    .catchError({ outputs: [StopEvent<StepFailedEvent>] }, (_, event) => new StopEvent(event));
  const { data } = await soon(workflow.run("x"));
  expect(data.data.elapsed).toBeCloseTo(11, 1);
  expect(data.data.failedAt - begun).toBeCloseTo(11_000, -2);
  expect(data.data.attempts).toBe(2);
});

test("a retry function counts the time of earlier lives", async () => {
  const asked: number[] = [];
  const retry = ({ elapsed }: { readonly elapsed: number }): number | false => {
    asked.push(elapsed);
    return asked.length < 3 && 10;
  };
  const make = (): Workflow =>
    new Workflow({ timeout: null, name: "own" }).addStep(
      { name: "work", inputs: [StartEvent], outputs: [StopEvent], retry },
      async () => {
        await pause(1000);
        throw new Error("no");
      },
    );
  const first = make().run("x").start();
  await pause(3000);
  await failure(soon(Promise.resolve(reborn(first, make))));
  expect(asked).toHaveLength(3);
  [1, 12, 23].forEach((time, nth) => expect(asked[nth]).toBeCloseTo(time, 1));
});

test("the time of an attempt that is over is not there, unless it was asked for before", async () => {
  const contexts: HandlerContext[] = [];
  const workflow = new Workflow().addStep({ name: "work", inputs: [StartEvent] }, async (context) => {
    contexts.push(context);
    if (context.data === "asks") expect(context.elapsed).toBeGreaterThanOrEqual(0);
    await pause(1000);
    return new StopEvent("done");
  });
  await soon(workflow.run("x", "asks"));
  await soon(workflow.run("x", "does not"));
  expect(contexts[0]!.elapsed).toBeGreaterThanOrEqual(1);
  expectError(await failure(() => contexts[1]!.elapsed), CancelledError, "ATTEMPT_ENDED");
  expect(contexts[1]!.lastError).toBeUndefined();
});
