// The store for tests, and for what need not outlive the process.

import { type SnapshotStore, snapshotStore, storedSequence } from "./snapshot-store.js";

/** A store in memory. What it holds is gone with the process. */
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
