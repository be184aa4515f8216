// Lifecycle events: what they tell of a run, in which order, and that a run does not depend on who observes it.

import {
  type LifecycleData,
  LifecycleEvent,
  NestedEvent,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  type WorkflowContext,
  WorkflowEvent,
  observe,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import { expect, test, vi } from "vitest";
import "../kit/fake-clock.js";
import { collect, fails, failure, soon, turn } from "../kit/index.js";
import { Answer, Item, Other, Progress, Question } from "../durability/kit.js";

/** The data of what an observer gets, from now on. */
function observed(run: WorkflowContext): LifecycleData[] {
  const found: LifecycleData[] = [];
  observe(run, (event) => {
    expect(event).toBeInstanceOf(LifecycleEvent);
    found.push(event.data);
  });
  return found;
}

/** In short: the kind, and what it is about. */
function short(data: LifecycleData): string {
  const { kind, step, invocation, attempt, event, eventId, cause, delay, nested, error, outcome } = data as Partial<
    Record<string, unknown>
  > & { kind: string };
  const parts = [kind, step, invocation && `#${invocation as string}`, attempt && `attempt ${attempt as number}`];
  parts.push(event, eventId && `(${eventId as string})`, cause && `by (${cause as string})`, outcome);
  if (delay !== undefined) parts.push(`${delay as number} s`);
  if (error !== undefined) parts.push((error as { code?: string; name: string }).code ?? "no code");
  if (nested !== undefined) parts.push(`in ${JSON.stringify(nested)}`);
  return parts.filter(Boolean).join(" ");
}

const chain = (): Workflow<unknown, string, string> =>
  new Workflow<unknown, string, string>({ name: "chain" })
    .addStep({ name: "first", inputs: [StartEvent<string>], outputs: [Item] }, (_, { data }) => new Item(data))
    .addStep({ name: "second", inputs: [Item], outputs: [StopEvent<string>] }, async (context, { data }) => {
      await context.sleep(0.25);
      return new StopEvent(data.toUpperCase());
    });

test("every step and every event of a run is told, with who caused it", async () => {
  const run = chain().run("x");
  const found = observed(run);
  await soon(run);
  expect(found.map(short)).toEqual([
    "run.started",
    "event.sent stepstream.start (1)",
    "event.delivered first #0 stepstream.start (1)",
    "step.queued first #0 by (1)",
    "step.started first #0 attempt 1 by (1)",
    "step.succeeded first #0 attempt 1 by (1)",
    "event.sent first #0 attempt 1 item (2)",
    "event.delivered second #1 item (2)",
    "step.queued second #1 by (2)",
    "step.started second #1 attempt 1 by (2)",
    "step.waiting second #1 attempt 1 by (2) 0.25 s",
    "run.sleeping",
    "run.woke",
    "step.succeeded second #1 attempt 1 by (2)",
    "event.sent second #1 attempt 1 stepstream.stop (5)",
    "run.ended by (5) completed",
  ]);
  expect(found[0]).toEqual({ kind: "run.started", time: 0, isRecovered: false });
  expect(found[3]).toEqual({
    kind: "step.queued",
    time: 0,
    step: "first",
    invocation: "0",
    cause: "1",
    causes: ["1"],
  });
  expect(found.map(({ time }) => time)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 250, 250, 250, 250]);
});

