// A run that can never finish says so; one that waits for the outside does not.

import { HumanResponseEvent, StalledError, StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
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
