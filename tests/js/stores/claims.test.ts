// Claims between processes that share a folder, which are killed and stopped; and what else may happen to leases. The
// laws of all stores are in claim-laws.ts, times in claim-times.test.ts.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { SnapshotError } from "stepstream";
import { type Claim, type RawStorage, memoryStore, unstorageStore } from "stepstream/stores";
import { fileStore } from "stepstream/stores/file";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fails, soon } from "../kit/index.js";
import { snapshotOf } from "./laws.js";

let folder = "";
let directory = "";
const running: { kill(): Promise<void> }[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "stepstream-claims-"));
  directory = path.join(folder, "snapshots");
});

afterEach(async () => {
  for (const child of running.splice(0)) await child.kill();
  await rm(folder, { recursive: true, force: true });
});

/** A process that claims the run, and the lines that it prints. */
function startClaimer(lease: number, what: string) {
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, "claimer.mjs"), directory, String(lease), what],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  const lines: string[] = [];
  const ended = (async () => {
    for await (const line of createInterface(child.stdout)) lines.push(line);
  })();
  const claimer = {
    lines,
    says: (line: string) => expect.poll(() => lines, { timeout: 90_000 }).toContain(line),
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    async end() {
      await soon(exited);
      await ended;
      return lines;
    },
  };
  running.push(claimer);
  return claimer;
}

const sequenceOf = (bytes: Uint8Array | undefined): number =>
  bytes === undefined ? 0 : Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(16, true));

/** A claim that must be given, after any time. */
async function claimed(lease?: number): Promise<Claim> {
  return (await fileStore(directory).claim("run", { wait: null, lease }))!;
}

describe("processes that share a folder", () => {
  test("are alone with the run, each in turn", async () => {
    const claimers = [1, 2, 3].map(() => startClaimer(60, "8"));
    for (const claimer of claimers) expect(await claimer.end()).toEqual(["done"]);
    expect(sequenceOf(await fileStore(directory).load("run"))).toBe(24);
  });

  test("replace one that was killed, when its lease has ended", async () => {
    const killed = startClaimer(2, "hold");
    await killed.says("saving");
    expect(await fileStore(directory).claim("run")).toBeUndefined();
    await killed.kill();
    const claim = await claimed();
    expect(claim.epoch).toBe(2);
    expect(sequenceOf(claim.snapshot)).toBeGreaterThanOrEqual(3);
    await claim.save(snapshotOf(100_000));
    await claim.release();
    // Of the killed one, a part may be left.
    const names = await readdir(path.join(directory, "run-run"));
    expect(names.filter((name) => !name.endsWith(".part"))).toHaveLength(2);
  });

  test("replace one that was stopped, which changes nothing when it goes on", async () => {
    const stopped = startClaimer(1, "hold");
    await stopped.says("saving");
    stopped.signal("SIGSTOP");
    const claim = await claimed();
    const sequence = sequenceOf(claim.snapshot);
    await claim.save(snapshotOf(sequence, { fill: 77 }));
    stopped.signal("SIGCONT");
    expect(await stopped.end()).toEqual(["claimed 1", "saving", "lost CLAIM_LOST", "refused CLAIM_LOST"]);
    expect(await fileStore(directory).load("run")).toEqual(snapshotOf(sequence, { fill: 77 }));
    await claim.save(snapshotOf(sequence + 1));
    await claim.release();
  });
});

describe("in a folder", () => {
  const runFolder = (): string => path.join(directory, "run-run");

  test("what an earlier holder writes too late is not current, however new it is", async () => {
    const store = fileStore(directory);
    await store.save("run", snapshotOf(5));
    const claim = await claimed();
    const uuid = "00000000-0000-4000-8000-000000000000";
    await writeFile(path.join(runFolder(), `00000000000000ff-00000000-${uuid}.snapshot`), snapshotOf(255));
    expect(await store.load("run")).toEqual(snapshotOf(5));
    await claim.save(snapshotOf(6));
    expect(await store.load("run")).toEqual(snapshotOf(6));
    await store.save("run", snapshotOf(7));
    await claim.save(snapshotOf(8));
    expect(await store.load("run")).toEqual(snapshotOf(8));
    await claim.release();
    expect((await readdir(runFolder())).map((name) => name.replace(/.*\./, ""))).toEqual(["lease", "snapshot"]);
  });

  test("the number of a claim goes on when the leases are gone", async () => {
    const claim = await claimed();
    await claim.save(snapshotOf(1));
    await rename(path.join(runFolder(), "00000001.lease"), path.join(folder, "gone"));
    await fails(claim.verify(), SnapshotError, "CLAIM_LOST");
    expect((await claimed()).epoch).toBe(2);
  });

  test("a lease that is being written keeps others away", async () => {
    await fileStore(directory).save("run", snapshotOf(1));
    await writeFile(path.join(runFolder(), "00000001.lease"), "");
    expect(await fileStore(directory).claim("run")).toBeUndefined();
    await writeFile(path.join(runFolder(), "00000001.lease"), '{"epoch":1,"holder":"x","until":0,"length":1000}');
    expect((await claimed()).epoch).toBe(2);
  });

  test("nothing is left of a run that was claimed, and deleted or never saved", async () => {
    const [first, second] = [await claimed(), await fileStore(directory).claim("other")];
    await first.save(snapshotOf(1));
    await first.delete();
    for (const claim of [first, second!]) await claim.release();
    expect(await readdir(directory)).toEqual([]);
    const third = await claimed();
    await third.save(snapshotOf(1));
    await third.release();
    await fileStore(directory).delete("run");
    expect(await readdir(directory)).toEqual([]);
  });
});

describe("between processes on unstorage", () => {
  test("of two that write a lease at the same time, one gets it", async () => {
    const kept = new Map<string, unknown>();
    /** Each process has a storage object of its own. */
    const storage = (): RawStorage => ({
      getItemRaw: async (key) => kept.get(key) ?? null,
      setItemRaw: async (key, value) => void kept.set(key, value),
      removeItem: async (key) => void kept.delete(key),
      getKeys: async () => [...kept.keys()],
    });
    const claims = await Promise.all([1, 2, 3].map(() => unstorageStore(storage()).claim("run")));
    expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
  });
});

test("errors of the storage reject the claim, and leave no one waiting", async () => {
  const boom = new Error("the connection is lost");
  let reads = 0;
  const kept = new Map<string, unknown>();
  const store = unstorageStore({
    getItemRaw: async (key) => {
      reads += 1;
      if (reads === 1) throw boom;
      return kept.get(key) ?? null;
    },
    setItemRaw: async (key, value) => void kept.set(key, value),
    removeItem: async (key) => void kept.delete(key),
    getKeys: async () => [...kept.keys()],
  });
  const [first, second] = await Promise.allSettled([store.claim("run"), store.claim("run", { wait: null })]);
  expect(first).toEqual({ status: "rejected", reason: boom });
  expect(second).toMatchObject({ status: "fulfilled", value: { epoch: 1 } });
});

test("`using` releases", async () => {
  const store = memoryStore();
  {
    await using claim = await store.claim("run");
    expect(claim?.epoch).toBe(1);
    expect(await store.claim("run")).toBeUndefined();
  }
  expect(await store.claim("run")).toBeDefined();
});