test("the stream has lifecycle events among the others, each before what comes of it", async () => {
  const workflow = new Workflow()
    .addStep({ name: "split", inputs: [StartEvent], outputs: [Item] }, (context) => {
      context.writeEventToStream(new Progress("half"));
      context.sendEvent(new Item("a"));
      return new Item("b");
    })
    .addStep({ name: "count", inputs: [Item], outputs: [StopEvent] }, (_, { data }) =>
      data === "b" ? new StopEvent("done") : undefined,
    );
  const run = workflow.run("x");
  const { events } = await collect(run.stream({ lifecycle: true }));
  const names = events.map((event) =>
    event instanceof LifecycleEvent ? short(event.data).split(" by")[0] : `> ${String(event)}`,
  );
  expect(names).toEqual([
    "run.started",
    "event.sent stepstream.start (1)",
    "> stepstream.start",
    "event.delivered split #0 stepstream.start (1)",
    "step.queued split #0",
    "step.started split #0 attempt 1",
    "> progress",
    "event.sent split #0 attempt 1 item (3)",
    "> item",
    "event.delivered count #1 item (3)",
    "step.queued count #1",
    "step.started count #1 attempt 1",
    "step.succeeded split #0 attempt 1",
    "event.sent split #0 attempt 1 item (4)",
    "> item",
    "event.delivered count #2 item (4)",
    "step.queued count #2",
    "step.started count #2 attempt 1",
    "step.succeeded count #1 attempt 1",
    "step.succeeded count #2 attempt 1",
    "event.sent count #2 attempt 1 stepstream.stop (6)",
    "> stepstream.stop",
    "run.ended",
  ]);
  const others = events.filter((event) => !(event instanceof LifecycleEvent));
  expect((await collect(run)).events).toEqual(others);
});

test("retries tell the delay in seconds and the error, failures the error, timeouts come before", async () => {
  const workflow = new Workflow().addStep(
    {
      name: "slow",
      inputs: [StartEvent],
      outputs: [StopEvent],
      timeout: 1,
      retry: retryPolicy({ wait: waitFixed(0.5), stop: stopAfterAttempt(3) }),
    },
    async ({ attempt, signal }) => {
      if (attempt === 1) throw new TypeError("The first fails.");
      if (attempt === 2)
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      throw new ValidationError("INVALID_EVENT", "The last fails.");
    },
  );
  const run = workflow.run("x");
  const found = observed(run);
  await failure(run);
  const about = found.filter(({ kind }) => !kind.startsWith("event."));
  expect(about.map(short)).toEqual([
    "run.started",
    "step.queued slow #0 by (1)",
    "step.started slow #0 attempt 1 by (1)",
    "step.retrying slow #0 attempt 1 by (1) 0.5 s no code",
    "run.sleeping",
    "step.started slow #0 attempt 2 by (1)",
    "run.woke",
    "step.timedOut slow #0 attempt 2 by (1)",
    "step.retrying slow #0 attempt 2 by (1) 0.5 s STEP_TIMEOUT",
    "run.sleeping",
    "step.started slow #0 attempt 3 by (1)",
    "run.woke",
    "step.failed slow #0 attempt 3 by (1) INVALID_EVENT",
    "run.ended failed INVALID_EVENT",
  ]);
  expect(about[3]).toMatchObject({ error: { name: "TypeError", message: "The first fails." } });
  expect(about.map(({ time }) => time)).toEqual([0, 0, 0, 0, 0, 500, 500, 1500, 1500, 1500, 2000, 2000, 2000, 2000]);
});

test("waits, answers, kept and dropped events are told; the run waits and wakes", async () => {
  const workflow = new Workflow({ limits: { keptEvents: 1 }, events: [Other] }).addStep(
    { name: "ask", inputs: [StartEvent], outputs: [StopEvent] },
    async (context) => {
      const { data } = await context.waitForEvent(Answer, { ask: new Question("why?"), timeout: 60 });
      const other = await context.requireEvent(Other);
      return new StopEvent(data + other.data);
    },
  );
  const run = workflow.run("x");
  const found = observed(run);
  await run.idle();
  found.length = 0;
  run.sendEvent(new Other("one"));
  run.sendEvent(new Other("two"));
  run.sendEvent(new Answer("because "));
  expect((await soon(run)).data).toBe("because two");
  expect(found.map(short)).toEqual([
    "event.sent other (3)",
    "event.kept other (3)",
    "event.sent other (4)",
    "event.kept other (4)",
    "event.dropped other (3)",
    "event.sent answer (5)",
    "event.delivered ask #0 attempt 1 answer (5)",
    "run.woke",
    "event.delivered ask #0 attempt 1 other (4)",
    "step.succeeded ask #0 attempt 1 by (1)",
    "event.sent ask #0 attempt 1 stepstream.stop (7)",
    "run.ended by (7) completed",
  ]);
});

