// A panic in the engine: its runs reject with ENGINE_PANICKED, once each; the next use gets a fresh instance; what was stored recovers.

import {
  EngineError,
  HumanResponseEvent,
  StartEvent,
  StopEvent,
  Workflow,
  type WorkflowContext,
  WorkflowEvent,
} from "stepstream";
import { beforeAll, expect, test } from "vitest";
import { collect, expectError, failure, fails, soon, turn } from "../js/kit/index.js";
import { arm, instanceCount, place, useDrills } from "./kit.js";

class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}
class Tick extends WorkflowEvent<number> {
  static readonly type = "tick";
}

const inputs = [StartEvent<string>] as const;
const outputs = [StopEvent<string>] as const;
type Letters = Workflow<unknown, string, string>;
type Run = WorkflowContext<unknown, string, string>;

let effects = 0;

/** Does something once, waits for an answer, and ends with it. */
const asking = (): Letters =>
  new Workflow<unknown, string, string>({ timeout: null, events: [Answer] }).addStep(
    { name: "ask", inputs, outputs },
    async ({ requireEvent, once }, { data }) => {
      await once("deed", () => (effects += 1));
      return new StopEvent(`${data} ${(await requireEvent(Answer)).data}`);
    },
  );

const echo = (): Letters =>
  new Workflow<unknown, string, string>().addStep({ inputs, outputs }, async (_, { data }) => new StopEvent(data));

/** A run that waits for an answer. In an object: what is given a run waits for its result. */
async function waiting(workflow = asking(), data = "x"): Promise<{ readonly run: Run }> {
  const run = workflow.run(data);
  await run.idle();
  expect(run.status).toBe("waiting");
  return { run };
}

/** The run is over because of the panic, and says so in every way that it has. */
async function expectCrashed(run: Run): Promise<EngineError> {
  const error = await failure(run);
  expectError(error, EngineError, "ENGINE_PANICKED");
  expect(run.status).toBe("failed");
  expect((await soon(collect(run.stream()))).error).toBe(error);
  return error as EngineError;
}

/** The number of instances so far, of which the last one lives. */
async function current(): Promise<number> {
  await echo().run("now");
  return instanceCount();
}

/** The package works, in an instance that was made since there were `before`. */
async function expectFresh(before: number): Promise<void> {
  expect((await soon(echo().run("again"))).data).toBe("again");
  expect(instanceCount()).toBe(before + 1);
}

/** Panics in the next tick of a run that waits. */
function crash(run: Run): void {
  arm(place.TICK);
  expect(() => run.sendEvent(new Answer("y"))).toThrow(EngineError);
}

beforeAll(async () => {
  useDrills();
  await echo().run("the first instance");
  expect(instanceCount()).toBe(1);
});

test("a panic in a tick ends the run, and the next run works", async () => {
  const before = await current();
  const { run } = await waiting();
  const reading = collect(run.stream());
  crash(run);
  const error = await expectCrashed(run);
  expect(error.cause).toBeInstanceOf(WebAssembly.RuntimeError);
  expect((await soon(reading)).error).toBe(error);
  await expectFresh(before);
});

test("a panic in the tick of a step's result ends the run", async () => {
  const before = await current();
  const run = new Workflow<unknown, string, string>()
    .addStep({ inputs, outputs }, async (_, { data }) => {
      arm(place.TICK);
      return new StopEvent(data);
    })
    .run("x");
  await expectCrashed(run);
  await expectFresh(before);
});

test("a panic in the first tick ends the run", async () => {
  const before = await current();
  arm(place.TICK);
  await expectCrashed(echo().run("x"));
  await expectFresh(before);
});

