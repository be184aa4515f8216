// The store in the storage of a Durable Object. A value of that storage has a limit, so snapshots are cut into parts;
// each operation is one transaction, so no reader finds parts of two snapshots.

import { ValidationError } from "../errors/errors.js";
import { headerLength } from "../snapshot/header.js";
import { describe } from "../util/describe.js";
import { type Lease, asLease, checkHeld, isExpected, remainingOf } from "./lease.js";
import { idOf, namesOf } from "./names.js";
import { type SnapshotStore, snapshotStore, storedSequence } from "./snapshot-store.js";

/** The methods of a transaction of a Durable Object's storage that the store uses. */
export interface ObjectTransaction {
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<boolean>;
}

/** The methods of a Durable Object's storage (`ctx.storage`) that the store uses. */
export interface ObjectStorage {
  list(options: { prefix: string }): Promise<Map<string, unknown>>;
  transaction<T>(work: (transaction: ObjectTransaction) => Promise<T>): Promise<T>;
}

/** The largest part, in bytes: under the 128 KiB that a value may have in storages that are not backed by SQLite. */
const PART = 120_000;

/** The beginnings of keys: what is known of a snapshot; its parts, with their numbers behind; the lease of the run. */
const HEADS = "stepstream:head:";
const PARTS = "stepstream:part:";
const LEASES = "stepstream:lease:";

/** What is known of a snapshot. */
interface Head {
  /** The length of the snapshot. */
  readonly size: number;
  /** The header of the snapshot. */
  readonly header: Uint8Array;
}

/**
 * A store in the storage of a Durable Object, backed by SQLite or not. When `save` resolves, the snapshot is in the
 * storage. The object may keep any number of runs, and other things under keys that do not begin with `stepstream:`.
 *
 * ```ts
 * export class Runs extends DurableObject {
 *   store = durableObjectStore(this.ctx.storage);
 *   async answer(runId: string, text: string) {
 *     await using claim = await this.store.claim(runId, { wait: 10 });
 *     // …
 *   }
 * }
 * ```
 *
 * @param storage `ctx.storage` of the object. A snapshot takes a value for every 120,000 bytes.
 * @throws ValidationError `INVALID_OPTION` when it lacks a method of such a storage.
 */
export function durableObjectStore(storage: ObjectStorage): SnapshotStore {
  for (const method of ["list", "transaction"] as const) {
    if (typeof (storage as Partial<ObjectStorage> | null)?.[method] === "function") continue;
    throw new ValidationError("INVALID_OPTION", `The storage is ${describe(storage)}, without a method \`${method}\`.`);
  }
  const keysOf = (runId: string): { head: string; lease: string; part: (nth: number) => string } => {
    const path = namesOf(runId).join("/");
    return { head: HEADS + path, lease: LEASES + path, part: (nth) => `${PARTS}${path}:${nth}` };
  };
  return snapshotStore({
    put: (runId, bytes, sequence, held) =>
      storage.transaction(async (transaction) => {
        const { head, lease, part } = keysOf(runId);
        checkHeld(asLease(await transaction.get(lease)), held);
        const before = asHead(await transaction.get(head));
        const stored = storedSequence(before?.header);
        if (stored > sequence) return stored;
        const count = partsOf(bytes.length);
        for (let nth = 0; nth < count; nth += 1) {
          await transaction.put(part(nth), bytes.slice(nth * PART, (nth + 1) * PART));
        }
        for (let nth = count; nth < partsOf(before?.size ?? 0); nth += 1) await transaction.delete(part(nth));
        const next: Head = { size: bytes.length, header: bytes.slice(0, headerLength) };
        await transaction.put(head, next);
        return undefined;
      }),
    get: (runId) =>
      storage.transaction(async (transaction) => {
        const { head, part } = keysOf(runId);
        const found = asHead(await transaction.get(head));
        if (found === undefined) return undefined;
        const bytes = new Uint8Array(found.size);
        for (let nth = 0; nth < partsOf(found.size); nth += 1) {
          bytes.set((await transaction.get(part(nth))) as Uint8Array, nth * PART);
        }
        return bytes;
      }),
    remove: (runId, held) =>
      storage.transaction(async (transaction) => {
        const { head, lease, part } = keysOf(runId);
        const stored = asLease(await transaction.get(lease));
        checkHeld(stored, held);
        if (stored !== undefined && remainingOf(stored) === 0) await transaction.delete(lease);
        const found = asHead(await transaction.get(head));
        for (let nth = 0; nth < partsOf(found?.size ?? 0); nth += 1) await transaction.delete(part(nth));
        return transaction.delete(head);
      }),
    async ids() {
      const heads = await storage.list({ prefix: HEADS });
      return [...heads.keys()].flatMap((key) => idOf(key.slice(HEADS.length).split("/")) ?? []);
    },
    leaseOf: (runId) => storage.transaction(async (transaction) => asLease(await transaction.get(keysOf(runId).lease))),
    setLease: (runId, before, next) =>
      storage.transaction(async (transaction) => {
        const key = keysOf(runId).lease;
        const stored: Lease | undefined = asLease(await transaction.get(key));
        if (!isExpected(stored, before, next)) return false;
        await (next === undefined ? transaction.delete(key) : transaction.put(key, next));
        return true;
      }),
  });
}

const partsOf = (size: number): number => Math.ceil(size / PART);

function asHead(value: unknown): Head | undefined {
  const { size, header } = (value ?? {}) as { readonly [Member in keyof Head]?: unknown };
  return Number.isSafeInteger(size) && header instanceof Uint8Array ? { size: size as number, header } : undefined;
}
