// The store on a Durable Object's storage, as tests that run inside an object, each with the storage of an object of
// its own.

import { SnapshotError, StartEvent, StopEvent, Workflow } from "stepstream";
import { autosave, durableObjectStore } from "stepstream/stores";
import { equal, fails, ok, soon } from "./kit.js";
import { keeps } from "./stores.js";

/** A run with a store of so many bytes, which waits for nothing. */
async function snapshotWith(size, fill) {
  const workflow = new Workflow().addStep({ name: "only", inputs: [StartEvent] }, ({ store }) => {
    store.set("bytes", new Uint8Array(size).fill(fill));
    return new StopEvent(fill);
  });
  const run = workflow.run();
  await soon(run);
  return run.snapshot();
}

export const objectTests = {
  "keeps what every store keeps": (storage) => keeps(durableObjectStore(storage)),

  async "snapshots of many parts, and of fewer afterwards"(storage) {
    const store = durableObjectStore(storage);
    // More values than one call of the storage may take.
    for (const [size, fill] of [
      [17_000_000, 1],
      [300_000, 2],
      [10, 3],
    ]) {
      const bytes = await snapshotWith(size, fill);
      await store.save("large", bytes);
      const loaded = await store.load("large");
      ok(
        loaded.length === bytes.length && loaded.every((byte, at) => byte === bytes[at]),
        `${size} bytes were altered`,
      );
    }
    await store.save("other", await snapshotWith(10, 4));
    equal(await store.list(), ["large", "other"]);
    const keys = [...(await storage.list()).keys()];
    equal(keys.filter((key) => key.startsWith("stepstream:part:")).length, 2);
    equal(await store.delete("large"), true);
    equal(await store.delete("other"), true);
    equal((await storage.list()).size, 0);
  },

  async "one claim at a time, over all stores on the storage"(storage) {
    const [one, other] = [durableObjectStore(storage), durableObjectStore(storage)];
    const claims = await Promise.all([one, other, one, other].map((store) => store.claim("run")));
    equal(claims.filter((claim) => claim !== undefined).length, 1);
    const held = claims.find((claim) => claim !== undefined);
    const bytes = await snapshotWith(10, 1);
    await held.save(bytes);
    const waiting = other.claim("run", { wait: null });
    await held.release();
    const next = await soon(waiting);
    equal([next.epoch, next.snapshot], [2, bytes]);
    await fails(held.save(bytes), SnapshotError, "CLAIM_RELEASED");
    await next.delete();
    await next.release();
    equal((await storage.list()).size, 0);
  },

  async "a run is saved while it goes on"(storage) {
    const store = durableObjectStore(storage);
    const workflow = new Workflow().addStep({ name: "only", inputs: [StartEvent] }, async ({ sleep }) => {
      await sleep(0.05);
      return new StopEvent("done");
    });
    const run = workflow.run();
    const saving = autosave(run, store, { every: 0.01 });
    await soon(run);
    await saving.flush();
    equal((await soon(workflow.recover(await store.load(run.runId)))).data, "done");
  },
};
