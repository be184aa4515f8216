// What a tool is made of: its name, its schema from wherever that comes, and what is refused.

import { type } from "arktype";
import { ValidationError } from "stepstream";
import { type JSONSchema, tool } from "stepstream/llm";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { fails } from "../kit/index.js";

const execute = () => "done";

test("a tool is frozen, and is its own definition for models", () => {
  const made = tool({ name: "now", description: "Tells the time.", execute });
  expect(Object.isFrozen(made)).toBe(true);
  expect(made).toMatchObject({
    name: "now",
    description: "Tells the time.",
    parameters: { type: "object", properties: {} },
    returnDirect: false,
    timeout: null,
    once: false,
  });
  expect(made).not.toHaveProperty("strict");
});

describe("the JSON Schema of a schema", () => {
  const expected = {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "number" } },
    required: ["city"],
  };
  const schemas = {
    zod: z.object({ city: z.string(), days: z.number().optional() }),
    arktype: type({ city: "string", "days?": "number" }),
  };
  test.each(Object.entries(schemas))("of %s is its own", (_, parameters) => {
    expect(tool({ name: "weather", parameters, execute }).parameters).toEqual(expected);
  });

  test("of valibot is given beside it", () => {
    const parameters = v.object({ city: v.string(), days: v.optional(v.number()) });
    expect(tool({ name: "weather", parameters, jsonSchema: expected, execute }).parameters).toEqual(expected);
  });

  test("of a library that knows none is asked for", async () => {
    const parameters = v.object({ city: v.string() });
    const error = await fails(() => tool({ name: "weather", parameters, execute }), ValidationError, "INVALID_SCHEMA");
    expect(error.message).toMatch(/valibot schema of the tool "weather".*`jsonSchema`/);
  });

  test("is what goes in, where a schema converts", () => {
    const parameters = z.object({ count: z.string().transform(Number), unit: z.enum(["m", "km"]).default("m") });
    const { properties, required } = tool({ name: "run", parameters, execute }).parameters;
    expect(properties).toMatchObject({ count: { type: "string" }, unit: { enum: ["m", "km"], default: "m" } });
    expect(required).toEqual(["count"]);
  });

  test("comes out of a method of the library's own, where there is no other way", () => {
    const parameters = {
      "~standard": { version: 1, vendor: "own", validate: (value: unknown) => ({ value }) },
      toJSONSchema: () => ({ $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" }),
    } as const;
    expect(tool({ name: "own", parameters, execute }).parameters).toEqual({ type: "object" });
  });

  test("that cannot be written names the tool and keeps the reason", async () => {
    const parameters = z.object({ when: z.date() });
    const error = await fails(() => tool({ name: "remind", parameters, execute }), ValidationError, "INVALID_SCHEMA");
    expect(error.message).toContain('the tool "remind"');
    expect(error.cause).toBeInstanceOf(Error);
  });

  test("of one's own is copied, frozen or not", () => {
    const parameters = { type: "object", properties: { a: { type: "number" } } };
    const made = tool({ name: "a", parameters: Object.freeze(parameters), execute });
    parameters.properties.a.type = "string";
    expect(made.parameters).toEqual({ type: "object", properties: { a: { type: "number" } } });
  });
});

test("a strict tool's objects say that they have no other members", () => {
  const inner = { type: "object", properties: { b: { type: "number" } }, required: ["b"] };
  const parameters = { type: "object", properties: { a: { type: "array", items: inner } }, required: ["a"] };
  const made = tool({ name: "a", parameters, strict: true, execute });
  expect(made.strict).toBe(true);
  expect(made.parameters).toEqual({
    ...parameters,
    additionalProperties: false,
    properties: { a: { type: "array", items: { ...inner, additionalProperties: false } } },
  });
});

describe("refused is", () => {
  const wrongNames = ["", "two words", "a".repeat(65), "naïve", "a.b", 7, undefined];
  test.each(wrongNames)("the name %j", async (name) => {
    await fails(() => tool({ name: name as string, execute }), ValidationError, "INVALID_TOOL");
  });

  test.each(["a", "a".repeat(64), "snake_case", "kebab-case", "Camel9"])("not the name %j", (name) => {
    expect(tool({ name, execute }).name).toBe(name);
  });

  const wrongOptions = { execute: 3, description: 3, needsApproval: "yes", returnDirect: "yes", once: 1 };
  test.each(Object.entries(wrongOptions))("a wrong %s", async (option, value) => {
    const options = { name: "a", execute, [option]: value as never };
    const error = await fails(() => tool(options), ValidationError, "INVALID_TOOL");
    expect(error.message).toContain(`\`${option}\` of the tool "a"`);
  });

  test.each([-1, Number.NaN, "1"])("the timeout %j", async (timeout) => {
    await fails(() => tool({ name: "a", execute, timeout: timeout as number }), ValidationError, "INVALID_DURATION");
  });

  const cyclic: Record<string, unknown> = { type: "object" };
  cyclic["self"] = cyclic;
  const wrongSchemas: [string, unknown][] = [
    ["of a string", { type: "string" }],
    ["without a type", { properties: {} }],
    ["that is a list", []],
    ["that is none", 3],
    ["that is not JSON", cyclic],
    ["of a string, by a library", z.string()],
    ["of a choice, by a library", z.union([z.object({}), z.object({ a: z.number() })])],
    ["with one name for two schemas", { type: "object", $defs: { a: { $id: "x:a" }, b: { $id: "x:a" } } }],
  ];
  test.each(wrongSchemas)("a schema %s", async (_, parameters) => {
    const options = { name: "a", parameters: parameters as JSONSchema, execute };
    await fails(() => tool(options), ValidationError, "INVALID_SCHEMA");
  });

  test("a tool without options", async () => {
    await fails(() => tool(undefined as never), ValidationError, "INVALID_TOOL");
  });
});
