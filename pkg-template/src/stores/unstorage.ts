// The store for whatever unstorage has a driver for. The package does not import unstorage: it is handed in.

import { asBytes } from "../snapshot/header.js";
import { idOf, namesOf } from "./names.js";
import { type SnapshotStore, snapshotStore, storedSequence } from "./snapshot-store.js";

/** The part of unstorage's `Storage` that is used. */
export interface RawStorage {
  getItemRaw(key: string): Promise<unknown>;
  setItemRaw(key: string, value: Uint8Array): Promise<void>;
  removeItem(key: string): Promise<void>;
  getKeys(base?: string): Promise<string[]>;
}

/** What all keys begin with, so that the storage may hold other things as well. */
const BASE = "stepstream";

/**
 * A store in a storage of `unstorage`, which has drivers for Redis, Cloudflare KV, S3, PostgreSQL, file systems and much more.
 *
 * ```ts
 * import { createStorage } from "unstorage";
 * import redis from "unstorage/drivers/redis";
 *
 * const store = unstorageStore(createStorage({ driver: redis({ url }) }));
 * ```
 *
 * **What it cannot promise.** Drivers have no check-and-set: within one process the version check of `save` is safe, but two processes that
 * save one run at the same moment may both pass it, and the older snapshot may win. Likewise a reader in another process may see a part of a
 * snapshot if the driver writes in parts, as the one for file systems does. Where several processes save the same run, use `fileStore` or
 * see to it that only one of them holds the run. Where the driver keeps text only (Redis, Cloudflare KV), snapshots are a third longer.
 *
 * @param storage What `createStorage` or `prefixStorage` gives. Keys begin with `stepstream:`.
 */
export function unstorageStore(storage: RawStorage): SnapshotStore {
  const keyOf = (runId: string): string => [BASE, ...namesOf(runId)].join(":");
  const read = async (runId: string): Promise<Uint8Array | undefined> =>
    ownBytes(await storage.getItemRaw(keyOf(runId)));
  return snapshotStore({
    async put(runId, bytes, sequence) {
      const stored = storedSequence(await read(runId));
      if (stored > sequence) return stored;
      await storage.setItemRaw(keyOf(runId), bytes);
      return undefined;
    },
    get: read,
    async remove(runId) {
      const isThere = (await storage.getItemRaw(keyOf(runId))) != null;
      await storage.removeItem(keyOf(runId));
      return isThere;
    },
    async ids() {
      const names = (await storage.getKeys(BASE)).map((key) => key.split(":"));
      return names.flatMap(([base, ...rest]) => (base === BASE ? (idOf(rest) ?? []) : []));
    },
  });
}

/** What a driver has given, as bytes that are nobody else's. */
async function ownBytes(value: unknown): Promise<Uint8Array | undefined> {
  if (value === null || value === undefined) return undefined;
  // The driver for file systems gives some of its errors instead of throwing them.
  if (value instanceof Error) throw value;
  // The driver for HTTP gives a blob.
  if (value instanceof Blob) return new Uint8Array(await value.arrayBuffer());
  // The driver for memory gives the very bytes that it keeps.
  return asBytes(value).slice();
}
