// What a host needs that owns where a run lives: when to wake it, one consistent cut to store, and a hook that holds
// back what is not stored.

import {
  type Cut,
  HumanResponseEvent,
  type RunStatus,
  SnapshotError,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  WorkflowEvent,
  inspectSnapshot,
  retryPolicy,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, deferred, kinds, turn } from "../kit/index.js";

class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}
class Note extends WorkflowEvent<number> {
  static readonly type = "note";
}

const single = (handler: (context: never, event: StartEvent) => unknown, options = {}) =>
  new Workflow<unknown, undefined, unknown>({ timeout: null, events: [Note, Answer], ...options }).addStep(
    { name: "work", inputs: [StartEvent], outputs: [StopEvent] },
    handler as never,
  );

type Handler = Parameters<typeof single>[0];
type Context = {
  sleep(seconds: number): Promise<void>;
  waitForEvent(type: typeof Answer, options?: { timeout?: number }): Promise<Answer>;
  writeEventToStream(event: WorkflowEvent): void;
  once<Result>(key: string, act: (call: { idempotencyKey: string }) => Result): Promise<Awaited<Result>>;
};
const step = (handler: (context: Context) => Promise<unknown>): Handler => handler as never;

const inSeconds = (at: Date | undefined): number | undefined =>
  at === undefined ? undefined : (at.getTime() - Date.now()) / 1000;

test("a run whose steps all sleep is sleeping, and says when it wakes", async () => {
  const workflow = single(
    step(async ({ sleep }) => {
      await sleep(30);
      return new StopEvent("awake");
    }),
  );
  const run = workflow.run();
  expect([run.status, run.wakesAt]).toEqual(["created", undefined]);
  await run.idle({ until: "sleeping" });
  expect([run.status, inSeconds(run.wakesAt)]).toEqual(["sleeping", 30]);
  await run;
  expect([run.status, run.wakesAt]).toEqual(["completed", undefined]);
});

test("a pause before a retry is sleep as well, and idle() waits through it", async () => {
  let attempts = 0;
  const workflow = new Workflow<unknown, undefined, number>({ timeout: null });
  const retry = retryPolicy({ wait: waitFixed(20) });
  workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent], retry }, async () => {
    attempts += 1;
    if (attempts === 1) throw new Error("not yet");
    return new StopEvent(attempts);
  });
  const run = workflow.run();
  await run.idle({ until: "sleeping" });
  expect([run.status, inSeconds(run.wakesAt)]).toEqual(["sleeping", 20]);
  await run.idle();
  expect(run.status).toBe("completed");
});

test("a run that waits wakes at the deadline of its wait, and at its own", async () => {
  const waiting = step(async ({ waitForEvent }) => {
    await waitForEvent(Answer, { timeout: 40 });
  });
  const run = single(waiting).run();
  await run.idle();
  expect([run.status, inSeconds(run.wakesAt)]).toEqual(["waiting", 40]);
  run.cancel();
  const limited = single(waiting, { timeout: 25 }).run();
  await limited.idle();
  expect(inSeconds(limited.wakesAt)).toBe(25);
  limited.cancel();
});

test("a run sleeps while a run nested in it sleeps", async () => {
  const inner = single(
    step(async ({ sleep }) => {
      await sleep(15);
      return new StopEvent("inner");
    }),
  );
  const outer = new Workflow<unknown, undefined, unknown>({ timeout: null }).addWorkflows({ inner });
  outer.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async ({ workflows }) => {
    const { data } = await workflows.inner.run(undefined);
    return new StopEvent(data);
  });
  const run = outer.run();
  await run.idle({ until: "sleeping" });
  expect([run.status, inSeconds(run.wakesAt)]).toEqual(["sleeping", 15]);
  expect((await run).data).toBe("inner");
});

test("time outside counts when the host says so", async () => {
  const workflow = single(
    step(async ({ sleep, writeEventToStream }) => {
      await sleep(100);
      writeEventToStream(new Note(1));
      await sleep(100);
      return new StopEvent("done");
    }),
  );
  const run = workflow.run();
  await run.idle({ until: "sleeping" });
  const bytes = run.snapshot();
  run.cancel();
  const still = workflow.recover(bytes);
  await still.idle({ until: "sleeping" });
  expect(inSeconds(still.wakesAt)).toBe(100);
  still.cancel();
  const later = workflow.recover(bytes, { elapsed: 60 });
  await later.idle({ until: "sleeping" });
  expect(inSeconds(later.wakesAt)).toBe(40);
  later.cancel();
  const due = workflow.recover(bytes, { elapsed: 1000 });
  for await (const event of due) if (event instanceof Note) break;
  expect(inSeconds(due.wakesAt)).toBe(100);
  due.cancel();
  for (const elapsed of [-1, NaN, "5", null]) {
    expect(() => workflow.recover(bytes, { elapsed: elapsed as number })).toThrow(ValidationError);
  }
});

