// What the environment of a process says, where there is one.

/** The first of some variables that is set. Browsers and most edge runtimes have none. */
export function fromEnvironment(names: readonly string[]): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  for (const name of names) {
    const value = process?.env?.[name];
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}
