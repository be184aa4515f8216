// How values of users' own classes are written into snapshots.

/** How the values of a class are written into snapshots. */
export interface TypeHook {
  /**
   * Returns what to write in place of a value: anything that a snapshot can hold. Returns undefined for a value that is
   * not this hook's; only undefined means that, so 0, "", false and null are written. The hooks are asked in the order
   * in which they are listed, about everything that is neither an event, nor a plain object or array, nor a primitive
   * value.
   */
  encode(value: unknown): unknown;
  /**
   * Makes the value from what `encode` returned. If that refers to an object that contains the value, the object may be
   * incomplete at this time: keep it, but do not read its members yet.
   */
  decode(carried: never): unknown;
}
