// The store for file systems, for Node, Deno and Bun: `stepstream/stores/file`.
//
// Each run has a folder, and each of its snapshots a file with the epoch and the sequence in its name. The last file in
// order is the current snapshot. So saving needs no locks, and a process that dies leaves none behind:
//
// 1. A file gets its name by a rename, when all of it is on the disk. It never changes, and no name is used twice.
// 2. A process that saves an older snapshot adds a file; it does not replace the newer one.
// 3. Every save removes the outdated files that it finds. A crash before that does no harm.
// 4. A new holder of a claim gives the current snapshot a name with its own epoch (`adopt`). Whatever an earlier holder
//    still writes comes before that in order, also if it was stopped between its check and its write.

import type { Address } from "../util/platform.js";
import { mkdir, open, readFile, rename, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { asBytes } from "../snapshot/header.js";
import { hasMore, idOf, namesOf } from "./names.js";
import type { SnapshotStore } from "./index.js";
import { changeLease, readLease, removeLeases } from "./lease-files.js";
import { checkHeld, remainingOf } from "./lease.js";
import { codeOf, namesIn, remove, renamed, sync, unless } from "./files.js";
import { snapshotStore } from "./snapshot-store.js";
import { type Version, compare, nameOf, versionOf } from "./version-names.js";

const PART = /\.part$/;

/** After how many milliseconds an unfinished file is taken for that of a process that died. */
const ABANDONED = 10 * 60 * 1000;

/**
 * A store in a folder, for Node, Deno and Bun. Several processes can share it: of two snapshots of a run, the newer one
 * is kept, and of two that claim a run, one gets it. When `save` resolves, the snapshot is on the disk. When a process
 * dies during `save`, the snapshot before it is kept.
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
    async put(runId, bytes, sequence, held) {
      const folder = folderOf(runId);
      for (;;) {
        if (held !== undefined) checkHeld(await readLease(folder, versions), held);
        const newest = (await versions(folder)).at(-1);
        const epoch = held?.epoch ?? newest?.epoch ?? 0;
        if (newest !== undefined && newest.sequence > sequence) return newest.sequence;
        const isSame = newest?.sequence === sequence && newest.epoch === epoch;
        const version = newVersion(epoch, sequence, isSame ? newest.again + 1 : 0);
        await sweep(folder);
        await write(folder, version.name, bytes);
        const later = await settle(folder, version);
        if (later === undefined) return undefined;
        // Without a claim, the snapshot belongs to whichever holder there is.
        if (held === undefined && later.epoch > epoch) continue;
        if (held !== undefined) checkHeld(await readLease(folder, versions), held);
        return later.sequence > sequence ? later.sequence : undefined;
      }
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
    async remove(runId, held) {
      const folder = folderOf(runId);
      const lease = await readLease(folder, versions);
      checkHeld(lease, held);
      let isRemoved = false;
      // In order, so that after an interruption the current snapshot is still the same.
      for (const { name } of await versions(folder)) isRemoved = (await remove(join(folder, name))) || isRemoved;
      const isFree = lease !== undefined && remainingOf(lease) === 0;
      // Not if there was nothing: another process may be about to write into its new folder.
      if (!isRemoved && !isFree) return false;
      await sync(folder);
      await sweep(folder);
      if (isFree) await removeLeases(folder);
      await removeEmpty(folder, root);
      return isRemoved;
    },
    ids: () => idsBelow(root, []),
    async adopt(runId, held) {
      const folder = folderOf(runId);
      for (;;) {
        const newest = (await versions(folder)).at(-1);
        if (newest === undefined) return undefined;
        const adopted = newVersion(held.epoch, newest.sequence, 0);
        // Another process may have replaced it since, or replace it now.
        if (!(await renamed(join(folder, newest.name), join(folder, adopted.name)))) continue;
        await sync(folder);
        const bytes = await unless("ENOENT", readFile(join(folder, adopted.name)));
        if (bytes !== undefined) return asBytes(bytes).slice();
      }
    },
    leaseOf: (runId) => readLease(folderOf(runId), versions),
    async setLease(runId, before, next) {
      const folder = folderOf(runId);
      const isChanged = await changeLease(folder, before, next, versions, () => makeFolder(folder));
      if (isChanged && next === undefined) await removeEmpty(folder, root);
      return isChanged;
    },
  });
}

/** The snapshots in a folder, in order; the last one is the current one. */
async function versions(folder: string): Promise<Version[]> {
  return (await namesIn(folder)).flatMap((name) => versionOf(name) ?? []).sort(compare);
}

/** A snapshot that gets a name of its own. */
function newVersion(epoch: number, sequence: bigint, again: number): Version {
  return versionOf(nameOf(epoch, sequence, again, crypto.randomUUID()))!;
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

/** Removes the files before a new one; or that one, and resolves with the later snapshot, if there is one. */
async function settle(folder: string, version: Version): Promise<Version | undefined> {
  const found = await versions(folder);
  for (const other of found) if (compare(other, version) < 0) await remove(join(folder, other.name));
  const newest = found.at(-1);
  if (newest === undefined || compare(newest, version) <= 0) return undefined;
  await remove(join(folder, version.name));
  return newest;
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
