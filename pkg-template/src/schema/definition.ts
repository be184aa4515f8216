// A schema that is ready for use: what a model is asked for, and the check of what it writes. Tools, structured output
// of clients and structured output of agents all begin here.

import { ValidationError } from "../errors/errors.js";
import type { JSONSchema } from "../model/chat.js";
import { type Check, jsonSchemaCheck, standardCheck } from "./check.js";
import { jsonSchemaOf } from "./json-schema.js";
import { isStandardSchema } from "../model/standard-schema.js";

/** A schema, ready for use. */
export interface SchemaDefinition {
  /** JSON Schema of an object. */
  readonly schema: JSONSchema;
  /** Checks a value against the schema; that of a validation library may convert it. */
  readonly check: Check;
}

/**
 * Prepares whatever users give as a schema.
 *
 * @param given A JSON Schema or a Standard Schema.
 * @param beside The JSON Schema of a Standard Schema that cannot be converted to one.
 * @param where What the schema is for, in messages.
 * @throws ValidationError `INVALID_SCHEMA`
 */
export function defineSchema(given: unknown, beside: unknown, where: string): SchemaDefinition {
  const schema = jsonSchemaOf(given, beside, where);
  if (isStandardSchema(given)) return { schema, check: standardCheck(given) };
  try {
    return { schema, check: jsonSchemaCheck(schema) };
  } catch (error) {
    throw new ValidationError("INVALID_SCHEMA", `The schema of ${where} cannot be used: ${String(error)}.`, {
      cause: error,
    });
  }
}
