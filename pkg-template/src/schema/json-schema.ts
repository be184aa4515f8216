// The JSON Schema of whatever users give as a schema: JSON Schema itself, or a schema of a validation library.

import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import type { JSONSchema } from "../model/chat.js";
import { type StandardSchema, isStandardSchema } from "../model/standard-schema.js";

/** The methods by which libraries convert their schemas to JSON Schema. */
interface Convertible {
  readonly "~standard": {
    readonly jsonSchema?: { readonly input?: (options: { readonly target: string }) => unknown } | undefined;
  };
  readonly toJsonSchema?: (() => unknown) | undefined;
  readonly toJSONSchema?: (() => unknown) | undefined;
}

function converted(schema: StandardSchema, where: string): unknown {
  const known = schema as unknown as Convertible;
  try {
    const { jsonSchema } = known["~standard"];
    // The input: a model writes that; defaults and conversions are applied to it afterwards.
    if (typeof jsonSchema?.input === "function") return jsonSchema.input({ target: "draft-2020-12" });
    if (typeof known.toJsonSchema === "function") return known.toJsonSchema();
    if (typeof known.toJSONSchema === "function") return known.toJSONSchema();
  } catch (error) {
    throw new ValidationError(
      "INVALID_SCHEMA",
      `The schema of ${where} cannot be converted to JSON Schema: ${String(error)}.`,
      {
        cause: error,
      },
    );
  }
  const { vendor } = schema["~standard"];
  throw new ValidationError(
    "INVALID_SCHEMA",
    `The ${vendor} schema of ${where} cannot be converted to JSON Schema. ` +
      "Give it as JSON Schema too, as `jsonSchema`.",
  );
}

/**
 * The JSON Schema of an object, without `$schema`, which providers do not take. It is a copy.
 *
 * @param given A JSON Schema or a Standard Schema.
 * @param beside The JSON Schema of a Standard Schema that cannot be converted.
 * @param where What the schema is for, in messages.
 * @throws ValidationError `INVALID_SCHEMA`
 */
export function jsonSchemaOf(given: unknown, beside: unknown, where: string): JSONSchema {
  const schema = beside ?? (isStandardSchema(given) ? converted(given, where) : given);
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw new ValidationError("INVALID_SCHEMA", `The schema of ${where} is ${describe(schema)}.`);
  }
  let copy: Record<string, unknown>;
  try {
    copy = JSON.parse(JSON.stringify(schema)) as Record<string, unknown>;
  } catch (error) {
    throw new ValidationError("INVALID_SCHEMA", `The schema of ${where} is not JSON.`, { cause: error });
  }
  delete copy["$schema"];
  const { type } = copy;
  if (type !== "object") {
    // A union at the top has no `type`.
    const what = type === undefined ? "no `type` at its top" : `the type ${describe(type)}`;
    throw new ValidationError("INVALID_SCHEMA", `The schema of ${where} has ${what}.`);
  }
  return copy;
}
