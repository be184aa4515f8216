// The store: a run's own state, read and written by dot paths.
//
// 1. Where the workflow has a schema for it, a change is made to a copy, checked, and only then taken over.
// 2. One `edit` of the whole state is under way at a time. What would change the state meanwhile waits, or is refused.
// 3. Each handler has a store of its own upon the same core, so that an edit knows whose it is.
// `tests/js/core/state.test.ts` guards them.

import { CancelledError, ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { isThenable } from "../util/thenable.js";
import { deepCopy, isContainer, shallowCopy } from "./copy.js";
import type { StateSchema } from "./state-schema.js";

type Container = Record<string, unknown>;

function parse(path: string): string[] {
  const keys = typeof path === "string" ? path.split(".") : [];
  // `__proto__` would reach out of the store into every object.
  if (keys.length === 0 || keys.some((key) => key === "" || key === "__proto__")) {
    throw new ValidationError("INVALID_STORE", `The path is ${describe(path)}.`);
  }
  return keys;
}

function rootOf(contents: Readonly<Container>): Container {
  return Object.assign(Object.create(null) as Container, contents);
}

/** A change of the whole state that is under way, or waits for its turn. */
interface Edit {
  readonly owner: Store;
  begin(): void;
  /** It does not happen. */
  drop(reason: Error): void;
}

/** What the stores of a run and of its handlers share. */
interface Core {
  root: Container;
  schema: StateSchema | undefined;
  edit: Edit | undefined;
  waiting: readonly Edit[];
  /** The run that is alive upon it. */
  user: object | undefined;
}

const NOTHING: readonly Edit[] = [];

let coreOf: (store: Store) => Core;
let storeOf: (core: Core) => Store;

/**
 * A run's state: plain values under dot paths (`"user.name"`, `"items.0"`). Snapshots contain it, so it should hold
 * data only. The next run uses it too when it gets `{ context }`.
 *
 * With the option `state` of the workflow, every change is checked against that schema. A change that it refuses is a
 * ValidationError `INVALID_STATE`, and the state stays as it was. While an `edit` of the whole state is under way,
 * other changes but such edits are refused: `STORE_BUSY`.
 */
export class Store {
  readonly #core: Core;

  private constructor(core: Core) {
    this.#core = core;
  }

  static {
    coreOf = (store) => store.#core;
    storeOf = (core) => new Store(core);
  }

  /** The value at a path, or `fallback` (default: undefined) when there is none. */
  get<Value = unknown>(path: string): Value | undefined;
  get<Value>(path: string, fallback: Value): Value;
  get(path: string, fallback?: unknown): unknown {
    let at: unknown = this.#core.root;
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
   * `INVALID_STATE`, `STORE_BUSY`.
   */
  set(path: string, value: unknown): void {
    const keys = parse(path);
    this.#change(keys, (root) => {
      const last = keys.pop() as string;
      let at = root;
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
    });
  }

  /**
   * Changes the whole state: `change` gets a copy, which it changes in place, and may be async. When it is done, the
   * copy becomes the state. When it throws, nothing has changed. Other edits wait meanwhile, in their order. Resolves
   * with what `change` returns.
   *
   * ```ts
   * const count = await context.store.edit(async (state) => {
   *   state.rates = await fetchRates();
   *   return (state.count += 1);
   * });
   * ```
   *
   * Objects of your own classes are not copied. When the attempt ends before `change` is done, its edit does not
   * happen.
   *
   * @throws ValidationError `NESTED_EDIT` when the same handler has an edit under way, `INVALID_STATE` when the schema
   * refuses the result. CancelledError `ATTEMPT_ENDED`.
   */
  // A program says what its state is; what is not said can be read as anything, and checked by a schema.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  edit<Result>(change: (state: Record<string, any>) => Result): Promise<Awaited<Result>>;
  /**
   * Replaces the value at a path by what `update` makes of it, and returns it. Nothing can come in between, so `update`
   * must not be async.
   *
   * ```ts
   * context.store.edit<number>("calls", (calls = 0) => calls + 1);
   * ```
   *
   * @throws ValidationError `INVALID_STORE` when `update` returns a promise; the store stays as it was.
   * `INVALID_STATE`, `STORE_BUSY`.
   */
  edit<Value = unknown>(path: string, update: (value: Value | undefined) => Value): Value;
  edit(what: unknown, update?: (value: unknown) => unknown): unknown {
    if (typeof what === "function") return this.#edit(what as (state: Container) => unknown);
    const path = what as string;
    if (typeof update !== "function") {
      throw new ValidationError("INVALID_STORE", `The function of edit(${describe(path)}) is ${describe(update)}.`);
    }
    const value = update(this.get(path));
    if (isThenable(value)) {
      // Its rejection must not be reported as well.
      Promise.resolve(value).catch(() => undefined);
      throw new ValidationError(
        "INVALID_STORE",
        `edit("${path}") got an async function. Use edit(async (state) => …), or await first what it needs.`,
      );
    }
    this.set(path, value);
    return value;
  }

  /** Deletes what is at a path. Returns whether there was something. */
  delete(path: string): boolean {
    const keys = parse(path);
    return this.#change(keys, (root) => {
      const last = keys.pop() as string;
      let at: unknown = root;
      for (const key of keys) at = isContainer(at) && Object.hasOwn(at, key) ? at[key] : undefined;
      return isContainer(at) && Object.hasOwn(at, last) && Reflect.deleteProperty(at, last);
    });
  }

  /** Deletes everything; with a schema, what is left are its defaults. */
  clear(): void {
    this.#checkFree();
    const core = this.#core;
    core.root = rootOf(core.schema?.defaults() ?? {});
  }

  /** Everything, as a plain object; the values are the same, not copies. */
  toJSON(): Record<string, unknown> {
    return { ...this.#core.root };
  }

  #checkFree(): void {
    if (this.#core.edit !== undefined) throw new ValidationError("STORE_BUSY");
  }

  /** Makes a change along a path: in place, or where it is to be checked, to a copy. */
  #change<Result>(keys: readonly string[], change: (root: Container) => Result): Result {
    this.#checkFree();
    const core = this.#core;
    if (core.schema === undefined) return change(core.root);
    const root = shallowCopy(core.root) as Container;
    let at = root;
    for (const key of keys.slice(0, -1)) {
      const next: unknown = Object.hasOwn(at, key) ? at[key] : undefined;
      if (!isContainer(next)) break;
      at = at[key] = shallowCopy(next) as Container;
    }
    const result = change(root);
    core.root = rootOf(core.schema.check(root));
    return result;
  }

  #edit(change: (state: Container) => unknown): Promise<unknown> {
    const core = this.#core;
    return new Promise((resolve, reject) => {
      if ([core.edit, ...core.waiting].some((other) => other?.owner === this)) {
        throw new ValidationError("NESTED_EDIT");
      }
      let isOver = false;
      const end = (settle: () => void): void => {
        if (isOver) return;
        isOver = true;
        if (core.edit !== edit) {
          core.waiting = core.waiting.filter((other) => other !== edit);
        } else {
          core.edit = undefined;
          const [next, ...rest] = core.waiting;
          core.waiting = rest.length === 0 ? NOTHING : rest;
          next?.begin();
        }
        settle();
      };
      const fail = (error: unknown): void => end(() => reject(error as Error));
      const edit: Edit = {
        owner: this,
        begin: () => {
          core.edit = edit;
          try {
            const state = deepCopy(core.root);
            const finish = (result: unknown): void => {
              if (isOver) return;
              try {
                core.root = core.schema === undefined ? state : rootOf(core.schema.check(state));
              } catch (error) {
                fail(error);
                return;
              }
              end(() => resolve(result));
            };
            const returned = change(state);
            if (isThenable(returned)) Promise.resolve(returned).then(finish, fail);
            else finish(returned);
          } catch (error) {
            fail(error);
          }
        },
        drop: fail,
      };
      if (core.edit === undefined) edit.begin();
      else core.waiting = [...core.waiting, edit];
    });
  }
}

