// Checkpoints: what is taken when, what is known of it, and running from it.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import {
  type CompletedStep,
  HumanResponseEvent,
  RecoverError,
  SnapshotError,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  type WorkflowContext,
  WorkflowEvent,
} from "stepstream";
import { type Checkpoint, WorkflowCheckpointer } from "stepstream/checkpointer";
import { type SnapshotStore, memoryStore } from "stepstream/stores";
import { describe, expect, test, vi } from "vitest";
import { deferred, failure, fails, pause, soon, turn } from "../kit/index.js";

class Draft extends WorkflowEvent<string> {
  static readonly type = "draft";
}
class Final extends WorkflowEvent<string> {
  static readonly type = "final";
}

interface Data {
  readonly ran: string[];
  readonly mark?: string;
}

/** write -> revise -> publish; each step leaves its name in the data. */
function chain(options: ConstructorParameters<typeof Workflow>[0] = {}): Workflow<Data, string, string> {
  const workflow = new Workflow<Data, string, string>({ timeout: null, ...options });
  workflow.addStep({ inputs: [StartEvent<string>], outputs: [Draft], name: "write" }, ({ data }, event) => {
    data.ran.push("write");
    return new Draft(`${event.data} written`);
  });
  workflow.addStep({ inputs: [Draft], outputs: [Final], name: "revise" }, async ({ data, sleep }, event) => {
    await sleep(0.001);
    data.ran.push("revise");
    return new Final(`${event.data} revised`);
  });
  workflow.addStep({ inputs: [Final], outputs: [StopEvent<string>], name: "publish" }, ({ data }, event) => {
    data.ran.push("publish");
    return new StopEvent(`${event.data} published${data.mark ?? ""}`);
  });
  return workflow;
}

const fresh = (mark?: string): Data => ({ ran: [], ...(mark === undefined ? {} : { mark }) });
const stepsOf = (checkpoints: readonly Checkpoint[]): string[] => checkpoints.map(({ step }) => step);

/** A store of which a test may change one method. */
function storeWith(changed: (store: SnapshotStore) => Partial<SnapshotStore>): SnapshotStore {
  const store = memoryStore();
  return { ...store, ...changed(store) };
}

