// The law: a run that is frozen at any moment and goes on elsewhere ends as the straight run does, shows the same events, and does
// nothing twice that it does under `once`. On random workflows.

import {
  type Cut,
  NestedEvent,
  StartEvent,
  StopEvent,
  Workflow,
  type WorkflowContext,
  WorkflowEvent,
  collect,
  observe,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { deferred, soon, turn } from "../kit/index.js";
import { Answer } from "./kit.js";

/** Repeatable random numbers (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

class Part extends WorkflowEvent<string> {
  static readonly type: string = "part";
}
class Half extends WorkflowEvent<string> {
  static readonly type: string = "half";
}
class Whole extends WorkflowEvent<string> {
  static readonly type: string = "whole";
}
class Ticket extends WorkflowEvent {
  static readonly type: string = "ticket";
}
class Done extends WorkflowEvent<string> {
  static readonly type: string = "done";
}
class Note extends WorkflowEvent<string> {
  static readonly type: string = "note";
}
class Mark extends WorkflowEvent<string> {
  static readonly type: string = "mark";
}

/** What a step does on its way. */
const acts = ["pause", "answer", "sleep", "once", "write", "send", "fail", "child"] as const;

/** The side effects under `once`: how often each happened, and which are not yet recorded by the run. */
interface Effects {
  readonly done: Map<string, number>;
  readonly open: Set<string>;
}

/** Workflows that are made of a seed, all alike. */
function maker(seed: number): (effects: Effects, onStep?: (run: WorkflowContext) => void) => Workflow {
  const random = randomOf(seed);
  const width = 1 + random(4);
  // An array and its list, or events that are sent and collected by classes.
  const isByList = random(2) === 1;
  const plans = [0, 1].map(() => Array.from({ length: random(5) }, () => acts[random(acts.length)]!));
  // A worker that waits for an answer counts as busy, and its queue as work: such a run is not idle, and the test would not answer.
  const workers = plans.map((plan) => (plan.includes("answer") ? Infinity : [Infinity, 1, 2][random(3)]!));
  return (effects, onStep = () => undefined) => {
    const inner = new Workflow().addStep(
      { name: "inner", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
      async ({ sleep, writeEventToStream }, { data }) => {
        writeEventToStream(new Mark(`inner of ${data}`));
        await sleep(0.001);
        return new StopEvent(`(in ${data})`);
      },
    );
    const workflow = new Workflow({ events: [Note, Mark, Answer], onStep: (_, run) => onStep(run) }).addWorkflows({
      inner,
    });
    workflow.addStep({ name: "fan", inputs: [StartEvent], outputs: [Part, Ticket] }, ({ sendEvent }) => {
      const parts = Array.from({ length: width }, (_, nth) => new Part(`p${nth}`));
      for (const part of parts) {
        if (!isByList) sendEvent(part);
        // Outside the array: the join takes each into it.
        sendEvent(new Ticket());
      }
      return isByList ? parts : undefined;
    });
    plans.forEach((plan, stage) => {
      workflow.addStep(
        {
          name: `stage${stage}`,
          inputs: [stage === 0 ? Part : Half],
          outputs: [Half, Whole],
          retry: retryPolicy({ wait: waitFixed(0.001), stop: stopAfterAttempt(20) }),
          ...(workers[stage] === Infinity ? {} : { numWorkers: workers[stage]! }),
        },
        async (context, event) => {
          let found = event.data as string;
          const name = found.slice(0, 2);
          for (const [nth, act] of plan.entries()) {
            const key = `${name}-${stage}-${nth}`;
            switch (act) {
              case "pause":
                await turn();
                break;
              case "answer":
                found += (await context.requireEvent(Answer)).data;
                break;
              case "sleep":
                await context.sleep(0.001);
                break;
              case "once":
                effects.open.add(key);
                found += await context.once(key, async () => {
                  effects.done.set(key, (effects.done.get(key) ?? 0) + 1);
                  return Promise.resolve("!");
                });
                effects.open.delete(key);
                break;
              case "write":
                context.store.set(key, found);
                context.writeEventToStream(new Mark(key));
                break;
              case "send":
                context.sendEvent(new Note(key));
                break;
              case "fail":
                // Each of them fails one attempt.
                if (context.attempt !== plan.slice(0, nth + 1).filter((each) => each === "fail").length) break;
                throw new Error(key);
              case "child":
                found += (await context.workflows.inner.run(key)).data;
            }
          }
          return stage === 0 ? new Half(found) : new Whole(found);
        },
      );
    });
    workflow.addStep({ name: "join", inputs: [Whole, Ticket], outputs: [Done] }, (_, whole) => new Done(whole.data));
    const stop = (all: readonly Done[]): StopEvent =>
      new StopEvent(
        all
          .map(({ data }) => data)
          .sort()
          .join(),
      );
    if (isByList) {
      workflow.addStep({ name: "gather", inputs: [collect(Done)], outputs: [StopEvent] }, (_, all) => stop(all));
      return workflow as never;
    }
    workflow.addStep({ name: "gather", inputs: [Done], outputs: [StopEvent] }, ({ collectEvents }, event) => {
      const all = collectEvents(
        event,
        Array.from({ length: width }, () => Done),
      );
      return all === null ? undefined : stop(all);
    });
    return workflow as never;
  };
}

/** An event as text. */
function shown(event: WorkflowEvent): string {
  if (event instanceof NestedEvent) return `${event.data.slot}/${shown(event.data.event)}`;
  return `${event.constructor.name} ${JSON.stringify(event.data)}`;
}

interface Outcome {
  readonly result: unknown;
  readonly events: string[];
  readonly store: Record<string, unknown>;
}

/**
 * What must be equal: the result, the store, the events in whatever order, and in their order those that come of one part. What was written
 * counts once: it is written anew when a step begins again, and then only after a reset.
 */
function comparable({ result, events, store }: Outcome): unknown {
  const chains = new Map<string, string[]>();
  const resets = new Map<string, number>();
  const written = new Set<string>();
  for (const event of events) {
    const step = /StreamReset {"step":"(\w+)"/.exec(event)?.[1];
    if (step !== undefined) {
      resets.set(step, (resets.get(step) ?? 0) + 1);
      continue;
    }
    if (written.has(event)) {
      const by = event.startsWith("inner/") ? "inner" : `stage${/-(\d)-/.exec(event)?.[1]}`;
      expect(resets.get(by), `${event} is written anew after a reset`).toBeGreaterThan(0);
      continue;
    }
    if (event.includes("Mark ")) written.add(event);
    const chain = event.startsWith("StopEvent") ? "end" : (/p\d/.exec(event)?.[0] ?? event);
    chains.set(chain, [...(chains.get(chain) ?? []), event]);
  }
  const ordered = [...chains].sort(([a], [b]) => (a < b ? -1 : 1));
  return { result, ordered, last: events.at(-1), store: Object.entries(store).sort() };
}

/** Runs to the end, and sends an answer whenever the run waits for one; `change` may put another run in its place: in an object, as a run is awaitable. */
async function finish(
  context: WorkflowContext,
  change?: (context: WorkflowContext, events: string[]) => Promise<{ readonly run: WorkflowContext }>,
): Promise<Outcome> {
  const events: string[] = [];
  context.start();
  for (;;) {
    if (change !== undefined) ({ run: context } = await change(context, events));
    await soon(context.idle());
    if (context.status !== "waiting") break;
    context.sendEvent(new Answer("?"));
  }
  const { data: result } = await soon(context);
  for await (const event of context) events.push(shown(event));
  return { result, events, store: context.store.toJSON() };
}

const nothingDone = (): Effects => ({ done: new Map(), open: new Set() });
const copyOf = ({ done, open }: Effects): Effects => ({ done: new Map(done), open: new Set(open) });

/** Everything was done once, except what was under way when a snapshot was taken: its outcome is unknown. */
function expectOnce({ done }: Effects, expected: Effects, open: ReadonlySet<string>): void {
  expect([...done.keys()].sort()).toEqual([...expected.done.keys()].sort());
  for (const [key, count] of done) if (!open.has(key)) expect({ key, count }).toEqual({ key, count: 1 });
}

/** `npm run test:soak` has many more. */
const SEEDS = Number(process.env["STEPSTREAM_SEEDS"] ?? 60);

test("frozen after every step that returns, and whenever it waits", async () => {
  let frozen = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const make = maker(seed);
    const effects = nothingDone();
    const moments: { readonly bytes: Uint8Array; readonly effects: Effects }[] = [];
    const freeze = (run: WorkflowContext): void =>
      void moments.push({ bytes: run.snapshot(), effects: copyOf(effects) });
    const straight = await finish(make(effects, freeze).run(seed), (context) => {
      freeze(context);
      return Promise.resolve({ run: context });
    });
    const expected = comparable(straight);
    const step = Math.max(1, Math.floor(moments.length / 6));
    for (let at = seed % step; at < moments.length; at += step) {
      const moment = moments[at]!;
      const open = new Set(moment.effects.open);
      const again = await finish(make(moment.effects).recover(moment.bytes));
      expect(comparable(again), `seed ${seed}, moment ${at}`).toEqual(expected);
      expectOnce(moment.effects, effects, open);
      frozen += 1;
    }
  }
  expect(frozen).toBeGreaterThan(SEEDS * 3);
});

test("frozen again and again, at random moments, with what was read not shown again", async () => {
  let lives = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const make = maker(seed);
    const expectedEffects = nothingDone();
    const expected = comparable(await finish(make(expectedEffects).run(seed)));
    const random = randomOf(seed + 1000);
    const effects = nothingDone();
    const outcome = await finish(make(effects).run(seed), async (context, events) => {
      for (let turns = random(4); turns > 0; turns -= 1) await turn();
      const reader = context[Symbol.asyncIterator]();
      let isWaiting = false;
      for (let unread = random(5); unread > 0 && !isWaiting; unread -= 1) {
        isWaiting = true;
        void reader.next().then(
          (next) => {
            isWaiting = false;
            if (next.done !== true) events.push(shown(next.value));
          },
          // The run is given up with its reader.
          () => undefined,
        );
        await turn();
      }
      if (context.status === "completed") return { run: context };
      await turn();
      const bytes = context.snapshot();
      context.cancel();
      lives += 1;
      return { run: make(effects).recover(bytes).start() };
    });
    expect(comparable(outcome), `seed ${seed}`).toEqual(expected);
    expectOnce(effects, expectedEffects, new Set());
  }
  expect(lives).toBeGreaterThan(SEEDS);
});

test("drained at random moments: each event is handed over once, and the rest goes on from the cut", async () => {
  let cuts = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const make = maker(seed);
    const expectedEffects = nothingDone();
    const expected = comparable(await finish(make(expectedEffects).run(seed)));
    const random = randomOf(seed + 2000);
    const effects = nothingDone();
    const open = new Set<string>();
    const outcome = await finish(make(effects).run(seed), async (context, events) => {
      for (let turns = random(6); turns > 0; turns -= 1) await turn();
      const { snapshot, events: handed } = context.drain();
      events.push(...handed.map(shown));
      if (context.status === "completed") return { run: context };
      for (const key of effects.open) open.add(key);
      context.cancel();
      cuts += 1;
      return { run: make(effects).recover(snapshot).start() };
    });
    expect(comparable(outcome), `seed ${seed}`).toEqual(expected);
    expectOnce(effects, expectedEffects, open);
  }
  expect(cuts).toBeGreaterThan(SEEDS);
});

