// The store on a file system: other processes, crashes, and what else may happen to files.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { SnapshotError } from "stepstream";
import { fileStore } from "stepstream/stores/file";
import { afterEach, beforeEach, expect, test } from "vitest";
import { failure, fails, pause } from "../kit/index.js";
import { oddIds, snapshotOf } from "./laws.js";

let folder = "";
let directory = "";

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "stepstream-file-store-"));
  directory = path.join(folder, "snapshots");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** The paths of all files below a folder. */
async function filesBelow(from: string): Promise<string[]> {
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(from, path.join(entry.parentPath, entry.name)));
}

const runFolder = (): string => path.join(directory, "run-run");

/** A name as the store gives it. */
const named = (sequence: number, nth = 0): string => {
  const again = "00000000-0000-4000-8000-000000000000".replace(/0$/, String(nth));
  return `${sequence.toString(16).padStart(16, "0")}-${nth.toString(16).padStart(8, "0")}-${again}.snapshot`;
};

/** Reads the run, and checks that all its bytes belong together. */
async function loadWhole(): Promise<number | undefined> {
  const bytes = await fileStore(directory).load("run");
  if (bytes === undefined) return undefined;
  const sequence = Number(new DataView(bytes.buffer).getBigUint64(16, true));
  expect(Buffer.from(bytes.subarray(24)).equals(Buffer.alloc(bytes.length - 24, sequence))).toBe(true);
  return sequence;
}