describe("taking", () => {
  test("one after each completed step, with all that is known of it", async () => {
    const checkpointer = new WorkflowCheckpointer(chain());
    const context = checkpointer.run("x", fresh());
    expect((await soon(context)).data).toBe("x written revised published");
    const checkpoints = await checkpointer.checkpoints();
    expect(checkpoints.map(({ step, input, output }) => [step, input, output])).toEqual([
      ["write", "stepstream.start", "draft"],
      ["revise", "draft", "final"],
      ["publish", "final", "stepstream.stop"],
    ]);
    const sequences = checkpoints.map(({ sequence }) => sequence);
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => (a < b ? -1 : 1)));
    for (const { runId, snapshot, sequence } of checkpoints) {
      expect(runId).toBe(context.runId);
      expect(snapshot).toBeInstanceOf(Uint8Array);
      expect(new DataView(snapshot.buffer, snapshot.byteOffset).getBigUint64(16, true)).toBe(sequence);
    }
  });

  test("the id is the key in the store", async () => {
    const store = memoryStore();
    const checkpointer = new WorkflowCheckpointer(chain(), { store });
    await soon(checkpointer.run("x", fresh(), { runId: "one" }));
    const checkpoints = await checkpointer.checkpoints();
    expect(await store.list()).toEqual(checkpoints.map(({ id }) => id));
    for (const { id, snapshot } of checkpoints) {
      expect(id).toMatch(/^one\/\d{20}\//);
      expect(await store.load(id)).toEqual(snapshot);
    }
    expect(checkpointer.store).toBe(store);
  });

  test("of the steps that are asked for, which may change", async () => {
    const workflow = chain();
    const checkpointer = new WorkflowCheckpointer(workflow, { steps: ["write", "publish"] });
    await soon(checkpointer.run("x", fresh(), { runId: "a" }));
    expect(stepsOf(await checkpointer.checkpoints("a"))).toEqual(["write", "publish"]);
    expect(checkpointer.disable("write").enable("revise")).toBe(checkpointer);
    await soon(checkpointer.run("x", fresh(), { runId: "b" }));
    expect(stepsOf(await checkpointer.checkpoints("b"))).toEqual(["revise", "publish"]);
  });

  test("of no step", async () => {
    const checkpointer = new WorkflowCheckpointer(chain(), { steps: [] });
    await soon(checkpointer.run("x", fresh()));
    expect(await checkpointer.checkpoints()).toEqual([]);
  });

  test("of steps that are added later, unless steps were named", async () => {
    const workflow = chain();
    const all = new WorkflowCheckpointer(workflow);
    const some = new WorkflowCheckpointer(workflow, { steps: ["write"] });
    workflow.addStep({ inputs: [StartEvent<string>], name: "late" }, () => {});
    for (const checkpointer of [all, some]) await soon(checkpointer.run("x", fresh()));
    expect(stepsOf(await all.checkpoints())).toContain("late");
    expect(stepsOf(await some.checkpoints())).toEqual(["write"]);
  });

  test("a step that does not exist is refused", async () => {
    const checkpointer = new WorkflowCheckpointer(chain());
    await fails(() => checkpointer.enable("none"), ValidationError, "UNKNOWN_STEP");
    await fails(() => checkpointer.disable("none"), ValidationError, "UNKNOWN_STEP");
    await fails(() => new WorkflowCheckpointer(chain(), { steps: ["none"] }), ValidationError, "UNKNOWN_STEP");
    await fails(() => new WorkflowCheckpointer(chain(), { onError: 1 as never }), ValidationError, "INVALID_OPTION");
  });

  test("of each time that a step runs in a loop", async () => {
    const workflow = new Workflow<undefined, number, number>();
    workflow.addStep({ inputs: [StartEvent<number>], outputs: [Draft], name: "begin" }, () => new Draft("a"));
    workflow.addStep({ inputs: [Draft], outputs: [Draft, StopEvent<number>], name: "loop" }, (_, event) =>
      event.data.length < 20 ? new Draft(`${event.data}a`) : new StopEvent(event.data.length),
    );
    const checkpointer = new WorkflowCheckpointer(workflow);
    await soon(checkpointer.run(0));
    expect(await checkpointer.filter({ step: "loop" })).toHaveLength(20);
    const tenth = (await checkpointer.filter({ step: "loop" }))[9]!;
    expect((await soon(checkpointer.runFrom(tenth, undefined, { runId: "again" }))).data).toBe(20);
    expect(await checkpointer.filter({ step: "loop", runId: "again" })).toHaveLength(10);
  });

  test("of several runs at once, each for itself", async () => {
    const checkpointer = new WorkflowCheckpointer(chain());
    const runs = ["a", "b", "c"].map((runId) => checkpointer.run(runId, fresh(), { runId }));
    await soon(Promise.all(runs));
    expect(await checkpointer.checkpoints()).toHaveLength(9);
    for (const { runId } of runs) expect(await checkpointer.checkpoints(runId)).toHaveLength(3);
    const [first] = await checkpointer.filter({ runId: "b", step: "write" });
    expect((await soon(checkpointer.runFrom(first!, fresh()))).data).toBe("b written revised published");
  });

  test("also of a run that gets its data from `with`", async () => {
    const checkpointer = new WorkflowCheckpointer(chain());
    await soon(checkpointer.run("x").with(fresh()));
    expect(await checkpointer.checkpoints()).toHaveLength(3);
  });

  test("not of a run that a hook has cancelled", async () => {
    const onStep = (_: CompletedStep, context: WorkflowContext): void => context.cancel("enough");
    const checkpointer = new WorkflowCheckpointer(chain({ onStep }));
    await failure(checkpointer.run("x", fresh()));
    await checkpointer.flush();
    expect(await checkpointer.checkpoints()).toEqual([]);
  });
});

