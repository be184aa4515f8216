// A run that can never finish says so; one that waits for the outside does not.

import {
  HumanResponseEvent,
  StalledError,
  StartEvent,
  StopEvent,
  TimeoutError,
  Workflow,
  WorkflowEvent,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, expectError, fails, kinds, pause, soon, turn } from "../kit/index.js";

class Left extends WorkflowEvent<string> {}
class Right extends WorkflowEvent<string> {}
class Answer extends HumanResponseEvent<string> {}

test("a run whose last step returns nothing rejects with RUN_STALLED", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async () => undefined);
  const context = workflow.run(0);
  const { events, error } = await soon(collect(context));
  expect(kinds(events)).toEqual(["StartEvent"]);
  expectError(error, StalledError, "RUN_STALLED");
  expect(await fails(context, StalledError, "RUN_STALLED")).toBe(error);
  expect(context.status).toBe("failed");
});

test("a run whose last event no step takes rejects with RUN_STALLED", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, () => new Left(""));
  await fails(workflow.run(0), StalledError, "RUN_STALLED");
});

test("the joins that are open are named, with what they lack", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  // What no step says that it makes might come from outside, and the run would wait for that.
  workflow.addStep({ inputs: [StartEvent], outputs: [Left] }, () => new Left(""));
  workflow.addStep({ inputs: [Left], outputs: [Right] }, () => undefined);
  workflow.addStep({ inputs: [Left, Right], name: "joiner" }, () => new StopEvent(""));
  const { message } = await fails(workflow.run(0), StalledError, "RUN_STALLED");
  expect(message).toContain('"joiner"');
  expect(message).toContain("lacks Right");
});

test("a join that lacks a choice names all of it", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, () => new Left(""));
  workflow.addStep({ inputs: [Left, WorkflowEvent.or(Right, Answer)], name: "joiner" }, () => new StopEvent(""));
  workflow.addStep({ inputs: [Right] }, () => undefined);
  const context = workflow.run(0);
  // An Answer may come from outside, so that this one waits.
  await soon(context.idle());
  expect(context.status).toBe("waiting");
  context.sendEvent(new Answer("x"));
  await soon(context);
});

test("a run whose step takes what is made inside or an answer waits for the answer", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], outputs: [Left] }, () => new Left("item"));
  workflow.addStep({ inputs: [WorkflowEvent.or(Left, Answer)], outputs: [StopEvent] }, (_, event) => {
    return event instanceof Answer ? new StopEvent(event.data) : undefined;
  });
  const context = workflow.run(0);
  await soon(context.idle());
  expect(context.status).toBe("waiting");
  context.sendEvent(new Answer("yes"));
  expect((await soon(context)).data).toBe("yes");
});

test("a run is idle when its only worker waits, whatever queues behind it", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    sendEvent(new Left("one"));
    sendEvent(new Left("two"));
  });
  workflow.addStep({ inputs: [Left], numWorkers: 1 }, async ({ requireEvent }, event) => {
    const answer = await requireEvent(Answer);
    return event.data === "two" ? new StopEvent(answer.data) : undefined;
  });
  const context = workflow.run(0);
  for (const answer of ["first", "second"]) {
    await soon(context.idle());
    expect(context.status).toBe("waiting");
    context.sendEvent(new Answer(answer));
  }
  expect((await soon(context)).data).toBe("second");
});

test("a run with work in flight, timed or waiting is not stalled", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "timed" }, async ({ sleep }) => {
    await sleep(0.02);
    return new Left("");
  });
  workflow.addStep({ inputs: [Left] }, async () => {
    await pause(10);
    return new StopEvent("fine");
  });
  expect((await soon(workflow.run(0))).data).toBe("fine");
});

test("a run whose step waits for an event waits for the outside, even if no step could send it", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep(
    { inputs: [StartEvent] },
    async ({ requireEvent }) => new StopEvent((await requireEvent(Right)).data),
  );
  const context = workflow.run(0).start();
  await soon(context.idle());
  expect(context.status).toBe("waiting");
  context.sendEvent(new Right("r"));
  expect((await soon(context)).data).toBe("r");
});

test("a run with a step that only the outside can call waits", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, () => undefined);
  workflow.addStep({ inputs: [Answer] }, (_, { data }) => new StopEvent(data));
  const context = workflow.run(0);
  await soon(context.idle());
  expect(context.status).toBe("waiting");
  context.sendEvent(new Answer("a"));
  expect((await soon(context)).data).toBe("a");
});

