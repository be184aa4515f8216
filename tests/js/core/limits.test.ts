// maxConcurrentRuns, and what each run may use.

import { LimitError, StartEvent, StopEvent, ValidationError, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, deferred, fails, failure, kinds, pause, soon, turn } from "../kit/index.js";

class Note extends WorkflowEvent<string> {}

function gated(maxConcurrentRuns: number): {
  workflow: Workflow<unknown, number, number>;
  began: number[];
  most: () => number;
} {
  const began: number[] = [];
  let [inside, most] = [0, 0];
  const workflow = new Workflow<unknown, number, number>({ maxConcurrentRuns });
  workflow.addStep({ inputs: [StartEvent<number>] }, async (_, { data }) => {
    began.push(data);
    most = Math.max(most, ++inside);
    await pause(3);
    inside -= 1;
    if (data < 0) throw new Error("negative");
    return new StopEvent(data);
  });
  return { workflow, began, most: () => most };
}

test.each([1, 2, 5])("maxConcurrentRuns %d holds, and runs begin first in, first out", async (maximum) => {
  const { workflow, began, most } = gated(maximum);
  const numbers = Array.from({ length: 12 }, (_, nth) => nth);
  const stops = await soon(Promise.all(numbers.map((nth) => workflow.run(nth))));
  expect(stops.map(({ data }) => data)).toEqual(numbers);
  expect(began).toEqual(numbers);
  expect(most()).toBe(maximum);
});

test("a run that fails, is cancelled, or is cancelled while it waits gives its place on", async () => {
  const { workflow, began } = gated(1);
  const contexts = [-1, 1, 2, 3].map((nth) => workflow.run(nth).start());
  contexts[1]!.cancel();
  await expect(soon(contexts[0]!)).rejects.toThrow("negative");
  expect((await soon(contexts[2]!)).data).toBe(2);
  contexts[3]!.cancel();
  expect((await soon(workflow.run(4))).data).toBe(4);
  expect(began.filter((nth) => nth !== 3)).toEqual([-1, 2, 4]);
  await failure(contexts[1]!);
});

test("a run that waits for its turn has the status running, and counts no timeout", async () => {
  const { workflow } = gated(1);
  const first = workflow.run(1).start();
  const second = workflow.run(2, undefined, { timeout: 0.5 }).start();
  expect(second.status).toBe("running");
  expect((await soon(Promise.all([first, second])))[1].data).toBe(2);
});

test("events that are sent while a run waits for its turn arrive after its start event, in order", async () => {
  const gate = deferred();
  const workflow = new Workflow<unknown, string, string>({ maxConcurrentRuns: 1 });
  workflow.addStep({ inputs: [StartEvent<string>] }, async ({ requireEvent }, { data }) => {
    if (data === "first") {
      await gate.promise;
      return new StopEvent("first");
    }
    const notes = [await requireEvent(Note), await requireEvent(Note)];
    return new StopEvent(notes.map((note) => note.data).join(""));
  });
  const first = workflow.run("first").start();
  const second = workflow.run("second");
  second.sendEvent(new Note("a"));
  second.sendEvent(new Note("b"));
  await turn();
  gate.resolve();
  const { events } = await soon(collect(second));
  expect(kinds(events)).toEqual(["StartEvent", "Note", "Note", "StopEvent"]);
  expect((await second).data).toBe("ab");
  expect((await first).data).toBe("first");
});

test("what is wrong with a send is said at once, also while the run waits for its turn", async () => {
  const { workflow } = gated(1);
  const first = workflow.run(1).start();
  const second = workflow.run(2).start();
  await fails(() => second.sendEvent({} as never), ValidationError, "INVALID_EVENT");
  await fails(() => second.sendEvent(new Note(""), { step: "nobody" }), ValidationError, "UNKNOWN_STEP");
  const [{ name }] = [{ name: workflow.stepNames[0]! }];
  await fails(() => second.sendEvent(new Note(""), { step: name }), ValidationError, "EVENT_NOT_TAKEN");
  expect((await soon(Promise.all([first, second]))).map(({ data }) => data)).toEqual([1, 2]);
});

test("a run that waits for its turn can be read and asked", async () => {
  const { workflow } = gated(1);
  const first = workflow.run(1).start();
  const second = workflow.run(2);
  const reader = collect(second);
  const idle = second.idle();
  const streamed = collect(second.stream());
  await soon(first);
  expect(kinds((await soon(reader)).events)).toEqual(["StartEvent", "StopEvent"]);
  expect(kinds((await soon(streamed)).events)).toEqual(["StartEvent", "StopEvent"]);
  await soon(idle);
});

