// Workflows within workflows.

import {
  CancelledError,
  HumanResponseEvent,
  NestedEvent,
  StartEvent,
  StopEvent,
  TimeoutError,
  Workflow,
  WorkflowContext,
  WorkflowEvent,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, deferred, expectError, failure, fails, soon, turn } from "../kit/index.js";

class Progress extends WorkflowEvent<string> {
  static readonly type = "progress";
}
class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}

interface Data {
  readonly mark: string;
}
type Child = Workflow<Data, string, string>;

const inputs = [StartEvent<string>] as const;
const outputs = [StopEvent<string>] as const;

const child = (): Child =>
  new Workflow<Data, string, string>().addStep({ inputs, outputs }, async ({ data, writeEventToStream }, event) => {
    writeEventToStream(new Progress(event.data));
    return new StopEvent(event.data + data.mark);
  });

/** A workflow with a child in the slot "inner", and one step that runs it and hands its result on. */
const around = (inner: Child): Workflow<Data, string, string, { readonly inner: Child }> =>
  new Workflow<Data, string, string>()
    .addWorkflows({ inner })
    .addStep({ inputs, outputs }, async ({ workflows }, event) => {
      const stop = await workflows.inner.run(`<${event.data}>`);
      return new StopEvent(`(${stop.data})`);
    });

/** The name of an event of a stream: with the slot, when it is a nested run's. */
const nameOf = (event: WorkflowEvent): string =>
  event instanceof NestedEvent ? `${event.data.slot}: ${event.data.event.constructor.name}` : event.constructor.name;

/** Starts a parent of `inner` and gives the nested run as well. In objects: what is given a run waits for its result. */
async function both(inner: Child) {
  const started = deferred<{ readonly run: WorkflowContext<Data, string, string> }>();
  const parent = new Workflow<Data, string, string>().addWorkflows({ inner });
  parent.addStep({ inputs, outputs }, async ({ workflows }, event) => {
    const run = workflows.inner.run(event.data);
    started.resolve({ run });
    return new StopEvent((await run).data);
  });
  const context = parent.run("x", { mark: "!" }).start();
  return { context, nested: await soon(started.promise) };
}

test("a step runs a nested workflow and gets its stop event", async () => {
  const stop = await soon(around(child()).run("x", { mark: "!" }));
  expect(stop.data).toBe("(<x>!)");
});

test("the nested run's events are in the parent's stream, under their slot, in order", async () => {
  const { events } = await soon(collect(around(child()).run("x", { mark: "!" })));
  expect(events.map(nameOf)).toEqual([
    "StartEvent",
    "inner: StartEvent",
    "inner: Progress",
    "inner: StopEvent",
    "StopEvent",
  ]);
  const nested = events[2] as NestedEvent;
  expect((nested.data.event as Progress).data).toBe("<x>");
});

test("nested twice, the slots are joined from the outside in", async () => {
  const top = new Workflow<Data, string, string>().addWorkflows({ outer: around(child()) });
  top.addStep({ inputs, outputs }, async ({ workflows }, event) => {
    return new StopEvent((await workflows.outer.run(event.data)).data);
  });
  const { events } = await soon(collect(top.run("x", { mark: "!" })));
  expect(events.map(nameOf)).toEqual([
    "StartEvent",
    "outer: StartEvent",
    "outer.inner: StartEvent",
    "outer.inner: Progress",
    "outer.inner: StopEvent",
    "outer: StopEvent",
    "StopEvent",
  ]);
  expect((events[3] as NestedEvent).data.event).toBeInstanceOf(Progress);
});

test("the child's own stream has its events as they are", async () => {
  const seen: string[] = [];
  const parent = new Workflow<Data, string, string>().addWorkflows({ inner: child() });
  parent.addStep({ inputs, outputs }, async ({ workflows }, event) => {
    const run = workflows.inner.run(event.data);
    for await (const each of run) seen.push(nameOf(each));
    return new StopEvent((await run).data);
  });
  await soon(parent.run("x", { mark: "" }));
  expect(seen).toEqual(["StartEvent", "Progress", "StopEvent"]);
});

