// Journals: the past of a run, rebuilt without running any step; and forks.

import {
  NestedEvent,
  RecoverError,
  SnapshotError,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  type WorkflowContext,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, fails, soon, turn } from "../kit/index.js";
import { Answer, Item, Other, Progress, described } from "./kit.js";

const ran: string[] = [];
const make = (): Workflow =>
  new Workflow({ events: [Answer, Progress] })
    .addStep({ name: "split", inputs: [StartEvent], outputs: [Item, Other] }, async (context, event) => {
      ran.push("split");
      context.sendEvent(new Item(String(event.data)));
      context.writeEventToStream(new Progress("asking"));
      context.store.set("asked", true);
      const effect = await context.once("deed", () => "done");
      const { data } = await context.requireEvent(Answer);
      context.store.delete("asked");
      context.store.set("answer", data);
      return new Other(`${effect} ${data}`);
    })
    .addStep({ name: "join", inputs: [Item, Other], outputs: [StopEvent] }, async (context, item, other) => {
      ran.push("join");
      await context.sleep(0.002);
      return new StopEvent(`${item.data} ${other.data}`);
    });

/** A run with a journal, up to its end. */
async function journaled(): Promise<WorkflowContext[]> {
  const context = make().run("x", undefined, { journal: true });
  await context.idle();
  context.sendEvent(new Answer("yes"));
  await soon(context);
  ran.length = 0;
  return [context];
}

test("a replay comes to the end that the run came to, and runs no step", async () => {
  const [context] = await journaled();
  const past = make().replay(context!.journal());
  expect([past.status, past.result, past.runId]).toEqual(["ended", "x done yes", context!.runId]);
  expect(past.store.toJSON()).toEqual(context!.store.toJSON());
  expect(described(past.events)).toEqual(described((await collect(context!)).events));
  expect(past.next()).toBe(false);
  expect(ran).toEqual([]);
  past.dispose();
});

test("every point of the past: what waits, runs and is half full is there, and a snapshot of it goes on to the same end", async () => {
  const [context] = await journaled();
  const journal = context!.journal();
  const end = make().replay(journal);
  const { ticks } = end;
  end.dispose();
  const walking = make().replay(journal, { until: 0 });
  expect(walking.status).toBe("created");
  for (let tick = 1; tick <= ticks; tick += 1) {
    expect(walking.next()).toBe(true);
    const jumped = make().replay(journal, { until: tick });
    const look = ({ status, queue, inFlight, joins, waits, kept, events, store, time }: typeof jumped): unknown => {
      return { status, queue, inFlight, joins, waits, kept, events, store: store.toJSON(), time };
    };
    expect(jumped.ticks).toBe(tick);
    expect(look(jumped)).toEqual(look(walking));
    expect(jumped.snapshot()).toEqual(walking.snapshot());
    const again = make().recover(jumped.snapshot());
    const isAnswered = jumped.events.some((event) => event instanceof Answer);
    if (!isAnswered) again.sendEvent(new Answer("yes"));
    expect((await soon(again)).data, `tick ${tick}`).toBe("x done yes");
    jumped.dispose();
  }
  expect(walking.next()).toBe(false);
  walking.dispose();
});

test("a predicate stops at the first point where it holds", async () => {
  const [context] = await journaled();
  const past = make().replay(context!.journal(), { until: ({ waits }) => waits.length > 0 });
  expect(past.status).toBe("waiting");
  expect(past.waits).toEqual([{ step: "split", event: "answer" }]);
  expect(past.inFlight.map(({ step, attempt }) => [step, attempt])).toEqual([["split", 1]]);
  expect(described(past.inFlight[0]!.events)).toEqual(['StartEvent "x"']);
  expect(past.joins.map(({ step, events }) => [step, described(events)])).toEqual([["join", ['item "x"']]]);
  expect(past.store.toJSON()).toEqual({ asked: true });
  expect(past.next()).toBe(true);
  expect(past.status).toBe("running");
  past.dispose();
});

