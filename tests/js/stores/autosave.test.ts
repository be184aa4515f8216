// A run is saved while it goes on: when, how often, and what happens to errors.

import {
  HumanResponseEvent,
  type RecoverError,
  SnapshotError,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  type WorkflowOptions,
  inspectSnapshot,
} from "stepstream";
import { type PlainSnapshotStore, autosave, memoryStore } from "stepstream/stores";
import { describe, expect, test, vi } from "vitest";
import "../kit/fake-clock.js";
import { deferred, fails, pause, soon, takePrinted, turn } from "../kit/index.js";

class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}

/** Works for ten seconds, waits for an answer, works for ten seconds more. */
function workflow(options: WorkflowOptions = {}): Workflow<unknown, string, string> {
  return new Workflow<unknown, string, string>({ timeout: null, events: [Answer], ...options }).addStep(
    { name: "work", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
    async ({ sleep, requireEvent }, { data }) => {
      await sleep(10);
      const { data: answer } = await requireEvent(Answer);
      await sleep(10);
      if (answer === "fail") throw new Error("It was to fail.");
      return new StopEvent(`${data}: ${answer}`);
    },
  );
}

/** A store that notes what is done, and when. */
function noted(change: Partial<PlainSnapshotStore> = {}) {
  const store = memoryStore();
  const notes: string[] = [];
  const begun = performance.now();
  const note = (what: string): void => void notes.push(`${(performance.now() - begun) / 1000}: ${what}`);
  const noting: PlainSnapshotStore = {
    ...store,
    save: async (runId, snapshot) => {
      note(inspectSnapshot(snapshot).status!);
      await (change.save ?? store.save)(runId, snapshot);
    },
    delete: async (runId) => {
      note("deleted");
      return store.delete(runId);
    },
  };
  return { store, noting, notes };
}

test("every few seconds at work, at once when it waits, and at its end", async () => {
  const { store, noting, notes } = noted();
  const run = workflow().run("x", undefined, { runId: "run" });
  const saving = autosave(run, noting, { every: 4 });
  await soon(run.idle());
  await saving.flush();
  await pause(60_000);
  run.sendEvent(new Answer("yes"));
  await soon(run);
  await saving.flush();
  expect(notes).toEqual([
    "4: running",
    "8: running",
    "10: waiting",
    "10: waiting",
    "74: running",
    "78: running",
    "80: completed",
  ]);
  expect(vi.getTimerCount()).toBe(0);
  expect((await workflow().recover((await store.load("run"))!)).data).toBe("x: yes");
});

test("by default every five seconds, and with null only when it waits or ends", async () => {
  for (const [every, expected] of [
    [undefined, ["5: running", "10: waiting"]],
    [null, ["10: waiting"]],
  ] as const) {
    const { noting, notes } = noted();
    const run = workflow().run("x");
    const saving = autosave(run, noting, { every });
    await soon(run.idle());
    await turn();
    expect(notes).toEqual(expected);
    saving.stop();
    run.cancel();
    await pause(20_000);
    expect(notes).toEqual(expected);
  }
});

test("a run that failed or was cancelled is saved, and may be recovered", async () => {
  for (const how of ["failed", "cancelled"] as const) {
    const { store, noting, notes } = noted();
    const run = workflow().run("x", undefined, { runId: how });
    const saving = autosave(run, noting, { every: null });
    await soon(run.idle());
    if (how === "failed") run.sendEvent(new Answer("fail"));
    else run.cancel();
    await run.catch(() => {});
    await saving.flush();
    // A run that was cancelled is saved as it was when that happened.
    const expected = how === "failed" ? "20: failed" : "10: waiting";
    expect(notes.at(-1)).toBe(expected);
    expect(notes).toHaveLength(2);
    expect(inspectSnapshot((await store.load(how))!).status).toBe(expected.slice(4));
  }
});

test("flush saves the run as it is at the call, begun or not", async () => {
  const store = memoryStore();
  const run = workflow().run("x", undefined, { runId: "run" });
  const saving = autosave(run, store);
  await saving.flush();
  expect(inspectSnapshot((await store.load("run"))!).status).toMatch(/created|running/);
  await soon(run.idle());
  run.store.set("note", "made outside");
  await saving.flush();
  const recovered = workflow().recover((await store.load("run"))!);
  expect(recovered.store.get("note")).toBe("made outside");
  recovered.dispose();
  saving.stop();
  run.dispose();
});

test("one save at a time is made, and one after it for all that came meanwhile", async () => {
  const gates = [deferred(), deferred(), deferred()];
  let atWork = 0;
  const { noting, notes } = noted({
    save: async () => {
      atWork += 1;
      expect(atWork).toBe(1);
      await gates[notes.length - 1]!.promise;
      atWork -= 1;
    },
  });
  const run = workflow().run("x");
  const saving = autosave(run, noting, { every: 1 });
  await soon(run.idle());
  await turn();
  const flushes = [saving.flush(), saving.flush(), saving.flush()];
  expect(notes).toEqual(["1: running"]);
  gates[0]!.resolve();
  gates[1]!.resolve();
  await soon(Promise.all(flushes));
  expect(notes).toEqual(["1: running", "10: waiting"]);
  saving.stop();
  run.dispose();
});

test("stop leaves no timer, and completes what was begun", async () => {
  const gate = deferred();
  const { noting, notes } = noted({ save: () => gate.promise });
  const run = workflow().run("x");
  const saving = autosave(run, noting, { every: 2 });
  await pause(3000);
  expect(notes).toEqual(["2: running"]);
  const timers = vi.getTimerCount();
  const flushed = saving.flush();
  saving.stop();
  saving.stop();
  gate.resolve();
  await soon(flushed);
  await turn();
  expect(vi.getTimerCount()).toBeLessThanOrEqual(timers);
  await soon(run.idle());
  expect(vi.getTimerCount()).toBe(0);
  expect(notes).toEqual(["2: running"]);
  run.dispose();
});

test("saving keeps nothing of a run that it did not begin", async () => {
  const run = workflow().run("x");
  const saving = autosave(run, memoryStore());
  expect(run.status).toBe("created");
  saving.stop();
  run.cancel();
  expect(vi.getTimerCount()).toBe(0);
});

describe("an error of a save", () => {
  test("goes to onError, and the next save tries again", async () => {
    const boom = new Error("the disk is full");
    let isFull = true;
    const { store, noting, notes } = noted({
      save: (runId, snapshot) => (isFull ? Promise.reject(boom) : store.save(runId, snapshot)),
    });
    const errors: unknown[] = [];
    const run = workflow().run("x", undefined, { runId: "run" });
    const saving = autosave(run, noting, { every: 6, onError: (error) => errors.push(error) });
    await soon(run.idle());
    await turn();
    expect(errors).toEqual([boom, boom]);
    await expect(saving.flush()).rejects.toBe(boom);
    isFull = false;
    await pause(6000);
    expect(notes).toEqual(["6: running", "10: waiting", "10: waiting", "16: waiting"]);
    await saving.flush();
    expect(errors).toHaveLength(3);
    saving.stop();
    run.dispose();
  });

  test("at the end is tried again until it is saved", async () => {
    let tries = 0;
    const { store, noting } = noted({
      save: (runId, snapshot) => {
        tries += 1;
        return tries < 4 ? Promise.reject(new Error("offline")) : store.save(runId, snapshot);
      },
    });
    const run = workflow().run("x", undefined, { runId: "run" });
    autosave(run, noting, { every: 1000, onError: () => {} });
    await soon(run.idle());
    run.sendEvent(new Answer("yes"));
    await soon(run);
    await pause(3_000_000);
    expect(inspectSnapshot((await store.load("run"))!).status).toBe("completed");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is a warning of the workflow by default", async () => {
    const warnings: string[] = [];
    const failing = { ...memoryStore(), save: () => Promise.reject(new Error("the disk is full")) };
    const run = workflow({ onWarning: (message) => warnings.push(message) }).run("x", undefined, { runId: "r1" });
    const saving = autosave(run, failing, { every: null });
    await soon(run.idle());
    await turn();
    expect(warnings).toEqual(['The run "r1" was not saved: the disk is full The next save tries again.']);
    saving.stop();
    run.dispose();
    const second = workflow().run("x", undefined, { runId: "r2" });
    const savingSecond = autosave(second, failing, { every: null });
    await soon(second.idle());
    await turn();
    expect(takePrinted()).toEqual(['The run "r2" was not saved: the disk is full The next save tries again.']);
    savingSecond.stop();
    second.dispose();
  });

  test("is not lost when onError throws", async () => {
    const failing = { ...memoryStore(), save: () => Promise.reject(new Error("the disk is full")) };
    const warnings: string[] = [];
    const run = workflow({ onWarning: (message) => warnings.push(message) }).run("x");
    const onError = (): never => {
      throw new Error("broken too");
    };
    const saving = autosave(run, failing, { every: null, onError });
    await soon(run.idle());
    await turn();
    expect(warnings).toEqual(["`onError` of autosave has thrown: broken too"]);
    saving.stop();
    run.dispose();
  });

  test("that no later save can mend ends the saving", async () => {
    const store = memoryStore();
    const first = workflow().run("x", undefined, { runId: "run" });
    await soon(first.idle());
    const second = workflow().recover(first.snapshot());
    second.sendEvent(new Answer("yes"));
    await soon(second);
    await store.save("run", second.snapshot());
    const errors: unknown[] = [];
    const saving = autosave(first, store, { every: 1, onError: (error) => errors.push((error as RecoverError).code) });
    await turn();
    expect(errors).toEqual(["SNAPSHOT_STALE"]);
    await fails(saving.flush(), SnapshotError, "SNAPSHOT_STALE");
    expect(vi.getTimerCount()).toBe(0);
    first.dispose();
    await turn();
    expect(errors).toHaveLength(1);
  });

  test("of a value that a snapshot cannot hold goes away with the value", async () => {
    const { notes, noting } = noted();
    const errors: unknown[] = [];
    const run = workflow().run("x");
    run.store.set("odd", () => {});
    const saving = autosave(run, noting, { every: 4, onError: (error) => errors.push((error as SnapshotError).path) });
    await pause(5000);
    expect(errors).toEqual(["store.odd"]);
    run.store.delete("odd");
    await soon(run.idle());
    await turn();
    expect(notes).toEqual(["8: running", "10: waiting"]);
    saving.stop();
    run.dispose();
  });
});

describe("with a claim", () => {
  test("the run is saved through the claim, until that is lost", async () => {
    const store = memoryStore();
    const claim = (await store.claim("run", { lease: 30 }))!;
    const run = workflow().run("x", undefined, { runId: "run", signal: claim.lost });
    const errors: unknown[] = [];
    autosave(run, claim, { every: 4, onError: (error) => errors.push(error) });
    await soon(run.idle());
    await turn();
    expect(inspectSnapshot((await store.load("run"))!).status).toBe("waiting");
    vi.setSystemTime(Date.now() + 3_600_000);
    await pause(30_000);
    expect(claim.lost.aborted).toBe(true);
    expect(errors).toEqual([claim.lost.reason]);
    expect(run.status).toBe("cancelled");
    expect(inspectSnapshot((await store.load("run"))!).status).toBe("waiting");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a claim of another run is refused", async () => {
    const claim = (await memoryStore().claim("other"))!;
    const run = workflow().run("x", undefined, { runId: "run" });
    expect(() => autosave(run, claim)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
    run.cancel();
    await claim.release();
  });
});

test("a run that has completed can be deleted, a run that has failed is kept", async () => {
  for (const answer of ["yes", "fail"]) {
    const { store, noting, notes } = noted();
    const run = workflow().run("x", undefined, { runId: "run" });
    const saving = autosave(run, noting, { every: null, deleteWhenDone: true });
    await soon(run.idle());
    run.sendEvent(new Answer(answer));
    await run.catch(() => {});
    await saving.flush();
    expect(notes.at(-1)).toBe(answer === "yes" ? "20: deleted" : "20: failed");
    expect(await store.list()).toEqual(answer === "yes" ? [] : ["run"]);
  }
});

test("a recovered run is saved from where it is", async () => {
  const { store, noting, notes } = noted();
  const first = workflow().run("x", undefined, { runId: "run" });
  await soon(first.idle());
  const second = workflow().recover(first.snapshot());
  const saving = autosave(second, noting);
  second.sendEvent(new Answer("yes"));
  await soon(second);
  await saving.flush();
  expect(notes).toEqual(["15: running", "20: completed"]);
  expect(await store.list()).toEqual(["run"]);
  first.dispose();
});

test("bad arguments are refused", async () => {
  const run = workflow().run("x");
  const store = memoryStore();
  const refused = (work: () => unknown, code = "INVALID_OPTION"): Promise<unknown> =>
    fails(work, ValidationError, code);
  await refused(() => autosave({ runId: "x", status: "running", snapshot: () => new Uint8Array() }, store));
  await refused(() => autosave(null as never, store));
  await refused(() => autosave(run, {} as never));
  await refused(() => autosave(run, store, { every: -1 }), "INVALID_DURATION");
  await refused(() => autosave(run, store, { onError: 1 as never }));
  await refused(() => autosave(run, store, { deleteWhenDone: "yes" as never }));
  await refused(() => autosave(run, store, { evry: 1 } as object));
  run.cancel();
});
