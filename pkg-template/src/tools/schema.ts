// Schemas as users give them: JSON Schema, or an object of any validation library that follows Standard Schema.

import { ValidationError } from "../errors.js";
import { describe } from "../internal/duration.js";
import type { JSONSchema } from "../llm/types.js";

/**
 * A schema of a validation library that follows Standard Schema (https://standardschema.dev): Zod from 3.24, Valibot from 1.0, ArkType from
 * 2.0 and others. Only what is needed of it stands here.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a validation gives: the value, possibly converted, or what is wrong with it. */
export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

/** One thing that is wrong with a value. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema makes of a valid value. */
export type OutputOf<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["output"];

/** Whether a value is a Standard Schema. ArkType's are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as Partial<StandardSchema>)["~standard"];
  return typeof standard === "object" && typeof standard.validate === "function";
}

/** The ways in which libraries write their schemas as JSON Schema. */
interface Convertible {
  readonly "~standard": {
    readonly jsonSchema?: { readonly input?: (options: { readonly target: string }) => unknown };
  };
  readonly toJsonSchema?: () => unknown;
  readonly toJSONSchema?: () => unknown;
}

function written(schema: StandardSchema, where: string): unknown {
  const known = schema as unknown as Convertible;
  try {
    const { jsonSchema } = known["~standard"];
    // The input, because that is what a model writes; defaults and conversions come after.
    if (typeof jsonSchema?.input === "function") return jsonSchema.input({ target: "draft-2020-12" });
    if (typeof known.toJsonSchema === "function") return known.toJsonSchema();
    if (typeof known.toJSONSchema === "function") return known.toJSONSchema();
  } catch (error) {
    throw new ValidationError("INVALID_SCHEMA", `${where} cannot be written as JSON Schema: ${String(error)}.`, {
      cause: error,
    });
  }
  const { vendor } = schema["~standard"];
  throw new ValidationError(
    "INVALID_SCHEMA",
    `The ${vendor} schema of ${where} does not say what it is as JSON Schema. Give that beside it, as \`jsonSchema\`.`,
  );
}

/**
 * The JSON Schema of an object that a model is to write, without what is only for readers of schemas.
 *
 * @param given A JSON Schema or a Standard Schema.
 * @param beside The JSON Schema of a Standard Schema that does not know its own.
 * @param where What it is for, in messages.
 * @throws ValidationError `INVALID_SCHEMA`
 */
export function jsonSchemaOf(given: unknown, beside: unknown, where: string): JSONSchema {
  const schema = beside ?? (isStandardSchema(given) ? written(given, where) : given);
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
  if (copy["type"] !== "object") {
    throw new ValidationError("INVALID_SCHEMA", `The schema of ${where} has the type ${describe(copy["type"])}.`);
  }
  return copy;
}

/** The keywords that providers can hold a model to. Any other stops them from taking a schema as strict. */
const holdable = new Set(
  "type properties required additionalProperties items enum const anyOf $ref $defs definitions title description".split(
    " ",
  ),
);

type Node = Record<string, unknown>;
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value);
const nodes = (value: unknown): Node[] => (isNode(value) ? Object.values(value).filter(isNode) : []);

/** The schemas within one. */
function within(node: Node): Node[] {
  const single = [node["items"], node["not"], node["additionalProperties"]].filter(isNode);
  const lists = ["anyOf", "oneOf", "allOf", "prefixItems"].flatMap((key) => {
    const list: unknown = node[key];
    return Array.isArray(list) ? list.filter(isNode) : [];
  });
  const maps = ["properties", "$defs", "definitions"].flatMap((key) => nodes(node[key]));
  return [...single, ...lists, ...maps];
}

function every(node: Node, holds: (node: Node) => boolean): boolean {
  return holds(node) && within(node).every((child) => every(child, holds));
}

/** The type of all values of an `enum` or `const`, which some libraries leave out. */
function typeOfValues(node: Node): string | undefined {
  const values: unknown[] = Array.isArray(node["enum"]) ? node["enum"] : "const" in node ? [node["const"]] : [];
  const types = new Set(values.map((value) => (value === null ? "null" : typeof value)));
  const [type] = types;
  return types.size === 1 && type !== "object" ? type : undefined;
}

function isClosable(node: Node): boolean {
  if (!Object.keys(node).every((key) => holdable.has(key))) return false;
  const isTold = ["type", "anyOf", "$ref"].some((key) => key in node) || typeOfValues(node) !== undefined;
  if (node["type"] !== "object") return isTold;
  const { properties, required, additionalProperties } = node;
  const names = Object.keys(isNode(properties) ? properties : {});
  const needed: unknown[] = Array.isArray(required) ? required : [];
  return !isNode(additionalProperties) && additionalProperties !== true && names.every((name) => needed.includes(name));
}

function close(node: Node): Node {
  if (node["type"] === "object" && node["additionalProperties"] === undefined) node["additionalProperties"] = false;
  const type = node["type"] === undefined ? typeOfValues(node) : undefined;
  if (type !== undefined) node["type"] = type;
  within(node).forEach(close);
  return node;
}

/** A schema as providers want it that hold a model to it: objects say that they have no other members. */
export function closed(schema: JSONSchema): JSONSchema {
  return close(structuredClone(schema) as Node);
}

/** Whether every provider that can hold a model to a schema would take this one, once it is closed. */
export function isHoldable(schema: JSONSchema): boolean {
  return every(schema, isClosable);
}
