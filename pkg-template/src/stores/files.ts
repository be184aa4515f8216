// The little of a file system that the file store uses in several places.

import { open, readdir, rename, unlink } from "node:fs/promises";

export const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | null)?.code);

/** The value of a promise; undefined when it rejects with an error that has one of these codes. */
export async function unless<T>(codes: string, promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codes.split(" ").includes(codeOf(error))) return undefined;
    throw error;
  }
}

export const namesIn = async (folder: string): Promise<string[]> =>
  (await unless("ENOENT ENOTDIR", readdir(folder))) ?? [];

/** Removes a file; resolves with whether it existed. */
export const remove = async (file: string): Promise<boolean> =>
  (await unless(
    "ENOENT",
    unlink(file).then(() => true),
  )) ?? false;

/** Renames a file; resolves with whether it existed. */
export const renamed = async (from: string, to: string): Promise<boolean> =>
  (await unless(
    "ENOENT",
    rename(from, to).then(() => true),
  )) ?? false;

/** Writes a folder's entries to the disk, where the system supports that. */
export async function sync(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!["EACCES", "EBADF", "EINVAL", "EISDIR", "ENOENT", "ENOTSUP", "EPERM"].includes(codeOf(error))) throw error;
  }
}