test("a wait tells its type and its limit", async () => {
  const workflow = new Workflow().addStep({ name: "ask", inputs: [StartEvent], outputs: [StopEvent] }, (context) =>
    context.waitForEvent(Answer, { timeout: 60 }).then(() => new StopEvent()),
  );
  const run = workflow.run("x");
  const found = observed(run);
  await run.idle();
  expect(found.slice(-2)).toEqual([
    { kind: "step.waiting", time: 0, step: "ask", invocation: "0", attempt: 1, cause: "1", event: "answer", delay: 60 },
    { kind: "run.waiting", time: 0 },
  ]);
  run.cancel();
});

test("edges can be drawn: a join has the ids of all its events, and each was sent by an invocation that was told", async () => {
  const workflow = new Workflow()
    .addStep({ name: "a", inputs: [StartEvent], outputs: [Item] }, () => new Item("a"))
    .addStep({ name: "b", inputs: [StartEvent], outputs: [Other] }, () => new Other("b"))
    .addStep({ name: "both", inputs: [Other, Item], outputs: [StopEvent] }, (_, other, item) => {
      return new StopEvent(other.data + item.data);
    });
  const run = workflow.run("x");
  const found = observed(run);
  await soon(run);
  const sent = found.flatMap((data) => (data.kind === "event.sent" ? [data] : []));
  const join = found.find(
    (data) => data.kind === "step.queued" && data.step === "both",
  ) as LifecycleData<"step.queued">;
  expect(join.causes.map((id) => sent.find(({ eventId }) => eventId === id)?.step)).toEqual(["b", "a"]);
  expect(join.cause).toBe(join.causes[0]);
  const fromOne = found.flatMap((data) => (data.kind === "step.queued" && data.cause === "1" ? [data.step] : []));
  expect(fromOne).toEqual(["a", "b"]);
});

test("an observer of a run is told of its nested runs as well, with their place", async () => {
  const middle = new Workflow<unknown, string, string>()
    .addWorkflows({ inner: chain() })
    .addStep({ name: "middle", inputs: [StartEvent<string>], outputs: [StopEvent<string>] }, async (context, event) => {
      return new StopEvent((await context.workflows.inner.run(event.data)).data);
    });
  const outer = new Workflow<unknown, string, string>()
    .addWorkflows({ deep: middle })
    .addStep({ name: "outer", inputs: [StartEvent<string>], outputs: [StopEvent<string>] }, async (context, event) => {
      return new StopEvent((await context.workflows.deep.run(event.data)).data);
    });
  const run = outer.run("x");
  const found = observed(run);
  const { events } = await collect(run.stream({ lifecycle: true }));
  const deep = { slot: "deep", key: "deep#0", step: "outer", invocation: "0" };
  const inner = { slot: "inner", key: "inner#0", step: "middle", invocation: "0" };
  const started = found.filter(({ kind }) => kind === "run.started");
  expect(started.map(({ nested }) => nested)).toEqual([undefined, [deep], [deep, inner]]);
  const ended = found.filter(({ kind }) => kind === "run.ended");
  expect(ended.map(({ nested }) => nested)).toEqual([[deep, inner], [deep], undefined]);
  expect(found.filter(({ nested }) => nested?.length === 2)).toHaveLength(16);
  expect(ended.map(({ time }) => time)).toEqual([250, 250, 250]);
  expect(events.filter((event) => event instanceof NestedEvent).length).toBeGreaterThan(3);
  expect(events.flatMap((event) => (event instanceof LifecycleEvent ? [event.data] : []))).toEqual(found);
});

