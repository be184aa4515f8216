// Iterating over a run: every event once, in order; a loop may be left and resumed.

import { LimitError, StartEvent, StopEvent, Workflow, type WorkflowContext, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import { collect, deferred, expectError, kinds, soon, turn } from "../kit/index.js";

class Count extends WorkflowEvent<number> {}
class Note extends WorkflowEvent<number> {}

function counter(unreadEvents?: number): Workflow<unknown, number, number> {
  const workflow = new Workflow<unknown, number, number>(
    unreadEvents === undefined ? {} : { limits: { unreadEvents } },
  );
  workflow.addStep({ inputs: [StartEvent<number>] }, (_, event) => new Count(event.data));
  workflow.addStep({ inputs: [Count] }, async (_, { data }) => (data === 0 ? new StopEvent(0) : new Count(data - 1)));
  return workflow;
}

const data = (events: readonly WorkflowEvent[]): unknown[] => events.map((event) => event.data);

test("gives every event in order and ends after the stop event", async () => {
  const { events, error } = await soon(collect(counter().run(3)));
  expect(error).toBeUndefined();
  expect(kinds(events)).toEqual(["StartEvent", "Count", "Count", "Count", "Count", "StopEvent"]);
  expect(data(events)).toEqual([3, 3, 2, 1, 0, 0]);
});

test("leaving a loop does not end the run, and a later loop goes on where it left off", async () => {
  const context = counter().run(3);
  const first: WorkflowEvent[] = [];
  for await (const event of context) {
    first.push(event);
    if (first.length === 2) break;
  }
  expect(context.status).toBe("running");
  const { events } = await soon(collect(context));
  expect(data([...first, ...events])).toEqual([3, 3, 2, 1, 0, 0]);
});

test("a loop that is left by an error can be resumed", async () => {
  const context = counter().run(3);
  const seen: WorkflowEvent[] = [];
  const broken = (async () => {
    for await (const event of context) {
      seen.push(event);
      throw new Error("in the loop");
    }
  })();
  await expect(broken).rejects.toThrow("in the loop");
  seen.push(...(await soon(collect(context))).events);
  expect(data(seen)).toEqual([3, 3, 2, 1, 0, 0]);
});

test("iterating after the end gives what was not read, then nothing", async () => {
  const context = counter().run(2);
  await soon(context);
  expect(data((await soon(collect(context))).events)).toEqual([2, 2, 1, 0, 0]);
  expect((await soon(collect(context))).events).toEqual([]);
});

test("two loops at once share the events: each event goes to one", async () => {
  const context = counter().run(50);
  const both = await soon(Promise.all([collect(context), collect(context)]));
  const all = both.flatMap(({ events }) => events);
  expect(all).toHaveLength(53);
  expect(new Set(all).size).toBe(53);
  for (const { events } of both) {
    const counts = events.filter((event) => event instanceof Count).map((event) => event.data);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
  }
});

test("every stream() has all events, whatever others read", async () => {
  const context = counter().run(10);
  const all = await soon(Promise.all([collect(context.stream()), collect(context.stream()), collect(context)]));
  for (const { events } of all) expect(events).toEqual(all[0]!.events);
  expect(all[0]!.events).toHaveLength(13);
});

test("a stream() begins with what the run's own loop has not read yet", async () => {
  const context = counter().run(3);
  for await (const event of context) if (event instanceof Count) break;
  expect(data((await soon(collect(context.stream()))).events)).toEqual([2, 1, 0, 0]);
  expect(data((await soon(collect(context))).events)).toEqual([2, 1, 0, 0]);
});

test("await and iterate at once", async () => {
  const context = counter().run(5);
  const [stop, { events }] = await soon(Promise.all([context, collect(context)]));
  expect(events.at(-1)).toBe(stop);
  expect(events).toHaveLength(8);
});

test("await inside the loop", async () => {
  const context = counter().run(2);
  const seen: WorkflowEvent[] = [];
  for await (const event of context) {
    seen.push(event);
    await context;
  }
  expect(data(seen)).toEqual([2, 2, 1, 0, 0]);
});

test("awaiting many times gives the same stop event", async () => {
  const context = counter().run(2);
  const [one, two] = await soon(Promise.all([context, context]));
  expect(one).toBe(two);
  expect(await context).toBe(one);
  expect(context.result).toBe(0);
});

test("the loop ends with the error of the run, after all events", async () => {
  const broken = new Error("broken");
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>] }, () => new Note(1));
  workflow.addStep({ inputs: [Note] }, async () => {
    throw broken;
  });
  const context = workflow.run(0);
  const { events, error } = await soon(collect(context));
  expect(kinds(events)).toEqual(["StartEvent", "Note"]);
  expect(error).toBe(broken);
  await expect(context).rejects.toBe(broken);
  expect((await soon(collect(context))).error).toBe(broken);
});

test("an iterator that is done stays done", async () => {
  const context = counter().run(1);
  const iterator = context[Symbol.asyncIterator]();
  expect(iterator[Symbol.asyncIterator]()).toBe(iterator);
  while (!(await iterator.next()).done);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
  expect(await iterator.return!()).toEqual({ done: true, value: undefined });
});

