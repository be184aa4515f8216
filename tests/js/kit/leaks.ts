// Cases that must leave nothing behind, and how to find out whether they did. For Node and for pages alike, both with a
// collector that can be called. Imported by tests that have nothing else in their process or page.

import { HumanResponseEvent, NestedEvent, StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}
class Tick extends WorkflowEvent<number> {
  static readonly type = "tick";
}

const inputs = [StartEvent<string>] as const;
const outputs = [StopEvent<string>] as const;
type Letters = Workflow<unknown, string, string>;

/** Ends at once, after a few events. */
const short = (): Letters =>
  new Workflow<unknown, string, string>().addStep(
    { inputs, outputs },
    async ({ writeEventToStream, store }, { data }) => {
      for (let tick = 0; tick < 5; tick += 1) writeEventToStream(new Tick(tick));
      store.set("data", data);
      return new StopEvent(data);
    },
  );

/** Waits for a person, without a timer. */
const waiting = (): Letters =>
  new Workflow<unknown, string, string>({ timeout: null, events: [Answer] }).addStep(
    { inputs, outputs },
    async ({ requireEvent, once }, { data }) => {
      await once("asked", () => data.repeat(3));
      return new StopEvent((await requireEvent(Answer)).data);
    },
  );

/** Sleeps until long after the test, with a timeout that is as far away. */
const sleeping = (): Letters =>
  new Workflow<unknown, string, string>({ timeout: 5000 }).addStep({ inputs, outputs }, async ({ sleep }, { data }) => {
    await sleep(10_000);
    return new StopEvent(data);
  });

/** Has a step at work whose promise never comes to anything. */
const stuck = (): Letters =>
  new Workflow<unknown, string, string>({ timeout: null }).addStep({ inputs, outputs }, () => new Promise(() => {}));

const failing = (): Letters =>
  new Workflow<unknown, string, string>().addStep({ inputs, outputs }, async () => {
    throw new TypeError("on purpose");
  });

const outer = (inner: Letters): Letters =>
  new Workflow<unknown, string, string, { readonly inner: Letters }>({ timeout: null })
    .addWorkflows({ inner })
    .addStep({ inputs, outputs }, async ({ workflows }, { data }) => workflows.inner.run(data)) as unknown as Letters;

/** Makes its workflow when it is first needed: what comes of it must not be a module's to keep. */
function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const one = {
  short: lazily(short),
  waiting: lazily(waiting),
  sleeping: lazily(sleeping),
  stuck: lazily(stuck),
  failing: lazily(failing),
  nesting: lazily(() => outer(short())),
  nestingWait: lazily(() => outer(waiting())),
};

const waitingSnapshot = lazily(async () => {
  const run = one.waiting().run("x");
  await run.idle();
  const snapshot = run.snapshot();
  run.dispose();
  await run.then(null, () => undefined);
  return snapshot;
});

const journal = lazily(async () => {
  const run = one.short().run("x", undefined, { journal: true });
  await run;
  return run.journal();
});

/** Registers an object that has to go once the case is over. */
type Watch = (object: object) => void;

/** Long enough for a run to get where it waits. Without a timer, which pages make wait for milliseconds. */
async function turn(): Promise<void> {
  for (let hop = 0; hop < 50; hop += 1) await null;
}

/** A case must have got where it says. */
function at(run: { readonly status: string }, status: string): void {
  if (run.status !== status) throw new Error(`The run is ${run.status}, not ${status}.`);
}