test("stream({ until }) ends when the run waits, with everything that was published before", async () => {
  const workflow = single(
    step(async ({ waitForEvent, writeEventToStream, sleep }) => {
      writeEventToStream(new Note(1));
      await sleep(5);
      writeEventToStream(new Note(2));
      const { data } = await waitForEvent(Answer);
      return new StopEvent(data);
    }),
  );
  const run = workflow.run();
  const { events } = await collect(run.stream({ until: "waiting" }));
  expect(kinds(events)).toEqual(["StartEvent", "Note", "Note"]);
  expect(run.status).toBe("waiting");
  expect(kinds((await collect(run.stream({ until: "waiting" }))).events)).toEqual(["StartEvent", "Note", "Note"]);
  const rest = collect(run.stream({ until: "waiting" }));
  run.sendEvent(new Answer("yes"));
  expect(kinds((await rest).events)).toEqual(["StartEvent", "Note", "Note", "Answer", "StopEvent"]);
  expect(() => run.stream({ until: "sleeping" as never })).toThrow(ValidationError);
});

// ---- cuts ----

test("drain hands over what was published, and a snapshot without it", async () => {
  const workflow = single(
    step(async ({ waitForEvent, writeEventToStream }) => {
      writeEventToStream(new Note(1));
      const { data } = await waitForEvent(Answer);
      writeEventToStream(new Note(2));
      return new StopEvent(data);
    }),
  );
  const run = workflow.run();
  await run.idle();
  const first = run.drain();
  expect([kinds(first.events), first.status, first.wakesAt]).toEqual([["StartEvent", "Note"], "waiting", undefined]);
  expect(first.sequence).toBe(inspectSnapshot(first.snapshot).sequence);
  expect(run.drain().events).toEqual([]);
  const again = workflow.recover(first.snapshot);
  const read = collect(again);
  await again.idle();
  again.sendEvent(new Answer("yes"));
  expect(kinds((await read).events)).toEqual(["StreamReset", "Note", "Answer", "Note", "StopEvent"]);
  run.sendEvent(new Answer("no"));
  await run;
  const last = run.drain();
  expect([kinds(last.events), last.status]).toEqual([["Answer", "Note", "StopEvent"], "completed"]);
  expect(last.sequence > first.sequence).toBe(true);
});

test("snapshot({ unread: false }) leaves out what was not read", async () => {
  const run = single(
    step(async ({ waitForEvent }) => {
      await waitForEvent(Answer);
    }),
  ).run();
  await run.idle();
  expect(run.snapshot({ unread: false }).length).toBeLessThan(run.snapshot().length);
  expect(kinds(run.drain().events)).toEqual(["StartEvent"]);
  run.cancel();
});

// ---- commits ----

/** A store that is as slow as it is told, and what it has. */
class Database {
  readonly cuts: Cut[] = [];
  readonly log: string[] = [];
  next = (): PromiseLike<void> | void => undefined;

  readonly commit = async (cut: Cut): Promise<void> => {
    await this.next();
    this.cuts.push(cut);
    this.log.push(`commit ${kinds(cut.events).join(" ")} ${cut.status}`.replace("  ", " "));
  };

  get last(): Cut {
    return this.cuts[this.cuts.length - 1]!;
  }
}

test("nothing goes out before it is committed", async () => {
  const database = new Database();
  const gate = deferred<undefined>();
  database.next = () => gate.promise.then(() => undefined);
  const workflow = single(
    step(async ({ once, writeEventToStream }) => {
      writeEventToStream(new Note(1));
      const paid = await once("pay", () => void database.log.push("pay"));
      database.log.push("paid");
      return new StopEvent(paid);
    }),
  );
  const run = workflow.run(undefined, undefined, { commit: database.commit });
  const seen: string[] = [];
  const read = (async () => {
    for await (const event of run) seen.push(...kinds([event]));
  })();
  for (let turns = 0; turns < 50; turns += 1) await turn();
  expect([seen, database.log, run.status]).toEqual([[], ["pay"], "running"]);
  gate.resolve(undefined);
  await run;
  await read;
  expect(seen).toEqual(["StartEvent", "Note", "StopEvent"]);
  expect(database.log.indexOf("paid")).toBeGreaterThan(database.log.findIndex((entry) => entry.startsWith("commit")));
  expect([database.last.status, run.status]).toEqual(["completed", "completed"]);
  expect(kinds(database.cuts.flatMap(({ events }) => events))).toEqual(seen);
});

test("there is one commit at a time, and what happens meanwhile is in the next", async () => {
  const database = new Database();
  let atOnce = 0;
  database.next = async () => {
    atOnce += 1;
    expect(atOnce).toBe(1);
    for (let turns = 0; turns < 5; turns += 1) await turn();
    atOnce -= 1;
  };
  const workflow = single(
    step(async ({ sleep, writeEventToStream }) => {
      for (let nth = 0; nth < 100; nth += 1) {
        writeEventToStream(new Note(nth));
        if (nth % 10 === 0) await sleep(0.001);
      }
      return new StopEvent("done");
    }),
  );
  await workflow.run(undefined, undefined, { commit: database.commit });
  const events = database.cuts.flatMap((cut) => cut.events);
  expect(events.filter((event) => event instanceof Note).map(({ data }) => data)).toEqual([...Array(100).keys()]);
  expect(database.cuts.length).toBeLessThan(60);
});

