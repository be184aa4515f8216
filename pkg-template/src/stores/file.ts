// The store for file systems, for Node, Deno and Bun: `stepstream/stores/file`.
//
// Each run has a folder, and each of its snapshots a file with the sequence in its name. The last file in order is the
// current snapshot. So the store needs no locks, and a process that dies leaves none behind:
//
// 1. A file gets its name by a rename, when all of it is on the disk. It never changes, and no name is used twice.
// 2. A process that saves an older snapshot adds a file; it does not replace the newer one.
// 3. Every save removes the outdated files that it finds. A crash before that does no harm.

import type { Address } from "../util/platform.js";
import { mkdir, open, readFile, readdir, rename, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { asBytes } from "../snapshot/header.js";
import { hasMore, idOf, namesOf } from "./names.js";
import type { SnapshotStore } from "./index.js";
import { snapshotStore } from "./snapshot-store.js";

/** The sequence; the number of the save of that sequence; and a UUID, because two processes may count the same. */
const SNAPSHOT = /^([0-9a-f]{16})-([0-9a-f]{8})-[0-9a-f-]{36}\.snapshot$/;
const PART = /\.part$/;

/** After how many milliseconds an unfinished file is taken for that of a process that died. */
const ABANDONED = 10 * 60 * 1000;

/** The file of a snapshot. */
interface Version {
  readonly name: string;
  readonly sequence: bigint;
  /** The number of the save of that sequence, from 0. */
  readonly again: number;
}

/**
 * A store in a folder, for Node, Deno and Bun. Several processes can share it: of two snapshots of a run, the newer one
 * is kept. When `save` resolves, the snapshot is on the disk. When a process dies during `save`, the snapshot before it
 * is kept.
 *
 * ```ts
 * import { fileStore } from "stepstream/stores/file";
 *
 * const store = fileStore("./snapshots");
 * await store.save(context.runId, context.snapshot());
 * ```
 *
 * @param directory A path, or a `file:` URL. It is created when it is needed. The ids of runs are encoded, so that they
 * cannot lead out of it.
 * @throws ValidationError `INVALID_OPTION` when it is neither.
 */
export function fileStore(directory: string | Address): SnapshotStore {
  const isUrl = Object.prototype.toString.call(directory) === "[object URL]";
  if (typeof directory !== "string" && !isUrl) {
    throw new ValidationError("INVALID_OPTION", `The directory is ${describe(directory)}, not a path or a URL.`);
  }
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
          // A listing that is made while one file replaces another may lack both, so it is made twice.
          misses += 1;
          continue;
        }
        // Another process may have replaced it since.
        const bytes = await unless("ENOENT", readFile(join(folder, newest.name)));
        if (bytes !== undefined) return asBytes(bytes).slice();
      }
      return undefined;
    },
    async remove(runId) {
      const folder = folderOf(runId);
      let isRemoved = false;
      // In order, so that after an interruption the current snapshot is still the same.
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

/** The snapshots in a folder, in order; the last one is the current one. */
async function versions(folder: string): Promise<Version[]> {
  const names = (await namesIn(folder)).sort();
  return names.flatMap((name) => {
    const [, sequence, again] = SNAPSHOT.exec(name) ?? [];
    return sequence === undefined ? [] : { name, sequence: BigInt(`0x${sequence}`), again: Number(`0x${again}`) };
  });
}

/** Writes a file, which gets its name when all of it is on the disk. */
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

/**
 * Creates a file and its folder. Another process that deletes the run may remove the empty folder in between; then
 * again.
 */
async function create(folder: string, file: string, attempts = 10): ReturnType<typeof open> {
  try {
    await makeFolder(folder);
    return await open(file, "wx");
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || attempts === 1) throw error;
    return create(folder, file, attempts - 1);
  }
}

/**
 * Removes the files before a new one; or that one, and resolves with the newer sequence, if there is a newer snapshot.
 */
async function settle(folder: string, name: string, sequence: bigint): Promise<bigint | undefined> {
  const found = await versions(folder);
  for (const version of found) if (version.name < name) await remove(join(folder, version.name));
  const newest = found.at(-1);
  if (newest === undefined || newest.name <= name) return undefined;
  await remove(join(folder, name));
  return newest.sequence > sequence ? newest.sequence : undefined;
}

/** Removes unfinished files of processes that died. */
async function sweep(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!PART.test(name)) continue;
    const file = join(folder, name);
    const state = await unless("ENOENT", stat(file));
    if (state !== undefined && Date.now() - state.mtimeMs > ABANDONED) await remove(file);
  }
}

/** The ids of all runs in a folder, and in its folders for long ids. */
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

/** Creates a folder with its parents, on the disk. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let at = folder; at.length >= first.length; at = dirname(at)) await sync(dirname(at));
}

/** Removes the folder of a run and its parents as far as they are empty. A folder that is left does no harm. */
async function removeEmpty(folder: string, root: string): Promise<void> {
  try {
    for (let at = folder; at !== root; at = dirname(at)) await rmdir(at);
  } catch {
    // It is not empty, or does not exist any more.
  }
}

/** Writes a folder's entries to the disk, where the system supports that. */
async function sync(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!["EACCES", "EBADF", "EINVAL", "EISDIR", "ENOENT", "ENOTSUP", "EPERM"].includes(codeOf(error))) throw error;
  }
}

const namesIn = async (folder: string): Promise<string[]> => (await unless("ENOENT ENOTDIR", readdir(folder))) ?? [];

/** Removes a file; resolves with whether it existed. */
const remove = async (file: string): Promise<boolean> =>
  (await unless(
    "ENOENT",
    unlink(file).then(() => true),
  )) ?? false;

/** The value of a promise; undefined when it rejects with an error that has one of these codes. */
async function unless<T>(codes: string, promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codes.split(" ").includes(codeOf(error))) return undefined;
    throw error;
  }
}

const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | null)?.code);
