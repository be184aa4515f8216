// The environment variables of the process, where the runtime has them.

/** The value of the first of some variables that is set. Browsers and most edge runtimes have none. */
export function fromEnvironment(names: readonly string[]): string | undefined {
  // Read from the global object: for a bare `process`, bundlers would add a polyfill.
  const { env } = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process ?? {};
  try {
    return names.map((name) => env?.[name]).find((value) => value !== undefined && value !== "");
  } catch {
    // Deno throws when the program has no permission to read its environment.
    return undefined;
  }
}
