// What a model wrote against what was asked of it. The messages are for the model: it can only mend what it is told of.

import { type OutputUnit, Validator } from "@cfworker/json-schema";
import type { JSONSchema } from "../llm/types.js";
import { type StandardIssue, type StandardSchema } from "./schema.js";

/** What came of reading a text: the value, or a message for the model. */
export type Reading<Value = unknown> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly message: string };

/** Checks values; made once for each schema. */
export type Check = (value: unknown, text: string) => Reading | Promise<Reading>;

/** More would not help a model, and would cost tokens. */
const MAX_COMPLAINTS = 10;

/** What is thrown, in words. It may be anything, and must not throw once more. */
export function wordsOf(error: unknown): string {
  try {
    const { message, name } = (error ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof message === "string" && message !== "") return message;
    return error instanceof Error && typeof name === "string" ? name : String(error);
  } catch {
    return "It failed, and does not say why.";
  }
}

/** A path as it is written in JavaScript. */
function pathOf(keys: readonly PropertyKey[]): string {
  let path = "";
  for (const key of keys) {
    if (typeof key === "number" || /^\d+$/.test(String(key))) path += `[${String(key)}]`;
    else if (/^[\w$]+$/.test(String(key))) path += path === "" ? String(key) : `.${String(key)}`;
    else path += `[${JSON.stringify(String(key))}]`;
  }
  return path;
}

function complaints(lines: readonly string[]): Reading {
  const all = [...new Set(lines)];
  const shown = all.slice(0, MAX_COMPLAINTS).map((line) => `- ${line}`);
  if (all.length > MAX_COMPLAINTS) shown.push(`- and ${all.length - MAX_COMPLAINTS} more`);
  return { ok: false, message: shown.join("\n") };
}

const line = (path: string, what: string): string => (path === "" ? what : `${path}: ${what}`);

/** Complaints that only say that there is another one further in. */
const outer = new Set(
  "properties patternProperties additionalProperties unevaluatedProperties items prefixItems additionalItems unevaluatedItems $ref $recursiveRef allOf if dependentSchemas".split(
    " ",
  ),
);

function ofUnit({ instanceLocation, keyword, error }: OutputUnit): string {
  const keys = instanceLocation
    .split("/")
    .slice(1)
    .map((key) => decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~"));
  const type = /^Instance type "(.*?)" is invalid\. Expected "(.*)"\.$/.exec(error);
  const missing = /^Instance does not have required property "(.*)"\.$/.exec(error);
  if (type !== null) return line(pathOf(keys), `must be ${type[2]!.replaceAll('"', "")}, but is ${type[1]!}`);
  if (missing !== null) return line(pathOf([...keys, missing[1]!]), "is missing");
  if (keyword === "false") return line(pathOf(keys), "must not be there");
  return line(pathOf(keys), error.replace(/^Instance /, "the value "));
}

/** Objects without a prototype: the validator asks with `in`, which must not find what every object inherits. */
function bare(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? Object.setPrototypeOf(value, null) : value,
  );
}

/**
 * A check against a JSON Schema.
 *
 * @throws Error when the schema is none, or refers to what is not in it.
 */
export function jsonSchemaCheck(schema: JSONSchema): Check {
  // The validator notes things on the schema.
  const validator = new Validator(structuredClone(schema), "2020-12", false);
  return (value, text) => {
    const { valid, errors } = validator.validate(bare(text));
    if (valid) return { ok: true, value };
    const inner = errors.filter(({ keyword }) => !outer.has(keyword));
    // A member that is wrong counts as one too many as well; of those, only what is wrong with it is worth saying.
    const wrong = inner.filter(({ keyword }) => keyword !== "false").map(({ instanceLocation: at }) => `${at}/`);
    const isSaid = ({ keyword, instanceLocation: at }: OutputUnit): boolean =>
      keyword === "false" && wrong.some((other) => other.startsWith(`${at}/`));
    const rest = inner.filter((unit) => !isSaid(unit));
    return complaints((rest.length === 0 ? errors : rest).map(ofUnit));
  };
}

function ofIssue({ path = [], message }: StandardIssue): string {
  return line(pathOf(path.map((segment) => (typeof segment === "object" ? segment.key : segment))), message);
}

/** A check by a Standard Schema, which may convert the value. */
export function standardCheck(schema: StandardSchema): Check {
  return async (value) => {
    const result = await schema["~standard"].validate(value);
    return result.issues === undefined ? { ok: true, value: result.value } : complaints(result.issues.map(ofIssue));
  };
}

/**
 * Reads JSON that a model wrote, and checks it.
 *
 * @param what What it is, at the beginning of the message: `The arguments of "add" are`.
 */
export async function readJson(text: string, check: Check, what: string): Promise<Reading> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, message: `${what} not JSON: ${wordsOf(error)}.` };
  }
  try {
    const reading = await check(value, text);
    return reading.ok ? reading : { ok: false, message: `${what} not as the schema says:\n${reading.message}` };
  } catch (error) {
    // A schema that only fails in use, or a value that is nested too deeply for it.
    return { ok: false, message: `${what} not checked: ${String(error)}.` };
  }
}
