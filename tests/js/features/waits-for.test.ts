// `waitsFor`: what a step says that its handler waits for.

import { NestedEvent, StartEvent, StopEvent, ValidationError, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import { collect, fails, soon } from "../kit/index.js";

class Note extends WorkflowEvent<string> {
  static readonly type: string = "note";
}
class Urgent extends Note {
  static override readonly type: string = "urgent";
}
class Draft extends WorkflowEvent<string> {
  static readonly type = "draft";
}

/** A step waits for what another one returns. */
function waiting(waitsFor?: readonly (typeof Note)[]): Workflow<unknown, string, string> {
  return new Workflow<unknown, string, string>({ name: "waiting" })
    .addStep(
      { name: "asks", inputs: [StartEvent], outputs: [StopEvent], waitsFor },
      async ({ requireEvent }) => new StopEvent((await requireEvent(Note)).data),
    )
    .addStep({ name: "tells", inputs: [StartEvent], outputs: [Urgent] }, (_, { data }) => new Urgent(data));
}

test("an event that only waits take is used, and its step leads to the end", () => {
  expect(
    waiting()
      .validate()
      .map(({ code, step }) => [code, step]),
  ).toEqual([
    ["NEVER_CONSUMED", "tells"],
    ["DEAD_END", "tells"],
  ]);
  expect(waiting([Note]).validate()).toEqual([]);
  expect(waiting([Urgent]).validate()).toEqual([]);
});

test("a strict workflow runs with it", async () => {
  await fails(() => waiting().strict().run("hi"), ValidationError, "NEVER_CONSUMED");
  expect((await soon(waiting([Note]).strict().run("hi"))).data).toBe("hi");
});

test("sendEvent may name a step that waits for the event and takes no such event", async () => {
  const make = (waitsFor?: readonly (typeof Note)[]): Workflow<unknown, string, string> =>
    new Workflow<unknown, string, string>()
      .addStep(
        { name: "asks", inputs: [StartEvent], outputs: [StopEvent], waitsFor },
        async ({ requireEvent }) => new StopEvent((await requireEvent(Note)).data),
      )
      .addStep({ name: "drafts", inputs: [Draft], outputs: [] }, () => undefined);
  const run = make([Note]).run("hi").start();
  await fails(() => run.sendEvent(new Note("x"), { step: "drafts" }), ValidationError, "EVENT_NOT_TAKEN");
  await fails(() => run.sendEvent(new Draft("x"), { step: "asks" }), ValidationError, "EVENT_NOT_TAKEN");
  run.sendEvent(new Urgent("sent"), { step: "asks" });
  expect((await soon(run)).data).toBe("sent");

  const undeclared = make().run("hi").start();
  await fails(() => undeclared.sendEvent(new Note("x"), { step: "asks" }), ValidationError, "EVENT_NOT_TAKEN");
  undeclared.cancel();
});

test("an event that comes before the run begins is for the step, too", async () => {
  const workflow = waiting([Note]);
  const one = new Workflow<unknown, string, string>({ maxConcurrentRuns: 1 });
  one.addStep(
    { name: "asks", inputs: [StartEvent], outputs: [StopEvent], waitsFor: [Note] },
    async ({ requireEvent }) => new StopEvent((await requireEvent(Note)).data),
  );
  const [first, second] = [one.run("a").start(), one.run("b").start()];
  second.sendEvent(new Note("early"), { step: "asks" });
  first.sendEvent(new Note("now"), { step: "asks" });
  expect((await soon(first)).data).toBe("now");
  expect((await soon(second)).data).toBe("early");
  expect(workflow.stepNames).toEqual(["asks", "tells"]);
});

test("a run that says it waits for an event gets it, and not a nested run", async () => {
  const inner = new Workflow<unknown, string, string>({ name: "inner" }).addStep(
    { name: "wait", inputs: [StartEvent], outputs: [StopEvent] },
    async ({ requireEvent }) => new StopEvent((await requireEvent(Note)).data),
  );
  const outer = new Workflow<unknown, string, string>({ name: "outer" })
    .addWorkflows({ inner })
    .addStep(
      { name: "both", inputs: [StartEvent], outputs: [StopEvent], waitsFor: [Note] },
      async ({ workflows, requireEvent }) => {
        const nested = workflows.inner.run("x");
        const { data: first } = await nested;
        return new StopEvent(`${first} ${(await requireEvent(Note)).data}`);
      },
    );
  const run = outer.run("x").start();
  await soon(run.idle());
  const events = collect(run);
  run.sendEvent(new Note("outer"));
  run.sendEvent(new Note("inner"), { slot: "inner" });
  expect((await soon(run)).data).toBe("inner outer");
  expect((await events).events.filter((event) => event instanceof NestedEvent)).not.toHaveLength(0);
});

test("a snapshot has its class from the beginning", async () => {
  const make = (): Workflow =>
    new Workflow({ timeout: null, name: "held" })
      .addStep({ name: "hold", inputs: [StartEvent], outputs: [] }, async ({ waitForEvent }) => {
        await waitForEvent(Draft);
      })
      .addStep({ name: "note", inputs: [Draft], outputs: [StopEvent], waitsFor: [Note] }, () => new StopEvent());
  const run = make().run(0).start();
  run.sendEvent(new Note("kept"));
  const again = make().recover(run.snapshot());
  for await (const event of again) {
    if (event.toString() === "note") {
      expect(event).toBeInstanceOf(Note);
      break;
    }
  }
  run.cancel();
  again.cancel();
});

test.each([[Note], ["note"], [[7]], [[WorkflowEvent.or(Note)]], [null]])("waitsFor %s is refused", async (waitsFor) => {
  const add = (): unknown =>
    new Workflow().addStep({ inputs: [StartEvent], waitsFor: waitsFor as never }, () => undefined);
  await fails(add, ValidationError, "INVALID_STEP");
});