test("nested runs that are under way already are told from now on; their invocation is known", async () => {
  const inner = new Workflow<unknown, string, string>().addStep(
    { name: "ask", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
    async (context) => new StopEvent((await context.requireEvent(Answer)).data),
  );
  const outer = new Workflow<unknown, string, string>()
    .addWorkflows({ inner })
    .addStep({ name: "outer", inputs: [StartEvent<string>], outputs: [StopEvent<string>] }, async (context, event) => {
      return new StopEvent((await context.workflows.inner.run(event.data)).data);
    });
  const run = outer.run("x");
  await run.idle();
  const found = observed(run);
  run.sendEvent(new Answer("yes"));
  await soon(run);
  const place = [{ slot: "inner", key: "inner#0", step: "outer", invocation: "0" }];
  expect(found.slice(0, 3)).toMatchObject([
    { kind: "event.sent", event: "answer", nested: place },
    { kind: "event.delivered", step: "ask", invocation: "0", attempt: 1, nested: place },
    { kind: "run.woke", nested: place },
  ]);
  expect(found.map(({ kind }) => kind).slice(-3)).toEqual(["step.succeeded", "event.sent", "run.ended"]);
});

test("an observer that throws or rejects is reported, and hurts neither the run nor others", async () => {
  const warnings: string[] = [];
  const workflow = new Workflow<unknown, string, string>({ name: "watched", onWarning: (text) => warnings.push(text) });
  workflow.addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<string>] }, () => new StopEvent("done"));
  const run = workflow.run("x");
  observe(run, ({ data: { kind } }) => {
    if (kind === "step.started") throw new Error("no screen");
  });
  observe(run, async ({ data: { kind } }) => {
    await turn();
    if (kind === "run.ended") throw new Error("no network");
  });
  const found = observed(run);
  expect((await soon(run)).data).toBe("done");
  expect(found.at(-1)!.kind).toBe("run.ended");
  await expect
    .poll(() => warnings)
    .toEqual(['An observer of "watched" failed: no screen', 'An observer of "watched" failed: no network']);
});

test("an error whose members throw is told as far as it can be", async () => {
  class Hostile extends Error {
    get code(): string {
      throw new Error("no code");
    }
  }
  const run = new Workflow()
    .addStep({ inputs: [StartEvent], outputs: [StopEvent] }, () => {
      throw new Hostile("what I say");
    })
    .run("x");
  const found = observed(run);
  expect(await failure(run)).toBeInstanceOf(Hostile);
  expect(found.at(-1)).toMatchObject({ kind: "run.ended", error: { name: "Error", message: "what I say" } });
});

test("an observer may be stopped, and may stop itself; one that comes late gets what follows; after the end there is nothing", async () => {
  const run = chain().run("x");
  const kinds: string[] = [];
  const stop = observe(run, ({ data: { kind } }) => {
    kinds.push(kind);
    if (kind === "step.started") stop();
  });
  let after: LifecycleData[] = [];
  setTimeout(() => (after = observed(run)), 120);
  await soon(run);
  expect(kinds).toEqual(["run.started", "event.sent", "event.delivered", "step.queued", "step.started"]);
  expect(after.map(short)).toEqual([
    "run.woke",
    "step.succeeded second #1 attempt 1",
    "event.sent second #1 attempt 1 stepstream.stop (5)",
    "run.ended by (5) completed",
  ]);
  expect(after.map(({ time }) => time)).toEqual([250, 250, 250, 250]);
  stop();
  const none = observed(run);
  await turn();
  expect(none).toEqual([]);
});

test("a handler may observe its own run, and is told what follows", async () => {
  const found: LifecycleData[] = [];
  const workflow = new Workflow<{ readonly self: () => WorkflowContext }, string, string>()
    .addStep({ name: "first", inputs: [StartEvent<string>], outputs: [Item] }, ({ data, sendEvent }, event) => {
      observe(data.self(), (lifecycle) => found.push(lifecycle.data));
      sendEvent(new Other("aside"));
      return new Item(event.data);
    })
    .addStep({ name: "second", inputs: [Item], outputs: [StopEvent<string>] }, (_, { data }) => new StopEvent(data))
    .addStep({ name: "aside", inputs: [Other] }, () => undefined);
  // In an object: a run that a function returns is awaited.
  const holder: { run?: WorkflowContext } = {};
  const run = workflow.run("x", { self: () => holder.run! });
  holder.run = run;
  await soon(run);
  expect(found.map(short)).toEqual([
    "event.sent first #0 attempt 1 other (2)",
    "event.delivered aside #1 other (2)",
    "step.queued aside #1 by (2)",
    "step.started aside #1 attempt 1 by (2)",
    "step.succeeded first #0 attempt 1",
    "event.sent first #0 attempt 1 item (3)",
    "event.delivered second #2 item (3)",
    "step.queued second #2 by (3)",
    "step.started second #2 attempt 1 by (3)",
    "step.succeeded aside #1 attempt 1 by (2)",
    "step.succeeded second #2 attempt 1 by (3)",
    "event.sent second #2 attempt 1 stepstream.stop (5)",
    "run.ended by (5) completed",
  ]);
});

