// Ids of runs as names of files and keys. Ids are any text; names must mean the same to every file system and every driver of a
// database, and must not lead out of their folder. So a name holds small letters, digits, hyphens and underscores only.

/** Names of files may be as long as 255 bytes; longer ids are cut into a path. */
const CUT = 100;

const LAST = "run-";
const MORE = "more-";

/** What is left of an id when everything with a meaning to anybody is written as `_` and four hexadecimal digits. */
const escape = (id: string): string =>
  id.replace(/[^a-z0-9-]/g, (unit) => `_${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

const unescape = (text: string): string =>
  text.replace(/_([0-9a-f]{4})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));

/**
 * The parts of a path that stands for an id, and for no other. No part is a name that some system reserves (as Windows does `con`), and
 * no path begins with another.
 */
export function namesOf(id: string): string[] {
  const parts = escape(id).match(new RegExp(`.{1,${CUT}}`, "g")) ?? [];
  return parts.map((part, at) => (at === parts.length - 1 ? LAST : MORE) + part);
}

/** The id that a path stands for; undefined when {@link namesOf} did not make it. */
export function idOf(names: readonly string[]): string | undefined {
  const id = unescape(names.map((name) => name.slice(name.indexOf("-") + 1)).join(""));
  const made = namesOf(id);
  return id !== "" && made.length === names.length && made.every((name, at) => name === names[at]) ? id : undefined;
}

/** Whether a name is that of a folder in which further names are. */
export const hasMore = (name: string): boolean => name.startsWith(MORE);
