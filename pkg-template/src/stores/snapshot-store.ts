// The interface of stores of snapshots, and what all of them have in common: checks, and one operation at a time for
// each run.

import { RecoverError, SnapshotError, ValidationError, type WorkflowError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { asBytes, readHeader } from "../snapshot/header.js";

/**
 * Keeps the latest snapshot of each run. The package has {@link memoryStore}, {@link indexedDBStore},
 * {@link unstorageStore}, and `fileStore` in `stepstream/stores/file`. Any object with these four methods is a store
 * too.
 *
 * ```ts
 * const store: SnapshotStore = memoryStore();
 * await store.save(context.runId, context.snapshot());
 * // Later, elsewhere:
 * const snapshot = await store.load(runId);
 * if (snapshot !== undefined) await workflow.recover(snapshot).with(data);
 * ```
 *
 * Errors of the storage (a full disk, a lost connection) are thrown unchanged.
 */
export interface SnapshotStore {
  /**
   * Saves a snapshot, sealed or not, in place of the run's last one. A reader gets the old or the new one, never a
   * part. The bytes are copied at the call.
   *
   * A snapshot with the same `sequence` as the stored one replaces it: it may have been sealed anew, or taken again at
   * the same moment. So of two processes that resumed the same snapshot, neither is refused until one of them is ahead.
   *
   * @param runId Any text except the empty one.
   * @throws SnapshotError `SNAPSHOT_STALE` when the stored snapshot is newer, which is kept. To start a run again under
   * the same id, `delete` it first. RecoverError `SNAPSHOT_FORMAT`, `SNAPSHOT_TRUNCATED` when the bytes are not
   * a snapshot, `SNAPSHOT_VERSION` when they or the stored ones were written by a newer version of stepstream.
   * ValidationError `INVALID_OPTION` for an invalid id.
   */
  save(runId: string, snapshot: Uint8Array): Promise<void>;
  /** The run's latest snapshot; undefined when there is none. */
  load(runId: string): Promise<Uint8Array | undefined>;
  /** Deletes the snapshot of a run. Resolves with whether there was one. */
  delete(runId: string): Promise<boolean>;
  /** The ids of all runs, sorted; with a prefix, of those that begin with it. */
  list(prefix?: string): Promise<string[]>;
}

/** The storage of a store: bytes by ids. For each run, one operation at a time is made. */
export interface Backend {
  /**
   * Stores the bytes, unless the stored ones have a higher sequence: then nothing changes, and it resolves with that
   * sequence. As far as the storage allows, check and change are atomic.
   */
  put(runId: string, bytes: Uint8Array<ArrayBuffer>, sequence: bigint): Promise<bigint | undefined>;
  /** The bytes, as a copy that the caller may change. */
  get(runId: string): Promise<Uint8Array | undefined>;
  remove(runId: string): Promise<boolean>;
  /** All ids, in any order. */
  ids(): Promise<string[]>;
}

/** A store upon a storage. */
export function snapshotStore(backend: Backend): SnapshotStore {
  const last = new Map<string, Promise<void>>();
  /** Runs an operation when all earlier operations for the run have settled. */
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
 * The sequence of the stored bytes. Bytes without a complete header, which an interrupted writer left, are older than
 * any others.
 *
 * @throws RecoverError `SNAPSHOT_VERSION`: snapshots of a newer version of stepstream must not be overwritten.
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
