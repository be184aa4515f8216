// Waits of a step over two lives: what it had received is handed back, what it waits for still comes, what it asked is asked once.

import { StartEvent, StopEvent, TimeoutError, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, failure, pause, soon } from "../kit/index.js";
import { Answer, Item, Other, Question, described, reborn } from "./kit.js";

type Handler = Parameters<typeof step>[0];
const step = (handler: (context: import("stepstream").HandlerContext) => Promise<unknown>): Workflow =>
  new Workflow().addStep({ name: "wait", inputs: [StartEvent], outputs: [StopEvent] }, async (context) => {
    return new StopEvent(await handler(context));
  });

/** Starts a run of a step, and freezes it when it waits. */
async function frozen(handler: Handler): Promise<Uint8Array> {
  const context = step(handler).run("x");
  await context.idle();
  const bytes = context.snapshot();
  context.cancel();
  return bytes;
}

test("requireEvent", async () => {
  const handler: Handler = async ({ requireEvent }) => (await requireEvent(Answer)).data;
  const again = step(handler).recover(await frozen(handler));
  again.sendEvent(new Answer("yes"));
  expect((await soon(again)).data).toBe("yes");
});

test("what had come is handed back in order, what had not come is waited for", async () => {
  const handler: Handler = async ({ requireEvent }) => {
    const answers: string[] = [];
    for (let nth = 0; nth < 4; nth += 1) answers.push((await requireEvent(Answer)).data);
    return answers.join();
  };
  const context = step(handler).run("x").start();
  context.sendEvent(new Answer("a"));
  context.sendEvent(new Answer("b"));
  await context.idle();
  const second = reborn(context, () => step(handler));
  second.sendEvent(new Answer("c"));
  await second.idle();
  const third = reborn(second, () => step(handler));
  third.sendEvent(new Answer("d"));
  expect((await soon(third)).data).toBe("a,b,c,d");
});

test("events of several classes are handed back to the waits of their class", async () => {
  const handler: Handler = async ({ requireEvent }) => {
    const [one, two] = await Promise.all([requireEvent(Answer), requireEvent(Other)]);
    return `${one.data} ${two.data} ${(await requireEvent(WorkflowEvent.or(Item, Answer))).data}`;
  };
  const context = step(handler).run("x").start();
  context.sendEvent(new Other("other"));
  context.sendEvent(new Answer("one"));
  await context.idle();
  const again = reborn(context, () => step(handler));
  await again.idle();
  again.sendEvent(new Item("item"));
  expect((await soon(again)).data).toBe("one other item");
});

test("an event that came before anybody waited is kept", async () => {
  const handler: Handler = async ({ requireEvent }) => {
    await requireEvent(Answer);
    return (await requireEvent(Other)).data;
  };
  const context = step(handler).run("x").start();
  context.sendEvent(new Other("early"));
  await context.idle();
  const again = reborn(context, () => step(handler));
  again.sendEvent(new Answer(""));
  expect((await soon(again)).data).toBe("early");
});

test("where: conditions hold in the second life, and what they had accepted is handed back", async () => {
  const looked: string[] = [];
  const is = (name: string) => (event: Answer) => {
    looked.push(event.data);
    return event.data.startsWith(name);
  };
  const handler: Handler = async ({ waitForEvent }) => {
    const [a, b] = await Promise.all([
      waitForEvent(Answer, { where: is("a") }),
      waitForEvent(Answer, { where: is("b") }),
    ]);
    return `${a.data} ${b.data}`;
  };
  const context = step(handler).run("x").start();
  context.sendEvent(new Answer("c1"));
  context.sendEvent(new Answer("b1"));
  await context.idle();
  looked.length = 0;
  const again = reborn(context, () => step(handler));
  await again.idle();
  again.sendEvent(new Answer("b2"));
  await again.idle();
  again.sendEvent(new Answer("a2"));
  expect((await soon(again)).data).toBe("a2 b1");
  expect(looked).not.toContain("b1");
});

