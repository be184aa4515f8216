// What cannot be serialised is named in terms of the user's program, and a snapshot that fails harms nothing.

import { SnapshotError, StartEvent, StopEvent, Workflow } from "stepstream";
import { expect, test } from "vitest";
import { fails, soon } from "../kit/index.js";
import { Answer, Progress } from "./kit.js";

const make = (): Workflow =>
  new Workflow().addStep({ name: "s", inputs: [StartEvent], outputs: [StopEvent] }, async (context, event) => {
    if (event.data === "write") context.writeEventToStream(new Progress({ list: [0, () => 1] } as never));
    if (event.data === "once") await context.once("open", () => ({ close: () => undefined }));
    if (event.data === "store") context.store.set("user.connection", () => undefined);
    return new StopEvent((await context.requireEvent(Answer)).data);
  });

test.each([
  ["the start event", { call: () => 1 }, "start.data.call"],
  ["an unread event", "write", "progress.data.list[1]"],
  ["what is remembered", "once", "once.close"],
  ["the store", "store", "store.user.connection"],
])("%s", async (_, input, path) => {
  const context = make().run(input);
  await context.idle();
  for (let nth = 0; nth < 2; nth += 1) {
    const error = (await fails(() => context.snapshot(), SnapshotError, "SNAPSHOT_VALUE")) as SnapshotError;
    expect(error.path).toBe(path);
    expect(error.message).toContain(`${path} is `);
  }
  await fails(() => context.fork(), SnapshotError, "SNAPSHOT_VALUE");
  context.sendEvent(new Answer("unharmed"));
  expect((await soon(context)).data).toBe("unharmed");
});

test("the data, only when it is asked for", async () => {
  const context = make().run("x", { database: { query: () => 1 } });
  await context.idle();
  const error = (await fails(() => context.snapshot({ data: true }), SnapshotError, "SNAPSHOT_VALUE")) as SnapshotError;
  expect(error.path).toBe("data.database.query");
  expect(context.snapshot()).toBeInstanceOf(Uint8Array);
  context.cancel();
});

test("before the run has begun, it begins all the same", async () => {
  const context = make().run({ call: () => 1 });
  const error = (await fails(() => context.snapshot(), SnapshotError, "SNAPSHOT_VALUE")) as SnapshotError;
  expect(error.path).toBe("start.data.call");
  context.sendEvent(new Answer("yes"));
  expect((await soon(context)).data).toBe("yes");
});
