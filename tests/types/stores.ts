// Stores of snapshots: what they take and give, and that a storage of unstorage is taken without a cast.
import { type WorkflowContext, StartEvent, StopEvent, Workflow } from "stepstream";
import { WorkflowCheckpointer } from "stepstream/checkpointer";
import {
  type Claim,
  type PlainSnapshotStore,
  type RawStorage,
  type SnapshotStore,
  autosave,
  durableObjectStore,
  indexedDBStore,
  memoryStore,
  unstorageStore,
} from "stepstream/stores";
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

// Anything with the four methods is a store where nothing is claimed.
const own: PlainSnapshotStore = {
  save: async () => {},
  load: async () => undefined,
  delete: async () => false,
  list: async () => [],
};
// @ts-expect-error it cannot be claimed from
const claimable: SnapshotStore = own;
void claimable;

// The storage of a Durable Object, as Cloudflare declares it: with overloads, options behind, and more methods.
interface ObjectTransaction {
  get<T = unknown>(key: string, options?: { noCache?: boolean }): Promise<T | undefined>;
  get<T = unknown>(keys: string[], options?: { noCache?: boolean }): Promise<Map<string, T>>;
  put<T>(key: string, value: T, options?: { noCache?: boolean }): Promise<void>;
  put<T>(entries: Record<string, T>, options?: { noCache?: boolean }): Promise<void>;
  delete(key: string, options?: { noCache?: boolean }): Promise<boolean>;
  delete(keys: string[], options?: { noCache?: boolean }): Promise<number>;
  list<T = unknown>(options?: { start?: string; prefix?: string; limit?: number }): Promise<Map<string, T>>;
  rollback(): void;
}
declare const objectStorage: Omit<ObjectTransaction, "rollback"> & {
  transaction<T>(closure: (transaction: ObjectTransaction) => Promise<T>): Promise<T>;
  sync(): Promise<void>;
};
expectValue<SnapshotStore>()(durableObjectStore(objectStorage));
// @ts-expect-error it has no transactions
durableObjectStore(storage);

// Claims.
const claim = await store.claim("run", { wait: null, lease: 30, signal: new AbortController().signal });
expectValue<Claim | undefined>()(claim);
// @ts-expect-error another may hold the run
void claim.snapshot;
if (claim !== undefined) {
  expectValue<Uint8Array | undefined>()(claim.snapshot);
  expectValue<number>()(claim.epoch);
  expectValue<AbortSignal>()(claim.lost);
  expectValue<Promise<void>>()(claim.save(new Uint8Array()));
  expectValue<Promise<boolean>>()(claim.delete());
  expectValue<Promise<void>>()(claim.release());
  // @ts-expect-error the run is that of the claim
  void claim.save("run", new Uint8Array());
  // @ts-expect-error nothing can be set
  claim.snapshot = undefined;
}
{
  await using held = await store.claim("run");
  expectValue<Claim | undefined>()(held);
}
// @ts-expect-error seconds are a number
void store.claim("run", { wait: "1" });

// Autosave takes every kind of run, and a store or a claim.
declare const typed: WorkflowContext<{ llm: string }, string, number>;
const workflow = new Workflow<{ llm: string }, string, string>().addStep(
  { inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
  () => new StopEvent(""),
);
for (const to of [store, own, claim!]) {
  expectValue<Promise<void>>()(autosave(typed, to, { every: 2, onError: (error: unknown) => void error }).flush());
  expectValue<void>()(autosave(workflow.run("x", { llm: "" }), to, { every: null, deleteWhenDone: true }).stop());
}
new WorkflowCheckpointer(workflow, { store: own });
// @ts-expect-error a run is needed
autosave(workflow, store);
// @ts-expect-error the run lacks its data
autosave(workflow.run("x"), store);
// @ts-expect-error a store is needed
autosave(typed);

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