test("timeout: what is left of it is kept", async () => {
  const handler: Handler = async ({ waitForEvent }) => waitForEvent(Answer, { timeout: 0.2 });
  const context = step(handler).run("x").start();
  await pause(120);
  const bytes = context.snapshot();
  context.cancel();
  await pause(120);
  const begun = performance.now();
  const error = await failure(step(handler).recover(bytes));
  expect(error).toMatchObject({ name: "TimeoutError", code: "WAIT_TIMEOUT" });
  expect(performance.now() - begun).toBeCloseTo(80);
});

test("a wait that had timed out times out again at once, and no event is given to it", async () => {
  const handler: Handler = async ({ waitForEvent, requireEvent }) => {
    const first = await waitForEvent(Answer, { timeout: 0.1 }).catch((error: unknown) => error);
    return `${first instanceof TimeoutError ? "late" : "?"} ${(await requireEvent(Answer)).data}`;
  };
  const context = step(handler).run("x").start();
  await pause(150);
  expect(context.status).toBe("waiting");
  const again = reborn(context, () => step(handler));
  again.sendEvent(new Answer("yes"));
  const begun = performance.now();
  expect((await soon(again)).data).toBe("late yes");
  expect(performance.now() - begun).toBe(0);
});

test("ask: published once over both lives", async () => {
  const handler: Handler = async ({ waitForEvent }) =>
    (await waitForEvent(Answer, { ask: new Question("sure?"), id: "sure" })).data;
  const context = step(handler).run("x");
  await context.idle();
  const again = reborn(context, () => step(handler));
  await again.idle();
  const third = reborn(again, () => step(handler));
  third.sendEvent(new Answer("yes"));
  const { events } = await soon(collect(third));
  expect(described(events)).toEqual(['StartEvent "x"', 'question "sure?"', 'answer "yes"', 'StopEvent "yes"']);
});

test("id: waits find theirs again whatever the order in which they are asked for", async () => {
  const answers: Record<string, string> = {};
  const make =
    (order: readonly string[]): Handler =>
    async ({ waitForEvent }) => {
      await Promise.all(
        order.map(async (id) => {
          const { data } = await waitForEvent(Answer, { id, where: ({ data }) => data.startsWith(id) });
          answers[id] = data;
        }),
      );
      return order.length;
    };
  const context = step(make(["a", "b"]))
    .run("x")
    .start();
  context.sendEvent(new Answer("b1"));
  await context.idle();
  const again = reborn(context, () => step(make(["b", "a"])));
  await again.idle();
  again.sendEvent(new Answer("a1"));
  await soon(again);
  expect(answers).toEqual({ a: "a1", b: "b1" });
});

test("the waits of several steps keep to their order of age", async () => {
  const make = (): Workflow =>
    new Workflow()
      .addStep({ name: "fan", inputs: [StartEvent], outputs: [Item] }, ({ sendEvent }) => {
        for (const name of ["a", "b", "c"]) sendEvent(new Item(name));
      })
      .addStep({ name: "wait", inputs: [Item], outputs: [Other] }, async ({ requireEvent }, item) => {
        return new Other(`${item.data}${(await requireEvent(Answer)).data}`);
      })
      .addStep({ name: "gather", inputs: [Other], outputs: [StopEvent] }, ({ collectEvents }, event) => {
        const all = collectEvents(event, [Other, Other, Other]);
        return all === null ? undefined : new StopEvent(all.map(({ data }) => data).join());
      });
  const context = make().run(0);
  await context.idle();
  const again = reborn(context, make);
  await again.idle();
  for (const answer of ["1", "2", "3"]) again.sendEvent(new Answer(answer));
  expect((await soon(again)).data).toBe("a1,b2,c3");
});

test("stepwise goes on over a run that was recovered", async () => {
  const handler: Handler = async ({ requireEvent }) => (await requireEvent(Answer)).data;
  const again = step(handler).recover(await frozen(handler));
  again.sendEvent(new Answer("yes"));
  const steps: string[] = [];
  for await (const paused of again.stepwise()) steps.push(paused.step);
  expect(steps).toEqual(["wait"]);
  expect((await soon(again)).data).toBe("yes");
});
