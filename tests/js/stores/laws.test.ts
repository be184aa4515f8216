// Every store that runs in Node, under the same laws. The one for browsers is in tests/browser/.

import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { durableObjectStore, indexedDBStore, memoryStore, unstorageStore } from "stepstream/stores";
import { fileStore } from "stepstream/stores/file";
import { createStorage, prefixStorage } from "unstorage";
import fsDriver from "unstorage/drivers/fs";
import lruCacheDriver from "unstorage/drivers/lru-cache";
import memoryDriver from "unstorage/drivers/memory";
import { afterEach, describe, expect, test } from "vitest";
import "../kit/guard.js";
import { claimLaws } from "./claim-laws.js";
import { type Place, laws } from "./laws.js";
import { objectStorage } from "./object-storage.js";

const folders: string[] = [];

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(os.tmpdir(), "stepstream-stores-"));
  folders.push(made);
  return made;
}

afterEach(async () => {
  for (const made of folders.splice(0)) await rm(made, { recursive: true, force: true });
});

const storageOn = (driver: Parameters<typeof createStorage>[0] & object): Place => {
  const storage = createStorage(driver);
  return { open: () => unstorageStore(storage), isShared: false, sharesClaims: true };
};

const places: Readonly<Record<string, () => Promise<Place>>> = {
  memoryStore: async () => ({ open: memoryStore, isShared: false }),
  fileStore: async () => {
    const directory = path.join(await folder(), "not", "there", "yet");
    return { open: () => fileStore(directory), isShared: true };
  },
  durableObjectStore: async () => {
    const storage = objectStorage();
    return { open: () => durableObjectStore(storage), isShared: true };
  },
  "unstorageStore on memory": async () => storageOn({ driver: memoryDriver() }),
  "unstorageStore on lru-cache": async () => storageOn({ driver: lruCacheDriver({ max: 1000 }) }),
  "unstorageStore on fs": async () => storageOn({ driver: fsDriver({ base: await folder() }) }),
  "unstorageStore on a part of a storage": async () => {
    const storage = createStorage({ driver: memoryDriver() });
    await storage.setItem("other", "thing");
    await storage.setItem("stepstream:other", "thing");
    await storage.setItem("part:stepstream:other", "thing");
    return { open: () => unstorageStore(prefixStorage(storage, "part")), isShared: false };
  },
};

describe.for(Object.entries(places))("%s", ([, place]) => {
  test.for(Object.entries({ ...laws, ...claimLaws }))("%s", async ([, law]) => {
    await law(await place());
  });
});

test("indexedDBStore may be made where there is no IndexedDB, and says so when it is used", async () => {
  const store = indexedDBStore();
  await expect(store.load("a")).rejects.toThrow(/indexedDB/);
});
