// The store on unstorage: what drivers give and throw, and what else is in a storage.

import { type RawStorage, unstorageStore } from "stepstream/stores";
import { createStorage } from "unstorage";
import memoryDriver from "unstorage/drivers/memory";
import { expect, test } from "vitest";
import { deferred, failure, turn } from "../kit/index.js";
import { snapshotOf } from "./laws.js";

/** A storage on a map, of which a test may change one method. */
const storageWith = (changed: Partial<RawStorage>, kept = new Map<string, unknown>()): RawStorage => ({
  getItemRaw: async (key) => kept.get(key) ?? null,
  setItemRaw: async (key, value) => void kept.set(key, value),
  removeItem: async (key) => void kept.delete(key),
  getKeys: async () => [...kept.keys()],
  ...changed,
});

test("keys are plain, whatever the ids are", async () => {
  const kept = new Map<string, unknown>();
  const store = unstorageStore(storageWith({}, kept));
  for (const id of ["run", "../x", "Ü:ü", "a".repeat(250)]) await store.save(id, snapshotOf(1));
  for (const key of kept.keys()) expect(key).toMatch(/^stepstream(:more-[a-z0-9_-]{100})*:run-[a-z0-9_-]{1,100}$/);
});

test("other things in the storage are left alone", async () => {
  const storage = createStorage({ driver: memoryDriver() });
  const others = [
    "run-a",
    "stepstream",
    "stepstream:x",
    "stepstream:run-A",
    "stepstream:run-a:x",
    "other:stepstream:run-b",
  ];
  for (const key of others) await storage.setItem(key, "thing");
  const store = unstorageStore(storage);
  await store.save("a", snapshotOf(1));
  await storage.setMeta("stepstream:run-a", { ttl: 1 });
  expect(await store.list()).toEqual(["a"]);
  await store.delete("a");
  expect(await store.list()).toEqual([]);
  for (const key of others) expect(await storage.getItem(key)).toBe("thing");
});

test("whatever a driver makes of bytes, they come back", async () => {
  const bytes = snapshotOf(1, { fill: 200 });
  const forms = [
    Buffer.from(bytes),
    bytes.slice().buffer,
    new Blob([bytes.slice()]),
    new DataView(bytes.slice().buffer),
  ];
  for (const form of forms) {
    const store = unstorageStore(storageWith({ getItemRaw: async () => form }));
    expect(await store.load("a")).toEqual(bytes);
  }
  for (const nothing of [null, undefined]) {
    const store = unstorageStore(storageWith({ getItemRaw: async () => nothing }));
    expect(await store.load("a")).toBeUndefined();
    expect(await store.delete("a")).toBe(false);
  }
});

test("errors of the driver are passed on as they are", async () => {
  const boom = new Error("the connection is lost");
  const broken = (name: keyof RawStorage) => unstorageStore(storageWith({ [name]: () => Promise.reject(boom) }));
  expect(await failure(broken("getItemRaw").load("a"))).toBe(boom);
  expect(await failure(broken("getItemRaw").save("a", snapshotOf(1)))).toBe(boom);
  expect(await failure(broken("setItemRaw").save("a", snapshotOf(1)))).toBe(boom);
  expect(await failure(broken("removeItem").delete("a"))).toBe(boom);
  expect(await failure(broken("getKeys").list())).toBe(boom);
  const thrown = unstorageStore(
    storageWith({
      getItemRaw: () => {
        throw boom;
      },
    }),
  );
  expect(await failure(thrown.load("a"))).toBe(boom);
});

test("an error that a driver gives instead of throwing it is thrown", async () => {
  const boom = new Error("the file may not be read");
  const store = unstorageStore(storageWith({ getItemRaw: async () => boom }));
  expect(await failure(store.load("a"))).toBe(boom);
  expect(await failure(store.save("a", snapshotOf(1)))).toBe(boom);
});

test("what a crash has left half-written gives way to the next save, what a newer stepstream has written does not", async () => {
  const kept = new Map<string, unknown>([
    ["stepstream:run-torn", snapshotOf(9).subarray(0, 10)],
    ["stepstream:run-newer", snapshotOf(1, { version: 99 })],
  ]);
  const store = unstorageStore(storageWith({}, kept));
  await store.save("torn", snapshotOf(1));
  expect(await store.load("torn")).toEqual(snapshotOf(1));
  expect(await failure(store.save("newer", snapshotOf(5)))).toMatchObject({ code: "SNAPSHOT_VERSION" });
  expect(await store.load("newer")).toEqual(snapshotOf(1, { version: 99 }));
});

test("one run waits for its own saves only", async () => {
  const gate = deferred();
  const saved: string[] = [];
  const store = unstorageStore(
    storageWith({
      setItemRaw: async (key) => {
        if (key.endsWith("slow")) await gate.promise;
        saved.push(key.split("-").at(-1)!);
      },
    }),
  );
  const slow = [store.save("slow", snapshotOf(1)), store.save("slow", snapshotOf(2))];
  await store.save("quick", snapshotOf(1));
  await turn();
  expect(saved).toEqual(["quick"]);
  gate.resolve();
  await Promise.all(slow);
  expect(saved).toEqual(["quick", "slow", "slow"]);
});