test("nested events are for the stream: no step of the parent takes them", async () => {
  const taken: WorkflowEvent[] = [];
  const parent = around(child()).addStep({ inputs: [WorkflowEvent] }, (_, event) => void taken.push(event));
  await soon(parent.run("x", { mark: "" }));
  expect(taken.map(nameOf)).not.toContain("NestedEvent");
  expect(taken.some((event) => event instanceof NestedEvent || event instanceof Progress)).toBe(false);
});

test("the parent's data is the default, and data of its own goes before it", async () => {
  const seen: unknown[] = [];
  const inner: Child = new Workflow<Data, string, string>().addStep({ inputs, outputs }, ({ data }, event) => {
    seen.push(data);
    return new StopEvent(event.data);
  });
  const parent = new Workflow<Data, string, string>().addWorkflows({ inner });
  const own = { mark: "own" };
  parent.addStep({ inputs, outputs }, async ({ workflows }, event) => {
    await workflows.inner.run(event.data);
    return new StopEvent((await workflows.inner.run(event.data, own)).data);
  });
  const data = { mark: "parent" };
  await soon(parent.run("x", data));
  expect(seen[0]).toBe(data);
  expect(seen[1]).toBe(own);
});

test("several nested runs go on at the same time", async () => {
  const gates = [deferred(), deferred()];
  let begun = 0;
  const inner: Child = new Workflow<Data, string, string>().addStep({ inputs, outputs }, async (_, event) => {
    await gates[begun++]!.promise;
    return new StopEvent(event.data);
  });
  const parent = new Workflow<Data, string, string>().addWorkflows({ inner });
  parent.addStep({ inputs, outputs }, async ({ workflows }) => {
    const stops = await Promise.all([workflows.inner.run("a"), workflows.inner.run("b")]);
    return new StopEvent(stops.map(({ data }) => data).join());
  });
  const context = parent.run("x", { mark: "" }).start();
  await turn();
  expect(begun).toBe(2);
  gates[1]!.resolve();
  gates[0]!.resolve();
  expect((await soon(context)).data).toBe("a,b");
});

test("a child's failure rejects in the step, with the error itself", async () => {
  const boom = new Error("boom");
  const inner: Child = new Workflow<Data, string, string>().addStep({ inputs, outputs }, () => {
    throw boom;
  });
  const caught: unknown[] = [];
  const parent = new Workflow<Data, string, string>().addWorkflows({ inner });
  parent.addStep({ inputs, outputs }, async ({ workflows }) => {
    await workflows.inner.run("x").catch((error: unknown) => caught.push(error));
    return new StopEvent("went on");
  });
  expect((await soon(parent.run("x", { mark: "" }))).data).toBe("went on");
  expect(caught).toEqual([boom]);
  expect(caught[0]).toBe(boom);
});

test("a child's failure that the step lets through fails the parent", async () => {
  const boom = new Error("boom");
  const inner: Child = new Workflow<Data, string, string>().addStep({ inputs, outputs }, async () => {
    throw boom;
  });
  const context = around(inner).run("x", { mark: "" });
  const { events, error } = await soon(collect(context));
  expect(error).toBe(boom);
  expect(await failure(context)).toBe(boom);
  expect(events.map(nameOf)).toEqual(["StartEvent", "inner: StartEvent"]);
});

test("a child that fails while it is not awaited disturbs nothing", async () => {
  const inner: Child = new Workflow<Data, string, string>().addStep({ inputs, outputs }, () => {
    throw new Error("boom");
  });
  const parent = new Workflow<Data, string, string>().addWorkflows({ inner });
  parent.addStep({ inputs, outputs }, async ({ workflows }) => {
    workflows.inner.run("x").start();
    await turn();
    return new StopEvent("done");
  });
  expect((await soon(parent.run("x", { mark: "" }))).data).toBe("done");
});

