// Durations: users give seconds, the engine takes milliseconds.

import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";

/** Stands for "no duration" on the way to the engine. */
export const NONE = -1;

/** Milliseconds for a duration in seconds; Infinity, null and undefined are none. */
export function milliseconds(seconds: number | null | undefined, what: string): number {
  if (seconds === undefined || seconds === null || seconds === Infinity) return NONE;
  if (typeof seconds !== "number" || !(seconds >= 0)) {
    throw new ValidationError("INVALID_DURATION", `${what} is ${describe(seconds)}.`);
  }
  return seconds * 1000;
}