test("status and idle follow the run", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ requireEvent }) => {
    await pause(5);
    const first = await requireEvent(Answer);
    await pause(5);
    const second = await requireEvent(Answer);
    return new StopEvent(first.data + second.data);
  });
  const context = workflow.run(0);
  const seen: string[] = [context.status];
  context.start();
  seen.push(context.status);
  await soon(context.idle());
  seen.push(context.status);
  context.sendEvent(new Answer("1"));
  seen.push(context.status);
  await soon(context.idle());
  seen.push(context.status);
  context.sendEvent(new Answer("2"));
  await soon(context.idle());
  seen.push(context.status);
  expect(seen).toEqual(["created", "running", "waiting", "running", "waiting", "completed"]);
  expect(context.result).toBe("12");
});

test("idle resolves at once for a run that waits or has ended, and never rejects", async () => {
  const workflow = new Workflow<unknown, string, string>();
  workflow.addStep({ inputs: [StartEvent<string>] }, async ({ requireEvent }, { data }) => {
    if (data === "throws") throw new Error("broken");
    return new StopEvent((await requireEvent(Answer)).data);
  });
  const waiting = workflow.run("waits");
  await soon(waiting.idle());
  await soon(Promise.all([waiting.idle(), waiting.idle()]));
  waiting.sendEvent(new Answer(""));
  await soon(waiting);
  await soon(waiting.idle());
  const failing = workflow.run("throws");
  await soon(failing.idle());
  expect(failing.status).toBe("failed");
  await soon(failing.idle());
});

test("a wait with a timeout is not idle for ever: it goes on by itself", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent }) => {
    await waitForEvent(Answer, { timeout: 0.02 }).catch(() => undefined);
    return new StopEvent("went on");
  });
  expect((await soon(workflow.run(0))).data).toBe("went on");
});

test("a run whose waiting step has other work in flight is running", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "waits" }, async ({ requireEvent }) => {
    await requireEvent(Answer);
  });
  workflow.addStep({ inputs: [StartEvent], name: "works" }, async () => {
    await pause(15);
  });
  const context = workflow.run(0).start();
  await turn();
  expect(context.status).toBe("running");
  await soon(context.idle());
  expect(context.status).toBe("waiting");
  context.cancel();
});

// ---- what lacks is said ----

class Item extends WorkflowEvent<string> {}

test("a step that sent an event no step takes stalls a closed run", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: null });
  workflow.addStep({ inputs: [StartEvent], outputs: [] }, ({ sendEvent }) => sendEvent(new Left("for nobody")));
  await fails(workflow.run(0), StalledError, "RUN_STALLED");
});

test("a collection that got three of four is named, with what it lacks", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: null });
  workflow.addStep({ inputs: [StartEvent], outputs: [Item] }, ({ sendEvent }) => {
    for (const data of ["1", "2"]) sendEvent(new Item(data));
    return new Item("3");
  });
  workflow.addStep({ inputs: [Item], outputs: [StopEvent], name: "gather" }, ({ collectEvents }, event) => {
    return collectEvents(event, [Item, Item, Item, Item]) === null ? undefined : new StopEvent("all");
  });
  const { message } = await fails(workflow.run(0), StalledError, "RUN_STALLED");
  expect(message).toContain('Step "gather" has collected 3 of 4 events and lacks 1 Item.');
});

test("a collection of several classes names each that it lacks, with counts", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: null });
  workflow.addStep({ inputs: [StartEvent], outputs: [Item] }, () => new Item("3"));
  workflow.addStep({ inputs: [Item], outputs: [StopEvent], name: "gather" }, ({ collectEvents }, event) => {
    return collectEvents(event, [Item, Left, Left, Right]) === null ? undefined : new StopEvent("all");
  });
  const { message } = await fails(workflow.run(0), StalledError, "RUN_STALLED");
  expect(message).toContain('"gather" has collected 1 of 4 events and lacks 2 Left and 1 Right.');
});

