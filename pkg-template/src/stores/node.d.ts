// The types of Node's modules that the file store uses, which Deno and Bun have too. Declared here, and not taken from
// @types/node, so that no other file of the package can use Node's globals.

declare module "node:fs/promises" {
  interface FileHandle {
    writeFile(data: Uint8Array): Promise<void>;
    sync(): Promise<void>;
    close(): Promise<void>;
  }
  export function mkdir(folder: string, options: { readonly recursive: true }): Promise<string | undefined>;
  export function open(file: string, flags: "r" | "wx"): Promise<FileHandle>;
  export function readdir(folder: string): Promise<string[]>;
  export function readFile(file: string): Promise<Uint8Array>;
  export function rename(from: string, to: string): Promise<void>;
  export function rmdir(folder: string): Promise<void>;
  export function stat(file: string): Promise<{ readonly mtimeMs: number }>;
  export function unlink(file: string): Promise<void>;
}

declare module "node:path" {
  export function dirname(path: string): string;
  export function join(...parts: readonly string[]): string;
  export function resolve(path: string): string;
}

declare module "node:url" {
  export function fileURLToPath(url: URL): string;
}