test("the increments, joined, are the journal", async () => {
  const context = make().run("x", undefined, { journal: true });
  const pieces: Uint8Array[] = [];
  const reading = (async () => {
    for await (const piece of context.journal({ stream: true })) pieces.push(piece);
  })();
  await context.idle();
  await turn();
  const before = pieces.length;
  expect(before).toBeGreaterThan(0);
  context.sendEvent(new Answer("yes"));
  await soon(context);
  await soon(reading);
  expect(pieces.length).toBeGreaterThan(before);
  expect(new Uint8Array(pieces.flatMap((piece) => [...piece]))).toEqual(context.journal());
  const late: Uint8Array[] = [];
  for await (const piece of context.journal({ stream: true })) late.push(piece);
  expect(new Uint8Array(late.flatMap((piece) => [...piece]))).toEqual(context.journal());
});

test("increments out of order are refused", async () => {
  const [context] = await journaled();
  const journal = context!.journal();
  await fails(() => make().replay(journal.subarray(30)), RecoverError, "SNAPSHOT_FORMAT");
});

test("the journal of a run that goes on from a snapshot begins there", async () => {
  const first = make().run("x");
  await first.idle();
  const context = make().recover(first.snapshot(), { journal: true });
  first.cancel();
  context.sendEvent(new Answer("yes"));
  await soon(context);
  const past = make().replay(context.journal());
  expect([past.status, past.result]).toEqual(["ended", "x done yes"]);
  expect(past.store.toJSON()).toEqual({ answer: "yes" });
  past.dispose();
});

test("a replay of nested runs shows their events", async () => {
  const workflow = new Workflow().addWorkflows({ inner: make() });
  workflow.addStep({ name: "out", inputs: [StartEvent], outputs: [StopEvent] }, async ({ workflows, requireEvent }) => {
    const run = workflows.inner.run("in");
    run.sendEvent(await requireEvent(Answer));
    return new StopEvent((await run).data);
  });
  const context = workflow.run("x", undefined, { journal: true });
  context.sendEvent(new Answer("yes"));
  await soon(context);
  const past = workflow.replay(context.journal());
  const { events } = await collect(context);
  expect(past.events.length).toBe(events.length);
  expect(past.events.filter((event) => event instanceof NestedEvent).length).toBeGreaterThan(3);
  past.dispose();
});

test("without a journal there is none", async () => {
  const context = make().run("x");
  await fails(() => context.journal(), SnapshotError, "JOURNAL_NOT_KEPT");
  await fails(() => context.journal({ stream: true }), SnapshotError, "JOURNAL_NOT_KEPT");
  context.cancel();
});

test("until is a number of ticks or a function", async () => {
  const [context] = await journaled();
  for (const until of [-1, Number.NaN, "5", {}]) {
    await fails(() => make().replay(context!.journal(), { until: until as never }), ValidationError, "INVALID_OPTION");
  }
});

test("a fork goes its own way with an id, a store and a stream of its own", async () => {
  const context = make().run("x", undefined, { runId: "first" });
  await context.idle();
  const fork = context.fork();
  expect(fork.runId).not.toBe("first");
  await fork.idle();
  fork.store.set("fork", true);
  fork.sendEvent(new Answer("fork"));
  expect((await soon(fork)).data).toBe("x done fork");
  expect(context.store.has("fork")).toBe(false);
  expect(context.status).toBe("waiting");
  context.sendEvent(new Answer("first"));
  expect((await soon(context)).data).toBe("x done first");
  expect(described((await collect(fork)).events).at(-1)).toBe('StopEvent "x done fork"');
});

test("a fork of a run with a journal keeps one too", async () => {
  const context = make().run("x", undefined, { journal: true });
  await context.idle();
  const fork = context.fork();
  fork.sendEvent(new Answer("fork"));
  await soon(fork);
  const past = make().replay(fork.journal());
  expect(past.result).toBe("x done fork");
  past.dispose();
  context.cancel();
});
