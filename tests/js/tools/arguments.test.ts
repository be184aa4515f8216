// Arguments as a model wrote them: what is right reaches the tool, what is wrong goes back to the model as an error that it can use.

import { type } from "arktype";
import { type JSONSchema, type StandardSchema, callTool, tool } from "stepstream/llm";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import "../kit/guard.js";

/** The arguments that a tool with these parameters gets, or the message for the model. */
async function given(parameters: JSONSchema | StandardSchema, text: string): Promise<unknown> {
  const received: unknown[] = [];
  const jsonSchema = "~standard" in parameters ? { jsonSchema: { type: "object" } } : {};
  const execute = (args: unknown) => void received.push(args);
  const one = tool({ name: "one", parameters: parameters as StandardSchema, ...jsonSchema, execute });
  const { content, isError } = await callTool([one], { id: "1", name: "one", arguments: text });
  expect(received).toHaveLength(isError === true ? 0 : 1);
  return isError === true ? content : received[0];
}

const object = (properties: JSONSchema, more: JSONSchema = {}): JSONSchema => ({ type: "object", properties, ...more });
const number = { type: "number" };

describe("arguments that fit", () => {
  test("reach the tool", async () => {
    const schema = object({ a: number, b: { type: "array", items: { type: "string" } } }, { required: ["a"] });
    expect(await given(schema, '{"a":1,"b":["x"]}')).toEqual({ a: 1, b: ["x"] });
  });

  test.each(["", "  ", "{}"])("may be none: %j", async (text) => {
    expect(await given(object({}), text)).toEqual({});
  });

  test("may have the names of what all objects inherit", async () => {
    const schema = object({ toString: number, constructor: number, ["__proto__"]: number });
    expect(await given(schema, "{}")).toEqual({});
    expect(await given(schema, '{"constructor":1}')).toEqual({ constructor: 1 });
  });

  test("are ordinary objects that have not changed a prototype", async () => {
    const args = (await given(object({}), '{"__proto__":{"a":1},"b":{}}')) as Record<string, unknown>;
    expect(Object.getPrototypeOf(args)).toBe(Object.prototype);
    expect(Object.keys(args)).toEqual(["__proto__", "b"]);
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  test("may be as a schema within the schema says", async () => {
    const node = object({ value: number, next: { $ref: "#/$defs/node" } }, { required: ["value"] });
    const list = object({ first: { $ref: "#/$defs/node" } }, { $defs: { node } });
    expect(await given(list, '{"first":{"value":1,"next":{"value":2}}}')).toEqual({
      first: { value: 1, next: { value: 2 } },
    });
    expect(await given(list, '{"first":{"value":1,"next":{"value":"2"}}}')).toBe(
      'The arguments of "one" are not as the schema says:\n- first.next.value: must be number, but is string',
    );
  });

  test("are what a library's schema makes of them", async () => {
    expect(await given(z.object({ a: z.string().transform(Number) }), '{"a":"7"}')).toEqual({ a: 7 });
    expect(await given(v.object({ a: v.optional(v.string(), "x") }), "{}")).toEqual({ a: "x" });
    expect(await given(type({ a: "string.integer.parse" }), '{"a":"7"}')).toEqual({ a: 7 });
  });

  test("may be judged asynchronously", async () => {
    const schema = z.object({ a: z.string().refine(async (a) => a === "free", "is taken") });
    expect(await given(schema, '{"a":"free"}')).toEqual({ a: "free" });
    expect(await given(schema, '{"a":"b"}')).toContain("- a: is taken");
  });
});

describe("the message for the model", () => {
  const messageFor = async (schema: JSONSchema | StandardSchema, text: string): Promise<string[]> => {
    const message = (await given(schema, text)) as string;
    const [first, ...rest] = message.split("\n");
    expect(first).toBe('The arguments of "one" are not as the schema says:');
    return rest;
  };

  test("what is missing, wrong and too much, each with its path", async () => {
    const schema = object(
      { a: number, b: { type: "array", items: object({ c: { type: "string" } }) }, d: { type: ["string", "null"] } },
      { required: ["a", "e"], additionalProperties: false },
    );
    expect(await messageFor(schema, '{"a":"1","b":[{"c":"x"},{"c":2}],"d":[],"f":1}')).toEqual([
      "- e: is missing",
      "- a: must be number, but is string",
      "- b[1].c: must be string, but is number",
      "- d: must be string, null, but is array",
      "- f: must not be there",
    ]);
  });

  test("which values there are", async () => {
    expect(await messageFor(object({ unit: { enum: ["m", "km"] } }), '{"unit":"ft"}')).toEqual([
      '- unit: the value does not match any of ["m","km"].',
    ]);
  });

  test("of strange names as JavaScript would write them", async () => {
    expect(await messageFor(object({ "a/b~c d": number }), '{"a/b~c d":"x"}')).toEqual([
      '- ["a/b~c d"]: must be number, but is string',
    ]);
  });

  test("by the schema of a library, with the path", async () => {
    const text = '{"a":{"b":[1,"x"]}}';
    expect(await messageFor(z.object({ a: z.object({ b: z.array(z.number()) }) }), text)).toEqual([
      "- a.b[1]: Invalid input: expected number, received string",
    ]);
    expect(await messageFor(v.object({ a: v.object({ b: v.array(v.number()) }) }), text)).toEqual([
      '- a.b[1]: Invalid type: Expected number but received "x"',
    ]);
    expect(await messageFor(type({ a: { b: "number[]" } }), text)).toEqual([
      expect.stringMatching(/^- a\.b\[1\]: .*must be a number/),
    ]);
  });

  test("no more than it can use", async () => {
    const names = Array.from({ length: 30 }, (_, nth) => `n${nth}`);
    const lines = await messageFor(object({}, { required: names }), "{}");
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe("- and 20 more");
  });

  test("of arguments that are no object", async () => {
    expect(await messageFor(object({}), "[1]")).toEqual(["- must be object, but is array"]);
  });

  test.each(['{"a":', "add(1, 2)", '{"a":1}}'])("that this is not JSON: %s", async (text) => {
    expect(await given(object({ a: number }), text)).toMatch(/^The arguments of "one" are not JSON: ./);
  });

  test("that a schema could not be applied", async () => {
    const open = object({ a: { $ref: "https://nowhere.invalid/schema" } });
    expect(await given(open, '{"a":1}')).toMatch(/^The arguments of "one" are not checked: .*\$ref/);
    const throwing = z.object({ a: z.string().transform(() => JSON.parse("{") as unknown) });
    expect(await given(throwing, '{"a":"x"}')).toMatch(/^The arguments of "one" are not checked: SyntaxError/);
  });

  test("of arguments that are nested without end", async () => {
    const node = { type: "object", properties: { n: { $ref: "#" } }, additionalProperties: false };
    const text = `${'{"n":'.repeat(20_000)}{}${"}".repeat(20_000)}`;
    expect(await given(node, text)).toMatch(/^The arguments of "one" are not /);
  });
});
