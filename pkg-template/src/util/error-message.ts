// The message of whatever was thrown.

/** What was thrown, as text: its message where it has one. It may be anything, and must not throw once more. */
export function errorMessage(thrown: unknown): string {
  try {
    const { message, name } = (thrown ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof message === "string" && message !== "") return message;
    return thrown instanceof Error && typeof name === "string" ? name : String(thrown);
  } catch {
    return "It failed, and the error cannot be read.";
  }
}
