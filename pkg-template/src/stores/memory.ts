// The store in memory: for tests, and for runs that need not outlive the process.

import { type Lease, checkHeld, isExpected, remainingOf } from "./lease.js";
import { type SnapshotStore, snapshotStore, storedSequence } from "./snapshot-store.js";

/** A store in memory. Its snapshots are lost when the process ends. */
export function memoryStore(): SnapshotStore {
  const snapshots = new Map<string, Uint8Array>();
  const leases = new Map<string, Lease>();
  return snapshotStore({
    async put(runId, bytes, sequence, held) {
      checkHeld(leases.get(runId), held);
      const stored = storedSequence(snapshots.get(runId));
      if (stored > sequence) return stored;
      snapshots.set(runId, bytes);
      return undefined;
    },
    get: async (runId) => snapshots.get(runId)?.slice(),
    async remove(runId, held) {
      checkHeld(leases.get(runId), held);
      if (remainingOf(leases.get(runId)) === 0) leases.delete(runId);
      return snapshots.delete(runId);
    },
    ids: async () => [...snapshots.keys()],
    leaseOf: async (runId) => leases.get(runId),
    async setLease(runId, before, next) {
      if (!isExpected(leases.get(runId), before, next)) return false;
      if (next === undefined) leases.delete(runId);
      else leases.set(runId, next);
      return true;
    },
  });
}
