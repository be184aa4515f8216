// Values in a few words, for messages.

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
