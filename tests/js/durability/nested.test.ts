// Runs within runs, captured and recovered as one.

import {
  NestedEvent,
  type NestedWorkflow,
  RecoverError,
  StartEvent,
  StopEvent,
  Workflow,
  type WorkflowEvent,
  retryPolicy,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, failure, fails, soon, turn } from "../kit/index.js";
import { Answer, Item, Progress, described, reborn } from "./kit.js";

const inputs = [StartEvent<string>] as const;
const outputs = [StopEvent<string>] as const;

/** Waits until a run and its children wait for the outside. A parent that waits may have children that work. */
async function settled(context: { idle(): Promise<void> }): Promise<void> {
  for (let nth = 0; nth < 3; nth += 1) {
    await context.idle();
    await turn();
  }
}

type Log = string[];
type Child = Workflow<string, string, string>;

/** Counts in its own store, writes, and waits for an answer. */
const child = (log: Log): Child =>
  new Workflow<string, string, string>()
    .addStep({ name: "begin", inputs, outputs: [Item] }, (context, event) => {
      log.push(`begin ${event.data}`);
      context.store.set("begun", event.data);
      context.writeEventToStream(new Progress(event.data));
      return new Item(event.data);
    })
    .addStep({ name: "ask", inputs: [Item], outputs }, async (context, item) => {
      log.push(`ask ${item.data}`);
      const receipt = await context.once("receipt", () => {
        log.push(`deed ${item.data}`);
        return `#${item.data}`;
      });
      const answer = await context.requireEvent(Answer);
      return new StopEvent(`${receipt} ${answer.data} ${context.store.get<string>("begun")} ${context.data}`);
    });

/** Runs children, and passes the answers that it is sent on to them. */
const parent = (log: Log, starts: readonly string[], inner: Child = child(log)): Child =>
  new Workflow<string, string, string>()
    .addWorkflows({ inner })
    .addStep({ name: "outer", inputs, outputs }, async ({ workflows, requireEvent }) => {
      log.push("outer");
      const results: string[] = [];
      const runs = starts.map((start) => workflows.inner.run(start).start());
      for (const run of runs) {
        const answer = await requireEvent(Answer);
        run.sendEvent(answer);
        results.push((await run).data);
      }
      return new StopEvent(results.join());
    });

const describedNested = (events: readonly WorkflowEvent[]): string[] =>
  events.map((event) =>
    event instanceof NestedEvent
      ? `${event.data.slot}: ${described([event.data.event]).join()}`
      : described([event]).join(),
  );

test("a child in flight resumes with its own memory", async () => {
  const log: Log = [];
  const context = parent(log, ["a"]).run("x", "data");
  await settled(context);
  expect(log.splice(0)).toEqual(["outer", "begin a", "ask a", "deed a"]);
  const again = reborn(context as never, () => parent(log, ["a"]) as never).with("data");
  await settled(again);
  expect(log).toEqual(["outer", "ask a"]);
  again.sendEvent(new Answer("yes"));
  const { events } = await soon(collect(again));
  expect(describedNested(events)).toEqual([
    'StartEvent "x"',
    'inner: StartEvent "a"',
    'inner: progress "a"',
    'inner: item "a"',
    'answer "yes"',
    'inner: answer "yes"',
    'inner: StopEvent "#a yes a data"',
    'StopEvent "#a yes a data"',
  ]);
});

test("a child that had completed does not run again", async () => {
  const log: Log = [];
  const context = parent(log, ["a", "b"]).run("x", "data").start();
  context.sendEvent(new Answer("one"));
  await settled(context);
  log.length = 0;
  const again = reborn(context as never, () => parent(log, ["a", "b"]) as never).with("data");
  await settled(again);
  again.sendEvent(new Answer("two"));
  expect((await soon(again)).data).toBe("#a one a data,#b two b data");
  expect(log).toEqual(["outer", "ask b"]);
});

test("several children of one slot find theirs again, also in a third life", async () => {
  const log: Log = [];
  const make = (): Child => parent(log, ["a", "b", "c"]);
  const context = make().run("x", "data");
  await settled(context);
  const second = reborn(context as never, make as never).with("data");
  await settled(second);
  second.sendEvent(new Answer("1"));
  await settled(second);
  const third = reborn(second, make as never).with("data");
  await third.idle();
  third.sendEvent(new Answer("2"));
  third.sendEvent(new Answer("3"));
  expect((await soon(third)).data).toBe("#a 1 a data,#b 2 b data,#c 3 c data");
  expect(log.filter((line) => line.startsWith("deed"))).toEqual(["deed a", "deed b", "deed c"]);
});

test("a run that was recovered and has not begun keeps the children of its first life", async () => {
  const log: Log = [];
  const make = (): Child => parent(log, ["a"]);
  const context = make().run("x", "data");
  await settled(context);
  const second = reborn(context as never, make as never);
  const third = reborn(second, make as never).with("data");
  third.sendEvent(new Answer("yes"));
  expect((await soon(third)).data).toBe("#a yes a data");
  expect(log.filter((line) => line.startsWith("begin"))).toEqual(["begin a"]);
});