test("one observer may take over from another in the midst of things", async () => {
  const run = chain().run("x");
  const found: string[] = [];
  const stop = observe(run, ({ data: { kind } }) => {
    found.push(kind);
    if (kind !== "event.sent") return;
    stop();
    observe(run, ({ data }) => found.push(`then ${data.kind}`));
  });
  expect((await soon(run)).data).toBe("X");
  expect(found.slice(0, 6)).toEqual([
    "run.started",
    "event.sent",
    "then event.delivered",
    "then step.queued",
    "then step.started",
    "then step.succeeded",
  ]);
  expect(found.at(-1)).toBe("then run.ended");
});

test("an observer may act on the run: what comes of it is told in order", async () => {
  const workflow = new Workflow().addStep(
    { name: "ask", inputs: [StartEvent], outputs: [StopEvent] },
    async (context) => {
      return new StopEvent((await context.requireEvent(Answer)).data);
    },
  );
  const run = workflow.run("x");
  const first: string[] = [];
  observe(run, ({ data: { kind } }) => {
    first.push(kind);
    if (kind === "run.waiting") run.sendEvent(new Answer("at once"));
  });
  const second = observed(run);
  expect((await soon(run)).data).toBe("at once");
  expect(second.map(({ kind }) => kind)).toEqual(first);
  expect(first.slice(-6)).toEqual([
    "event.sent",
    "event.delivered",
    "run.woke",
    "step.succeeded",
    "event.sent",
    "run.ended",
  ]);
});

test("an observer may cancel the run, which is told last", async () => {
  const run = chain().run("x");
  const found = observed(run);
  observe(run, ({ data: { kind } }) => {
    if (kind === "step.started") run.cancel(new Error("enough"));
  });
  await failure(run);
  expect(found.map(short).slice(-2)).toEqual([
    "step.started first #0 attempt 1 by (1)",
    "run.ended cancelled RUN_CANCELLED",
  ]);
});

test("a run that is cancelled before it begins is only told to end", async () => {
  const run = chain().run("x");
  const found = observed(run);
  run.cancel();
  await failure(run);
  expect(found).toMatchObject([{ kind: "run.ended", time: 0, outcome: "cancelled" }]);
});

test("to leave a loop over lifecycle events ends the tracing, and the run goes on", async () => {
  const run = chain().run("x");
  for await (const event of run.stream({ lifecycle: true })) if (event instanceof Item) break;
  expect((await soon(run)).data).toBe("X");
});

test("a loop over lifecycle events begins with the events that were not read, and ends with the run's error", async () => {
  const run = chain().run("x");
  await soon(run);
  const { events } = await collect(run.stream({ lifecycle: true }));
  expect(events.map(String)).toEqual(["stepstream.start", "item", "stepstream.stop"]);
  const failing = chain().run("x");
  const reading = collect(failing.stream({ lifecycle: true }));
  failing.cancel();
  expect((await reading).error).toBe(failing.failure ?? (await failure(failing)));
});