/** A store with contents; without, with the defaults of the schema. */
export function makeStore(contents?: Readonly<Container>, schema?: StateSchema): Store {
  const root = rootOf(contents ?? schema?.defaults() ?? {});
  return storeOf({ root, schema, edit: undefined, waiting: NOTHING, user: undefined });
}

/** The same store for another handler. */
export function storeFor(store: Store): Store {
  return storeOf(coreOf(store));
}

/** The attempt whose store it is has ended: its edits do not happen. */
export function dropEdits(store: Store, reason: Error, step: string): void {
  const { edit, waiting } = coreOf(store);
  const error = (): Error => new CancelledError("ATTEMPT_ENDED", `The step is "${step}".`, { cause: reason });
  // Those that wait first, so that none of them begins.
  for (const other of [...waiting, edit]) if (other?.owner === store) other.drop(error());
}

/**
 * Whether a run may use the store of an earlier one.
 *
 * @throws ValidationError `STORE_IN_USE` while another run uses it, `INVALID_STATE` when its contents do not fit.
 */
export function checkStore(store: Store, schema: StateSchema | undefined): void {
  const { user, root } = coreOf(store);
  if (user !== undefined) throw new ValidationError("STORE_IN_USE");
  schema?.check(root);
}

/** A run begins to use a store. @throws ValidationError as {@link checkStore} */
export function claimStore(store: Store, user: object, schema: StateSchema | undefined): void {
  const core = coreOf(store);
  if (core.user === user) return;
  if (core.user !== undefined) throw new ValidationError("STORE_IN_USE");
  if (core.schema !== schema) {
    if (schema !== undefined) core.root = rootOf(schema.check(core.root));
    core.schema = schema;
  }
  core.user = user;
}

/** A run has ended: another may use its store. */
export function leaveStore(store: Store, user: object): void {
  const core = coreOf(store);
  if (core.user !== user) return;
  core.user = undefined;
  // What is still under way belonged to the run.
  const { edit, waiting } = core;
  if (edit === undefined) return;
  for (const other of [...waiting, edit]) other.drop(new CancelledError("ATTEMPT_ENDED", "The run has ended."));
}
