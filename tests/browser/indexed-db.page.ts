// Runs in the page, or in a worker of it: the laws of stores on IndexedDB, and what the tests need besides.

import { HumanResponseEvent, SnapshotError, StartEvent, StopEvent, Workflow } from "stepstream";
import { indexedDBStore } from "stepstream/stores";
import { equal, laws, snapshotOf } from "../js/stores/laws.js";

class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}

/** Asks, and ends with the answer. */
const workflow = new Workflow<undefined, string, string>({ timeout: null, events: [Answer] });
workflow.addStep(
  { inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
  async ({ requireEvent, once }, event) => {
    const asked = await once("ask", () => `${event.data} at ${performance.timeOrigin}`);
    return new StopEvent(`${asked}: ${(await requireEvent(Answer)).data}`);
  },
);

let count = 0;

/** Each law has a database of its own. */
async function checkLaw(law: string): Promise<string> {
  const name = `law ${Date.now()} ${(count += 1)}`;
  await laws[law]!({ open: () => indexedDBStore({ name }), isShared: true });
  return "kept";
}

const forPage = {
  checkLaw,

  /** Saves these sequences one after the other; gives those that were refused. */
  async saveAll(name: string, sequences: readonly number[], size: number): Promise<number[]> {
    const store = indexedDBStore({ name });
    const refused: number[] = [];
    for (const sequence of sequences) {
      try {
        await store.save("run", snapshotOf(sequence, { fill: sequence, size }));
      } catch (error) {
        if (!(error instanceof SnapshotError && error.code === "SNAPSHOT_STALE")) throw error;
        refused.push(sequence);
      }
    }
    return refused;
  },

  /** The sequence of what is stored, whose bytes must all belong together. */
  async loadWhole(name: string): Promise<number | undefined> {
    const bytes = await indexedDBStore({ name }).load("run");
    if (bytes === undefined) return undefined;
    const sequence = Number(new DataView(bytes.buffer).getBigUint64(16, true));
    equal(bytes, snapshotOf(sequence, { fill: sequence, size: bytes.length - 24 }));
    return sequence;
  },

  /** Deletes the database under a store that has it open. */
  async deleteUnder(name: string): Promise<number | undefined> {
    const store = indexedDBStore({ name });
    await store.save("run", snapshotOf(9));
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = resolve;
      request.onerror = () => reject(request.error!);
      request.onblocked = () => reject(new Error("The store keeps the database from being deleted."));
    });
    await store.save("run", snapshotOf(1, { fill: 1 }));
    return forPage.loadWhole(name);
  },

  /** The name of the error with which a database of another program is refused. */
  async useForeign(name: string): Promise<string[]> {
    const versionOf = (version: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open(name, version);
        request.onupgradeneeded = () => request.result.createObjectStore(`other ${version}`);
        request.onerror = () => reject(request.error!);
        request.onsuccess = () => {
          request.result.close();
          resolve();
        };
      });
    const store = indexedDBStore({ name });
    const nameOf = (error: unknown): string => (error as Error).name;
    await versionOf(1);
    const withoutStore = await store.load("run").then(String, nameOf);
    await versionOf(2);
    const newer = await store.load("run").then(String, nameOf);
    return [withoutStore, newer];
  },

  /** What a newer stepstream has written is not overwritten. */
  async overwriteNewer(name: string): Promise<string> {
    const store = indexedDBStore({ name });
    await store.save("run", snapshotOf(1));
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => resolve(request.result);
    });
    await new Promise((resolve) => {
      const transaction = database.transaction("snapshots", "readwrite");
      transaction.objectStore("snapshots").put(snapshotOf(1, { version: 255 }), "run");
      transaction.oncomplete = resolve;
    });
    return store.save("run", snapshotOf(5)).then(
      () => "saved",
      (error: unknown) => (error as SnapshotError).code,
    );
  },

  /** Checks a law in a worker. */
  inWorker(law: string): Promise<string> {
    const worker = new Worker("/program.js", { type: "module" });
    return new Promise<string>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<string>) =>
        data === "ready" ? worker.postMessage(law) : resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    }).finally(() => worker.terminate());
  },

  /** Begins a run that waits for an answer, and saves it. Gives what it has asked. */
  async beginRun(name: string): Promise<string> {
    const context = workflow.run("?", undefined, { runId: "run" });
    await context.idle();
    await indexedDBStore({ name }).save(context.runId, context.snapshot());
    return `? at ${performance.timeOrigin}`;
  },

  /** Recovers the run that was saved, and answers it. */
  async answerRun(name: string, answer: string): Promise<string> {
    const context = workflow.recover((await indexedDBStore({ name }).load("run"))!);
    context.sendEvent(new Answer(answer));
    return (await context).data;
  },
};

/** What the tests call in the page. */
export type ForPage = typeof forPage;

if (typeof document === "undefined") {
  addEventListener("message", ({ data }: MessageEvent<string>) => {
    checkLaw(data).then(postMessage, (error: unknown) => postMessage(String(error)));
  });
  postMessage("ready");
} else {
  Object.assign(globalThis, { forPage, lawNames: Object.keys(laws), isReady: true });
}
