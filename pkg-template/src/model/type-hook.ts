// How values of users' own classes are carried in snapshots.

/** How the values of a class are carried in snapshots. */
export interface TypeHook {
  /**
   * What to carry in place of a value, as anything that can be carried itself; undefined when the value is not this hook's.
   * Only undefined says so: 0, "", false and null are carried. It is asked about everything that is neither an event, nor a
   * plain object or array, nor a primitive value, in the order in which the hooks are listed.
   */
  encode(value: unknown): unknown;
  /**
   * Makes the value from what `encode` returned. Where that leads back to an object around the value, the object may not
   * be complete yet: keep it, do not look into it.
   */
  decode(carried: never): unknown;
}
