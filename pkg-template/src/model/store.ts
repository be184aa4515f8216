// The store: a run's own state, read and written by dot paths.

import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { isThenable } from "../util/thenable.js";

type Container = Record<string, unknown>;

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

function parse(path: string): string[] {
  const keys = typeof path === "string" ? path.split(".") : [];
  // `__proto__` would reach out of the store into every object.
  if (keys.length === 0 || keys.some((key) => key === "" || key === "__proto__")) {
    throw new ValidationError("INVALID_STORE", `The path is ${describe(path)}.`);
  }
  return keys;
}

/**
 * A run's state: plain values under dot paths (`"user.name"`, `"items.0"`). Snapshots contain it, so it should hold
 * data only. The next run uses it too when it gets `{ context }`.
 */
export class Store {
  readonly #root: Container = Object.create(null) as Container;

  /** @param contents What is in it at the beginning. */
  constructor(contents: Readonly<Record<string, unknown>> = {}) {
    Object.assign(this.#root, contents);
  }

  /** The value at a path, or `fallback` (default: undefined) when there is none. */
  get<Value = unknown>(path: string): Value | undefined;
  get<Value>(path: string, fallback: Value): Value;
  get(path: string, fallback?: unknown): unknown {
    let at: unknown = this.#root;
    for (const key of parse(path)) {
      if (!isContainer(at) || !Object.hasOwn(at, key)) return fallback;
      at = at[key];
    }
    return at === undefined ? fallback : at;
  }

  /** Whether there is a value at a path. */
  has(path: string): boolean {
    return this.get(path) !== undefined;
  }

  /**
   * Sets the value at a path. Objects on the way that do not exist are made.
   *
   * @throws ValidationError `INVALID_STORE` when the path leads through something that is not an object.
   */
  set(path: string, value: unknown): void {
    const keys = parse(path);
    const last = keys.pop() as string;
    let at: Container = this.#root;
    for (const key of keys) {
      const next: unknown = Object.hasOwn(at, key) ? at[key] : undefined;
      if (next === undefined) {
        at = at[key] = {} as Container;
      } else if (isContainer(next)) {
        at = next;
      } else {
        throw new ValidationError("INVALID_STORE", `"${path}" leads through "${key}", which is ${describe(next)}.`);
      }
    }
    at[last] = value;
  }

  /**
   * Replaces the value at a path by what `update` makes of it, and returns it. Nothing can come in between, so `update`
   * must not be async.
   *
   * ```ts
   * context.store.edit<number>("calls", (calls = 0) => calls + 1);
   * ```
   *
   * @throws ValidationError `INVALID_STORE` when `update` returns a promise; the store stays as it was.
   */
  edit<Value = unknown>(path: string, update: (value: Value | undefined) => Value): Value {
    const value = update(this.get<Value>(path));
    if (isThenable(value)) {
      // Its rejection must not be reported as well.
      Promise.resolve(value).catch(() => undefined);
      throw new ValidationError(
        "INVALID_STORE",
        `edit("${path}") got an async function. Await what it needs first, and edit with the result.`,
      );
    }
    this.set(path, value);
    return value;
  }

  /** Deletes what is at a path. Returns whether there was something. */
  delete(path: string): boolean {
    const keys = parse(path);
    const last = keys.pop() as string;
    const at = keys.length === 0 ? this.#root : this.get(keys.join("."));
    return isContainer(at) && Object.hasOwn(at, last) && Reflect.deleteProperty(at, last);
  }

  /** Deletes everything. */
  clear(): void {
    for (const key of Object.keys(this.#root)) Reflect.deleteProperty(this.#root, key);
  }

  /** Everything, as a plain object; the values are the same, not copies. */
  toJSON(): Record<string, unknown> {
    return { ...this.#root };
  }
}