/** A child that goes on until it is ended, and what its signal said then. */
function endless() {
  const signals: AbortSignal[] = [];
  const inner: Child = new Workflow<Data, string, string>({ timeout: null }).addStep(
    { inputs, outputs },
    async (context, event) => {
      signals.push(context.signal);
      await context.sleep(Infinity);
      return new StopEvent(event.data);
    },
  );
  return { inner, signals };
}

test("cancelling the parent cancels the child and what it is doing", async () => {
  const { inner, signals } = endless();
  const { context, nested } = await both(inner);
  await turn();
  context.cancel("enough");
  expect([context.status, nested.run.status]).toEqual(["cancelled", "cancelled"]);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  const error = await fails(context, CancelledError, "RUN_CANCELLED");
  expect(error.cause).toBe("enough");
  expect((await fails(nested.run, CancelledError, "RUN_CANCELLED")).cause).toBe(error);
});

test("cancellation goes down through all generations", async () => {
  const { inner, signals } = endless();
  const { context, nested } = await both(around(inner) as unknown as Child);
  await turn();
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  context.cancel();
  expect([nested.run.status, signals[0]?.aborted]).toEqual(["cancelled", true]);
});

test("a parent that completes cancels the children that are left", async () => {
  const { inner, signals } = endless();
  const parent = new Workflow<Data, string, string>().addWorkflows({ inner });
  let run: WorkflowContext<Data, string, string> | undefined;
  parent.addStep({ inputs, outputs }, async ({ workflows }) => {
    run = workflows.inner.run("x").start();
    await turn();
    return new StopEvent("done");
  });
  await soon(parent.run("x", { mark: "" }));
  expect([run?.status, signals[0]?.aborted]).toEqual(["cancelled", true]);
});

test("a parent that times out cancels the child", async () => {
  const { inner, signals } = endless();
  const parent = around(inner);
  await fails(parent.run("x", { mark: "" }, { timeout: 0.02 }), TimeoutError, "RUN_TIMEOUT");
  expect(signals[0]?.aborted).toBe(true);
});

test("a child that is cancelled alone rejects in the step", async () => {
  const { inner } = endless();
  const { context, nested } = await both(inner);
  nested.run.cancel("only you");
  const error = await failure(context);
  expectError(error, CancelledError, "RUN_CANCELLED");
  expect((error as Error).cause).toBe("only you");
  expect(context.status).toBe("failed");
});

test("a child keeps its own timeout", async () => {
  const parent = new Workflow<Data, string, string>().addWorkflows({ inner: endless().inner });
  parent.addStep({ inputs, outputs }, async ({ workflows }) => {
    return new StopEvent((await workflows.inner.run("x", { mark: "" }, { timeout: 0.01 })).data);
  });
  await fails(parent.run("x", { mark: "" }), TimeoutError, "RUN_TIMEOUT");
});

test("a child that waits for the outside makes the parent wait, until it is answered", async () => {
  const inner: Child = new Workflow<Data, string, string>().addStep({ inputs, outputs }, async ({ requireEvent }) => {
    return new StopEvent((await requireEvent(Answer)).data);
  });
  const { context, nested } = await both(inner);
  await soon(context.idle());
  expect([context.status, nested.run.status]).toEqual(["waiting", "waiting"]);
  nested.run.sendEvent(new Answer("yes"));
  expect((await soon(context)).data).toBe("yes");
  expect([context.status, nested.run.status]).toEqual(["completed", "completed"]);
});

