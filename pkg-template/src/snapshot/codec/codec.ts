// The payload codec: what steps send, keep and wait for, as bytes. Values go through devalue, which knows JavaScript's own
// types, repeated references and cycles; this file and its neighbours add events, errors, binary data and users' classes.
//
// The bytes are devalue's text in UTF-8; if there is binary data, a zero byte and the contents of all buffers follow.

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
 * A value as bytes.
 *
 * @param pathFor What users call a path, where it is not what they see.
 * @throws SnapshotError `SNAPSHOT_VALUE` with the `path` from `value` to what cannot be carried.
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
 * The value that bytes stand for. Takes time and memory in proportion to the bytes, whatever they are.
 *
 * @throws RecoverError `EVENT_MISSING` when `context` does not know an event's class, `SNAPSHOT_INVALID` when the bytes
 * are not what {@link encodePayload} made or a hook fails.
 */
export function decodePayload(bytes: Uint8Array, context: CodecContext): unknown {
  try {
    // A zero byte cannot be in the text, which has it escaped.
    const end = bytes.indexOf(0);
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const text = decoder.decode(end === -1 ? bytes : bytes.subarray(0, end));
    const revival = new Revival(context, end === -1 ? bytes.subarray(0, 0) : bytes.subarray(end + 1));
    const value: unknown = unflatten(JSON.parse(text) as unknown[], revival.revivers, {
      operations: revival.operations,
    });
    revival.finish();
    return value;
  } catch (thrown) {
    if (isA(RecoverError, thrown)) throw thrown;
    throw new RecoverError("SNAPSHOT_INVALID", `A value cannot be restored: ${reasonOf(thrown)}.`, { cause: thrown });
  }
}

/** As `instanceof`, of which a proxy that was thrown may make another error. */
function isA<Thrown>(kind: abstract new (...args: never[]) => Thrown, thrown: unknown): thrown is Thrown {
  try {
    return thrown instanceof kind;
  } catch {
    return false;
  }
}

/** What was thrown, in words. */
function reasonOf(thrown: unknown): string {
  try {
    return isError(thrown) ? String(thrown.message) : describe(thrown);
  } catch {
    return "what was thrown cannot be read either";
  }
}

/** Bytes in a row. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
