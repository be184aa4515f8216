// The store for browsers. Each operation is one transaction, so that the tabs of an origin can share the store.

import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { type OptionNames, checkOptions } from "../errors/check-options.js";
import type { HolderWatch } from "./claim.js";
import { type Lease, asLease, checkHeld, isExpected, remainingOf } from "./lease.js";
import { type SnapshotStore, snapshotStore, storedSequence } from "./snapshot-store.js";

/** Snapshots, by the ids of their runs; and leases, by the ids in an array of one. */
const SNAPSHOTS = "snapshots";

/** Browsers may let the timers of a hidden tab wait for a minute. A tab that has gone is noticed at once. */
const LEASE_SECONDS = 120;

/** Options of {@link indexedDBStore}. */
export interface IndexedDBStoreOptions {
  /** The name of the database. Default: `"stepstream"`. */
  readonly name?: string | undefined;
}

const optionNames: OptionNames<IndexedDBStoreOptions> = { name: 1 };

/**
 * A store in IndexedDB, for pages and workers. The tabs of an origin can share it. The database is opened at the first
 * use. When `save` resolves, the snapshot is on the disk, as far as the browser reports it.
 *
 * ```ts
 * const store = indexedDBStore();
 * document.addEventListener("visibilitychange", () => store.save(context.runId, context.snapshot()));
 * ```
 *
 * @throws ValidationError `INVALID_OPTION`
 */
export function indexedDBStore(options: IndexedDBStoreOptions = {}): SnapshotStore {
  checkOptions(options, optionNames, "indexedDBStore");
  const { name = "stepstream" } = options;
  if (typeof name !== "string") throw new ValidationError("INVALID_OPTION", `\`name\` is ${describe(name)}.`);
  let opened: Promise<IDBDatabase> | undefined;

  const database = (): Promise<IDBDatabase> => {
    const opening = (opened ??= open(name, () => {
      if (opened === opening) opened = undefined;
    }));
    return opening;
  };

  /** Runs a transaction; resolves when it is committed, with the value that was passed to `give`. */
  const transact = async <T>(
    mode: IDBTransactionMode,
    begin: (snapshots: IDBObjectStore, give: (result: T) => void) => void,
  ): Promise<T> => {
    const transaction = (await database()).transaction(SNAPSHOTS, mode, { durability: "strict" });
    return new Promise((resolve, reject) => {
      let result: T;
      transaction.oncomplete = () => resolve(result);
      // It has no error when the browser aborted it, or when it was aborted below.
      transaction.onabort = () => reject(transaction.error ?? new DOMException("The transaction ended.", "AbortError"));
      begin(transaction.objectStore(SNAPSHOTS), (given) => (result = given));
    });
  };

  /** Runs a transaction of one request; resolves with its result. */
  const ask = <T>(mode: IDBTransactionMode, request: (snapshots: IDBObjectStore) => IDBRequest<T>): Promise<T> =>
    transact(mode, (snapshots, give) => {
      const asked = request(snapshots);
      asked.onsuccess = () => give(asked.result);
    });

  /**
   * Reads the lease of a run and what is stored under another key, and passes both to `change`, in one transaction.
   * What `change` throws undoes it.
   */
  const change = <T>(
    runId: string,
    change: (snapshots: IDBObjectStore, lease: Lease | undefined, stored: Uint8Array | undefined) => T,
  ): Promise<T> => {
    let refusal: { readonly error: unknown } | undefined;
    const changing = transact<T>("readwrite", (snapshots, give) => {
      const lease = snapshots.get([runId]) as IDBRequest<unknown>;
      const stored = snapshots.get(runId) as IDBRequest<Uint8Array | undefined>;
      stored.onsuccess = () => {
        try {
          give(change(snapshots, asLease(lease.result), stored.result));
        } catch (error) {
          refusal = { error };
          stored.transaction!.abort();
        }
      };
    });
    return changing.catch((error: unknown) => {
      throw refusal === undefined ? error : refusal.error;
    });
  };

  const locks = typeof navigator === "undefined" ? undefined : (navigator as Partial<Navigator>).locks;
  const watch = locks === undefined ? undefined : watchWith(locks, name);
  return snapshotStore({
    ...(watch === undefined ? {} : { watch, leaseSeconds: LEASE_SECONDS }),
    put: (runId, bytes, sequence, held) =>
      change(runId, (snapshots, lease, found) => {
        checkHeld(lease, held);
        const stored = storedSequence(found);
        if (stored > sequence) return stored;
        snapshots.put(bytes, runId);
        return undefined;
      }),
    get: (runId) => ask("readonly", (snapshots) => snapshots.get(runId) as IDBRequest<Uint8Array | undefined>),
    remove: (runId, held) =>
      change(runId, (snapshots, lease, found) => {
        checkHeld(lease, held);
        if (remainingOf(lease) === 0) snapshots.delete([runId]);
        snapshots.delete(runId);
        return found !== undefined;
      }),
    async ids() {
      const keys = await ask("readonly", (snapshots) => snapshots.getAllKeys());
      return keys.filter((key) => typeof key === "string");
    },
    leaseOf: async (runId) => asLease(await ask("readonly", (snapshots) => snapshots.get([runId]))),
    setLease: (runId, before, next) =>
      change(runId, (snapshots, lease) => {
        if (!isExpected(lease, before, next)) return false;
        if (next === undefined) snapshots.delete([runId]);
        else snapshots.put(next, [runId]);
        return true;
      }),
  });
}

/**
 * How holders are watched with Web Locks: each holds a lock of its own, which the browser takes away when the tab is
 * closed or crashes. The lease decides who holds a run; the lock only tells others that they need not wait for its end.
 */
function watchWith(locks: LockManager, name: string): HolderWatch {
  const lockOf = (holder: string): string => `stepstream:${name}:${holder}`;
  return {
    begin: (holder) =>
      new Promise((resolve, reject) => {
        const held = locks.request(lockOf(holder), () => new Promise<void>((free) => resolve(free)));
        held.catch(reject);
      }),
    isGone: (holder) => locks.request(lockOf(holder), { ifAvailable: true }, (lock) => lock !== null),
    async whenGone(holder, signal) {
      await locks.request(lockOf(holder), { mode: "shared", signal }, () => {});
    },
  };
}

/** Opens the database, or creates it. `onGone` is called when it could not be opened, or cannot be used any more. */
function open(name: string, onGone: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(SNAPSHOTS);
    request.onerror = () => {
      onGone();
      reject(request.error!);
    };
    request.onsuccess = () => {
      const database = request.result;
      database.onclose = onGone;
      // Closed at once: otherwise deleting the database would have to wait.
      database.onversionchange = () => {
        database.close();
        onGone();
      };
      resolve(database);
    };
  });
}
