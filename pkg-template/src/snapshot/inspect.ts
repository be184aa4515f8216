// What a snapshot says without its workflow: for lists of runs, for logs, and for whoever wonders why one is so large.

import { RecoverError } from "../errors/errors.js";
import type { RunStatus } from "../model/run.js";
import { ask, readReply } from "../wasm/engine-calls.js";
import { engine } from "../wasm/engine-module.js";
import { condition } from "../wasm/protocol.js";
import { EngineResource } from "../wasm/resources.js";
import { splitPayload, textOf } from "./codec/codec.js";
import { custom, form } from "./codec/form.js";
import { readTypes } from "./document.js";
import { asBytes, headerLength, readHeader } from "./header.js";

/** What {@link inspectSnapshot} finds. */
export interface SnapshotInfo {
  /** The run's id; undefined when the snapshot is sealed. */
  readonly runId: string | undefined;
  /** How many ticks the run has had: of two snapshots of a run, the later one has the higher number. */
  readonly sequence: bigint;
  /** The fingerprint of the workflow, 16 hexadecimal digits. */
  readonly fingerprint: string;
  /** The version of the format. */
  readonly version: number;
  /**
   * Where the run is; undefined when the snapshot is sealed. A run that the program has cancelled is where it was then.
   */
  readonly status: RunStatus | undefined;
  /** How many seconds the run had been alive; undefined when the snapshot is sealed, or the run has completed. */
  readonly alive: number | undefined;
  /** How it is sealed, if it is. What a sealed snapshot says of itself is not verified here. */
  readonly sealed: "signed" | "encrypted" | undefined;
  /**
   * How many bytes its parts take. `total`: all of it. Unless it is sealed, also `header`, with the checksum; `engine`:
   * what the engine knows of the run; `types`: the names of event classes; and, as far as there are any, `payloads`:
   * the events that are under way and the results of `once`; `unread`: the events that were not read; `store`, `data`,
   * `nested` and others. A value that several parts share counts in one of them.
   */
  readonly sizes: Readonly<Record<string, number>>;
}

/**
 * Looks into a snapshot without its workflow. Nothing is restored, and no code of the workflow runs. Of a sealed
 * snapshot it says what the header has, which is not verified before `openSnapshot`.
 *
 * ```ts
 * const { runId, status, sizes } = inspectSnapshot(bytes);
 * console.log(`${runId} is ${status}, and takes ${sizes.total} bytes, ${sizes.store} of them for its store.`);
 * ```
 *
 * @throws RecoverError as `recover`: `SNAPSHOT_FORMAT` (also of a journal), `SNAPSHOT_VERSION`, `SNAPSHOT_TRUNCATED`,
 * `SNAPSHOT_ALTERED`, `SNAPSHOT_INVALID`.
 */
export function inspectSnapshot(snapshot: Uint8Array | ArrayBuffer): SnapshotInfo {
  const bytes = asBytes(snapshot);
  const { kind, version, mode, fingerprint, sequence } = readHeader(bytes);
  if (kind === "J") throw new RecoverError("SNAPSHOT_FORMAT", "It is a journal.");
  const about = { sequence, fingerprint, version };
  if (kind === "X") {
    const sealed = mode === 1 ? "signed" : mode === 2 ? "encrypted" : invalid("Its seal is of no known kind.");
    const sizes = { total: bytes.length };
    return { runId: undefined, ...about, status: undefined, alive: undefined, sealed, sizes };
  }
  const [handle, status, now, later, , begins, length] = ask(() => readReply(engine().snapshot_open(bytes)));
  new EngineResource(handle!, "snapshot_free").free();
  const host = bytes.subarray(begins!, begins! + length!);
  const { body } = readTypes(host);
  const { runId, parts } = readParts(body);
  const sizes = {
    total: bytes.length,
    header: headerLength + SECTIONS,
    engine: bytes.length - headerLength - SECTIONS - host.length,
    types: host.length - body.length,
    ...parts,
  };
  const alive = status === condition.COMPLETED ? undefined : (later! * 2 ** 32 + now!) / 1000;
  return { runId, ...about, status: statusOf(status!), alive, sealed: undefined, sizes };
}

/** The lengths of the two sections, and the checksum. */
const SECTIONS = 16;

function invalid(detail: string): never {
  throw new RecoverError("SNAPSHOT_INVALID", detail);
}

function statusOf(found: number): RunStatus {
  switch (found) {
    case condition.CREATED:
      return "created";
    case condition.RUNNING:
      return "running";
    case condition.WAITING:
      return "waiting";
    case condition.COMPLETED:
      return "completed";
    case condition.CANCELLED:
      return "cancelled";
    default:
      return "failed";
  }
}

/**
 * The run's id, and the size of each member of the document. It is not decoded, which would need the workflow:
 * devalue's text is a flat list of values, which refer to each other by position, and the first is the document.
 */
function readParts(body: Uint8Array): { readonly runId: string; readonly parts: Record<string, number> } {
  let values: unknown;
  try {
    values = JSON.parse(textOf(splitPayload(body).text));
  } catch {
    invalid("The document cannot be read.");
  }
  const document: unknown = Array.isArray(values) ? values[0] : undefined;
  if (typeof document !== "object" || document === null || Array.isArray(document)) invalid("There is no document.");
  const list = values as unknown[];
  const members = document as Readonly<Record<string, unknown>>;
  const runId = list[members["runId"] as number];
  if (typeof runId !== "string" || runId === "") invalid('"runId" is not what it must be.');
  const parts: Record<string, number> = {};
  const met = new Set<unknown>();
  for (const [name, at] of Object.entries(members)) {
    if (name !== "__proto__") parts[name] = sizeOf(list, at, met);
  }
  return { runId, parts };
}

/** The size of a value with everything that it refers to, as far as it was not met before. */
function sizeOf(list: readonly unknown[], root: unknown, met: Set<unknown>): number {
  const encoder = new TextEncoder();
  const open: unknown[] = [root];
  let size = 0;
  while (open.length > 0) {
    const at = open.pop();
    const value = Number.isInteger(at) ? list[at as number] : undefined;
    if (value === undefined || met.has(at)) continue;
    met.add(at);
    // With the comma behind it.
    size += encoder.encode(JSON.stringify(value)).length + 1 + bufferOf(list, value);
    for (const next of referencesOf(value)) open.push(next);
  }
  return size;
}

/** The positions that a value refers to. Texts and lengths may be among them, which stand for no position. */
function referencesOf(value: unknown): Iterable<unknown> {
  if (typeof value !== "object" || value === null) return [];
  if (!Array.isArray(value)) return Object.values(value);
  // An array with holes: -7, its length, then an index and a position for each element.
  return value[0] === -7 ? value.filter((_, nth) => nth >= 3 && nth % 2 === 1) : value;
}

/** How many bytes behind the text belong to a value: those of a buffer. */
function bufferOf(list: readonly unknown[], value: unknown): number {
  if (!Array.isArray(value) || value[0] !== custom) return 0;
  const contents = list[value[1] as number];
  if (!Array.isArray(contents) || list[contents[0] as number] !== form.BUFFER) return 0;
  const length = list[contents[1] as number];
  return typeof length === "number" && length >= 0 ? length : 0;
}
