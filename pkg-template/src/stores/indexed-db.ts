// The store of browsers: pages and workers. Check and change are one transaction, so tabs of one origin may share it.

import { type SnapshotStore, snapshotStore, storedSequence } from "./snapshot-store.js";

const SNAPSHOTS = "snapshots";

/**
 * A store in IndexedDB, for pages and workers; the tabs of an origin may share it. Nothing is opened before the first use. A saved
 * snapshot is on the disk, as far as the browser can tell.
 *
 * ```ts
 * const store = indexedDBStore();
 * document.addEventListener("visibilitychange", () => store.save(context.runId, context.snapshot()));
 * ```
 *
 * @param options `name`: that of the database. Default: `stepstream`.
 */
export function indexedDBStore({ name = "stepstream" }: { readonly name?: string | undefined } = {}): SnapshotStore {
  let opened: Promise<IDBDatabase> | undefined;

  const database = (): Promise<IDBDatabase> => {
    const opening = (opened ??= open(name, () => {
      if (opened === opening) opened = undefined;
    }));
    return opening;
  };

  /** Resolves when the transaction has been committed, with what `begin` has given to `give`. */
  const transact = async <T>(
    mode: IDBTransactionMode,
    begin: (snapshots: IDBObjectStore, give: (result: T) => void) => void,
  ): Promise<T> => {
    const transaction = (await database()).transaction(SNAPSHOTS, mode, { durability: "strict" });
    return new Promise((resolve, reject) => {
      let result: T;
      transaction.oncomplete = () => resolve(result);
      // There is no error when nothing went wrong but that the browser, or a refusal below, ended it.
      transaction.onabort = () => reject(transaction.error ?? new DOMException("The transaction ended.", "AbortError"));
      begin(transaction.objectStore(SNAPSHOTS), (given) => (result = given));
    });
  };

  /** Resolves with what one request gives. */
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

/** Opens the database, and makes it if there is none. `onGone` is called when it cannot be used any more, or could not be opened. */
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
      // Whoever wants to delete the database would have to wait for us otherwise.
      database.onversionchange = () => {
        database.close();
        onGone();
      };
      resolve(database);
    };
  });
}
