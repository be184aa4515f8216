// The header that everything stepstream writes begins with, so that a snapshot, a journal and a sealed snapshot can be
// told apart, refused when they are too new, and put in order, without reading what follows.

import { RecoverError } from "../errors/errors.js";
import { describe } from "../util/describe.js";

/** What the bytes are: a snapshot, a journal, a sealed snapshot. */
export type HeaderKind = "S" | "J" | "X";

/** How many bytes the header has. All its numbers are little-endian. */
export const headerLength = 24;

/** The newest version of the format. Older ones are read too. */
export const formatVersion = 3;

/** Where in the header a field begins. */
export const headerOffset = { kind: 4, version: 5, mode: 6, fingerprint: 8, sequence: 16 } as const;

/** What a header says. */
export interface Header {
  readonly kind: HeaderKind;
  /** Version of the format. */
  readonly version: number;
  /** Of a sealed snapshot: 1 for HMAC-SHA-256, 2 for AES-256-GCM; else 0. */
  readonly mode: number;
  /**
   * The workflow's fingerprint, 16 hexadecimal digits. Version 1 had another one for workflows with steps without a
   * name.
   */
  readonly fingerprint: string;
  /** How many ticks the run has taken, over all its lives: a newer snapshot of a run has a higher one. */
  readonly sequence: bigint;
}

/** "STEP" */
const magic = [0x53, 0x54, 0x45, 0x50];
const kinds: readonly number[] = [0x53, 0x4a, 0x58];

/** Bytes as a Uint8Array over the same memory. @throws RecoverError `SNAPSHOT_FORMAT` when it is something else. */
export function asBytes(value: unknown): Uint8Array {
  // By its tag, not by instanceof: bytes of another realm, such as a frame's or a test runner's, are bytes as well.
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (Object.prototype.toString.call(value) === "[object ArrayBuffer]") return new Uint8Array(value as ArrayBuffer);
  throw new RecoverError("SNAPSHOT_FORMAT", `A Uint8Array or an ArrayBuffer is needed; this is ${describe(value)}.`);
}

/** Writes a header at the beginning of `bytes`. */
export function writeHeader(bytes: Uint8Array, header: Header): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  bytes.set(magic);
  bytes[headerOffset.kind] = header.kind.charCodeAt(0);
  bytes[headerOffset.version] = header.version;
  bytes[headerOffset.mode] = header.mode;
  view.setBigUint64(headerOffset.fingerprint, BigInt(`0x${header.fingerprint}`), true);
  view.setBigUint64(headerOffset.sequence, header.sequence, true);
}

/**
 * Reads the header; looks at nothing behind it.
 *
 * @throws RecoverError `SNAPSHOT_FORMAT` when stepstream did not write it, `SNAPSHOT_VERSION` when a newer stepstream
 * did, `SNAPSHOT_TRUNCATED` when it ends too early.
 */
export function readHeader(bytes: Uint8Array): Header {
  // What is there is looked at first: three bytes of a text are a text, not the beginning of a snapshot.
  if (magic.some((byte, at) => at < bytes.length && bytes[at] !== byte)) throw new RecoverError("SNAPSHOT_FORMAT");
  const kind = bytes[headerOffset.kind];
  const version = bytes[headerOffset.version];
  if ((kind !== undefined && !kinds.includes(kind)) || version === 0) throw new RecoverError("SNAPSHOT_FORMAT");
  if (version !== undefined && version > formatVersion) {
    throw new RecoverError("SNAPSHOT_VERSION", `They have version ${version} of the format.`);
  }
  if (bytes.length < headerLength) throw new RecoverError("SNAPSHOT_TRUNCATED");
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerLength);
  return {
    kind: String.fromCharCode(kind!) as HeaderKind,
    version: version!,
    mode: bytes[headerOffset.mode]!,
    fingerprint: view.getBigUint64(headerOffset.fingerprint, true).toString(16).padStart(16, "0"),
    sequence: view.getBigUint64(headerOffset.sequence, true),
  };
}