/** Kills a run at its nth commit, before or after it is stored, and recovers it from the last one until it completes. */
async function killed(at: number, isStored: boolean): Promise<{ effects: string[]; events: string[]; kills: number }> {
  const effects: string[] = [];
  const given = new Set<string>();
  const events: string[] = [];
  let last: Uint8Array | undefined;
  let kills = 0;
  let count = 0;
  const workflow = single(
    step(async ({ once, writeEventToStream }) => {
      for (let nth = 0; nth < 3; nth += 1) {
        const key = await once(`effect ${nth}`, ({ idempotencyKey }) => {
          expect(given, "an effect whose result a step has seen is not repeated").not.toContain(idempotencyKey);
          effects.push(idempotencyKey);
          return idempotencyKey;
        });
        given.add(key);
        writeEventToStream(new Note(nth));
      }
      return new StopEvent("done");
    }),
  );
  for (let lives = 0; lives < 20; lives += 1) {
    const isKilled = deferred<undefined>();
    const never = new Promise<void>(() => undefined);
    const commit = (cut: Cut): Promise<void> => {
      count += 1;
      const dies = count === at;
      if (!dies || isStored) {
        last = cut.snapshot;
        events.push(...cut.events.map((event) => `${kinds([event])} ${event.data ?? ""}`.trim()));
      }
      if (!dies) return Promise.resolve();
      kills += 1;
      isKilled.resolve(undefined);
      return never;
    };
    const options = { runId: "one", commit };
    const run = last === undefined ? workflow.run(undefined, undefined, options) : workflow.recover(last, { commit });
    const isOver = await Promise.race([isKilled.promise.then(() => false), run.then(() => true)]);
    if (isOver) return { effects, events, kills };
  }
  throw new Error("It never ends.");
}

test.each([true, false])(
  "a run that is killed at any commit (stored: %s) repeats nothing that was stored",
  async (isStored) => {
    for (let at = 1; at <= 12; at += 1) {
      const { effects, events, kills } = await killed(at, isStored);
      const keys = new Set(effects);
      expect(keys.size, `${at}`).toBe(3);
      // Only an effect whose commit has not returned may be repeated, and under the same key.
      expect(effects.length - keys.size).toBeLessThanOrEqual(kills);
      const notes = events.filter((event) => event.startsWith("Note"));
      const lastReset = events.lastIndexOf("StreamReset [object Object]");
      expect(notes.slice(-3), `${at}: ${events.join(", ")}`).toEqual(["Note 0", "Note 1", "Note 2"]);
      expect(events.filter((event) => event.startsWith("StopEvent"))).toHaveLength(1);
      expect(lastReset).toBeLessThan(events.lastIndexOf("Note 0"));
    }
  },
);

test("a commit that fails fails the run, and nothing more goes out", async () => {
  const workflow = single(
    step(async ({ once, writeEventToStream }) => {
      writeEventToStream(new Note(1));
      await once("pay", () => 1);
      return new StopEvent("done");
    }),
  );
  const statuses: RunStatus[] = [];
  let commits = 0;
  const commit = (): Promise<void> => {
    commits += 1;
    return commits === 2 ? Promise.reject(new Error("The disk is full.")) : Promise.resolve();
  };
  const run = workflow.run(undefined, undefined, { commit });
  const read = collect(run);
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  statuses.push(run.status);
  expect(error).toBeInstanceOf(SnapshotError);
  expect(error).toMatchObject({ code: "COMMIT_FAILED", cause: new Error("The disk is full.") });
  expect([statuses, commits, run.result]).toEqual([["failed"], 2, undefined]);
  expect((await read).error).toBe(error);
});

test("a commit that throws at the end takes the end back", async () => {
  const workflow = single(step(async () => new StopEvent("done")));
  const commit = ({ status }: Cut): void => {
    if (status === "completed") throw new Error("no");
  };
  const run = workflow.run(undefined, undefined, { commit });
  await expect(run).rejects.toMatchObject({ code: "COMMIT_FAILED" });
  expect([run.status, run.result]).toEqual(["failed", undefined]);
});

test("a recovered run hands what its snapshot had not read to its first commit", async () => {
  const workflow = single(
    step(async ({ waitForEvent }) => {
      await waitForEvent(Answer);
      return new StopEvent("done");
    }),
  );
  const run = workflow.run();
  await run.idle();
  const database = new Database();
  const again = workflow.recover(run.snapshot(), { commit: database.commit });
  await again.idle();
  again.sendEvent(new Answer("yes"));
  await again;
  expect(kinds(database.cuts.flatMap(({ events }) => events))).toEqual(["StartEvent", "Answer", "StopEvent"]);
  run.cancel();
});

test("commit must be a function", () => {
  const workflow = single(step(async () => new StopEvent("done")));
  expect(() => workflow.run(undefined, undefined, { commit: "yes" as never })).toThrow(ValidationError);
});
