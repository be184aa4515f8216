// A snapshot's size follows what is alive, not what has happened.

import { StartEvent, StopEvent, Workflow } from "stepstream";
import { expect, test } from "vitest";
import { soon } from "../kit/index.js";
import { Answer, Item, Progress } from "./kit.js";

const make = (): Workflow =>
  new Workflow({ timeout: null })
    .addStep({ name: "begin", inputs: [StartEvent], outputs: [Item] }, (_, event) => new Item(String(event.data)))
    .addStep({ name: "count", inputs: [Item], outputs: [Item, StopEvent] }, async (context, item) => {
      const left = Number(item.data);
      context.writeEventToStream(new Progress(item.data));
      if (left > 0) return new Item(String(left - 1));
      await context.once("end", () => "of it");
      return new StopEvent((await context.requireEvent(Answer)).data);
    });

test("after 200,000 events, an idle run's snapshot stays under 2 kB", async () => {
  const context = make().run(100_000);
  let read = 0;
  for await (const _event of context) {
    read += 1;
    // The start event, and for each item itself and what was written.
    if (read === 200_003) break;
  }
  await soon(context.idle());
  const bytes = context.snapshot();
  expect(bytes.length).toBeLessThan(2000);
  const short = make().run(1);
  const reader = short[Symbol.asyncIterator]();
  for (let nth = 0; nth < 5; nth += 1) await reader.next();
  await short.idle();
  expect(bytes.length - short.snapshot().length).toBeLessThan(50);
  short.cancel();
  context.sendEvent(new Answer("yes"));
  expect((await soon(context)).data).toBe("yes");
});

test("what is in the store is added, and no more", async () => {
  const context = make().run(0);
  await context.idle();
  const before = context.snapshot().length;
  context.store.set("text", "x".repeat(10_000));
  const added = context.snapshot().length - before;
  expect(added).toBeGreaterThan(10_000);
  expect(added).toBeLessThan(10_100);
  context.cancel();
});