describe("the user's hook", () => {
  test("is called as well, before the checkpoint is taken: the run's own, or else the workflow's", async () => {
    const [general, own] = [vi.fn(), vi.fn()];
    const workflow = chain({ onStep: general });
    const checkpointer = new WorkflowCheckpointer(workflow);
    await soon(checkpointer.run("x", fresh()));
    expect([general.mock.calls.length, own.mock.calls.length]).toEqual([3, 0]);
    const onStep = (completed: CompletedStep, context: WorkflowContext): void => {
      own();
      context.store.set("last", completed.step);
    };
    await soon(checkpointer.run("x", fresh(), { onStep, runId: "b" }));
    expect([general.mock.calls.length, own.mock.calls.length]).toEqual([3, 3]);
    const [first] = await checkpointer.checkpoints("b");
    expect(workflow.recover(first!.snapshot).store.get("last")).toBe("write");
  });

  test("fails the run when it throws or rejects, and its step gets no checkpoint when it throws", async () => {
    const boom = new Error("in the hook");
    for (const onStep of [
      () => {
        throw boom;
      },
      () => Promise.reject(boom),
    ]) {
      const checkpointer = new WorkflowCheckpointer(chain());
      expect(await failure(checkpointer.run("x", fresh(), { onStep }))).toBe(boom);
      await checkpointer.flush();
      expect((await checkpointer.checkpoints()).length).toBeLessThanOrEqual(1);
    }
  });
});

