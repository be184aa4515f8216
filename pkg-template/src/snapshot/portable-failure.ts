// Failures for snapshots. A step may throw errors that hold anything: requests, sockets, functions. A run between two
// attempts must have a snapshot all the same, so what cannot be written of an error is left out.

import { SnapshotError } from "../errors/errors.js";
import { StepFailedEvent } from "../model/events.js";
import { encodePayload } from "./codec/codec.js";
import type { CodecContext } from "./codec/context.js";

/** Longer chains of causes are cut. */
const MOST_CAUSES = 16;

function isPortable(value: unknown, codec: CodecContext): boolean {
  try {
    encodePayload(value, codec);
    return true;
  } catch (error) {
    if (error instanceof SnapshotError) return false;
    throw error;
  }
}

/** A copy of an error with those of its properties that can be written. */
function portableError(error: Error, codec: CodecContext, depth: number): Error {
  if (depth === 0 || isPortable(error, codec)) return error;
  const copy = Object.create(Object.getPrototypeOf(error) as object) as Error;
  for (const key of Object.getOwnPropertyNames(error)) {
    const descriptor = Object.getOwnPropertyDescriptor(error, key)!;
    let value: unknown = (error as unknown as Record<string, unknown>)[key];
    if (key === "cause" && value instanceof Error && depth > 1) value = portableError(value, codec, depth - 1);
    if (!isPortable(value, codec)) continue;
    const enumerable = descriptor.enumerable === true;
    Object.defineProperty(copy, key, { value, enumerable, writable: true, configurable: true });
  }
  return copy;
}

/** A payload as it goes into a snapshot: a failure with an error that can be written, and anything else as it is. */
export function portablePayload(payload: unknown, codec: CodecContext): unknown {
  if (!(payload instanceof StepFailedEvent) || isPortable(payload, codec)) return payload;
  const { error, ...rest } = payload.data;
  const copy = Object.create(Object.getPrototypeOf(payload) as object) as StepFailedEvent;
  // Of a subclass, too, which may have members of its own.
  return Object.assign(copy, payload, { data: { error: portableError(error, codec, MOST_CAUSES), ...rest } });
}