test("killed at random commits: nothing that was stored is lost or repeated", async () => {
  let kills = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const make = maker(seed);
    const expected = comparable(await finish(make(nothingDone()).run(seed)));
    const random = randomOf(seed + 3000);
    const events: string[] = [];
    let last: Uint8Array | undefined;
    let outcome: Outcome | undefined;
    for (let life = 0; outcome === undefined; life += 1) {
      const death = deferred<undefined>();
      let isDead = false;
      const commit = async ({ snapshot, events: handed }: Cut): Promise<void> => {
        if (random(3) === 0) await turn();
        last = snapshot;
        events.push(...handed.map(shown));
        isDead = life < 8 && random(4) === 0;
        if (!isDead) return;
        death.resolve(undefined);
        // A process that is killed never comes back from what it waits for.
        await new Promise(() => undefined);
      };
      const workflow = make(nothingDone());
      const run = last === undefined ? workflow.run(seed, undefined, { commit }) : workflow.recover(last, { commit });
      const whole = finish(run);
      whole.catch(() => undefined);
      outcome = await Promise.race([whole, death.promise]);
      if (outcome !== undefined) outcome = { ...outcome, events };
      else run.cancel();
      kills += Number(isDead);
    }
    expect(comparable(outcome), `seed ${seed}`).toEqual(expected);
  }
  expect(kills).toBeGreaterThan(SEEDS / 2);
});

test("a replayed journal has the lifecycle events of the live run", async () => {
  let compared = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const make = maker(seed);
    const run = make(nothingDone()).run(seed, undefined, { journal: true });
    const live: unknown[] = [];
    observe(run, ({ data }) => {
      // What nested runs do is not in the journal of the run around them.
      if (data.nested === undefined) live.push(data);
    });
    await finish(run);
    const past = make(nothingDone()).replay(run.journal(), { lifecycle: true });
    expect(
      past.lifecycle.map(({ data }) => data),
      `seed ${seed}`,
    ).toEqual(live);
    compared += live.length;
    past.dispose();
  }
  expect(compared).toBeGreaterThan(SEEDS * 20);
});