describe("running from a checkpoint", () => {
  test("gives what the whole run gave, and runs only what is left", async () => {
    const checkpointer = new WorkflowCheckpointer(chain());
    const whole = await soon(checkpointer.run("x", fresh()));
    const left = [["publish", "revise"], ["publish"], []];
    for (const [nth, checkpoint] of (await checkpointer.checkpoints()).entries()) {
      const data = fresh();
      expect((await soon(checkpointer.runFrom(checkpoint, data))).data).toBe(whole.data);
      expect(data.ran.sort(), checkpoint.id).toEqual(left[nth]);
    }
  });

  test("works again and again, with other data", async () => {
    const checkpointer = new WorkflowCheckpointer(chain());
    await soon(checkpointer.run("x", fresh()));
    const [draft] = await checkpointer.filter({ output: Draft });
    for (const mark of ["!", "?"]) {
      expect((await soon(checkpointer.runFrom(draft!, fresh(mark)))).data).toBe(`x written revised published${mark}`);
    }
  });

  test("is a run of its own, with checkpoints of its own", async () => {
    const checkpointer = new WorkflowCheckpointer(chain());
    const first = checkpointer.run("x", fresh());
    await soon(first);
    const before = await checkpointer.checkpoints();
    const second = checkpointer.runFrom(before[0]!, fresh());
    await soon(second);
    expect(second.runId).not.toBe(first.runId);
    expect(await checkpointer.checkpoints(first.runId)).toEqual(before);
    expect(stepsOf(await checkpointer.checkpoints(second.runId))).toEqual(["revise", "publish"]);
    const again = (await checkpointer.checkpoints(second.runId))[0]!;
    expect(again.sequence).toBeGreaterThan(before[0]!.sequence);
    expect((await soon(checkpointer.runFrom(again, fresh()))).data).toBe("x written revised published");
  });

  test("with the same id continues the run's checkpoints", async () => {
    const checkpointer = new WorkflowCheckpointer(chain(), { steps: ["write"] });
    await soon(checkpointer.run("x", fresh(), { runId: "one" }));
    const [only] = await checkpointer.checkpoints();
    checkpointer.enable("publish");
    const context = checkpointer.runFrom(only!, fresh(), { runId: "one" });
    expect(context.runId).toBe("one");
    await soon(context);
    expect(stepsOf(await checkpointer.checkpoints("one"))).toEqual(["write", "publish"]);
  });

  test("takes the options of a recovery", async () => {
    const checkpointer = new WorkflowCheckpointer(chain());
    await soon(checkpointer.run("x", fresh()));
    const [first] = await checkpointer.checkpoints();
    const controller = new AbortController();
    controller.abort("not now");
    const cancelled = checkpointer.runFrom(first!, fresh(), { signal: controller.signal });
    await failure(cancelled);
    expect(cancelled.status).toBe("cancelled");
    const reported: string[] = [];
    await soon(checkpointer.runFrom(first!, fresh(), { onStep: ({ step }) => void reported.push(step) }));
    expect(reported.sort()).toEqual(["publish", "revise"]);
  });

  test("refuses what is no snapshot, and that of another workflow", async () => {
    const checkpointer = new WorkflowCheckpointer(chain());
    await soon(checkpointer.run("x", fresh()));
    const [first] = await checkpointer.checkpoints();
    const other = new WorkflowCheckpointer(chain().removeStep("publish"));
    await fails(() => other.runFrom(first!, fresh()), RecoverError, "SNAPSHOT_FOREIGN");
    await fails(() => other.runFrom({ snapshot: new Uint8Array(50) }, fresh()), RecoverError, "SNAPSHOT_FORMAT");
  });

  test("a step in flight runs again, a wait waits again", async () => {
    class Answer extends HumanResponseEvent<string> {
      static readonly type = "answer";
    }
    const workflow = new Workflow<undefined, string, string>({ events: [Answer] });
    workflow.addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<string>], name: "ask" }, async (context) => {
      const answer = await context.requireEvent(Answer);
      return new StopEvent(answer.data);
    });
    workflow.addStep({ inputs: [StartEvent<string>], name: "side" }, () => {});
    const checkpointer = new WorkflowCheckpointer(workflow);
    const context = checkpointer.run("x");
    await soon(context.idle());
    const [side] = await checkpointer.filter({ step: "side" });
    const second = checkpointer.runFrom(side!);
    await soon(second.idle());
    second.sendEvent(new Answer("forty-two"));
    expect((await soon(second)).data).toBe("forty-two");
    context.cancel();
  });

  test("in another process, which knows them from the store alone", async () => {
    const directory = await mkdtemp(path.join(os.tmpdir(), "stepstream-checkpoints-"));
    const inProcess = async (what: string): Promise<unknown> => {
      const program = path.join(import.meta.dirname, "checkpointer-process.mjs");
      return JSON.parse((await promisify(execFile)(process.execPath, [program, directory, what])).stdout);
    };
    try {
      const first = (await inProcess("begin")) as { readonly runId: string };
      expect(first).toMatchObject({ steps: [], ran: ["write", "publish"], result: "x, drafted, published here" });
      expect(await inProcess("write")).toMatchObject({
        steps: [
          ["write", "stepstream.start", "draft"],
          ["publish", "draft", "stepstream.stop"],
        ],
        runIds: [first.runId],
        ran: ["publish"],
        result: "x, drafted, published elsewhere",
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe("finding", () => {
  test("by run, step, input and output, by class or by name", async () => {
    const checkpointer = new WorkflowCheckpointer(chain());
    for (const runId of ["a", "b"]) await soon(checkpointer.run("x", fresh(), { runId }));
    const found = async (filter: Parameters<typeof checkpointer.filter>[0]): Promise<string[]> =>
      (await checkpointer.filter(filter)).map(({ runId, step }) => `${runId} ${step}`);
    expect(await found({})).toHaveLength(6);
    expect(await found({ runId: "a", step: "write" })).toEqual(["a write"]);
    expect(await found({ step: "write" })).toEqual(["a write", "b write"]);
    for (const output of [Draft, "draft"]) expect(await found({ output })).toEqual(["a write", "b write"]);
    for (const input of [Final, "final"]) {
      expect(await found({ input, runId: "b" })).toEqual(["b publish"]);
    }
    expect(await found({ output: StopEvent, runId: "a" })).toEqual(["a publish"]);
    expect(await found({ input: StartEvent, output: Draft, step: "write", runId: "a" })).toEqual(["a write"]);
    for (const filter of [{ runId: "c" }, { step: "none" }, { input: "none" }, { output: WorkflowEvent }]) {
      expect(await found(filter)).toEqual([]);
    }
    expect(await checkpointer.checkpoints("a")).toEqual(await checkpointer.filter({ runId: "a" }));
  });

  test("whatever the names are", async () => {
    class Odd extends WorkflowEvent<number> {
      static readonly type = "a/b%2f%/ü";
    }
    const workflow = new Workflow<undefined, number, number>();
    workflow.addStep({ inputs: [StartEvent<number>], outputs: [Odd], name: "x/y%25" }, () => new Odd(1));
    workflow.addStep({ inputs: [Odd], outputs: [StopEvent<number>], name: "/" }, () => new StopEvent(1));
    const checkpointer = new WorkflowCheckpointer(workflow);
    const runIds = ["a", "a/b", "a%2fb", "%", "/", "a/00000000000000000001/x", "ü\ud800", " "];
    for (const runId of runIds) await soon(checkpointer.run(1, undefined, { runId }));
    for (const runId of runIds) {
      const checkpoints = await checkpointer.checkpoints(runId);
      expect(
        checkpoints.map((checkpoint) => [checkpoint.runId, checkpoint.step, checkpoint.input, checkpoint.output]),
      ).toEqual([
        [runId, "x/y%25", "stepstream.start", "a/b%2f%/ü"],
        [runId, "/", "a/b%2f%/ü", "stepstream.stop"],
      ]);
    }
    expect(await checkpointer.filter({ output: Odd })).toHaveLength(runIds.length);
  });

  test("nothing but checkpoints, and no longer what was deleted", async () => {
    const store = memoryStore();
    const checkpointer = new WorkflowCheckpointer(chain(), { store });
    await soon(checkpointer.run("x", fresh(), { runId: "one" }));
    const [first, ...others] = await checkpointer.checkpoints();
    for (const id of [
      "one",
      "one/",
      "one/1",
      "one/00000000000000000001",
      "one/00000000000000000001/a",
      "one/x0000000000000000001/a/b/c",
      "one/00000000000000000001/a/b/c/d",
    ]) {
      await store.save(id, first!.snapshot);
    }
    expect(await checkpointer.checkpoints()).toEqual([first, ...others]);
    await store.delete(first!.id);
    expect(await checkpointer.checkpoints()).toEqual(others);
    const gone = new WorkflowCheckpointer(chain(), { store: { ...store, load: async () => undefined } });
    expect(await gone.checkpoints()).toEqual([]);
  });
});

describe("saving", () => {
  test("one after the other for each run, and waited for by flush, checkpoints and filter", async () => {
    const gate = deferred();
    const begun: string[] = [];
    const store = storeWith(({ save }) => ({
      async save(id, snapshot) {
        begun.push(id.split("/")[2]!);
        await gate.promise;
        await save(id, snapshot);
      },
    }));
    const checkpointer = new WorkflowCheckpointer(chain(), { store });
    await soon(checkpointer.run("x", fresh()));
    const done = [checkpointer.flush(), checkpointer.checkpoints(), checkpointer.filter()].map((waiting) => {
      const state = { isDone: false };
      void waiting.then(() => (state.isDone = true));
      return state;
    });
    await pause(5);
    expect([begun, done.some(({ isDone }) => isDone)]).toEqual([["write"], false]);
    gate.resolve();
    expect(await checkpointer.checkpoints()).toHaveLength(3);
    await turn();
    expect(done.every(({ isDone }) => isDone)).toBe(true);
  });

  test("runs do not wait for it", async () => {
    const never = storeWith(() => ({ save: () => new Promise(() => {}) }));
    expect((await soon(new WorkflowCheckpointer(chain(), { store: never }).run("x", fresh()))).data).toMatch(
      /published/,
    );
  });

  test("flush with nothing to do resolves", async () => {
    await soon(new WorkflowCheckpointer(chain()).flush());
  });
});

describe("a store that fails", () => {
  const boom = new Error("the disk is full");
  const failing = (): SnapshotStore => storeWith(() => ({ save: () => Promise.reject(boom) }));

  test("fails the run, and flush reports it once", async () => {
    const checkpointer = new WorkflowCheckpointer(chain(), { store: failing() });
    const context = checkpointer.run("x", fresh());
    expect(await failure(context)).toBe(boom);
    expect([context.status, context.failure]).toEqual(["failed", undefined]);
    expect(await failure(checkpointer.flush())).toBe(boom);
    await checkpointer.flush();
  });

  test("by throwing is no different", async () => {
    const store = storeWith(() => ({
      save() {
        throw boom;
      },
    }));
    expect(await failure(new WorkflowCheckpointer(chain(), { store }).run("x", fresh()))).toBe(boom);
  });

  test("when the run has ended is reported by flush", async () => {
    const store = storeWith(({ save }) => ({
      save: (id, snapshot) =>
        id.includes("/publish/") ? pause(5).then(() => Promise.reject(boom)) : save(id, snapshot),
    }));
    const checkpointer = new WorkflowCheckpointer(chain(), { store });
    expect((await soon(checkpointer.run("x", fresh()))).data).toMatch(/published/);
    expect(stepsOf(await checkpointer.checkpoints())).toEqual(["write", "revise"]);
    expect(await failure(checkpointer.flush())).toBe(boom);
  });

  test("does not keep later checkpoints from being saved", async () => {
    let count = 0;
    const store = storeWith(({ save }) => ({
      save: (id, snapshot) => ((count += 1) === 2 ? Promise.reject(boom) : save(id, snapshot)),
    }));
    const checkpointer = new WorkflowCheckpointer(chain(), { store, onError: () => {} });
    await soon(checkpointer.run("x", fresh()));
    await checkpointer.flush();
    expect(await checkpointer.checkpoints()).toHaveLength(2);
  });

  test("is onError's affair where that is given: the run goes on", async () => {
    const reported: unknown[] = [];
    const checkpointer = new WorkflowCheckpointer(chain(), {
      store: failing(),
      onError: (error, { step }, { runId }) => void reported.push([error, step, runId]),
    });
    await soon(checkpointer.run("x", fresh(), { runId: "one" }));
    await checkpointer.flush();
    expect(reported).toEqual(["write", "revise", "publish"].map((step) => [boom, step, "one"]));
  });

  test("what onError throws fails the run", async () => {
    const worse = new Error("worse");
    const onError = (): never => {
      throw worse;
    };
    const checkpointer = new WorkflowCheckpointer(chain(), { store: failing(), onError });
    expect(await failure(checkpointer.run("x", fresh()))).toBe(worse);
  });

  test("while reading is reported to the caller", async () => {
    for (const name of ["list", "load"] as const) {
      const store = storeWith(() => ({ [name]: () => Promise.reject(boom) }));
      const checkpointer = new WorkflowCheckpointer(chain(), { store });
      await soon(checkpointer.run("x", fresh()));
      expect(await failure(checkpointer.checkpoints())).toBe(boom);
    }
  });
});

test("what a snapshot cannot carry fails the run with its path, or is onError's affair", async () => {
  const unfit = (): Workflow<Data, string, string> =>
    chain().addStep({ inputs: [StartEvent<string>], name: "unfit" }, ({ store }) => {
      store.set("user.connect", () => {});
    });
  const error = (await fails(
    new WorkflowCheckpointer(unfit(), { steps: ["unfit"] }).run("x", fresh()),
    SnapshotError,
    "SNAPSHOT_VALUE",
  )) as SnapshotError;
  expect(error.path).toContain("user.connect");
  const reported: unknown[] = [];
  const checkpointer = new WorkflowCheckpointer(unfit(), { onError: (_, { step }) => void reported.push(step) });
  await soon(checkpointer.run("x", fresh()));
  expect(reported).toContain("unfit");
});