function startSaver(...numbers: readonly number[]) {
  const program = path.join(import.meta.dirname, "saver.mjs");
  const child = spawn(process.execPath, [program, directory, ...numbers.map(String)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  return { child, said, ended: once(child, "close") as Promise<[code: number | null, signal: string | null]> };
}

test("no id leads out of the directory, and all names are plain", async () => {
  const store = fileStore(directory);
  for (const id of oddIds) await store.save(id, snapshotOf(1));
  expect(await readdir(folder)).toEqual(["snapshots"]);
  const files = await filesBelow(directory);
  expect(files).toHaveLength(oddIds.length);
  for (const file of files) {
    const parts = file.split(path.sep);
    expect(parts.pop()).toMatch(/^[0-9a-f]{16}-[0-9a-f]{8}-[0-9a-f-]{36}\.snapshot$/);
    for (const part of parts) expect(part).toMatch(/^(run|more)-[a-z0-9_-]{1,100}$/);
  }
});

test("what is saved is in one file, byte for byte", async () => {
  const store = fileStore(directory);
  for (const sequence of [3, 3, 200]) await store.save("run", snapshotOf(sequence));
  const files = await filesBelow(directory);
  expect(files).toEqual([expect.stringMatching(/^run-run\/00000000000000c8-00000000-.*\.snapshot$/)]);
  expect(new Uint8Array(await readFile(path.join(directory, files[0]!)))).toEqual(snapshotOf(200));
});

test("nothing is left of what was deleted", async () => {
  const store = fileStore(directory);
  for (const id of oddIds) await store.save(id, snapshotOf(1));
  for (const id of oddIds) await store.delete(id);
  expect(await readdir(directory)).toEqual([]);
});

test("a relative path is meant as it was when the store was made", async () => {
  const before = process.cwd();
  const store = fileStore(path.relative(before, directory));
  process.chdir(os.tmpdir());
  await store.save("run", snapshotOf(1)).finally(() => process.chdir(before));
  expect(await filesBelow(directory)).toHaveLength(1);
});

test("the directory may be a URL", async () => {
  await fileStore(pathToFileURL(directory)).save("run", snapshotOf(1));
  expect(await fileStore(directory).list()).toEqual(["run"]);
});

test("what others have put there is left alone", async () => {
  const store = fileStore(directory);
  await store.save("run", snapshotOf(1));
  const foreign = ["note.txt", "run-UPPER", "run-_0061", "more-", "run-file", "run-run/.hidden", "run-run/1.snapshot"];
  for (const name of foreign) await writeFile(path.join(directory, name), "text");
  await mkdir(path.join(directory, "run-empty"));
  await symlink(folder, path.join(directory, "link"));
  expect(await store.list()).toEqual(["run"]);
  await store.save("run", snapshotOf(2));
  expect(await store.load("run")).toEqual(snapshotOf(2));
  await store.delete("run");
  expect(await store.list()).toEqual([]);
  for (const name of foreign) expect(await readFile(path.join(directory, name), "utf8")).toBe("text");
});

test("a snapshot that a crash has left beside a newer one does not count, and goes with the next save", async () => {
  const store = fileStore(directory);
  await store.save("run", snapshotOf(5));
  await writeFile(path.join(runFolder(), named(3)), snapshotOf(3));
  await writeFile(path.join(runFolder(), named(4, 7)), snapshotOf(4));
  expect(await store.load("run")).toEqual(snapshotOf(5));
  await fails(store.save("run", snapshotOf(4)), SnapshotError, "SNAPSHOT_STALE");
  await store.save("run", snapshotOf(6));
  expect(await filesBelow(directory)).toHaveLength(1);
});

test("of two saves of one sequence the later counts, whatever the names are", async () => {
  await mkdir(runFolder(), { recursive: true });
  await writeFile(path.join(runFolder(), named(5, 9)), snapshotOf(5, { fill: 1 }));
  const store = fileStore(directory);
  await store.save("run", snapshotOf(5, { fill: 2 }));
  expect(await store.load("run")).toEqual(snapshotOf(5, { fill: 2 }));
  expect(await filesBelow(directory)).toHaveLength(1);
});

test("what a dead process was writing is never seen, and is removed once it is old", async () => {
  const store = fileStore(directory);
  await mkdir(runFolder(), { recursive: true });
  const [old, fresh] = [1, 2].map((nth) => path.join(runFolder(), `${named(9, nth)}.part`)) as [string, string];
  for (const file of [old, fresh]) await writeFile(file, snapshotOf(9).subarray(0, 30));
  const anHourAgo = Date.now() / 1000 - 3600;
  await utimes(old, anHourAgo, anHourAgo);
  expect(await store.list()).toEqual([]);
  expect(await store.load("run")).toBeUndefined();
  await store.save("run", snapshotOf(1));
  expect(await store.load("run")).toEqual(snapshotOf(1));
  expect((await readdir(runFolder())).filter((name) => name.endsWith(".part"))).toEqual([path.basename(fresh)]);
});

test("errors of the file system are passed on as they are, and leave nothing", async () => {
  await writeFile(directory, "a file, not a folder");
  const error = (await failure(fileStore(directory).save("run", snapshotOf(1)))) as NodeJS.ErrnoException;
  expect(["EEXIST", "ENOTDIR"]).toContain(error.code);
  expect(error.syscall).toBe("mkdir");
  const tooLong = (await failure(fileStore(folder).load("x".repeat(10_000)))) as NodeJS.ErrnoException;
  expect(tooLong.code).toBe("ENAMETOOLONG");
});

test("a process that is killed while it saves leaves a whole snapshot", async () => {
  let last = 0;
  for (let round = 0; round < 12; round += 1) {
    const saver = startSaver(last + 1, 1, 1e9, 5_000_000);
    // The first file shows that it is at work.
    while ((await loadWhole()) === (last || undefined)) await pause(5);
    await pause(Math.random() * 60);
    saver.child.kill("SIGKILL");
    const [, signal] = await saver.ended;
    expect([signal, saver.said]).toEqual(["SIGKILL", []]);
    const sequence = await loadWhole();
    expect(sequence).toBeGreaterThan(last);
    last = sequence!;
    expect(await fileStore(directory).list()).toEqual(["run"]);
  }
  await fileStore(directory).save("run", snapshotOf(last + 1));
  expect((await filesBelow(directory)).filter((file) => file.endsWith(".snapshot"))).toHaveLength(1);
});

test("of several processes that save one run the newest snapshot stays", async () => {
  const count = 4;
  const savers = Array.from({ length: count }, (_, nth) => startSaver(nth + 1, count, 240, 2000));
  let isRunning = true;
  const all = Promise.all(savers.map(({ ended }) => ended)).finally(() => (isRunning = false));
  let seen = 0;
  while (isRunning) {
    const sequence = (await loadWhole()) ?? 0;
    expect(sequence).toBeGreaterThanOrEqual(seen);
    seen = sequence;
  }
  expect((await all).map(([code]) => code)).toEqual(savers.map(() => 0));
  expect(await loadWhole()).toBe(240);
  expect(await filesBelow(directory)).toHaveLength(1);
});

test("processes that delete and save one run at once do not trip each other up", async () => {
  const savers = [startSaver(1, 2, 300, 100), startSaver(2, 2, 300, 100)];
  const store = fileStore(directory);
  let isRunning = true;
  const all = Promise.all(savers.map(({ ended }) => ended)).finally(() => (isRunning = false));
  while (isRunning) {
    await store.delete("run");
    await loadWhole();
  }
  expect((await all).map(([code]) => code)).toEqual([0, 0]);
  // Nothing but the numbers of refused snapshots.
  expect(savers.flatMap(({ said }) => said).join("")).not.toMatch(/[a-z]/i);
});