test("two levels", async () => {
  const log: Log = [];
  const make = (): Child =>
    new Workflow<string, string, string>()
      .addWorkflows({ middle: parent(log, ["a"]) })
      .addStep({ name: "top", inputs, outputs }, async ({ workflows, requireEvent }) => {
        const run = workflows.middle.run("m").start();
        run.sendEvent(await requireEvent(Answer));
        return new StopEvent((await run).data);
      });
  const context = make().run("x", "data");
  await settled(context);
  log.length = 0;
  const again = reborn(context as never, make as never).with("data");
  await settled(again);
  again.sendEvent(new Answer("deep"));
  expect((await soon(again)).data).toBe("#a deep a data");
  expect(log).toEqual(["outer", "ask a"]);
});

test("a parent whose child failed tries both again", async () => {
  const make = (): Workflow<string> => {
    const inner = new Workflow<string, string, string>().addStep({ name: "in", inputs, outputs }, ({ data }) => {
      if (data !== "good") throw new Error("bad data");
      return new StopEvent("mended");
    });
    return new Workflow<string, string, string>()
      .addWorkflows({ inner })
      .addStep({ name: "out", inputs, outputs }, async ({ workflows }) => {
        return new StopEvent((await workflows.inner.run("i")).data);
      }) as never;
  };
  const context = make().run("x", "bad");
  await failure(context);
  expect((await soon(make().recover(context.snapshot()).with("good"))).data).toBe("mended");
});

test("after a cancellation, the children go on too", async () => {
  const log: Log = [];
  const context = parent(log, ["a"]).run("x", "data");
  await settled(context);
  context.cancel();
  log.length = 0;
  const again = parent(log, ["a"]).recover(context.snapshot()).with("data");
  again.sendEvent(new Answer("yes"));
  expect((await soon(again)).data).toBe("#a yes a data");
  expect(log).toEqual(["outer", "ask a"]);
});

test("a slot that is gone, and another workflow in it, are found before anything runs", async () => {
  const log: Log = [];
  const context = parent(log, ["a"]).run("x", "data");
  await settled(context);
  const bytes = context.snapshot();
  context.cancel();
  log.length = 0;
  const bare = new Workflow<string, string, string>().addStep({ name: "outer", inputs, outputs }, () => {
    log.push("ran");
    return new StopEvent("");
  });
  const error = await fails(() => bare.recover(bytes), RecoverError, "STEP_MISSING");
  expect(error.message).toContain('"inner"');
  const other = parent(log, ["a"], bare);
  await fails(() => other.recover(bytes), RecoverError, "SNAPSHOT_FOREIGN");
  expect(log).toEqual([]);
});

test("answers that the step had passed on to a child in flight are not passed on twice", async () => {
  const make = (): Workflow => {
    const pair = new Workflow().addStep({ name: "pair", inputs, outputs }, async ({ requireEvent }) => {
      return new StopEvent(`${(await requireEvent(Answer)).data}${(await requireEvent(Answer)).data}`);
    });
    return new Workflow().addWorkflows({ pair }).addStep({ name: "out", inputs, outputs }, async (context) => {
      const run = (context.workflows as { readonly pair: NestedWorkflow<typeof pair> }).pair.run("p");
      run.sendEvent(await context.requireEvent(Answer));
      run.sendEvent(await context.requireEvent(Answer));
      return new StopEvent(String((await run).data));
    });
  };
  let context = make().run("x");
  context.sendEvent(new Answer("a"));
  for (let life = 0; life < 3; life += 1) {
    await settled(context);
    context = reborn(context, make);
  }
  await settled(context);
  context.sendEvent(new Answer("b"));
  expect((await soon(context)).data).toBe("ab");
});

test("a further attempt of a step passes answers on to a child that has completed, and that is no mistake", async () => {
  const inner = new Workflow().addStep({ name: "in", inputs, outputs }, async ({ requireEvent }) => {
    return new StopEvent((await requireEvent(Answer)).data);
  });
  const workflow = new Workflow()
    .addWorkflows({ inner })
    .addStep({ name: "out", inputs, outputs, retry: retryPolicy({ wait: waitFixed(0) }) }, async (context) => {
      const run = context.workflows.inner.run("p");
      run.sendEvent(new Answer("from the first"));
      const { data } = await run;
      if (context.attempt === 1) throw new Error("again");
      return new StopEvent(String(data));
    });
  expect((await soon(workflow.run("x"))).data).toBe("from the first");
});

test("a snapshot between the call for a child of an earlier life and its beginning keeps the child", async () => {
  const log: Log = [];
  let take: (() => void) | undefined;
  const outer = (): Child =>
    new Workflow<string, string, string>()
      .addWorkflows({ inner: child(log) })
      .addStep({ name: "outer", inputs, outputs }, async ({ workflows }) => {
        const run = workflows.inner.run("a");
        take?.();
        return new StopEvent((await run).data);
      });
  const first = outer().run("x", "data");
  await settled(first);
  const second = outer().recover(first.snapshot()).with("data");
  first.cancel();
  let bytes: Uint8Array | undefined;
  take = () => (bytes = second.snapshot());
  second.start();
  await settled(second);
  second.cancel();
  take = undefined;
  const third = outer().recover(bytes!).with("data");
  await settled(third);
  third.sendEvent(new Answer("yes"));
  expect((await soon(third)).data).toBe("#a yes a data");
  expect(log.filter((entry) => entry.startsWith("deed") || entry.startsWith("begin"))).toEqual(["begin a", "deed a"]);
});
