// What a step writes to the stream is written anew by each attempt, after a reset; a question is published once.

import {
  HumanResponseEvent,
  InputRequiredEvent,
  StartEvent,
  StopEvent,
  StreamReset,
  Workflow,
  WorkflowEvent,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import { collect, kinds, soon } from "../kit/index.js";

class Progress extends WorkflowEvent<string> {}
class Item extends WorkflowEvent<string> {}
class Question extends InputRequiredEvent<string> {}
class Answer extends HumanResponseEvent<string> {}

const retry = retryPolicy({ stop: stopAfterAttempt(4), wait: waitFixed(0) });

test("a step that is tried again resets what it has written, and writes it anew", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "write", retry }, ({ writeEventToStream, attempt }) => {
    writeEventToStream(new Progress(`half of ${attempt}`));
    if (attempt < 3) throw new Error("again");
    return new StopEvent("done");
  });
  const { events } = await soon(collect(workflow.run(0)));
  expect(kinds(events)).toEqual([
    "StartEvent",
    "Progress",
    "StreamReset",
    "Progress",
    "StreamReset",
    "Progress",
    "StopEvent",
  ]);
  const resets = events.filter((event) => event instanceof StreamReset);
  expect(resets.map(({ data }) => data)).toEqual([
    { step: "write", attempt: 2 },
    { step: "write", attempt: 3 },
  ]);
});

test("an attempt that has written nothing is not reset, whatever it has sent and asked", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], retry }, async ({ sendEvent, waitForEvent, attempt }) => {
    sendEvent(new Item(`of ${attempt}`));
    const wait = waitForEvent(Answer, { ask: new Question("sure?") });
    if (attempt < 3) throw new Error("again");
    return new StopEvent((await wait).data);
  });
  const context = workflow.run(0);
  const all = collect(context);
  await soon(context.idle());
  context.sendEvent(new Answer("yes"));
  const { events } = await soon(all);
  expect(kinds(events)).toEqual(["StartEvent", "Item", "Question", "Item", "Item", "Answer", "StopEvent"]);
});

test("a question is published once, also when attempts in between did not come to it", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], retry }, async ({ waitForEvent, attempt }) => {
    if (attempt === 2 || attempt === 3) throw new Error("before the question");
    const wait = waitForEvent(Answer, { ask: new Question("sure?"), id: "sure" });
    if (attempt === 1) throw new Error("after the question");
    return new StopEvent((await wait).data);
  });
  const context = workflow.run(0);
  const all = collect(context);
  await soon(context.idle());
  context.sendEvent(new Answer("yes"));
  const { events } = await soon(all);
  expect(kinds(events)).toEqual(["StartEvent", "Question", "Answer", "StopEvent"]);
});

test("a replay shows the same resets", async () => {
  const make = (): Workflow =>
    new Workflow({ events: [Progress] }).addStep(
      { inputs: [StartEvent], outputs: [StopEvent], name: "write", retry },
      ({ writeEventToStream, attempt }) => {
        writeEventToStream(new Progress("half"));
        if (attempt < 2) throw new Error("again");
        return new StopEvent("done");
      },
    );
  const run = make().run(0, undefined, { journal: true });
  const { events } = await soon(collect(run));
  expect(kinds(make().replay(run.journal()).events)).toEqual(kinds(events));
});

test("the reset of a nested run appears in the stream around it", async () => {
  const inner = new Workflow<unknown, unknown, string>().addStep(
    { inputs: [StartEvent], outputs: [StopEvent<string>], name: "write", retry },
    ({ writeEventToStream, attempt }) => {
      writeEventToStream(new Progress("half"));
      if (attempt < 2) throw new Error("again");
      return new StopEvent("done");
    },
  );
  const outer = new Workflow<unknown, unknown, string>().addWorkflows({ inner });
  outer.addStep({ inputs: [StartEvent] }, async ({ workflows }) => workflows.inner.run(0));
  const { events } = await soon(collect(outer.run(0)));
  const nested = events.flatMap((event) =>
    event.constructor.name === "NestedEvent" ? [(event.data as { event: WorkflowEvent }).event] : [],
  );
  expect(kinds(nested)).toEqual(["StartEvent", "Progress", "StreamReset", "Progress", "StopEvent"]);
});
