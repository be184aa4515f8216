// What the behaviour tests have in common. It watches the console and unhandled rejections as well: see guard.ts.

import { WorkflowError, type WorkflowEvent } from "stepstream";
import { expect } from "vitest";
import "./guard.js";

export { takePrinted } from "./guard.js";

/** Everything that an iterable gives, and the error it ends with, if it does. */
export async function collect(
  iterable: AsyncIterable<WorkflowEvent>,
): Promise<{ events: WorkflowEvent[]; error: unknown }> {
  const events: WorkflowEvent[] = [];
  try {
    for await (const event of iterable) events.push(event);
  } catch (error) {
    return { events, error };
  }
  return { events, error: undefined };
}

/** The names of the classes of events. */
export function kinds(events: readonly WorkflowEvent[]): string[] {
  return events.map((event) => event.constructor.name);
}

// As they are on the real clock; a test may have a fake one.
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis;

/** Waits until timers, I/O and promises that are due have had their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A promise with its functions outside. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** In milliseconds: so long that only what hangs takes longer, however busy the machine. Less than a test has. */
const HANG = 120_000;

/** The value of a promise that must settle: a test that hangs should say at which line. */
export async function soon<T>(promise: PromiseLike<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = startTimer(() => reject(new Error(`Not settled after ${HANG} ms.`)), HANG);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    stopTimer(timer);
  }
}

/** What a promise, a thenable or a function is rejected with or throws; it must fail, and soon. */
export async function failure(work: PromiseLike<unknown> | (() => unknown)): Promise<unknown> {
  try {
    await soon(Promise.resolve(typeof work === "function" ? work() : work));
  } catch (error) {
    return error;
  }
  return expect.unreachable("It should have failed.");
}

type ErrorClass = abstract new (...args: never[]) => Error;

/** Asserts that something fails with an error of exactly this class and code, and gives the error. */
export async function fails(
  work: PromiseLike<unknown> | (() => unknown),
  kind: ErrorClass,
  code: string,
): Promise<WorkflowError> {
  const error = await failure(work);
  expectError(error, kind, code);
  return error as WorkflowError;
}

/** Asserts that a value is an error of exactly this class and code. */
export function expectError(error: unknown, kind: ErrorClass, code: string): void {
  expect(error).toBeInstanceOf(WorkflowError);
  const { constructor, name, code: actual, message } = error as WorkflowError;
  expect({ class: constructor.name, name, code: actual }).toEqual({ class: kind.name, name: kind.name, code });
  expect(message.length).toBeGreaterThan(10);
}
