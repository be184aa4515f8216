// Copies of plain values, so that a change can be made and thrown away.

type Members = Record<PropertyKey, unknown>;

/** Whether a value has members that dot paths lead to. */
export function isContainer(value: unknown): value is Members {
  return typeof value === "object" && value !== null;
}

/** A copy of one level: the members are the same. */
export function shallowCopy(value: Members): Members {
  if (Array.isArray(value)) return value.slice() as unknown as Members;
  const copy = Object.create(Object.getPrototypeOf(value) as object | null) as Members;
  return Object.defineProperties(copy, Object.getOwnPropertyDescriptors(value));
}

/**
 * A copy of a value and of all plain values in it: objects, arrays, maps, sets and dates. Objects of other classes stay
 * the same objects. What is in it twice is in the copy twice.
 */
export function deepCopy<Value>(value: Value): Value {
  return copyOf(value, new Map()) as Value;
}

function copyOf(value: unknown, copies: Map<unknown, unknown>): unknown {
  if (!isContainer(value)) return value;
  if (copies.has(value)) return copies.get(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null || Array.isArray(value)) {
    const copy = shallowCopy(value);
    copies.set(value, copy);
    for (const key of Object.keys(copy)) {
      // Not by assignment, which for `__proto__` is something else.
      const descriptor = Object.getOwnPropertyDescriptor(copy, key)!;
      if ("value" in descriptor && isContainer(descriptor.value)) {
        Object.defineProperty(copy, key, { ...descriptor, value: copyOf(descriptor.value, copies) });
      }
    }
    return copy;
  }
  if (prototype === Date.prototype) return new Date((value as unknown as Date).getTime());
  if (prototype === Map.prototype) {
    const copy = new Map<unknown, unknown>();
    copies.set(value, copy);
    for (const [key, member] of value as unknown as Map<unknown, unknown>) {
      copy.set(copyOf(key, copies), copyOf(member, copies));
    }
    return copy;
  }
  if (prototype === Set.prototype) {
    const copy = new Set<unknown>();
    copies.set(value, copy);
    for (const member of value as unknown as Set<unknown>) copy.add(copyOf(member, copies));
    return copy;
  }
  return value;
}