test("several next() at once are answered in order", async () => {
  const iterator = counter().run(3)[Symbol.asyncIterator]();
  const results = await soon(Promise.all(Array.from({ length: 8 }, () => iterator.next())));
  expect(results.map(({ done, value }) => (done ? "done" : (value as WorkflowEvent).data))).toEqual([
    3,
    3,
    2,
    1,
    0,
    0,
    "done",
    "done",
  ]);
});

test("an iterator that is returned while its next() is open ends it", async () => {
  const gate = deferred();
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>] }, async () => {
    await gate.promise;
    return new StopEvent(0);
  });
  const context = workflow.run(0);
  const iterator = context.stream();
  await iterator.next();
  const open = iterator.next();
  await iterator.return!();
  gate.resolve();
  expect(await soon(open)).toEqual({ done: true, value: undefined });
  expect(kinds((await soon(collect(context))).events)).toEqual(["StartEvent", "StopEvent"]);
});

test("events are seen as they happen, not at the end", async () => {
  const gate = deferred();
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>] }, async ({ writeEventToStream }) => {
    writeEventToStream(new Note(1));
    await gate.promise;
    return new StopEvent(0);
  });
  const context = workflow.run(0);
  for await (const event of context) if (event instanceof Note) gate.resolve();
  expect(context.status).toBe("completed");
});

test("a reader that comes too late learns once that events were dropped, then gets the rest", async () => {
  const context = counter(10).run(100);
  await soon(context);
  const first = await soon(collect(context));
  expect(first.events).toEqual([]);
  expectError(first.error, LimitError, "EVENTS_DROPPED");
  expect((first.error as Error).message).toContain("93");
  const second = await soon(collect(context));
  expect(second.error).toBeUndefined();
  expect(data(second.events)).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0, 0]);
});

test("by default 16,384 unread events are kept", async () => {
  const context = counter().run(200_000);
  expect((await soon(context)).data).toBe(0);
  expectError((await soon(collect(context))).error, LimitError, "EVENTS_DROPPED");
  const { events, error } = await soon(collect(context));
  expect(error).toBeUndefined();
  expect(events).toHaveLength(16_384);
  expect(events.at(-1)).toBeInstanceOf(StopEvent);
});

test("200,000 unread events are all there when the limit allows it", async () => {
  const context = counter(262_144).run(200_000);
  await soon(context);
  const { events, error } = await soon(collect(context));
  expect(error).toBeUndefined();
  expect(events).toHaveLength(200_003);
});

test("a loop that is under way misses nothing, however slow it is", async () => {
  const context = counter(10).run(20_000);
  let seen = 0;
  for await (const _ of context) {
    seen += 1;
    if (seen === 1) await soon(context);
  }
  expect(seen).toBe(20_003);
});

test("a stream() that was taken before the events misses nothing either", async () => {
  const context = counter(10).run(1_000);
  const stream = context.stream();
  await soon(context);
  expect((await soon(collect(stream))).events).toHaveLength(1_003);
});

test("reading while a run is going on does not change what it does", async () => {
  const context = counter().run(100);
  const iterator = context[Symbol.asyncIterator]();
  await iterator.next();
  await turn();
  await iterator.return!();
  expect((await soon(context)).data).toBe(0);
});

/** A run that writes a note for each number that it gets from outside, and ends with 0. */
function noter(): WorkflowContext<unknown, undefined, string> {
  const workflow = new Workflow<unknown, undefined, string>({ timeout: null });
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent, writeEventToStream }) => {
    for (;;) {
      const { data } = await waitForEvent(Count);
      if (data === 0) return new StopEvent("done");
      for (let note = 1; note <= data; note += 1) writeEventToStream(new Note(note));
    }
  });
  return workflow.run();
}

test("calls of next that wait together get the events in their order, and then the end", async () => {
  const run = noter();
  const reader = run[Symbol.asyncIterator]();
  const waiting = Array.from({ length: 7 }, () => reader.next());
  await run.idle();
  run.sendEvent(new Count(2));
  await run.idle();
  run.sendEvent(new Count(0));
  const found = await soon(Promise.all(waiting));
  expect(found.map(({ done, value }) => (done === true ? "end" : `${kinds([value])} ${value.data}`))).toEqual([
    "StartEvent undefined",
    "Count 2",
    "Note 1",
    "Note 2",
    "Count 0",
    "StopEvent done",
    "end",
  ]);
});

test("a reader that is left while it waits ends, and takes no event from the next one", async () => {
  const run = noter();
  const reader = run[Symbol.asyncIterator]();
  await reader.next();
  const waiting = reader.next();
  await reader.return?.();
  expect(await soon(waiting)).toEqual({ done: true, value: undefined });
  run.sendEvent(new Count(1));
  run.sendEvent(new Count(0));
  const { events } = await soon(collect(run));
  expect(kinds(events)).toEqual(["Count", "Count", "Note", "StopEvent"]);
});
