// Steps with several inputs fire once for each complete set, first in, first out, in whatever order the events arrive.

import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { deferred, soon } from "../kit/index.js";

class A extends WorkflowEvent<string> {}
class B extends WorkflowEvent<string> {}
class C extends WorkflowEvent<string> {}
class Joined extends WorkflowEvent<string> {}

const orders = [
  ["A", "B", "C"],
  ["A", "C", "B"],
  ["B", "A", "C"],
  ["B", "C", "A"],
  ["C", "A", "B"],
  ["C", "B", "A"],
] as const;
const made = { A, B, C };

test.each(orders)("three inputs are joined when the events arrive in the order %s, %s, %s", async (...order) => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    for (const kind of order) sendEvent(new made[kind](kind.toLowerCase()));
  });
  workflow.addStep({ inputs: [A, B, C] }, (_, a, b, c) => new StopEvent(a.data + b.data + c.data));
  expect((await soon(workflow.run(0))).data).toBe("abc");
});

test.each(orders)(
  "three steps at the same time are joined when they return in the order %s, %s, %s",
  async (...order) => {
    const gates = { A: deferred(), B: deferred(), C: deferred() };
    const workflow = new Workflow<unknown, unknown, string>();
    for (const kind of ["A", "B", "C"] as const) {
      workflow.addStep({ inputs: [StartEvent], outputs: [made[kind]] }, async () => {
        await gates[kind].promise;
        return new made[kind](kind);
      });
    }
    workflow.addStep({ inputs: [A, B, C] }, (_, a, b, c) => new StopEvent(a.data + b.data + c.data));
    const context = workflow.run(0);
    for (const kind of order) {
      gates[kind].resolve();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await soon(context)).data).toBe("ABC");
  },
);

test("sets are made first in, first out, and each event is in one set", async () => {
  const sets: string[] = [];
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    for (const nth of [1, 2, 3]) sendEvent(new A(`a${nth}`));
    for (const nth of [1, 2, 3]) sendEvent(new B(`b${nth}`));
  });
  workflow.addStep({ inputs: [A, B] }, (_, a, b) => {
    sets.push(a.data + b.data);
    return new Joined("");
  });
  workflow.addStep({ inputs: [Joined] }, () => (sets.length === 3 ? new StopEvent("") : undefined));
  await soon(workflow.run(0));
  expect(sets).toEqual(["a1b1", "a2b2", "a3b3"]);
});

test("a join goes on in a loop", async () => {
  let rounds = 0;
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [WorkflowEvent.or(StartEvent, Joined)] }, ({ sendEvent }) => {
    sendEvent(new B("b"));
    return new A("a");
  });
  workflow.addStep({ inputs: [A, B] }, () => (++rounds === 50 ? new StopEvent(rounds) : new Joined("")));
  expect((await soon(workflow.run(0))).data).toBe(50);
});

test("an input of a join may be a choice", async () => {
  const workflow = new Workflow<unknown, boolean, string>();
  workflow.addStep({ inputs: [StartEvent<boolean>] }, ({ sendEvent }, event) => {
    sendEvent(new C("c"));
    return event.data ? new A("a") : new B("b");
  });
  workflow.addStep({ inputs: [WorkflowEvent.or(A, B), C] }, (_, either, c) => new StopEvent(either.data + c.data));
  expect((await soon(workflow.run(true))).data).toBe("ac");
  expect((await soon(workflow.run(false))).data).toBe("bc");
});

test("a join may ask for two events of one class", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    sendEvent(new A("1"));
    sendEvent(new A("2"));
  });
  workflow.addStep({ inputs: [A, A] }, (_, one, two) => new StopEvent(one.data + two.data));
  expect((await soon(workflow.run(0))).data).toBe("12");
});

test("joins of different runs do not mix", async () => {
  const workflow = new Workflow<unknown, string, string>();
  workflow.addStep({ inputs: [StartEvent<string>] }, async (_, event) => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    return new A(event.data);
  });
  workflow.addStep({ inputs: [StartEvent<string>] }, async (_, event) => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    return new B(event.data);
  });
  workflow.addStep({ inputs: [A, B] }, (_, a, b) => new StopEvent(a.data + b.data));
  const names = Array.from({ length: 50 }, (_, nth) => `<${nth}>`);
  const stops = await soon(Promise.all(names.map((name) => workflow.run(name))));
  expect(stops.map((stop) => stop.data)).toEqual(names.map((name) => name + name));
});
