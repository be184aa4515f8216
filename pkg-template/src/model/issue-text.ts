// What a schema finds wrong with a value, in words.

import type { StandardIssue } from "./standard-schema.js";

/** A path as it is written in JavaScript. */
export function pathOf(keys: readonly PropertyKey[]): string {
  let path = "";
  for (const key of keys) {
    if (typeof key === "number" || /^\d+$/.test(String(key))) path += `[${String(key)}]`;
    else if (/^[\w$]+$/.test(String(key))) path += path === "" ? String(key) : `.${String(key)}`;
    else path += `[${JSON.stringify(String(key))}]`;
  }
  return path;
}

/** An issue with its place. */
export function issueText({ path = [], message }: StandardIssue): string {
  const at = pathOf(path.map((segment) => (typeof segment === "object" ? segment.key : segment)));
  return at === "" ? message : `${at}: ${message}`;
}
