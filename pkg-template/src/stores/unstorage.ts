// The store for everything that unstorage has a driver for. The package does not import unstorage; users pass a
// storage.

import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { asBytes } from "../snapshot/header.js";
import { idOf, namesOf } from "./names.js";
import { type SnapshotStore, snapshotStore, storedSequence } from "./snapshot-store.js";

/** The methods of unstorage's `Storage` that the store uses. */
export interface RawStorage {
  getItemRaw(key: string): Promise<unknown>;
  setItemRaw(key: string, value: Uint8Array): Promise<void>;
  removeItem(key: string): Promise<void>;
  getKeys(base?: string): Promise<string[]>;
}

/** The beginning of all keys, so that the storage can be used for other things too. */
const BASE = "stepstream";

/**
 * A store in a storage of `unstorage`, which has drivers for Redis, Cloudflare KV, S3, PostgreSQL, file systems and
 * much more.
 *
 * ```ts
 * import { createStorage } from "unstorage";
 * import redis from "unstorage/drivers/redis";
 *
 * const store = unstorageStore(createStorage({ driver: redis({ url }) }));
 * ```
 *
 * **Limits.** Drivers have no check-and-set. Within one process `save` is safe; but when two processes save the same
 * run at the same moment, the older snapshot may win. With a driver that writes in parts, such as the one for file
 * systems, a reader in another process may get a part of a snapshot. Where several processes save the same run, use
 * `fileStore`, or make sure that only one of them has the run. With drivers for text only (Redis, Cloudflare KV),
 * snapshots take a third more space.
 *
 * @param storage The result of `createStorage` or `prefixStorage`. Keys begin with `stepstream:`.
 * @throws ValidationError `INVALID_OPTION` when it lacks a method of a storage.
 */
export function unstorageStore(storage: RawStorage): SnapshotStore {
  for (const method of ["getItemRaw", "setItemRaw", "removeItem", "getKeys"] as const) {
    if (typeof (storage as Partial<RawStorage> | null)?.[method] === "function") continue;
    throw new ValidationError("INVALID_OPTION", `The storage is ${describe(storage)}, without a method \`${method}\`.`);
  }
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

/** The value of a driver as bytes, copied. */
async function ownBytes(value: unknown): Promise<Uint8Array | undefined> {
  if (value === null || value === undefined) return undefined;
  // The driver for file systems returns some of its errors instead of throwing them.
  if (value instanceof Error) throw value;
  // The driver for HTTP returns a blob.
  if (value instanceof Blob) return new Uint8Array(await value.arrayBuffer());
  // The driver for memory returns its own bytes, which must not be changed.
  return asBytes(value).slice();
}
