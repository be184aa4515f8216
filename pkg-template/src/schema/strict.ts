// Schemas that a provider enforces ("strict"): which can be enforced, and what has to be added to them.

import type { JSONSchema } from "../model/chat.js";

/** The keywords that every provider can enforce. One that refuses a keyword refuses the whole request. */
const enforceable = new Set(
  "type properties required additionalProperties items enum const anyOf $ref $defs definitions title description".split(
    " ",
  ),
);

type Node = Record<string, unknown>;
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value);
const nodes = (value: unknown): Node[] => (isNode(value) ? Object.values(value).filter(isNode) : []);

/** The schemas that are direct parts of a schema. */
function partsOf(node: Node): Node[] {
  const single = [node["items"], node["not"], node["additionalProperties"]].filter(isNode);
  const lists = ["anyOf", "oneOf", "allOf", "prefixItems"].flatMap((key) => {
    const list: unknown = node[key];
    return Array.isArray(list) ? list.filter(isNode) : [];
  });
  const maps = ["properties", "$defs", "definitions"].flatMap((key) => nodes(node[key]));
  return [...single, ...lists, ...maps];
}

function every(node: Node, holds: (node: Node) => boolean): boolean {
  return holds(node) && partsOf(node).every((child) => every(child, holds));
}

/** The type of all values of an `enum` or `const`, which some libraries leave out. */
function typeOfValues(node: Node): string | undefined {
  const values: unknown[] = Array.isArray(node["enum"]) ? node["enum"] : "const" in node ? [node["const"]] : [];
  const types = new Set(values.map((value) => (value === null ? "null" : typeof value)));
  const [type] = types;
  return types.size === 1 && type !== "object" ? type : undefined;
}

/** Whether a schema allows values of a type. */
const mayBe = (node: Node, type: string): boolean => [node["type"]].flat().includes(type);

function isEnforceable(node: Node): boolean {
  const keys = Object.keys(node);
  if (!keys.every((key) => enforceable.has(key))) return false;
  // A reference must be the only keyword.
  if (keys.includes("$ref")) return keys.length === 1;
  if (mayBe(node, "array") && !isNode(node["items"])) return false;
  if (!mayBe(node, "object"))
    return keys.includes("type") || keys.includes("anyOf") || typeOfValues(node) !== undefined;
  const { properties, required, additionalProperties } = node;
  // An object without `properties` may have any members; with `additionalProperties: false` it could have none.
  if (additionalProperties !== false && !(additionalProperties === undefined && isNode(properties))) return false;
  const needed: unknown[] = Array.isArray(required) ? required : [];
  return Object.keys(isNode(properties) ? properties : {}).every((name) => needed.includes(name));
}

function close(node: Node): Node {
  if (mayBe(node, "object") && node["additionalProperties"] === undefined) node["additionalProperties"] = false;
  const type = node["type"] === undefined ? typeOfValues(node) : undefined;
  if (type !== undefined) node["type"] = type;
  partsOf(node).forEach(close);
  return node;
}

/**
 * The schema as strict providers want it: each object says that it has no other members, and each `enum` or `const` has
 * its type.
 */
export function toStrictSchema(schema: JSONSchema): JSONSchema {
  return close(JSON.parse(JSON.stringify(schema)) as Node);
}

/** Whether every provider that enforces schemas would take this one after {@link toStrictSchema}. */
export function canBeStrict(schema: JSONSchema): boolean {
  return every(schema, isEnforceable);
}
