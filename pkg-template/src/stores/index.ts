// The stores of snapshots for every runtime: `stepstream/stores`. The one for file systems is an entry of its own.

export { type Autosave, type AutosaveOptions, type SavableRun, autosave } from "./autosave.js";
export type { Claim, ClaimOptions, ReleasedByUsing } from "./claim.js";
export { type ObjectStorage, type ObjectTransaction, durableObjectStore } from "./durable-object.js";
export { type IndexedDBStoreOptions, indexedDBStore } from "./indexed-db.js";
export { memoryStore } from "./memory.js";
export type { PlainSnapshotStore, SnapshotStore } from "./snapshot-store.js";
export { type RawStorage, unstorageStore } from "./unstorage.js";
