// Checks JSON that a model wrote against a schema. The messages are for the model, which needs to know exactly what is
// wrong to correct it.

import { type OutputUnit, Validator } from "@cfworker/json-schema";
import type { JSONSchema } from "../model/chat.js";
import { errorMessage } from "../util/error-message.js";
import { issueText, pathOf } from "../model/issue-text.js";
import type { StandardSchema } from "../model/standard-schema.js";

/** The result of a check: the value, or a message for the model. */
export type Checked<Value = unknown> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly message: string };

/** Checks a value, which is also given as the JSON text that it was parsed from. Made once for each schema. */
export type Check = (value: unknown, text: string) => Checked | Promise<Checked>;

/** A longer list would not help a model more, and would cost tokens. */
const MAX_ISSUES = 10;

function refused(issues: readonly string[]): Checked {
  const all = [...new Set(issues)];
  const lines = all.slice(0, MAX_ISSUES).map((issue) => `- ${issue}`);
  if (all.length > MAX_ISSUES) lines.push(`- and ${all.length - MAX_ISSUES} more`);
  return { ok: false, message: lines.join("\n") };
}

const issue = (path: string, what: string): string => (path === "" ? what : `${path}: ${what}`);

/** The keywords whose errors only say that a part of the value has an error, which is reported on its own. */
const outer = new Set(
  (
    "properties patternProperties additionalProperties unevaluatedProperties items prefixItems additionalItems " +
    "unevaluatedItems $ref $recursiveRef allOf if dependentSchemas"
  ).split(" "),
);

function issueOfUnit({ instanceLocation, keyword, error }: OutputUnit): string {
  const keys = instanceLocation
    .split("/")
    .slice(1)
    .map((key) => decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~"));
  const type = /^Instance type "(.*?)" is invalid\. Expected "(.*)"\.$/.exec(error);
  const missing = /^Instance does not have required property "(.*)"\.$/.exec(error);
  if (type !== null) return issue(pathOf(keys), `must be ${type[2]!.replaceAll('"', "")}, but is ${type[1]!}`);
  if (missing !== null) return issue(pathOf([...keys, missing[1]!]), "is missing");
  if (keyword === "false") return issue(pathOf(keys), "must not be there");
  return issue(pathOf(keys), error.replace(/^Instance /, "the value "));
}

/** The value with objects that have no prototype: the validator asks with `in`, which would find inherited members. */
function withoutPrototypes(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? Object.setPrototypeOf(value, null) : value,
  );
}

/**
 * A check against a JSON Schema.
 *
 * @throws Error when it is not a valid schema, or refers to a definition that it does not have.
 */
export function jsonSchemaCheck(schema: JSONSchema): Check {
  // A copy, because the validator writes into the schema.
  const validator = new Validator(JSON.parse(JSON.stringify(schema)) as JSONSchema, "2020-12", false);
  return (value, text) => {
    const { valid, errors } = validator.validate(withoutPrototypes(text));
    if (valid) return { ok: true, value };
    const inner = errors.filter(({ keyword }) => !outer.has(keyword));
    // The validator also reports a wrong member as an unknown one. Then only what is wrong with it is reported.
    const wrong = inner.filter(({ keyword }) => keyword !== "false").map(({ instanceLocation: at }) => `${at}/`);
    const isKnown = ({ keyword, instanceLocation: at }: OutputUnit): boolean =>
      keyword === "false" && wrong.some((other) => other.startsWith(`${at}/`));
    const rest = inner.filter((unit) => !isKnown(unit));
    return refused((rest.length === 0 ? errors : rest).map(issueOfUnit));
  };
}

/** A check against a Standard Schema, which may convert the value. */
export function standardCheck(schema: StandardSchema): Check {
  return async (value) => {
    const result = await schema["~standard"].validate(value);
    return result.issues === undefined ? { ok: true, value: result.value } : refused(result.issues.map(issueText));
  };
}

/**
 * Parses JSON that a model wrote, and checks it.
 *
 * @param what The beginning of the message, such as `The arguments of "add" are`.
 */
export async function parseAndCheck(text: string, check: Check, what: string): Promise<Checked> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, message: `${what} not JSON: ${errorMessage(error)}.` };
  }
  try {
    const checked = await check(value, text);
    return checked.ok ? checked : { ok: false, message: `${what} not as the schema says:\n${checked.message}` };
  } catch (error) {
    // Some schemas throw only when they are used, and some values are nested too deeply for a validator.
    return { ok: false, message: `${what} not checked: ${String(error)}.` };
  }
}