test("a recovered run reports the invocations of its earlier life under their ids, and events under new ones", async () => {
  const make = (): Workflow =>
    new Workflow({ events: [Answer] })
      .addStep({ name: "early", inputs: [StartEvent], outputs: [Item] }, () => new Item("x"))
      .addStep({ name: "late", inputs: [StartEvent], outputs: [Other] }, async (context) => {
        return new Other((await context.requireEvent(Answer)).data);
      })
      .addStep({ name: "both", inputs: [Item, Other], outputs: [StopEvent] }, (_, item, other) => {
        return new StopEvent(item.data + other.data);
      });
  const first = make().run("x");
  const before = observed(first);
  await first.idle();
  const bytes = first.snapshot();
  first.cancel();
  const run = make().recover(bytes);
  const found = observed(run);
  run.sendEvent(new Answer("y"));
  expect((await soon(run)).data).toBe("xy");
  expect(found.map(short)).toEqual([
    "run.started",
    "step.started late #1 attempt 1",
    "step.waiting late #1 attempt 1 answer",
    "run.waiting",
    "event.sent answer (6)",
    "event.delivered late #1 attempt 1 answer (6)",
    "run.woke",
    "step.succeeded late #1 attempt 1",
    "event.sent late #1 attempt 1 other (7)",
    "event.delivered both #3 other (7)",
    "step.queued both #3 by (7)",
    "step.started both #3 attempt 1 by (7)",
    "step.succeeded both #3 attempt 1 by (7)",
    "event.sent both #3 attempt 1 stepstream.stop (8)",
    "run.ended by (8) completed",
  ]);
  expect(found[0]).toMatchObject({ isRecovered: true });
  expect(before.map(short)).toContain("step.queued late #1 by (1)");
  const ids = (all: readonly LifecycleData[]) =>
    all.flatMap((data) => (data.kind === "event.sent" ? [data.eventId] : []));
  expect(ids(before).filter((id) => ids(found).includes(id))).toEqual([]);
});

test("a replay has the lifecycle events of the run, up to where it is", async () => {
  const make = (): Workflow =>
    new Workflow({ events: [Answer, Progress], limits: { keptEvents: 1 } })
      .addStep(
        {
          name: "try",
          inputs: [StartEvent],
          outputs: [Item],
          numWorkers: 1,
          retry: retryPolicy({ wait: waitFixed(0.5), stop: stopAfterAttempt(2) }),
        },
        async (context) => {
          context.writeEventToStream(new Progress("trying"));
          await context.sleep(0.1);
          if (context.attempt === 1) throw new TypeError("once more");
          context.sendEvent(new Other("side"));
          return new Item("x");
        },
      )
      .addStep({ name: "ask", inputs: [Item, Other], outputs: [StopEvent] }, async (context, item) => {
        const { data } = await context.waitForEvent(Answer, { ask: new Question("why?"), timeout: 60 });
        throw new RangeError(item.data + data);
      })
      .catchError({ name: "catch", outputs: [StopEvent] }, (_, { data }) => new StopEvent(data.error.message));
  const run = make().run("x", undefined, { journal: true });
  const found = observed(run);
  await run.idle();
  run.sendEvent(new Progress("kept"));
  run.sendEvent(new Progress("kept instead"));
  run.sendEvent(new Answer("y"));
  await soon(run);
  const journal = run.journal();
  const past = make().replay(journal, { lifecycle: true });
  expect(past.lifecycle.map(({ data }) => data)).toEqual(found);
  expect(new Set(found.map(({ kind }) => kind)).size).toBe(15);
  past.dispose();
  for (let until = 0; until <= past.ticks; until += 1) {
    const part = make().replay(journal, { until, lifecycle: true });
    expect(part.lifecycle.map(({ data }) => data)).toEqual(found.slice(0, part.lifecycle.length));
    part.dispose();
  }
  const plain = make().replay(journal);
  expect(plain.lifecycle).toEqual([]);
  plain.dispose();
});

test("a journal tells what happened when, also where nobody observed the run", async () => {
  const run = chain().run("x", undefined, { journal: true });
  await soon(run);
  const past = chain().replay(run.journal(), { lifecycle: true });
  expect(past.lifecycle.map(({ data }) => data.time).at(-1)).toBe(250);
  expect(past.lifecycle.map(({ data }) => short(data)).at(-1)).toBe("run.ended by (5) completed");
  past.dispose();
});

