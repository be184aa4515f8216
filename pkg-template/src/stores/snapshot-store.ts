// What every store of snapshots promises, whatever keeps the bytes: the checks, and one thing at a time for each run.

import { RecoverError, SnapshotError, ValidationError, type WorkflowError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { asBytes, readHeader } from "../snapshot/header.js";

/**
 * Keeps the latest snapshot of each run. The stores of the package are {@link memoryStore}, {@link indexedDBStore},
 * {@link unstorageStore}, and `fileStore` of `stepstream/stores/file`; anything with these four methods is one as well.
 *
 * ```ts
 * const store: SnapshotStore = memoryStore();
 * await store.save(context.runId, context.snapshot());
 * // Later, elsewhere:
 * const snapshot = await store.load(runId);
 * if (snapshot !== undefined) await workflow.recover(snapshot).with(data);
 * ```
 *
 * Errors of what lies below (a full disk, a lost connection) are passed on as they are.
 */
export interface SnapshotStore {
  /**
   * Keeps a snapshot, sealed or not, in place of the run's last one. A reader finds the old one or the new one, never a part. The bytes are
   * taken as they are at the call.
   *
   * A snapshot with the `sequence` of the stored one replaces it: it may have been sealed anew, or taken again at the same moment. Two
   * processes that went on from one snapshot are therefore told apart only once one of them is ahead.
   *
   * @param runId Any text but the empty one.
   * @throws SnapshotError `SNAPSHOT_STALE` when the stored snapshot is newer; it stays. To begin a run anew under the same id, `delete` first.
   * RecoverError `SNAPSHOT_FORMAT`, `SNAPSHOT_TRUNCATED` when the bytes are no snapshot, `SNAPSHOT_VERSION` when they or the stored ones
   * were written by a newer stepstream. ValidationError `INVALID_OPTION` for an id that is none.
   */
  save(runId: string, snapshot: Uint8Array): Promise<void>;
  /** The run's latest snapshot; undefined when there is none. */
  load(runId: string): Promise<Uint8Array | undefined>;
  /** Forgets the run. Resolves with whether there was a snapshot. */
  delete(runId: string): Promise<boolean>;
  /** The ids of the runs, sorted; with a prefix those that begin with it. */
  list(prefix?: string): Promise<string[]>;
}

/** What a store is made of: something that keeps bytes by ids. It is asked for one thing at a time for each run. */
export interface Backend {
  /**
   * Keeps the bytes, unless what is stored has a higher sequence: then nothing changes, and it resolves with that sequence. As far as the
   * place allows, nobody can come between the check and the change.
   */
  put(runId: string, bytes: Uint8Array<ArrayBuffer>, sequence: bigint): Promise<bigint | undefined>;
  /** Bytes that are the caller's own. */
  get(runId: string): Promise<Uint8Array | undefined>;
  remove(runId: string): Promise<boolean>;
  /** All ids, in any order. */
  ids(): Promise<string[]>;
}

/** A store that keeps its bytes in `backend`. */
export function snapshotStore(backend: Backend): SnapshotStore {
  const last = new Map<string, Promise<void>>();
  /** Does something when all that was asked for the run before is done, well or not. */
  const inTurn = <T>(runId: string, work: () => Promise<T>): Promise<T> => {
    checkId(runId);
    const turn = (last.get(runId) ?? Promise.resolve()).then(work);
    const settled = turn.then(ignore, ignore);
    last.set(runId, settled);
    void settled.then(() => last.get(runId) === settled && last.delete(runId));
    return turn;
  };
  return {
    async save(runId, snapshot) {
      const { kind, sequence } = readHeader(asBytes(snapshot));
      if (kind === "J") throw new RecoverError("SNAPSHOT_FORMAT", "This is a journal.");
      const bytes = asBytes(snapshot).slice();
      const newer = await inTurn(runId, () => backend.put(runId, bytes, sequence));
      if (newer === undefined) return;
      const detail = `The run is "${runId}"; the stored snapshot has sequence ${newer}, this one ${sequence}.`;
      throw new SnapshotError("SNAPSHOT_STALE", detail);
    },
    load: async (runId) => inTurn(runId, () => backend.get(runId)),
    delete: async (runId) => inTurn(runId, () => backend.remove(runId)),
    list: async (prefix = "") => (await backend.ids()).filter((id) => id.startsWith(prefix)).sort(),
  };
}

const ignore = (): void => {};

function checkId(runId: unknown): void {
  if (typeof runId === "string" && runId !== "") return;
  throw new ValidationError("INVALID_OPTION", `The runId is ${describe(runId)}.`);
}

/**
 * The sequence of the stored bytes. What has no whole header was left behind by a writer that did not get far, and is older than anything.
 *
 * @throws RecoverError `SNAPSHOT_VERSION`: what a newer stepstream has written must not be overwritten unread.
 */
export function storedSequence(bytes: Uint8Array | undefined): bigint {
  if (bytes === undefined) return -1n;
  try {
    return readHeader(bytes).sequence;
  } catch (error) {
    if ((error as WorkflowError).code === "SNAPSHOT_VERSION") throw error;
    return -1n;
  }
}