test("hundreds of runs wait without trouble", async () => {
  const workflow = new Workflow<unknown, number, number>({ maxConcurrentRuns: 3 });
  workflow.addStep({ inputs: [StartEvent<number>] }, async (_, { data }) => new StopEvent(data));
  const stops = await soon(Promise.all(Array.from({ length: 2_000 }, (_, nth) => workflow.run(nth))));
  expect(stops.every(({ data }, nth) => data === nth)).toBe(true);
});

test("thousands of runs of steps that are not async, one at a time, do not overflow the stack", async () => {
  const workflow = new Workflow<unknown, number, number>({ maxConcurrentRuns: 1 });
  let blocker: (() => void) | undefined;
  workflow.addStep({ inputs: [StartEvent<number>] }, (_, { data }) =>
    data === 0
      ? new Promise<StopEvent<number>>((resolve) => (blocker = () => resolve(new StopEvent(0))))
      : new StopEvent(data),
  );
  const contexts = Array.from({ length: 20_000 }, (_, nth) => workflow.run(nth).start());
  blocker!();
  const stops = await soon(Promise.all(contexts));
  expect(stops.every(({ data }, nth) => data === nth)).toBe(true);
});

test("limits.steps ends a run that goes round for ever", async () => {
  let begun = 0;
  const workflow = new Workflow<unknown, unknown, string>({ limits: { steps: 100 } });
  workflow.addStep({ inputs: [WorkflowEvent.or(StartEvent, Note)] }, async () => {
    begun += 1;
    return new Note("");
  });
  const error = await fails(workflow.run(0), LimitError, "STEPS_LIMIT");
  expect(error.message).toContain("100");
  expect(begun).toBe(100);
});

test("limits.steps counts attempts and parallel steps, and exactly as many may run", async () => {
  const workflow = new Workflow<unknown, number, string>({ limits: { steps: 4 } });
  workflow.addStep({ inputs: [StartEvent<number>] }, ({ sendEvent }, { data }) => {
    for (let nth = 0; nth < data; nth += 1) sendEvent(new Note(String(nth)));
  });
  let seen = 0;
  workflow.addStep({ inputs: [Note] }, async () => {
    seen += 1;
    return seen === 3 ? new StopEvent("") : undefined;
  });
  await soon(workflow.run(3));
  seen = -10;
  await fails(workflow.run(4), LimitError, "STEPS_LIMIT");
});

const wrong = [[0], [-1], [1.5], [NaN], ["1"], [null], [{}]] as const;

test.each(wrong)("limits and maxConcurrentRuns refuse %s", async (value) => {
  const bad = value as number;
  await fails(() => new Workflow({ maxConcurrentRuns: bad }), ValidationError, "INVALID_OPTION");
  await fails(() => new Workflow({ limits: { steps: bad } }), ValidationError, "INVALID_OPTION");
  await fails(() => new Workflow({ limits: { unreadEvents: bad } }), ValidationError, "INVALID_OPTION");
  if (value !== 0) await fails(() => new Workflow({ limits: { keptEvents: bad } }), ValidationError, "INVALID_OPTION");
});

test.each([Infinity, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER])("limits of %d are no limit", async (value) => {
  const limits = { steps: value, unreadEvents: value, keptEvents: value };
  const workflow = new Workflow<unknown, unknown, string>({ maxConcurrentRuns: value, limits });
  workflow.addStep({ inputs: [StartEvent] }, async ({ sendEvent, requireEvent }) => {
    sendEvent(new Note("kept"));
    return new StopEvent((await requireEvent(Note)).data);
  });
  expect((await soon(workflow.run(0))).data).toBe("kept");
});

test("limits.keptEvents 0 keeps nothing", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ limits: { keptEvents: 0 } });
  workflow.addStep({ inputs: [StartEvent] }, async ({ sendEvent, requireEvent }) => {
    sendEvent(new Note("lost"));
    return new StopEvent((await requireEvent(Note)).data);
  });
  const context = workflow.run(0);
  await soon(context.idle());
  context.sendEvent(new Note("came later"));
  expect((await soon(context)).data).toBe("came later");
});
