// Leases as files, beside the snapshots of a run. Each claim has a file with its epoch in the name; the highest counts.
//
// 1. A file is created exclusively, so of two processes that want the same epoch, one gets it.
// 2. Only its holder changes it, by renaming a new file over it.
// 3. A file that is empty or incomplete is one that is being written, or whose writer has died: it counts for a while.

import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, namesIn, remove, renamed, unless } from "./files.js";
import { type Lease, isExpected, leaseBytes, leaseFrom } from "./lease.js";
import type { Version } from "./version-names.js";

const LEASE = /^([0-9a-f]{8})\.lease$/;

/** For how many milliseconds an incomplete file counts. */
const INCOMPLETE = 10_000;

type Versions = (folder: string) => Promise<readonly Version[]>;

const fileOf = (folder: string, epoch: number): string => join(folder, `${epoch.toString(16).padStart(8, "0")}.lease`);

/** The epochs of the lease files in a folder, in order. */
async function epochsIn(folder: string): Promise<number[]> {
  const epochs = (await namesIn(folder)).flatMap((name) => LEASE.exec(name)?.[1] ?? []);
  return epochs.map((digits) => Number(`0x${digits}`)).sort((one, other) => one - other);
}

/** The lease of the run in a folder. A snapshot that was saved under a claim remembers its epoch. */
export async function readLease(folder: string, versions: Versions): Promise<Lease | undefined> {
  for (;;) {
    const epoch = (await epochsIn(folder)).at(-1) ?? 0;
    const saved = (await versions(folder)).at(-1)?.epoch ?? 0;
    if (saved > epoch) return { epoch: saved, holder: "", until: 0, length: 1 };
    if (epoch === 0) return undefined;
    const file = fileOf(folder, epoch);
    const bytes = await unless("ENOENT", readFile(file));
    const state = await unless("ENOENT", stat(file));
    // Another process has removed it since.
    if (bytes === undefined || state === undefined) continue;
    return leaseFrom(bytes) ?? { epoch, holder: "", until: state.mtimeMs + INCOMPLETE, length: INCOMPLETE };
  }
}

/** Stores a lease in place of another. See `setLease` of a store's backend. */
export async function changeLease(
  folder: string,
  before: Lease | undefined,
  next: Lease | undefined,
  versions: Versions,
  makeFolder: () => Promise<void>,
): Promise<boolean> {
  if (!isExpected(await readLease(folder, versions), before, next)) return false;
  if (next === undefined) {
    await remove(fileOf(folder, before!.epoch));
    return true;
  }
  const file = fileOf(folder, next.epoch);
  if (next.epoch === before?.epoch) {
    const part = `${file}.${crypto.randomUUID()}.part`;
    await unless("ENOENT", writeNew(part, next));
    return renamed(part, file);
  }
  await makeFolder();
  try {
    await writeNew(file, next);
  } catch (error) {
    // Another was quicker, or has deleted the run and its folder.
    if (["EEXIST", "ENOENT"].includes(codeOf(error))) return false;
    throw error;
  }
  for (const epoch of await epochsIn(folder)) if (epoch < next.epoch) await remove(fileOf(folder, epoch));
  return true;
}

/** Removes all leases of a run that no one holds. */
export async function removeLeases(folder: string): Promise<void> {
  for (const epoch of await epochsIn(folder)) await remove(fileOf(folder, epoch));
}

async function writeNew(file: string, lease: Lease): Promise<void> {
  const handle = await open(file, "wx");
  try {
    await handle.writeFile(leaseBytes(lease));
  } finally {
    await handle.close();
  }
}
