// Stores of snapshots: what they take and give, and that a storage of unstorage is taken without a cast.
import { type RawStorage, type SnapshotStore, indexedDBStore, memoryStore, unstorageStore } from "stepstream/stores";
import { fileStore } from "stepstream/stores/file";
import { expectValue } from "./helpers.js";

const stores: SnapshotStore[] = [
  memoryStore(),
  indexedDBStore(),
  indexedDBStore({ name: "mine" }),
  fileStore("./here"),
];
fileStore(new URL("file:///there"));

const store = stores[0]!;
expectValue<Promise<void>>()(store.save("run", new Uint8Array()));
expectValue<Promise<Uint8Array | undefined>>()(store.load("run"));
expectValue<Promise<boolean>>()(store.delete("run"));
expectValue<Promise<string[]>>()(store.list());
store.list("prefix");

// As unstorage declares them: generic, and with options behind.
declare const storage: {
  getItemRaw: <T = unknown>(key: string, options?: Record<string, unknown>) => Promise<T | null>;
  setItemRaw: <T = unknown>(key: string, value: T, options?: Record<string, unknown>) => Promise<void>;
  removeItem: (key: string, options?: { removeMeta?: boolean } | boolean) => Promise<void>;
  getKeys: (base?: string, options?: { maxDepth?: number }) => Promise<string[]>;
};
expectValue<SnapshotStore>()(unstorageStore(storage));

// Anything with the four methods is a store.
const own: SnapshotStore = {
  save: async () => {},
  load: async () => undefined,
  delete: async () => false,
  list: async () => [],
};
void own;

// @ts-expect-error a snapshot is bytes
store.save("run", "text");
// @ts-expect-error bytes may be missing
const bytes: Uint8Array = await store.load("run");
void bytes;
// @ts-expect-error a storage is needed
unstorageStore();
// @ts-expect-error bytes cannot be read from it
const noStorage: RawStorage = { setItemRaw: async () => {}, removeItem: async () => {}, getKeys: async () => [] };
void noStorage;
// @ts-expect-error there is no default directory
fileStore();
// @ts-expect-error the file store is in an entry of its own
await import("stepstream/stores").then(({ fileStore }) => fileStore("x"));
