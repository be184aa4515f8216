// The store for browsers. Each operation is one transaction, so that the tabs of an origin can share the store.

import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { type OptionNames, checkOptions } from "../errors/check-options.js";
import { type SnapshotStore, snapshotStore, storedSequence } from "./snapshot-store.js";

const SNAPSHOTS = "snapshots";

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

  return snapshotStore({
    async put(runId, bytes, sequence) {
      let refusal: unknown;
      const putting = transact<bigint | undefined>("readwrite", (snapshots, give) => {
        const asked = snapshots.get(runId) as IDBRequest<Uint8Array | undefined>;
        asked.onsuccess = () => {
          try {
            const stored = storedSequence(asked.result);
            if (stored > sequence) give(stored);
            else snapshots.put(bytes, runId);
          } catch (error) {
            refusal = error;
            asked.transaction!.abort();
          }
        };
      });
      return putting.catch((error: unknown) => {
        throw refusal ?? error;
      });
    },
    get: (runId) => ask("readonly", (snapshots) => snapshots.get(runId) as IDBRequest<Uint8Array | undefined>),
    remove: (runId) =>
      transact("readwrite", (snapshots, give) => {
        const asked = snapshots.getKey(runId);
        asked.onsuccess = () => give(asked.result !== undefined);
        snapshots.delete(runId);
      }),
    ids: async () => (await ask("readonly", (snapshots) => snapshots.getAllKeys())) as string[],
  });
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
