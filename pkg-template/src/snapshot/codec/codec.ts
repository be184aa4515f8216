// The payload codec: writes the values in a snapshot as bytes, and reads them. devalue handles JavaScript's own types,
// repeated references and cycles; the files `codec-*.ts` add events, errors, binary data and users' classes.
//
// The bytes are devalue's text in UTF-8. If there is binary data, a zero byte and the contents of all buffers follow.

import { stringify, unflatten } from "devalue";
import { RecoverError, SnapshotError } from "../../errors/errors.js";
import type { CodecContext } from "./context.js";
import { isError } from "./errors.js";
import { Revival } from "./read.js";
import { custom } from "./form.js";
import { Refusal, createWalk } from "./write.js";
import { describe } from "../../util/describe.js";

const zero = Uint8Array.of(0);

/**
 * Writes a value as bytes.
 *
 * @param pathFor Converts a path for messages, where users know the value by another name.
 * @throws SnapshotError `SNAPSHOT_VALUE` with the `path` from `value` to the part that cannot be written.
 */
export function encodePayload(
  value: unknown,
  context: CodecContext,
  pathFor: (path: string) => string = (path) => path,
): Uint8Array {
  const walk = createWalk(context);
  let text: Uint8Array;
  try {
    text = new TextEncoder().encode(stringify(value, { [custom]: walk.reduce }, { operations: walk.operations }));
  } catch (thrown) {
    const path = pathFor(walk.path());
    const what = path === "" ? "The value" : path;
    const isRefusal = isA(Refusal, thrown);
    const detail = isRefusal ? `${what} ${thrown.message}.` : `${what} cannot be read: ${reasonOf(thrown)}.`;
    throw new SnapshotError("SNAPSHOT_VALUE", detail, isRefusal ? { path } : { path, cause: thrown });
  }
  return walk.buffers.length === 0 ? text : concatenate([text, zero, ...walk.buffers]);
}

/**
 * Reads a value from bytes. Time and memory are in proportion to the length, whatever the bytes are.
 *
 * @throws RecoverError `EVENT_MISSING` when `context` does not know an event's class, `SNAPSHOT_INVALID` when the bytes
 * are not from {@link encodePayload} or a hook fails.
 */
export function decodePayload(bytes: Uint8Array, context: CodecContext): unknown {
  try {
    const { text, binary } = splitPayload(bytes);
    const revival = new Revival(context, binary);
    const value: unknown = unflatten(JSON.parse(textOf(text)) as unknown[], revival.revivers, {
      operations: revival.operations,
    });
    revival.finish();
    return value;
  } catch (thrown) {
    if (isA(RecoverError, thrown)) throw thrown;
    throw new RecoverError("SNAPSHOT_INVALID", `A value cannot be restored: ${reasonOf(thrown)}.`, { cause: thrown });
  }
}

/** The two parts of what {@link encodePayload} wrote: devalue's text in UTF-8, and the contents of all buffers. */
export function splitPayload(bytes: Uint8Array): { readonly text: Uint8Array; readonly binary: Uint8Array } {
  // The text has no zero byte: it is escaped there.
  const end = bytes.indexOf(0);
  if (end === -1) return { text: bytes, binary: bytes.subarray(0, 0) };
  return { text: bytes.subarray(0, end), binary: bytes.subarray(end + 1) };
}

/** Bytes in UTF-8 as text. @throws TypeError when they are something else. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** As `instanceof`, which throws for some proxies. */
function isA<Thrown>(kind: abstract new (...args: never[]) => Thrown, thrown: unknown): thrown is Thrown {
  try {
    return thrown instanceof kind;
  } catch {
    return false;
  }
}

/** The message of what was thrown. */
function reasonOf(thrown: unknown): string {
  try {
    return isError(thrown) ? String(thrown.message) : describe(thrown);
  } catch {
    return "what was thrown cannot be read either";
  }
}

/** Bytes, one after another. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
