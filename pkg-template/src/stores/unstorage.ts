// The store for everything that unstorage has a driver for. The package does not import unstorage; users pass a
// storage.

import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { asBytes } from "../snapshot/header.js";
import { idOf, namesOf } from "./names.js";
import { type Lease, checkHeld, isExpected, leaseBytes, leaseFrom, remainingOf } from "./lease.js";
import { type SnapshotStore, snapshotStore, storedSequence } from "./snapshot-store.js";
import { Turns } from "./turns.js";

/** The methods of unstorage's `Storage` that the store uses. */
export interface RawStorage {
  getItemRaw(key: string): Promise<unknown>;
  setItemRaw(key: string, value: Uint8Array): Promise<void>;
  removeItem(key: string): Promise<void>;
  getKeys(base?: string): Promise<string[]>;
}

/** The beginning of all keys, so that the storage can be used for other things too. */
const BASE = "stepstream";

/** The beginning of the keys of leases, so that no list of snapshots has them. */
const LEASES = "stepstream-leases";

/**
 * How many milliseconds a new lease must have stood before it counts: of two processes that write one at the same time,
 * the one whose lease is still there has it.
 */
const SETTLING = 50;

const turnsOf = new WeakMap<RawStorage, Turns>();

/** The turns of a storage, whatever the number of stores on it. */
function turnsOn(storage: RawStorage): Turns {
  const turns = turnsOf.get(storage) ?? new Turns();
  turnsOf.set(storage, turns);
  return turns;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

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
 * **Limits.** Drivers have no check-and-set. Within one process, over one storage, `save` and `claim` are safe; but
 * when two processes save the same run at the same moment, the older snapshot may win, and when two claim it, both may
 * get it if one of them takes longer than 50 ms to write. The one whose claim was overwritten learns of it at its next
 * renewal or save. With a driver that writes in parts, such as the one for file systems, a reader in another process
 * may get a part of a snapshot. Where several processes share runs, use a store that can check and set. With drivers
 * for text only (Redis, Cloudflare KV), snapshots take a third more space.
 *
 * @param storage The result of `createStorage` or `prefixStorage`. Keys begin with `stepstream:` and
 * `stepstream-leases:`.
 * @throws ValidationError `INVALID_OPTION` when it lacks a method of a storage.
 */
export function unstorageStore(storage: RawStorage): SnapshotStore {
  for (const method of ["getItemRaw", "setItemRaw", "removeItem", "getKeys"] as const) {
    if (typeof (storage as Partial<RawStorage> | null)?.[method] === "function") continue;
    throw new ValidationError("INVALID_OPTION", `The storage is ${describe(storage)}, without a method \`${method}\`.`);
  }
  const keyOf = (runId: string, base = BASE): string => [base, ...namesOf(runId)].join(":");
  const turns = turnsOn(storage);
  const read = async (runId: string): Promise<Uint8Array | undefined> =>
    ownBytes(await storage.getItemRaw(keyOf(runId)));
  const leaseOf = async (runId: string): Promise<Lease | undefined> => {
    const bytes = await ownBytes(await storage.getItemRaw(keyOf(runId, LEASES)));
    return bytes === undefined ? undefined : leaseFrom(bytes);
  };
  return snapshotStore({
    put: (runId, bytes, sequence, held) =>
      turns.run(runId, async () => {
        if (held !== undefined) checkHeld(await leaseOf(runId), held);
        const stored = storedSequence(await read(runId));
        if (stored > sequence) return stored;
        await storage.setItemRaw(keyOf(runId), bytes);
        return undefined;
      }),
    get: read,
    remove: (runId, held) =>
      turns.run(runId, async () => {
        const lease = await leaseOf(runId);
        checkHeld(lease, held);
        if (lease !== undefined && remainingOf(lease) === 0) await storage.removeItem(keyOf(runId, LEASES));
        const isThere = (await storage.getItemRaw(keyOf(runId))) != null;
        await storage.removeItem(keyOf(runId));
        return isThere;
      }),
    leaseOf,
    setLease: (runId, before, next) =>
      turns.run(runId, async () => {
        const key = keyOf(runId, LEASES);
        if (!isExpected(await leaseOf(runId), before, next)) return false;
        if (next === undefined) {
          await storage.removeItem(key);
          return true;
        }
        await storage.setItemRaw(key, leaseBytes(next));
        if (next.epoch === before?.epoch) return true;
        await pause(SETTLING);
        return isExpected(await leaseOf(runId), next, next);
      }),
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
