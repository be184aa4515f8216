// The store of a workflow whose state has a schema, as types.

import type { Store } from "./store.js";

/** How deep paths are spelled out. Types may contain themselves. */
type PathDepth = readonly [1, 1, 1, 1, 1, 1];

/** What paths do not lead into. */
type PathEnd = Date | RegExp | ReadonlyMap<never, unknown> | ReadonlySet<never> | ((...args: never) => unknown);

/** The dot paths of a state: `"user"`, `"user.name"`, `"items.0"`. */
export type StatePath<State, Left extends readonly unknown[] = PathDepth> = Left extends readonly [
  unknown,
  ...infer Rest,
]
  ? State extends PathEnd
    ? never
    : State extends readonly (infer Member)[]
      ? `${number}` | `${number}.${StatePath<NonNullable<Member>, Rest>}`
      : State extends object
        ? { [Key in keyof State & string]: Key | `${Key}.${StatePath<NonNullable<State[Key]>, Rest>}` }[keyof State &
            string]
        : never
  : never;

type MemberAt<State, Key extends string> = Key extends keyof State
  ? string extends keyof State
    ? State[Key] | undefined
    : State[Key]
  : State extends readonly (infer Member)[]
    ? Key extends `${number}`
      ? Member | undefined
      : never
    : never;

/** What is at a path of a state. */
export type StateValue<State, Path extends string> = Path extends `${infer Key}.${infer Rest}`
  ? StateValue<NonNullable<MemberAt<State, Key>>, Rest> | Extract<MemberAt<State, Key>, undefined>
  : MemberAt<State, Path>;

/**
 * A {@link Store} whose state has a schema: the option `state` of the workflow. Every change is checked, and one that
 * the schema refuses is a ValidationError `INVALID_STATE` and changes nothing.
 */
export interface TypedStore<State> {
  /** The value at a path, or `fallback` when there is none. */
  get<Path extends StatePath<State>>(path: Path): StateValue<State, Path>;
  get<Path extends StatePath<State>>(
    path: Path,
    fallback: NonNullable<StateValue<State, Path>>,
  ): NonNullable<StateValue<State, Path>>;
  /** Whether there is a value at a path. */
  has(path: StatePath<State>): boolean;
  /** Sets the value at a path. See {@link Store.set}. */
  set<Path extends StatePath<State>>(path: Path, value: StateValue<State, Path>): void;
  /** Changes a copy of the whole state, which then becomes the state. See {@link Store.edit}. */
  edit<Result>(change: (state: State) => Result): Promise<Awaited<Result>>;
  /** Replaces the value at a path by what `update` makes of it, and returns it. See {@link Store.edit}. */
  edit<Path extends StatePath<State>>(
    path: Path,
    update: (value: StateValue<State, Path>) => StateValue<State, Path>,
  ): StateValue<State, Path>;
  /** Deletes what is at a path; the schema may put a default there. Returns whether there was something. */
  delete(path: StatePath<State>): boolean;
  /** Goes back to the defaults of the schema. */
  clear(): void;
  /** Everything, as a plain object; the values are the same, not copies. */
  toJSON(): State;
}

/** The store that handlers of a workflow find: typed when the type of its state is known. */
export type StoreOf<State> = unknown extends State ? Store : TypedStore<State>;
