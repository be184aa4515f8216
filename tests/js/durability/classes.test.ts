// Classes in snapshots: of events that no step names, and of users' values.

import { HumanResponseEvent, RecoverError, StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import { collect, fails, soon } from "../kit/index.js";
import { Answer, reborn } from "./kit.js";

class Base extends WorkflowEvent<string> {
  static readonly type: string = "base";
}
class Unnamed extends Base {
  static override readonly type = "unnamed";
  shout(): string {
    return this.data.toUpperCase();
  }
}

/** Writes an event of a class that no step names, and waits. */
const writing = (events: readonly (typeof Base)[] = []): Workflow =>
  new Workflow({ events }).addStep(
    { name: "s", inputs: [StartEvent], outputs: [StopEvent] },
    async ({ writeEventToStream, requireEvent }) => {
      writeEventToStream(new Unnamed("hello"));
      return new StopEvent((await requireEvent(Answer)).data);
    },
  );

test("with `events`, instances of a class that no step names are ones from the beginning", async () => {
  const context = writing().run(0);
  await context.idle();
  const again = reborn(context, () => writing([Unnamed]));
  again.sendEvent(new Answer("yes"));
  const { events } = await soon(collect(again));
  const [, written] = events as [StartEvent, Unnamed];
  expect(written).toBeInstanceOf(Unnamed);
  expect(written.constructor).toBe(Unnamed);
  expect(written.shout()).toBe("HELLO");
});

test("without, they are once the class is used, and of their known base class till then", async () => {
  const context = writing([Base]).run(0);
  await context.idle();
  const again = reborn(context, () => writing([Base]));
  const reader = again[Symbol.asyncIterator]();
  await reader.next();
  // Its step runs again as soon as it begins, and has used the class by then.
  const { value: written } = (await reader.next()) as { value: Unnamed };
  expect(written).toBeInstanceOf(Base);
  expect(written).toBeInstanceOf(Unnamed);
  expect(written.shout()).toBe("HELLO");
  again.cancel();
});

test("an event kept for a class that is first met by a wait in the second life", async () => {
  class Late extends HumanResponseEvent<{ readonly n: number }> {
    static readonly type = "late";
    double(): number {
      return this.data.n * 2;
    }
  }
  const make = (): Workflow =>
    new Workflow().addStep({ name: "s", inputs: [StartEvent], outputs: [StopEvent] }, async ({ requireEvent }) => {
      await requireEvent(Answer);
      const late = await requireEvent(Late);
      return new StopEvent([late instanceof Late, late.constructor === Late, late.double()]);
    });
  const context = make().run(0).start();
  context.sendEvent(new Late({ n: 21 }));
  await context.idle();
  const again = reborn(context, make);
  again.sendEvent(new Answer(""));
  expect((await soon(again)).data).toEqual([true, true, 42]);
});

test("a snapshot of a run with a class that is not here carries it on", async () => {
  const context = writing().run(0);
  await context.idle();
  const bystander = (events: readonly (typeof Base)[]): Workflow =>
    new Workflow({ events }).addStep(
      { name: "s", inputs: [StartEvent], outputs: [StopEvent] },
      async ({ requireEvent }) => new StopEvent((await requireEvent(Answer)).data),
    );
  const second = reborn(context, () => bystander([]));
  const third = reborn(second, () => bystander([Unnamed]));
  third.sendEvent(new Answer("yes"));
  const { events } = await soon(collect(third));
  expect((events[1] as Unnamed).shout()).toBe("HELLO");
});

test("a class that comes with another base class than it had is refused to every use", async () => {
  const context = writing().run(0);
  await context.idle();
  class Moved extends WorkflowEvent<string> {
    static readonly type = "unnamed";
  }
  const bystander = new Workflow().addStep(
    { name: "s", inputs: [StartEvent], outputs: [StopEvent] },
    async ({ requireEvent }) => new StopEvent((await requireEvent(Answer)).data),
  );
  const again = reborn(context, () => bystander).start();
  await fails(() => again.sendEvent(new Moved("")), RecoverError, "EVENT_MISSING");
  again.sendEvent(new Answer("goes on"));
  expect((await soon(again)).data).toBe("goes on");
});

class Money {
  readonly cents: bigint;
  constructor(cents: bigint) {
    this.cents = cents;
  }
}
const types = {
  Money: {
    encode: (value: unknown) => (value instanceof Money ? value.cents : undefined),
    decode: (cents: bigint) => new Money(cents),
  },
};

test("values of users' classes go along wherever they are, by `types`", async () => {
  const make = (): Workflow<Money> =>
    new Workflow<Money>({ types }).addStep(
      { name: "s", inputs: [StartEvent<Money>], outputs: [StopEvent] },
      async ({ store, once, requireEvent, data }, event) => {
        store.set("price", event.data);
        const paid = await once("pay", () => new Money(3n));
        await requireEvent(Answer);
        return new StopEvent([event.data, store.get("price"), paid, data]);
      },
    );
  const context = make().run(new Money(1n), new Money(9n));
  await context.idle();
  const bytes = context.snapshot({ data: true });
  context.cancel();
  const again = make().recover(bytes);
  again.sendEvent(new Answer(""));
  const { data } = (await soon(again)) as StopEvent<Money[]>;
  expect(data).toEqual([new Money(1n), new Money(1n), new Money(3n), new Money(9n)]);
  expect(data.every((money) => money instanceof Money)).toBe(true);
  // What was one value is one value.
  expect(data[0]).toBe(data[1]);
});

test("without its type, a user's value is refused before anything runs", async () => {
  const make = (known: object): Workflow =>
    new Workflow(known).addStep({ name: "s", inputs: [StartEvent], outputs: [StopEvent] }, () => new StopEvent(0));
  const context = make({ types }).run(new Money(1n));
  const bytes = context.snapshot();
  context.cancel();
  const error = await fails(() => make({}).recover(bytes), RecoverError, "SNAPSHOT_INVALID");
  expect(error.message).toContain("Money");
});