test("a panic in one run ends all runs of the instance: those that wait, work, sleep, retry, and are nested", async () => {
  const before = await current();
  const attempts: number[] = [];
  const working = new Workflow<unknown, string, string>().addStep({ inputs, outputs }, async (_, { data }) => {
    await turn();
    return new StopEvent(data);
  });
  const sleeping = new Workflow<unknown, string, string>().addStep({ inputs, outputs }, async ({ sleep }, { data }) => {
    await sleep(1_000);
    return new StopEvent(data);
  });
  const retrying = new Workflow<unknown, string, string>().addStep(
    { inputs, outputs, retry: () => 1_000 },
    async ({ attempt }) => {
      attempts.push(attempt);
      throw new TypeError("on purpose");
    },
  );
  const nesting = new Workflow<unknown, string, string, { readonly inner: Letters }>({ timeout: null })
    .addWorkflows({ inner: asking() })
    .addStep({ inputs, outputs }, async ({ workflows }, { data }) => workflows.inner.run(data)) as unknown as Letters;
  const others = [working, sleeping, retrying, nesting, asking(), asking()].map((workflow) =>
    workflow.run("x").start(),
  );
  const unread = others.map((run) => collect(run.stream()));
  const { run } = await waiting();
  crash(run);
  const error = await expectCrashed(run);
  for (const other of others) await expectCrashed(other);
  for (const { error } of await Promise.all(unread)) expectError(error, EngineError, "ENGINE_PANICKED");
  expect(await failure(others.at(-1)!)).toBe(error);
  expect(attempts).toEqual([1]);
  await expectFresh(before);
});

test("the signals of a run's steps abort with the error", async () => {
  const signals: AbortSignal[] = [];
  const workflow = new Workflow<unknown, string, string>({ timeout: null }).addStep(
    { inputs, outputs },
    async ({ requireEvent, signal }) => {
      signals.push(signal);
      return new StopEvent((await requireEvent(Answer)).data);
    },
  );
  const { run } = await waiting(workflow);
  crash(run);
  const error = await expectCrashed(run);
  expect([signals[0]!.aborted, signals[0]!.reason]).toEqual([true, error]);
});

test("a run that has ended keeps its result, and one that has not begun works", async () => {
  const done = echo().run("done");
  await done;
  const unstarted = echo().run("later");
  const { run } = await waiting();
  const later = unstarted.with({});
  crash(run);
  await expectCrashed(run);
  expect([done.status, done.result, (await soon(done)).data]).toEqual(["completed", "done", "done"]);
  expect((await soon(later)).data).toBe("later");
});

test("a workflow that has crashed can be used again", async () => {
  const workflow = asking();
  const { run } = await waiting(workflow);
  crash(run);
  await expectCrashed(run);
  const { run: next } = await waiting(workflow);
  next.sendEvent(new Answer("z"));
  expect((await soon(next)).data).toBe("x z");
  expect(workflow.validate()).toEqual([]);
});

test("a crashed run makes room for the next where their number is limited", async () => {
  const workflow = new Workflow<unknown, string, string>({ timeout: null, maxConcurrentRuns: 1 }).addStep(
    { inputs, outputs },
    async ({ requireEvent }) => new StopEvent((await requireEvent(Answer)).data),
  );
  const { run } = await waiting(workflow);
  const second = workflow.run("second").start();
  crash(run);
  await expectCrashed(run);
  await soon(second.idle());
  second.sendEvent(new Answer("z"));
  expect((await soon(second)).data).toBe("z");
});

test("a run with a stored snapshot recovers, and what it has done once is not done again", async () => {
  const workflow = asking();
  const { run } = await waiting(workflow);
  const stored = run.snapshot();
  const done = effects;
  crash(run);
  await expectCrashed(run);
  for (const by of [workflow, asking()]) {
    const again = by.recover(stored);
    again.sendEvent(new Answer("after all"));
    expect((await soon(again)).data).toBe("x after all");
  }
  expect(effects).toBe(done);
});

test("a panic while a run is frozen ends all runs, and the snapshot before recovers", async () => {
  const before = await current();
  const { run } = await waiting();
  const { run: other } = await waiting();
  const stored = run.snapshot();
  arm(place.CAPTURE);
  await fails(() => run.snapshot(), EngineError, "ENGINE_PANICKED");
  await expectCrashed(run);
  await expectCrashed(other);
  await expectFresh(before);
  const again = asking().recover(stored);
  again.sendEvent(new Answer("y"));
  expect((await soon(again)).data).toBe("x y");
});

test("a panic while a run is recovered leaves the snapshot good, and ends the others", async () => {
  const before = await current();
  const { run } = await waiting();
  const stored = run.snapshot();
  const workflow = asking();
  arm(place.RESTORE);
  await fails(async () => workflow.recover(stored).start(), EngineError, "ENGINE_PANICKED");
  await expectCrashed(run);
  await expectFresh(before);
  const again = workflow.recover(stored);
  again.sendEvent(new Answer("y"));
  expect((await soon(again)).data).toBe("x y");
});

