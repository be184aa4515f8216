// Ids of runs as names of files and keys. An id is any text; a name must be valid for every file system and database
// driver, and must not lead out of its folder. So it consists of lower-case letters, digits, hyphens and underscores.

/** The longest part of a name. Names of files have at most 255 bytes, so longer ids become a path. */
const CUT = 100;

const LAST = "run-";
const MORE = "more-";

/** The id with every other character as `_` and four hexadecimal digits. */
const escape = (id: string): string =>
  id.replace(/[^a-z0-9-]/g, (unit) => `_${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

const unescape = (text: string): string =>
  text.replace(/_([0-9a-f]{4})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));

/**
 * The parts of the path for an id. Different ids have different paths, no path begins with another, and no part is a
 * name that a system reserves, such as `con` on Windows.
 */
export function namesOf(id: string): string[] {
  const parts = escape(id).match(new RegExp(`.{1,${CUT}}`, "g")) ?? [];
  return parts.map((part, at) => (at === parts.length - 1 ? LAST : MORE) + part);
}

/** The id of a path; undefined for a path that {@link namesOf} does not return. */
export function idOf(names: readonly string[]): string | undefined {
  const id = unescape(names.map((name) => name.slice(name.indexOf("-") + 1)).join(""));
  const made = namesOf(id);
  return id !== "" && made.length === names.length && made.every((name, at) => name === names[at]) ? id : undefined;
}

/** Whether a name is that of a folder with the next parts of longer ids. */
export const hasMore = (name: string): boolean => name.startsWith(MORE);