test("a run that stalls or has no time left says so, in a replay as well", async () => {
  const stalls = (): Workflow => {
    return new Workflow({ name: "stalls" }).addStep({ inputs: [StartEvent], outputs: [StopEvent] }, () => undefined);
  };
  const sleeps = (): Workflow =>
    new Workflow({ name: "sleeps", timeout: 1 }).addStep(
      { inputs: [StartEvent], outputs: [StopEvent] },
      async (context) => {
        await context.sleep(5);
        return new StopEvent();
      },
    );
  for (const [make, code, time] of [[stalls, "RUN_STALLED", 0] as const, [sleeps, "RUN_TIMEOUT", 1000] as const]) {
    const run = make().run("x", undefined, { journal: true });
    const found = observed(run);
    await failure(run);
    expect(found.at(-1)).toMatchObject({ kind: "run.ended", time, outcome: "failed", error: { code } });
    const past = make().replay(run.journal(), { lifecycle: true });
    expect(past.lifecycle.at(-1)!.data).toMatchObject({ kind: "run.ended", time, outcome: "failed", error: { code } });
    past.dispose();
  }
});

test("an observed run does the same as one that is not", async () => {
  class Work extends WorkflowEvent<number> {
    static readonly type = "work";
  }
  const make = (): Workflow<unknown, number, number[]> => {
    const workflow = new Workflow<unknown, number, number[]>();
    workflow.addStep({ inputs: [StartEvent<number>], outputs: [Work] }, ({ sendEvent }, { data }) => {
      for (let nth = 0; nth < data; nth += 1) sendEvent(new Work(nth));
    });
    workflow.addStep({ inputs: [Work], outputs: [StopEvent<number[]>], numWorkers: 3 }, async (context, event) => {
      await context.sleep((event.data % 5) / 100);
      const all = context.collectEvents(event, Array<typeof Work>(20).fill(Work));
      return all === null ? undefined : new StopEvent(all.map(({ data }) => data));
    });
    return workflow;
  };
  const plain = make().run(20);
  const watched = make().run(20);
  const found = observed(watched);
  expect((await soon(watched)).data).toEqual((await soon(plain)).data);
  expect((await collect(watched)).events).toEqual((await collect(plain)).events);
  const count = (kind: string): number => found.filter((data) => data.kind === kind).length;
  expect([count("step.queued"), count("step.started"), count("step.succeeded")]).toEqual([21, 21, 21]);
});

test("a snapshot of an observed run is, byte for byte, that of one that is not", async () => {
  const snapshots = async (isObserved: boolean): Promise<Uint8Array[]> => {
    // A failure says when it happened.
    vi.setSystemTime(0);
    const taken: Uint8Array[] = [];
    const take = (): unknown => taken.push(holder.run!.snapshot());
    const workflow = new Workflow({ events: [Answer] })
      .addStep({ name: "split", inputs: [StartEvent], outputs: [Item, Other] }, ({ sendEvent, writeEventToStream }) => {
        sendEvent(new Item("a"));
        writeEventToStream(new Progress("half"));
        take();
        return new Other("b");
      })
      .addStep({ name: "item", inputs: [Item], numWorkers: 1, retry: retryPolicy() }, async (context) => {
        take();
        // Its stack would say who has called the handler.
        if (context.attempt === 1) throw Object.assign(new Error("again"), { stack: "" });
        await context.requireEvent(Answer);
      })
      .addStep({ name: "both", inputs: [Other, Answer], outputs: [StopEvent] }, () => new StopEvent("done"));
    const holder: { run?: WorkflowContext } = {};
    const run = workflow.run("x", undefined, { runId: "one" });
    holder.run = run;
    if (isObserved) observe(run, () => undefined);
    await run.idle();
    take();
    run.cancel();
    return taken;
  };
  const plain = await snapshots(false);
  expect(plain).toHaveLength(4);
  expect(await snapshots(true)).toEqual(plain);
});

test("what cannot be observed is refused", async () => {
  const run = chain().run("x");
  await fails(() => observe({} as never, () => undefined), ValidationError, "INVALID_OPTION");
  await fails(() => observe(run, "no function" as never), ValidationError, "INVALID_OPTION");
  await fails(() => run.stream({ livecycle: true } as never), ValidationError, "INVALID_OPTION");
  await soon(run);
});