test("a panic at a deadline ends the runs", async () => {
  const before = await current();
  const { run: other } = await waiting();
  const run = new Workflow<unknown, string, string>()
    .addStep({ inputs, outputs }, async ({ sleep }, { data }) => {
      arm(place.WAKE);
      await sleep(0.005);
      return new StopEvent(data);
    })
    .run("x");
  await expectCrashed(run);
  await expectCrashed(other);
  await expectFresh(before);
});

test("a panic while a run is freed leaves its result, and ends the others", async () => {
  const before = await current();
  const { run: other } = await waiting();
  arm(place.FREE);
  expect((await soon(echo().run("fine"))).data).toBe("fine");
  await expectCrashed(other);
  await expectFresh(before);
});

test("what a crashed run is asked afterwards is answered with the error, or as before", async () => {
  const workflow = asking();
  const run = workflow.run("x", undefined, { journal: true });
  await run.idle();
  const earlier = run.journal();
  crash(run);
  await expectCrashed(run);
  await fails(() => run.snapshot(), EngineError, "ENGINE_PANICKED");
  await fails(() => run.fork(), EngineError, "ENGINE_PANICKED");
  run.dispose();
  expect(run.status).toBe("failed");
  // The journal is there up to the crash, or as it was read before.
  expect(run.journal().length).toBeGreaterThanOrEqual(earlier.length);
  const past = workflow.replay(earlier);
  expect(past.waits.length).toBe(1);
});

test("a replay of an instance that is gone says so, and does not touch those of the next", async () => {
  const before = await current();
  const journalOf = async (data: string): Promise<Uint8Array> => {
    const run = echo().run(data, undefined, { journal: true });
    await run;
    return run.journal();
  };
  const [first, second] = [await journalOf("first"), await journalOf("second")];
  const gone = echo().replay(first, { until: 1 });
  arm(place.REPLAY);
  await fails(() => echo().replay(second), EngineError, "ENGINE_PANICKED");
  const past = echo().replay(second, { until: 1 });
  await fails(() => gone.next(), EngineError, "ENGINE_PANICKED");
  await fails(() => gone.snapshot(), EngineError, "ENGINE_PANICKED");
  await fails(() => void gone.status, EngineError, "ENGINE_PANICKED");
  gone.dispose();
  while (past.next());
  expect(past.result).toBe("second");
  await expectFresh(before);
});

test("ten panics in a row, each in a run of its own, are ten errors and no more", async () => {
  const before = await current();
  for (let round = 0; round < 10; round += 1) {
    const { run } = await waiting();
    crash(run);
    await expectCrashed(run);
  }
  // The last one's instance is made by the next use.
  expect(instanceCount()).toBe(before + 9);
  await expectFresh(before + 9);
});

test("a panic at any of the first ticks of a run with several steps is one error", async () => {
  const workflow = new Workflow<unknown, string, string>();
  workflow.addStep({ inputs, outputs: [Tick] }, async ({ sendEvent, sleep, store }) => {
    store.set("began", true);
    for (let tick = 0; tick < 3; tick += 1) sendEvent(new Tick(tick));
    await sleep(0.001);
    return new Tick(3);
  });
  workflow.addStep({ inputs: [Tick], outputs, numWorkers: 2 }, async ({ collectEvents, sleep }, event) => {
    await sleep(0.001);
    const all = collectEvents(event, [Tick, Tick, Tick, Tick]);
    return all === null ? undefined : new StopEvent(all.map(({ data }) => data).join());
  });
  let spared = 0;
  for (; ; spared += 1) {
    expect(spared).toBeLessThan(100);
    arm(place.TICK, spared);
    const run = workflow.run("x");
    const outcome = await soon(run.then(String, (error: unknown) => error));
    if (!(outcome instanceof Error)) break;
    await expectCrashed(run);
    await echo().run("a fresh instance");
  }
  arm(place.TICK, -1 >>> 0);
  expect(spared).toBeGreaterThan(10);
});
