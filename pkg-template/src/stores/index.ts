// Stores of snapshots that run everywhere: `stepstream/stores`. The one that needs a file system has an entry of its own.

export { indexedDBStore } from "./indexed-db.js";
export { memoryStore } from "./memory.js";
export type { SnapshotStore } from "./snapshot-store.js";
export { type RawStorage, unstorageStore } from "./unstorage.js";
