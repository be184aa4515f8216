// Schemas as users give them: JSON Schema, or an object of any validation library that follows Standard Schema.

import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
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
  const { type } = copy;
  if (type !== "object") {
    // A union has none of its own.
    const what = type === undefined ? "no `type` at its top" : `the type ${describe(type)}`;
    throw new ValidationError("INVALID_SCHEMA", `The schema of ${where} has ${what}.`);
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

/** Whether the type is the one, or one of those, that a schema names. */
const mayBe = (node: Node, type: string): boolean => [node["type"]].flat().includes(type);

function isClosable(node: Node): boolean {
  const keys = Object.keys(node);
  if (!keys.every((key) => holdable.has(key))) return false;
  // Nothing may stand beside a reference.
  if (keys.includes("$ref")) return keys.length === 1;
  if (mayBe(node, "array") && !isNode(node["items"])) return false;
  if (!mayBe(node, "object"))
    return keys.includes("type") || keys.includes("anyOf") || typeOfValues(node) !== undefined;
  const { properties, required, additionalProperties } = node;
  // An object that says nothing of its members may have any; closed, it could have none.
  if (additionalProperties !== false && !(additionalProperties === undefined && isNode(properties))) return false;
  const needed: unknown[] = Array.isArray(required) ? required : [];
  return Object.keys(isNode(properties) ? properties : {}).every((name) => needed.includes(name));
}

function close(node: Node): Node {
  if (mayBe(node, "object") && node["additionalProperties"] === undefined) node["additionalProperties"] = false;
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
