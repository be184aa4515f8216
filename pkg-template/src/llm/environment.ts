// What the environment of a process says, where there is one.

/** The first of some variables that is set. Browsers and most edge runtimes have none. */
export function fromEnvironment(names: readonly string[]): string | undefined {
  // As a property of the global object no bundler brings a polyfill for it.
  const { env } = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process ?? {};
  try {
    return names.map((name) => env?.[name]).find((value) => value !== undefined && value !== "");
  } catch {
    // Deno, when the program may not know its environment.
    return undefined;
  }
}