/** Each leaves something behind that nothing refers to any more. */
export const cases: Readonly<Record<string, (watch: Watch) => Promise<void>>> = {
  async "a run that has ended"(watch) {
    const run = one.short().run("x");
    watch(run);
    await run;
  },
  async "a run that has failed"(watch) {
    const run = one.failing().run("x");
    watch(run);
    await run.then(null, () => undefined);
  },
  async "a run that was cancelled while it waited"(watch) {
    const run = one.waiting().run("x");
    watch(run);
    await run.idle();
    run.cancel();
    await run.then(null, () => undefined);
  },
  async "a run that was disposed of while it slept"(watch) {
    const run = one.sleeping().run("x").start();
    watch(run);
    await turn();
    at(run, "sleeping");
    run.dispose();
  },
  async "a run that was disposed of before it began"(watch) {
    const run = one.short().run("x");
    watch(run);
    run.dispose();
  },
  async "a run whose `using` block has ended"(watch) {
    using run = one.waiting().run("x").start();
    watch(run);
    await turn();
    at(run, "waiting");
  },
  async "a run that was abandoned while it waited"(watch) {
    const run = one.waiting().run("x");
    watch(run);
    await run.idle();
    at(run, "waiting");
  },
  async "a run that was abandoned with a step that never ends"(watch) {
    const run = one.stuck().run("x").start();
    watch(run);
  },
  async "a run that was awaited and abandoned"(watch) {
    const run = one.waiting().run("x");
    watch(run);
    void run.then();
    await turn();
    at(run, "waiting");
  },
  async "a run that never began, because the one with data did"(watch) {
    const run = one.short().run("x");
    const withData = run.with({});
    watch(run);
    watch(withData);
    await withData;
  },
  async "a nested run that has ended"(watch) {
    const run = one.nesting().run("x");
    watch(run);
    for await (const event of run) if (event instanceof NestedEvent) watch(event);
  },
  async "a nested run that was abandoned while it waited"(watch) {
    const run = one.nestingWait().run("x").start();
    watch(run);
    for await (const event of run) if (event instanceof NestedEvent) break;
    await turn();
  },
  async "a reader that was abandoned in the middle"(watch) {
    const run = one.short().run("x");
    watch(run);
    const reader = run.stream();
    watch(reader);
    await reader.next();
  },
  async "a reader that waits for news that never come"(watch) {
    const run = one.waiting().run("x");
    watch(run);
    const reader = run.stream();
    watch(reader);
    await reader.next();
    void reader.next();
    await turn();
    at(run, "waiting");
  },
  async "a loop that was left"(watch) {
    const run = one.short().run("x");
    watch(run);
    for await (const event of run) if (event instanceof Tick) break;
  },
  async "a snapshot of a run that waits"(watch) {
    const run = one.waiting().run("x");
    await run.idle();
    watch(run.snapshot());
    run.dispose();
    await run.then(null, () => undefined);
  },
  async "a fork that was abandoned"(watch) {
    const run = one.waiting().run("x");
    await run.idle();
    watch(run.fork());
    run.dispose();
    await run.then(null, () => undefined);
  },
  async "a run that was recovered and abandoned before it began"(watch) {
    const run = one.waiting().recover(await waitingSnapshot());
    watch(run);
    watch(run.with({}));
  },
  async "a run that was recovered and has ended"(watch) {
    const run = one.waiting().recover(await waitingSnapshot());
    watch(run);
    run.sendEvent(new Answer("y"));
    await run;
  },
  async "a run with a journal"(watch) {
    const run = one.short().run("x", undefined, { journal: true });
    watch(run);
    await run;
    watch(run.journal());
  },
  async "a replay that was abandoned"(watch) {
    const past = one.short().replay(await journal(), { until: 2 });
    watch(past);
    if (!past.next()) throw new Error("The replay is at its end.");
  },
  async "a replay that was disposed of"(watch) {
    const past = one.short().replay(await journal());
    watch(past);
    past.dispose();
  },
  async "a workflow with its runs"(watch) {
    const workflow = short();
    watch(workflow);
    await workflow.run("x");
  },
  async "a workflow that was abandoned with a run that waits"(watch) {
    const workflow = waiting();
    watch(workflow);
    await workflow.run("x").idle();
  },
  async "a workflow that was disposed of"(watch) {
    const workflow = short();
    watch(workflow);
    await workflow.run("x");
    workflow.dispose();
  },
};

/** The memories of the engines that were made, of which there should be one. */
const memories: WebAssembly.Memory[] = [];
const { Instance } = WebAssembly;
WebAssembly.Instance = new Proxy(Instance, {
  construct(target, args: [WebAssembly.Module, WebAssembly.Imports?]) {
    const instance = new target(...args);
    memories.push(instance.exports["memory"] as WebAssembly.Memory);
    return instance;
  },
});

/** Collects everything that can go; finalisers run between turns, and what they let go is collected in the next round. */
async function collectAll(): Promise<void> {
  const { gc } = globalThis as { gc?: () => void };
  for (let round = 0; round < 5; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    gc!();
  }
}

/** What a case has left behind when it was run many times more, after as many times that fill what is reused. */
export interface Left {
  /** Of the objects that had to go. */
  readonly objects: number;
  /** Of the heap, in bytes for each time. */
  readonly heap: number;
  /** Of the engine's memory, in bytes in all; it grows by pages of 65,536. */
  readonly engine: number;
}

/** What is no leak: a page of the engine's memory is less than any run takes for each time, and no run is smaller than this on the heap. */
export const isNothing = ({ objects, heap, engine }: Left): boolean => objects < 5 && heap < 700 && engine <= 65_536;

const TIMES = 500;

/** @param heapUsed The bytes of the heap that are in use, after a collection. */
export async function leftBy(name: string, heapUsed: () => number | Promise<number>): Promise<Left> {
  const round = async (): Promise<WeakRef<object>[]> => {
    const watched: WeakRef<object>[] = [];
    for (let time = 0; time < TIMES; time += 1) await cases[name]!((object) => watched.push(new WeakRef(object)));
    return watched;
  };
  const sizes = async (): Promise<[number, number]> => [
    await heapUsed(),
    memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0),
  ];
  // Twice, because allocators find their shape only when they reuse what the first round has left.
  for (let warming = 0; warming < 2; warming += 1) {
    await round();
    await collectAll();
  }
  const [heap, engine] = await sizes();
  const watched = await round();
  await collectAll();
  const objects = watched.filter((reference) => reference.deref() !== undefined).length;
  watched.length = 0;
  await collectAll();
  const [heapAfter, engineAfter] = await sizes();
  return { objects, heap: Math.round((heapAfter - heap) / TIMES), engine: engineAfter - engine };
}
