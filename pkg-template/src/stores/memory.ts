// The store in memory: for tests, and for runs that need not outlive the process.

import { type SnapshotStore, snapshotStore, storedSequence } from "./snapshot-store.js";

/** A store in memory. Its snapshots are lost when the process ends. */
export function memoryStore(): SnapshotStore {
  const snapshots = new Map<string, Uint8Array>();
  return snapshotStore({
    async put(runId, bytes, sequence) {
      const stored = storedSequence(snapshots.get(runId));
      if (stored > sequence) return stored;
      snapshots.set(runId, bytes);
      return undefined;
    },
    get: async (runId) => snapshots.get(runId)?.slice(),
    remove: async (runId) => snapshots.delete(runId),
    ids: async () => [...snapshots.keys()],
  });
}
