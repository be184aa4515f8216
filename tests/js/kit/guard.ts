// Holds every test of a file to what all runs promise: no promise left rejected and unheard, and nothing on the console.
// Importing it is enough.

import { afterEach, beforeEach, expect, vi } from "vitest";

const METHODS = ["debug", "error", "info", "log", "trace", "warn"] as const;

// As it is on the real clock; a test may have a fake one.
const { setImmediate: afterThisTurn } = globalThis;

let unhandled: unknown[] = [];
let printed: unknown[][] = [];
let expected = 0;

const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

beforeEach(() => {
  unhandled = [];
  printed = [];
  expected = 0;
  process.on("unhandledRejection", onUnhandled);
  for (const method of METHODS) {
    vi.spyOn(console, method).mockImplementation((...line: unknown[]) => void printed.push(line));
  }
});

afterEach(async () => {
  // Node reports unhandled rejections when the microtasks are done.
  await new Promise((resolve) => afterThisTurn(resolve));
  await new Promise((resolve) => afterThisTurn(resolve));
  process.off("unhandledRejection", onUnhandled);
  vi.restoreAllMocks();
  expect(unhandled, "unhandled rejections").toEqual([]);
  expect(printed.slice(expected), "console output").toEqual([]);
});

/** What was printed so far; from a test that expects it. */
export function takePrinted(): string[] {
  expected = printed.length;
  return printed.map((line) => line.map(String).join(" "));
}
