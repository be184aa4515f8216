// Checks the names of options. In JavaScript a misspelt option would be ignored without a word: the compiler, which
// refuses it in TypeScript, is not there.

import { ValidationError } from "./errors.js";
import { describe } from "../util/describe.js";

/**
 * The names of all options of a type, as the keys of an object. The compiler refuses a name too many and one too few:
 *
 * ```ts
 * const names: OptionNames<CallToolOptions> = { signal: 1, context: 1 };
 * ```
 */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: 1 };

/** Words that users know from elsewhere, each with the name of the option here. */
export type Synonyms = Readonly<Record<string, string>>;

/** No option has a longer name, so that nothing longer is worth a suggestion. */
const LONGEST_NAME = 40;

/** `max_tokens`, `MaxTokens` and `maxTokens` are the same word. */
const wordOf = (name: string): string => name.toLowerCase().replace(/[-_]/g, "");

/** How many characters have to be put in, left out or replaced to make one text of another (Levenshtein). */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let at = 1; at <= left.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= right.length; to += 1) {
      const replaced = row[to - 1]! + (left[at - 1] === right[to - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[to]! + 1, next[to - 1]! + 1));
    }
    row = next;
  }
  return row[right.length]!;
}

/**
 * The name that a user most likely meant, or undefined when none is near: at most a third of it differs, and one
 * character always may.
 */
function nearestName(name: string, names: readonly string[], synonyms: Synonyms): string | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  let nearest: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3) + 1);
  for (const candidate of [...names, ...Object.keys(synonyms)]) {
    const distance = editDistance(wordOf(name), wordOf(candidate));
    if (distance >= least) continue;
    least = distance;
    nearest = names.includes(candidate) ? candidate : synonyms[candidate];
  }
  return nearest;
}

/**
 * Refuses options that are not an object, and options with an unknown name. An option whose value is `undefined` counts
 * as left out, whatever its name.
 *
 * ```ts
 * checkOptions(options, { signal: 1, context: 1 }, "callTool");
 * // callTool has no option `sginal`; did you mean `signal`?
 * ```
 *
 * @param names The names of the options there are.
 * @param what Whose options they are, as the subject of the message.
 * @param synonyms Words from elsewhere that are suggested for as well.
 * @throws ValidationError `INVALID_OPTION`
 */
export function checkOptions(
  options: unknown,
  names: Readonly<Record<string, unknown>>,
  what: string,
  synonyms: Synonyms = {},
): asserts options is object {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ValidationError("INVALID_OPTION", `${what} was given ${describe(options)} as options, not an object.`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) checkName(name, names, what, "option", synonyms);
  }
}

/**
 * Refuses a name that is not one of those there are, and says which is the nearest.
 *
 * @param kind What it is the name of.
 * @throws ValidationError `INVALID_OPTION`
 */
export function checkName(
  name: unknown,
  names: Readonly<Record<string, unknown>>,
  what: string,
  kind: string,
  synonyms: Synonyms = {},
): void {
  if (typeof name !== "string") {
    throw new ValidationError("INVALID_OPTION", `${what} was given ${describe(name)} as the name of a ${kind}.`);
  }
  if (Object.hasOwn(names, name)) return;
  const known = Object.keys(names);
  const nearest = nearestName(name, known, synonyms);
  const advice =
    nearest === undefined
      ? `. It has ${known.map((one) => `\`${one}\``).join(", ")}.`
      : `; did you mean \`${nearest}\`?`;
  throw new ValidationError("INVALID_OPTION", `${what} has no ${kind} \`${name}\`${advice}`);
}
