// Durations: users give seconds, the engine takes milliseconds.

import { ValidationError } from "./errors.js";

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

/** A value in a few words, for messages. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (typeof value === "object" && value !== null) {
    let name: unknown;
    try {
      name = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)?.constructor?.name;
    } catch {
      // A proxy, or a getter, that throws.
    }
    return typeof name === "string" && name !== "" ? `an instance of ${name}` : "an object";
  }
  return String(value);
}
