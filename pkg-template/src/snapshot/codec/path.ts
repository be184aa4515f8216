// The way to a value inside another, as a user would write it in JavaScript.

import { form, pairsFrom } from "./form.js";

/** A container on the way. */
export interface Level {
  readonly container: unknown;
  /** Under which key the way goes on; undefined where it ends here. */
  readonly key: unknown;
  /** Whether the codec made the container, in place of a value that it describes. */
  readonly isContents: boolean;
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** Longer paths are cut in the middle. */
const LONGEST = 300;

function property(key: unknown): string {
  const text = String(key);
  return identifier.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`;
}

function mapKey(key: unknown): string {
  if (typeof key === "string") return JSON.stringify(key);
  return typeof key === "object" || typeof key === "function" ? "…" : String(key);
}

function segment({ container, key, isContents }: Level): string {
  if (key === undefined) return "";
  if (!isContents) return Array.isArray(container) ? `[${String(key)}]` : property(key);
  const contents = container as readonly unknown[];
  const at = Number(key);
  switch (contents[0]) {
    case form.EVENT:
    case form.ERROR:
    case form.EXCEPTION:
      return at < pairsFrom[contents[0]]! ? "" : property(contents[at - 1]);
    case form.MAP:
      return at % 2 === 0 ? `.get(${mapKey(contents[at - 1])})` : `.keys()[${(at - 1) / 2}]`;
    case form.SET:
      return `.values()[${at - 1}]`;
    case form.VIEW:
      return ".buffer";
    default:
      return "";
  }
}

/** Such as `store.user["first name"]`; empty for the outermost value itself. */
export function formatPath(levels: readonly Level[]): string {
  const path = levels.map(segment).join("").replace(/^\./, "");
  if (path.length <= LONGEST) return path;
  return `${path.slice(0, (LONGEST * 2) / 3)}…${path.slice(-LONGEST / 3)}`;
}
