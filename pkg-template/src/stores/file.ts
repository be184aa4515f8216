// The store for file systems, for Node, Deno and Bun: `stepstream/stores/file`.
//
// Each run has a folder, and each snapshot in it a file of its own, named after its sequence: the last one in order counts. That makes
// locks needless, and with them locks that a dead process leaves behind:
//
// 1. A file comes under its name by a rename, complete and on the disk, or not at all. It never changes, and no name is used twice.
// 2. Whoever saves an older snapshot, however late, puts it beside the newer one, not in its place.
// 3. What does not count is removed by whoever sees it; a crash before that does no harm.

import { mkdir, open, readFile, readdir, rename, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Address } from "../platform.js";
import { asBytes } from "../internal/header.js";
import { hasMore, idOf, namesOf } from "./names.js";
import type { SnapshotStore } from "./index.js";
import { snapshotStore } from "./snapshot-store.js";

/** The sequence; which save of that sequence it is; and something random, in case that two processes count the same. */
const SNAPSHOT = /^([0-9a-f]{16})-([0-9a-f]{8})-[0-9a-f-]{36}\.snapshot$/;
const PART = /\.part$/;

/** After so many milliseconds a file that is still being written belongs to a process that has died. */
const ABANDONED = 10 * 60 * 1000;

/** A snapshot's file. */
interface Version {
  readonly name: string;
  readonly sequence: bigint;
  /** Which save of that sequence it is, from 0. */
  readonly again: number;
}

/**
 * A store in a folder, for Node, Deno and Bun. Several processes may share it: of two that save one run the newer snapshot stays. A saved
 * snapshot is on the disk; a process that is killed while it saves leaves the last one.
 *
 * ```ts
 * import { fileStore } from "stepstream/stores/file";
 *
 * const store = fileStore("./snapshots");
 * await store.save(context.runId, context.snapshot());
 * ```
 *
 * @param directory A path, or a `file:` URL. It is made when it is needed. Names of runs are written so that they cannot leave it.
 */
export function fileStore(directory: string | Address): SnapshotStore {
  const root = resolve(typeof directory === "string" ? directory : fileURLToPath(directory));
  const folderOf = (runId: string): string => join(root, ...namesOf(runId));
  return snapshotStore({
    async put(runId, bytes, sequence) {
      const folder = folderOf(runId);
      const newest = (await versions(folder)).at(-1);
      if (newest !== undefined && newest.sequence > sequence) return newest.sequence;
      const again = newest?.sequence === sequence ? newest.again + 1 : 0;
      const name = `${hex(sequence, 16)}-${hex(again, 8)}-${crypto.randomUUID()}.snapshot`;
      await sweep(folder);
      await write(folder, name, bytes);
      return settle(folder, name, sequence);
    },
    async get(runId) {
      const folder = folderOf(runId);
      for (let misses = 0; misses < 2;) {
        const newest = (await versions(folder)).at(-1);
        if (newest === undefined) {
          // Names read while one file took the place of another may lack both: they are read twice before they count.
          misses += 1;
          continue;
        }
        // It may have made room for another one in the meantime.
        const bytes = await unless("ENOENT", readFile(join(folder, newest.name)));
        if (bytes !== undefined) return asBytes(bytes).slice();
      }
      return undefined;
    },
    async remove(runId) {
      const folder = folderOf(runId);
      let isRemoved = false;
      // The last in order at the end: were this interrupted, it would still be the one that counts.
      for (const { name } of await versions(folder)) isRemoved = (await remove(join(folder, name))) || isRemoved;
      if (!isRemoved) return false;
      await sync(folder);
      await sweep(folder);
      await removeEmpty(folder, root);
      return true;
    },
    ids: () => idsBelow(root, []),
  });
}

const hex = (number: bigint | number, digits: number): string => number.toString(16).padStart(digits, "0");

/** The snapshots in a folder; the last one counts. */
async function versions(folder: string): Promise<Version[]> {
  const names = (await namesIn(folder)).sort();
  return names.flatMap((name) => {
    const [, sequence, again] = SNAPSHOT.exec(name) ?? [];
    return sequence === undefined ? [] : { name, sequence: BigInt(`0x${sequence}`), again: Number(`0x${again}`) };
  });
}

/** Writes a file that appears under its name only when all of it is on the disk. */
async function write(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const part = join(folder, `${name}.part`);
  const handle = await create(folder, part);
  try {
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, join(folder, name));
  } catch (error) {
    await remove(part);
    throw error;
  }
  await sync(folder);
}

/** Makes a file and its folder. Whoever deletes the run meanwhile takes an empty folder away again; that happens once, not ten times. */
async function create(folder: string, file: string, attempts = 10): ReturnType<typeof open> {
  try {
    await makeFolder(folder);
    return await open(file, "wx");
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || attempts === 1) throw error;
    return create(folder, file, attempts - 1);
  }
}

/** Removes what does not count besides a new file, or that file. Resolves with the sequence of a newer one, if that came first. */
async function settle(folder: string, name: string, sequence: bigint): Promise<bigint | undefined> {
  const found = await versions(folder);
  for (const version of found) if (version.name < name) await remove(join(folder, version.name));
  const newest = found.at(-1);
  if (newest === undefined || newest.name <= name) return undefined;
  await remove(join(folder, name));
  return newest.sequence > sequence ? newest.sequence : undefined;
}

/** Removes what processes that died have left half-written. */
async function sweep(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!PART.test(name)) continue;
    const file = join(folder, name);
    const state = await unless("ENOENT", stat(file));
    if (state !== undefined && Date.now() - state.mtimeMs > ABANDONED) await remove(file);
  }
}

/** The ids of all runs in a folder, and in those within it that hold the rest of longer ids. */
async function idsBelow(folder: string, before: readonly string[]): Promise<string[]> {
  const names = await namesIn(folder);
  const found = names.map(async (name) => {
    const inner = join(folder, name);
    if (hasMore(name)) return idsBelow(inner, [...before, name]);
    const id = idOf([...before, name]);
    return id === undefined || (await versions(inner)).length === 0 ? [] : [id];
  });
  return (await Promise.all(found)).flat();
}

/** Makes a folder and those around it, and sees to it that they are on the disk. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let at = folder; at.length >= first.length; at = dirname(at)) await sync(dirname(at));
}

/** Removes the folder of a run, and those around it, as long as they are empty. One that stays does no harm. */
async function removeEmpty(folder: string, root: string): Promise<void> {
  try {
    for (let at = folder; at !== root; at = dirname(at)) await rmdir(at);
  } catch {
    // Something is in it, or it has gone.
  }
}

/** Puts a folder's list of names on the disk, where the system knows that for folders. */
async function sync(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!["EACCES", "EBADF", "EINVAL", "EISDIR", "ENOENT", "ENOTSUP", "EPERM"].includes(codeOf(error))) throw error;
  }
}

const namesIn = async (folder: string): Promise<string[]> => (await unless("ENOENT ENOTDIR", readdir(folder))) ?? [];

/** Resolves with whether the file was there. */
const remove = async (file: string): Promise<boolean> =>
  (await unless(
    "ENOENT",
    unlink(file).then(() => true),
  )) ?? false;

/** What a promise gives; undefined when it is rejected with one of these codes. */
async function unless<T>(codes: string, promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codes.split(" ").includes(codeOf(error))) return undefined;
    throw error;
  }
}

const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | null)?.code);