test("a failure whose handler returned nothing is the cause", async () => {
  const boom = new Error("boom");
  const workflow = new Workflow<unknown, unknown, string>({ timeout: null });
  workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent], name: "fails" }, () => {
    throw boom;
  });
  workflow.catchError({ outputs: [StopEvent], name: "ignores" }, () => undefined);
  const { message, cause } = await fails(workflow.run(0), StalledError, "RUN_STALLED");
  expect(cause).toBe(boom);
  expect(message).toContain('got the failure of step "fails" and returned no event');
});

test("a join whose other input only steps make stalls, although an answer may come", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: null });
  workflow.addStep({ inputs: [StartEvent], outputs: [Item] }, () => undefined);
  workflow.addStep({ inputs: [Item, Answer], outputs: [StopEvent] }, () => new StopEvent(""));
  await fails(workflow.run(0), StalledError, "RUN_STALLED");
});

// ---- a run that waits, and is too slow ----

const short = { timeout: 0.02 } as const;

test.each([
  ["without declared outputs that returned nothing", {}, (): undefined => undefined],
  [
    "with no outputs that sent something else",
    { outputs: [] },
    ({ sendEvent }: { sendEvent: (e: WorkflowEvent) => void }) => sendEvent(new Left("")),
  ],
])(
  "a step %s makes the run wait where a step takes what no step declares; the timeout says so",
  async (_, more, handler) => {
    const workflow = new Workflow<unknown, unknown, string>(short);
    workflow.addStep({ inputs: [StartEvent], ...more }, handler as never);
    workflow.addStep({ inputs: [Item], outputs: [StopEvent], name: "second" }, () => new StopEvent(""));
    const context = workflow.run(0).start();
    await soon(context.idle());
    expect(context.status).toBe("waiting");
    const { message } = await fails(context, TimeoutError, "RUN_TIMEOUT");
    expect(message).toContain('Step "second" takes Item, which no step has in its outputs');
    expect(message).toContain("add Item to the outputs of that step");
  },
);

test("the timeout of a run that waits for an answer says who takes it", async () => {
  const workflow = new Workflow<unknown, unknown, string>(short);
  workflow.addStep({ inputs: [StartEvent], outputs: [Item] }, () => new Item(""));
  workflow.addStep({ inputs: [WorkflowEvent.or(Item, Answer)], outputs: [StopEvent], name: "either" }, () => undefined);
  const { message } = await fails(workflow.run(0), TimeoutError, "RUN_TIMEOUT");
  expect(message).toContain('Step "either" takes Answer, which has to come from outside');
  expect(message).not.toContain("takes Item");
});

test("a failure whose handler returned nothing is the cause of a timeout, too", async () => {
  const boom = new Error("boom");
  const workflow = new Workflow<unknown, unknown, string>(short);
  workflow.addStep({ inputs: [StartEvent] }, () => {
    throw boom;
  });
  workflow.addStep({ inputs: [Item] }, () => new StopEvent(""));
  workflow.catchError({}, () => undefined);
  expect((await fails(workflow.run(0), TimeoutError, "RUN_TIMEOUT")).cause).toBe(boom);
});

test("a timeout during a pause between attempts names the step and has its error as the cause", async () => {
  const boom = new Error("boom");
  const retry = retryPolicy({ stop: stopAfterAttempt(3), wait: waitFixed(60) });
  const workflow = new Workflow<unknown, unknown, string>(short);
  workflow.addStep({ inputs: [StartEvent], name: "flaky", retry }, () => {
    throw boom;
  });
  const { message, cause } = await fails(workflow.run(0), TimeoutError, "RUN_TIMEOUT");
  expect(cause).toBe(boom);
  expect(message).toMatch(/Step "flaky" waits for its next attempt, in \d+(\.\d+)? s; attempt 1 failed: boom/);
});

test("a timeout reports what is in queues", async () => {
  const workflow = new Workflow<unknown, unknown, string>(short);
  workflow.addStep({ inputs: [StartEvent], outputs: [Item] }, ({ sendEvent }) => {
    for (const data of ["1", "2", "3"]) sendEvent(new Item(data));
  });
  workflow.addStep({ inputs: [Item], numWorkers: 1, name: "busy" }, async ({ requireEvent }) => {
    await requireEvent(Answer);
  });
  const { message } = await fails(workflow.run(0), TimeoutError, "RUN_TIMEOUT");
  expect(message).toContain('Step "busy" has 2 invocations in its queue.');
  expect(message).toContain('Step "busy" waits for Answer.');
});
