// Runs that go on from a store: what real snapshots say of themselves is what the stores' order rests on.

import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { HumanResponseEvent, SnapshotError, StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { type SnapshotStore, memoryStore, unstorageStore } from "stepstream/stores";
import { fileStore } from "stepstream/stores/file";
import { createStorage } from "unstorage";
import { afterEach, describe, expect, test } from "vitest";
import { fails, soon } from "../kit/index.js";

class Draft extends WorkflowEvent<string> {
  static readonly type = "draft";
}
class Verdict extends HumanResponseEvent<string> {
  static readonly type = "verdict";
}

const workflow = new Workflow<undefined, string, string>({ timeout: null });
workflow.addStep({ inputs: [StartEvent<string>], outputs: [Draft] }, (_, event) => new Draft(`${event.data}, drafted`));
workflow.addStep({ inputs: [Draft, Verdict], outputs: [StopEvent<string>] }, (_, draft, verdict) => {
  return new StopEvent(`${draft.data}, ${verdict.data}`);
});

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const stores: Readonly<Record<string, () => Promise<SnapshotStore>>> = {
  memoryStore: async () => memoryStore(),
  unstorageStore: async () => unstorageStore(createStorage()),
  fileStore: async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "stepstream-runs-"));
    folders.push(folder);
    return fileStore(folder);
  },
};

describe.for(Object.entries(stores))("%s", ([, open]) => {
  test("a run goes on from where it was saved", async () => {
    const store = await open();
    const first = workflow.run("x");
    await soon(first.idle());
    await store.save(first.runId, first.snapshot());
    first.dispose();
    const second = workflow.recover((await store.load(first.runId))!);
    expect(second.runId).toBe(first.runId);
    second.sendEvent(new Verdict("approved"));
    expect((await soon(second)).data).toBe("x, drafted, approved");
    await store.save(second.runId, second.snapshot());
    expect((await soon(workflow.recover((await store.load(first.runId))!))).data).toBe("x, drafted, approved");
    expect(await store.list()).toEqual([first.runId]);
  });

  test("a snapshot that is taken earlier does not overwrite one that is taken later, in whatever order they come", async () => {
    const store = await open();
    const run = workflow.run("x");
    const created = run.snapshot();
    await soon(run.idle());
    const [waiting, again] = [run.snapshot(), run.snapshot()];
    run.sendEvent(new Verdict("approved"));
    await soon(run);
    const completed = run.snapshot();
    await store.save("run", waiting);
    await store.save("run", again);
    await fails(store.save("run", created), SnapshotError, "SNAPSHOT_STALE");
    await store.save("run", completed);
    for (const older of [created, waiting]) await fails(store.save("run", older), SnapshotError, "SNAPSHOT_STALE");
    expect(await store.load("run")).toEqual(completed);
  });

  test("of two processes that went on from one snapshot, the one that is behind is refused", async () => {
    const store = await open();
    const run = workflow.run("x");
    await soon(run.idle());
    await store.save("run", run.snapshot());
    const [ahead, behind] = [1, 2].map(() => workflow.recover(run.snapshot())) as [typeof run, typeof run];
    ahead.sendEvent(new Verdict("approved"));
    await soon(ahead);
    await soon(behind.idle());
    await store.save("run", ahead.snapshot());
    await fails(store.save("run", behind.snapshot()), SnapshotError, "SNAPSHOT_STALE");
    for (const context of [run, behind]) context.dispose();
  });
});