test("a parent with other work goes on while its child waits", async () => {
  const inner: Child = new Workflow<Data, string, string>().addStep({ inputs, outputs }, async ({ requireEvent }) => {
    return new StopEvent((await requireEvent(Answer)).data);
  });
  const gate = deferred();
  const parent = around(inner).addStep({ inputs }, () => gate.promise);
  const context = parent.run("x", { mark: "" }).start();
  await turn();
  expect(context.status).toBe("running");
  gate.resolve();
  await soon(context.idle());
  expect(context.status).toBe("waiting");
  context.cancel();
});

test("a parent whose own steps wait is running as long as its child works", async () => {
  const gate = deferred();
  const inner: Child = new Workflow<Data, string, string>().addStep({ inputs, outputs }, async ({ requireEvent }) => {
    await gate.promise;
    return new StopEvent((await requireEvent(Answer)).data);
  });
  const parent = new Workflow<Data, string, string>().addWorkflows({ inner });
  let child: WorkflowContext<Data, string, string> | undefined;
  parent.addStep({ inputs, outputs }, async ({ workflows, requireEvent }, event) => {
    child = workflows.inner.run(event.data);
    const [own, stop] = await Promise.all([requireEvent(Answer), child]);
    return new StopEvent(`${own.data} ${stop.data}`);
  });
  const context = parent.run("x", { mark: "" }).start();
  let isIdle = false;
  const idle = context.idle().then(() => (isIdle = true));
  await turn();
  expect([context.status, child!.status, isIdle]).toEqual(["running", "running", false]);
  gate.resolve();
  await soon(idle);
  expect([context.status, child!.status]).toEqual(["waiting", "waiting"]);
  child!.sendEvent(new Answer("inner"));
  await soon(child!);
  await turn();
  expect(context.status).toBe("waiting");
  context.sendEvent(new Answer("outer"));
  expect((await soon(context)).data).toBe("outer inner");
});

test("of two children, one that works keeps the parent running", async () => {
  const gate = deferred();
  const inner: Child = new Workflow<Data, string, string>().addStep({ inputs, outputs }, async (context, event) => {
    if (event.data === "works") await gate.promise;
    else await context.requireEvent(Answer);
    return new StopEvent(event.data);
  });
  const parent = new Workflow<Data, string, string>().addWorkflows({ inner });
  parent.addStep({ inputs, outputs }, async ({ workflows }) => {
    await Promise.all([workflows.inner.run("waits"), workflows.inner.run("works")]);
    return new StopEvent("never");
  });
  const context = parent.run("x", { mark: "" }).start();
  await turn();
  expect(context.status).toBe("running");
  gate.resolve();
  await soon(context.idle());
  expect(context.status).toBe("waiting");
  context.cancel();
});

test("a nested run of a step that is over is refused", async () => {
  const late = deferred<unknown>();
  const parent = new Workflow<Data, string, string>().addWorkflows({ inner: child() });
  parent.addStep({ inputs, outputs }, async ({ workflows, signal }) => {
    signal.addEventListener("abort", () => {
      try {
        workflows.inner.run("x");
        late.resolve(undefined);
      } catch (error) {
        late.resolve(error);
      }
    });
    await new Promise(() => {});
    return undefined;
  });
  const context = parent.run("x", { mark: "" }).start();
  context.cancel();
  expectError(await soon(late.promise), CancelledError, "ATTEMPT_ENDED");
});

test("nested runs have ids and stores of their own", async () => {
  const ids: string[] = [];
  const inner: Child = new Workflow<Data, string, string>().addStep({ inputs, outputs }, ({ runId, store }, event) => {
    ids.push(runId);
    store.set("seen", event.data);
    return new StopEvent(event.data);
  });
  const context = around(inner).run("x", { mark: "" });
  await soon(context);
  expect(ids).toHaveLength(1);
  expect(ids[0]).not.toBe(context.runId);
  expect(context.store.has("seen")).toBe(false);
});

test("what is not a workflow is refused as one", async () => {
  const error = await failure(() => new Workflow().addWorkflows({ broken: {} as Workflow }));
  expect((error as Error).message).toContain('"broken"');
});
