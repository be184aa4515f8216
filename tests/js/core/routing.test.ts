// Which steps an event reaches.

import { CancelledError, StartEvent, StopEvent, ValidationError, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, deferred, fails, kinds, soon } from "../kit/index.js";

class Note extends WorkflowEvent<string> {}
class Loud extends Note {}
class Louder extends Loud {}
class Other extends WorkflowEvent<string> {}

test("an event goes to every step that takes it, as the same object", async () => {
  const note = new Note("x");
  const seen: [string, boolean][] = [];
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [StartEvent] }, () => note);
  for (const name of ["one", "two", "three"]) {
    workflow.addStep({ inputs: [Note], name }, (context, event) => {
      seen.push([context.step, event === note]);
      return seen.length === 3 ? new StopEvent(3) : undefined;
    });
  }
  await soon(workflow.run(0));
  expect(seen).toEqual([
    ["one", true],
    ["two", true],
    ["three", true],
  ]);
});

test("a step takes events of subclasses of its input", async () => {
  const seen: string[] = [];
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    sendEvent(new Note("1"));
    sendEvent(new Loud("2"));
    sendEvent(new Louder("3"));
    return new Other("end");
  });
  workflow.addStep({ inputs: [Note], name: "note" }, (_, event) => void seen.push(`note ${event.data}`));
  workflow.addStep({ inputs: [Loud], name: "loud" }, (_, event) => void seen.push(`loud ${event.data}`));
  workflow.addStep({ inputs: [Louder], name: "louder" }, (_, event) => void seen.push(`louder ${event.data}`));
  workflow.addStep({ inputs: [Other] }, () => new StopEvent(0));
  await soon(workflow.run(0));
  expect(seen).toEqual(["note 1", "note 2", "loud 2", "note 3", "loud 3", "louder 3"]);
});

test("a class that is first met at run time is matched by its ancestors", async () => {
  const seen: string[] = [];
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>] }, ({ sendEvent }, event) => {
    for (let nth = 0; nth < event.data; nth += 1) {
      class Late extends Loud {
        static readonly type = `late-${nth}`;
      }
      sendEvent(new Late(String(nth)));
    }
    return new Other("");
  });
  workflow.addStep({ inputs: [Note] }, (_, event) => void seen.push(event.data));
  workflow.addStep({ inputs: [Other] }, () => new StopEvent(0));
  await soon(workflow.run(40));
  expect(seen).toEqual(Array.from({ length: 40 }, (_, nth) => String(nth)));
});

test("a step that takes WorkflowEvent sees what steps return and send", async () => {
  const seen: string[] = [];
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    sendEvent(new Note("1"));
    return new Other("2");
  });
  workflow.addStep({ inputs: [WorkflowEvent] }, (_, event) => void seen.push(event.constructor.name));
  workflow.addStep({ inputs: [Other] }, async () => new StopEvent(0));
  await soon(workflow.run(0));
  expect(seen).toEqual(["StartEvent", "Note", "Other"]);
});

test("a subclass of StopEvent ends the run and is what it resolves with", async () => {
  class Verdict extends StopEvent<string> {}
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], outputs: [Verdict] }, () => new Verdict("guilty"));
  const stop = await soon(workflow.run(0));
  expect(stop).toBeInstanceOf(Verdict);
  expect(stop.data).toBe("guilty");
});

test("a choice takes an event of each of its classes, once", async () => {
  const seen: string[] = [];
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    sendEvent(new Loud("1"));
    sendEvent(new Other("2"));
    sendEvent(new Note("3"));
  });
  // A Loud is a Note as well: it must not come twice.
  workflow.addStep({ inputs: [WorkflowEvent.or(Note, Loud, Other)] }, (_, event) => {
    seen.push(event.data);
    return event.data === "3" ? new StopEvent(0) : undefined;
  });
  await soon(workflow.run(0));
  expect(seen).toEqual(["1", "2", "3"]);
});

test("sendEvent inside a step may name the one step that gets the event", async () => {
  const seen: string[] = [];
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    sendEvent(new Note("for two"), { step: "two" });
    return new Other("");
  });
  workflow.addStep({ inputs: [Note], name: "one" }, () => void seen.push("one"));
  workflow.addStep({ inputs: [Note], name: "two" }, () => void seen.push("two"));
  workflow.addStep({ inputs: [Other] }, () => new StopEvent(0));
  await soon(workflow.run(0));
  expect(seen).toEqual(["two"]);
});

test("sendEvent from outside reaches the steps that take the event, or the one that is named", async () => {
  const seen: string[] = [];
  const gate = deferred();
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [StartEvent] }, async () => {
    await gate.promise;
    return new StopEvent(0);
  });
  workflow.addStep({ inputs: [Note], name: "one" }, (_, event) => void seen.push(`one ${event.data}`));
  workflow.addStep({ inputs: [Note], name: "two" }, (_, event) => void seen.push(`two ${event.data}`));
  const context = workflow.run(0);
  context.sendEvent(new Note("a"));
  context.sendEvent(new Note("b"), { step: "two" });
  gate.resolve();
  const { events } = await soon(collect(context));
  expect(seen).toEqual(["one a", "two a", "two b"]);
  expect(kinds(events)).toEqual(["StartEvent", "Note", "Note", "StopEvent"]);
});

test("a targeted send to a step that does not exist, or does not take the event, is refused and changes nothing", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "start" }, async ({ sendEvent }) => {
    await fails(() => sendEvent(new Note(""), { step: "nobody" }), ValidationError, "UNKNOWN_STEP");
    await fails(() => sendEvent(new Note(""), { step: "other" }), ValidationError, "EVENT_NOT_TAKEN");
    return new Other("fine");
  });
  workflow.addStep({ inputs: [Other], name: "other" }, (_, event) => new StopEvent(event.data));
  const context = workflow.run(0);
  const refused = await fails(
    () => context.sendEvent(new Note(""), { step: "other" }),
    ValidationError,
    "EVENT_NOT_TAKEN",
  );
  expect(refused.message).toContain('"other"');
  expect(refused.message).toContain("Note");
  await fails(() => context.sendEvent(new Note(""), { step: "nobody" }), ValidationError, "UNKNOWN_STEP");
  const { events } = await soon(collect(context));
  expect(kinds(events)).toEqual(["StartEvent", "Other", "StopEvent"]);
});

test("a step may send on after its handler has returned", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    setTimeout(() => sendEvent(new Note("late")), 5);
    return new Other("");
  });
  workflow.addStep({ inputs: [Other] }, async () => void (await new Promise((resolve) => setTimeout(resolve, 30))));
  workflow.addStep({ inputs: [Note] }, (_, event) => new StopEvent(event.data));
  expect((await soon(workflow.run(0))).data).toBe("late");
});

test("a step that sends after its run has ended gets an error", async () => {
  const refusal = deferred<unknown>();
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "slow" }, async ({ sendEvent, signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    try {
      sendEvent(new Note(""));
    } catch (error) {
      refusal.resolve(error);
    }
  });
  workflow.addStep({ inputs: [StartEvent] }, async () => new StopEvent("first"));
  await soon(workflow.run(0));
  const error = await soon(refusal.promise);
  expect(error).toBeInstanceOf(CancelledError);
  expect((error as CancelledError).code).toBe("ATTEMPT_ENDED");
});
