// The interfaces of stores of snapshots, and what all of them have in common: checks, one operation at a time for each
// run, and claims.

import { RecoverError, SnapshotError, ValidationError, type WorkflowError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { asBytes, readHeader } from "../snapshot/header.js";
import { type Claim, type ClaimOptions, Claims, type LeaseBackend } from "./claim.js";
import type { Lease } from "./lease.js";
import { Turns } from "./turns.js";

/**
 * What is needed of a store to save and load. Any object with these four methods will do where no run is claimed: for
 * `autosave` and for the checkpointer.
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
export interface PlainSnapshotStore {
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

/**
 * Keeps the latest snapshot of each run, and lets one holder at a time claim a run. The package has {@link
 * memoryStore}, {@link indexedDBStore}, {@link unstorageStore}, {@link durableObjectStore}, and `fileStore` in
 * `stepstream/stores/file`.
 */
export interface SnapshotStore extends PlainSnapshotStore {
  /**
   * Claims a run: until the claim is released or lost, no one else gets one. Without waiting, or when the waiting is
   * over, it resolves with undefined if another holds the run. There need not be a snapshot of the run.
   *
   * `save` and `delete` of the store do not ask for claims. So let all that change a run do it through a claim.
   *
   * ```ts
   * const claim = await store.claim(runId, { wait: 10 });
   * if (claim === undefined) return new Response("The run is busy.", { status: 409 });
   * ```
   *
   * @throws ValidationError `INVALID_OPTION`, `INVALID_DURATION`; the signal's reason, when it aborts.
   */
  claim(runId: string, options?: ClaimOptions): Promise<Claim | undefined>;
}

/** The storage of a store: bytes by ids, and leases. For each run, one of these operations at a time is made. */
export interface Backend extends Omit<LeaseBackend, "adopt"> {
  /**
   * Stores the bytes, unless the stored ones have a higher sequence: then nothing changes, and it resolves with that
   * sequence. As far as the storage allows, check and change are atomic.
   *
   * @throws SnapshotError `CLAIM_LOST` when a lease is given that is not the stored one.
   */
  put(
    runId: string,
    bytes: Uint8Array<ArrayBuffer>,
    sequence: bigint,
    held: Lease | undefined,
  ): Promise<bigint | undefined>;
  /** The bytes, as a copy that the caller may change. */
  get(runId: string): Promise<Uint8Array | undefined>;
  /** Removes the bytes, and the lease when no one holds it. @throws SnapshotError `CLAIM_LOST` as {@link put}. */
  remove(runId: string, held: Lease | undefined): Promise<boolean>;
  /** All ids, in any order. */
  ids(): Promise<string[]>;
  /** See {@link LeaseBackend.adopt}. Default: {@link get}. */
  adopt?(runId: string, held: Lease): Promise<Uint8Array | undefined>;
}

/** A store upon a storage. */
export function snapshotStore(backend: Backend): SnapshotStore {
  const turns = new Turns();
  const save = async (runId: string, snapshot: Uint8Array, held: Lease | undefined): Promise<void> => {
    const { kind, sequence } = readHeader(asBytes(snapshot));
    if (kind === "J") throw new RecoverError("SNAPSHOT_FORMAT", "This is a journal.");
    const bytes = asBytes(snapshot).slice();
    const newer = await turns.run(runId, () => backend.put(runId, bytes, sequence, held));
    if (newer === undefined) return;
    const detail = `The run is "${runId}"; the stored snapshot has sequence ${newer}, this one ${sequence}.`;
    throw new SnapshotError("SNAPSHOT_STALE", detail);
  };
  const remove = (runId: string, held: Lease | undefined): Promise<boolean> =>
    turns.run(runId, () => backend.remove(runId, held));
  const claims = new Claims(
    {
      ...backend,
      adopt: (runId, held) => turns.run(runId, () => backend.adopt?.(runId, held) ?? backend.get(runId)),
    },
    { save, remove, inTurn: (runId, work) => turns.run(runId, work) },
  );
  return {
    async save(runId, snapshot) {
      checkId(runId);
      await save(runId, snapshot, undefined);
    },
    async load(runId) {
      checkId(runId);
      return turns.run(runId, () => backend.get(runId));
    },
    async delete(runId) {
      checkId(runId);
      return remove(runId, undefined);
    },
    list: async (prefix = "") => (await backend.ids()).filter((id) => id.startsWith(prefix)).sort(),
    async claim(runId, options = {}) {
      checkId(runId);
      return claims.claim(runId, options);
    },
  };
}

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
