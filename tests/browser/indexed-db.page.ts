// Runs in the page, or in a worker of it: the laws of stores on IndexedDB, and what the tests need besides.

import { HumanResponseEvent, SnapshotError, StartEvent, StopEvent, Workflow, inspectSnapshot } from "stepstream";
import { type Claim, autosave, indexedDBStore } from "stepstream/stores";
import { claimLaws } from "../js/stores/claim-laws.js";
import { equal, laws as plainLaws, snapshotOf } from "../js/stores/laws.js";

const laws = { ...plainLaws, ...claimLaws };

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

const headerOf = (bytes: Uint8Array): { sequence: bigint } => ({
  sequence: new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(16, true),
});

let count = 0;

/** Each law has a database of its own. */
async function checkLaw(law: string): Promise<string> {
  const name = `law ${Date.now()} ${(count += 1)}`;
  await laws[law]!({ open: () => indexedDBStore({ name }), isShared: true });
  return "kept";
}

/** The claim that the page holds. */
let held: Claim | undefined;

const forPage = {
  checkLaw,

  /** Claims a run; gives the number of the claim, or undefined when another has it. */
  async claim(name: string, wait: number | null, lease: number): Promise<number | undefined> {
    held = await indexedDBStore({ name }).claim("run", { wait, lease });
    return held?.epoch;
  },

  /** Saves a sequence through the claim; gives the code with which it was refused, and whether the claim is lost. */
  async saveHeld(sequence: number): Promise<[code: string, isLost: boolean]> {
    const code = await held!.save(snapshotOf(sequence)).then(
      () => "saved",
      (error: unknown) => (error as SnapshotError).code,
    );
    return [code, held!.lost.aborted];
  },

  /** Releases the claim. */
  release: (): Promise<void> => held!.release(),

  /** Keeps the page busy, as a page that is frozen: nothing of it runs. */
  async freeze(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end);
  },

  /** Takes turns with other pages in adding one to the stored sequence. */
  async takeTurns(name: string, count: number): Promise<void> {
    const store = indexedDBStore({ name });
    for (let turn = 0; turn < count; turn += 1) {
      const claim = (await store.claim("run", { wait: null }))!;
      const { sequence } = claim.snapshot === undefined ? { sequence: -1n } : headerOf(claim.snapshot);
      await claim.save(snapshotOf(sequence + 1n));
      await claim.release();
    }
  },

  /** Begins a run that waits, and is saved when the page is hidden, and then only. */
  async autosaveHidden(name: string): Promise<string> {
    const store = indexedDBStore({ name });
    const context = workflow.run("?", undefined, { runId: "run" });
    const saving = autosave(context, store, { every: null });
    await context.idle();
    await saving.flush();
    await store.delete("run");
    Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
    Reflect.deleteProperty(document, "visibilityState");
    let bytes: Uint8Array | undefined;
    while (bytes === undefined) bytes = await store.load("run");
    saving.stop();
    await store.delete("run");
    document.dispatchEvent(new Event("visibilitychange"));
    dispatchEvent(new Event("pagehide"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    equal(await store.load("run"), undefined);
    context.dispose();
    return inspectSnapshot(bytes).status!;
  },

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
