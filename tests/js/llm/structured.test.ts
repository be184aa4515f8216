// Structured output: what the provider is sent, and what becomes of the text.

import { type } from "arktype";
import { ValidationError } from "stepstream";
import {
  Anthropic,
  type CallOptions,
  Gemini,
  LLMError,
  OpenAI,
  OpenAICompatible,
  type StandardSchema,
} from "stepstream/llm";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { fails, soon } from "../kit/index.js";
import { type ScriptedServer, body, chatAnswer, chatStream, json, serve } from "./kit.js";

const city = z.object({ name: z.string(), people: z.number() });
const schema = {
  type: "object",
  properties: { name: { type: "string" }, people: { type: "number" } },
  required: ["name", "people"],
};
const text = '{"name":"Lisbon","people":567131}';
const lisbon = { name: "Lisbon", people: 567131 };

async function answering(content: string, finish = "stop"): Promise<{ llm: OpenAI; server: ScriptedServer }> {
  const server = await serve(json(chatAnswer({ content }, finish)));
  return { llm: new OpenAI({ model: "m", apiKey: "k", baseURL: server.url, maxRetries: 0 }), server };
}

describe("a schema", () => {
  test("of a library is sent to the provider, closed and strict, and checks the answer", async () => {
    const { llm, server } = await answering(text);
    const { object, text: given } = await llm.chat("Lisbon", { responseFormat: city });
    expect({ object, given }).toEqual({ object: lisbon, given: text });
    expect(server.requests[0]!.json.response_format).toEqual({
      type: "json_schema",
      json_schema: { name: "answer", schema: { ...schema, additionalProperties: false }, strict: true },
    });
  });

  test("as JSON Schema has a name, and says itself whether it is strict", async () => {
    const { llm, server } = await answering(text);
    const { object } = await llm.chat("Lisbon", { responseFormat: { name: "city", schema, strict: false } });
    expect(object).toEqual(lisbon);
    expect(server.requests[0]!.json.response_format.json_schema).toEqual({ name: "city", schema, strict: false });
  });

  test("is strict for other servers only when the program says so", async () => {
    const server = await serve(json(chatAnswer({ content: text })));
    const llm = new OpenAICompatible({ model: "m", baseURL: server.url });
    await llm.chat("Lisbon", { responseFormat: city });
    await llm.chat("Lisbon", { responseFormat: { schema: city, strict: true } });
    const [first, second] = server.requests.map(({ json: sent }) => sent.response_format.json_schema);
    expect(first).toEqual({ name: "answer", schema });
    expect(second).toEqual({ name: "answer", schema: { ...schema, additionalProperties: false }, strict: true });
  });

  const open: [string, StandardSchema][] = [
    ["with members that may be missing", z.object({ a: z.string().optional() })],
    ["with names of its own making", z.object({ a: z.record(z.string(), z.number()) })],
    ["with keywords that not all providers know", z.object({ a: z.string().min(2) })],
  ];
  test.each(open)("%s is not called strict", async (_, responseFormat) => {
    const { llm, server } = await answering('{"a":{}}');
    await llm.chat("Hi", { responseFormat }).catch(() => undefined);
    expect(server.requests[0]!.json.response_format.json_schema).not.toHaveProperty("strict");
  });

  const unfit: [string, object][] = [
    ["an object of any members", { type: "object" }],
    ["a list of anything", { type: "array" }],
    ["an object of any members, or none", { type: ["object", "null"] }],
    ["a reference with a description", { $ref: "#/$defs/a", description: "The a" }],
  ];
  test.each(unfit)("with %s is not called strict", async (_, a) => {
    const { llm, server } = await answering('{"a":null}');
    const open = { type: "object", properties: { a }, required: ["a"], $defs: { a: { type: "string" } } };
    await llm.chat("Hi", { responseFormat: { schema: open } }).catch(() => undefined);
    expect(server.requests[0]!.json.response_format.json_schema).toEqual({ name: "answer", schema: open });
  });

  test("of another library", async () => {
    const { llm, server } = await answering('{"unit":"m"}');
    const { object } = await llm.chat("Hi", { responseFormat: type({ unit: "'m'|'km'" }) });
    expect(object.unit).toBe("m");
    expect(server.requests[0]!.json.response_format.json_schema).toMatchObject({
      strict: true,
      schema: { properties: { unit: { type: "string", enum: expect.arrayContaining(["m", "km"]) } } },
    });
    const responseFormat = { schema: v.object({ unit: v.string() }), jsonSchema: schema };
    expect((await llm.chat("Hi", { responseFormat })).object.unit).toBe("m");
    expect(server.requests[1]!.json.response_format.json_schema.schema).toMatchObject({ required: ["name", "people"] });
  });

  test("that does not know itself is refused before anything is sent", async () => {
    const { llm, server } = await answering("{}");
    const asking = llm.chat("Hi", { responseFormat: v.object({ unit: v.string() }) });
    await fails(asking, ValidationError, "INVALID_SCHEMA");
    expect(server.requests).toHaveLength(0);
  });

  test("may convert", async () => {
    const { llm } = await answering('{"people":"567131"}');
    const responseFormat = z.object({ people: z.string().transform(Number), unit: z.string().default("heads") });
    expect((await llm.chat("Lisbon", { responseFormat })).object).toEqual({ people: 567131, unit: "heads" });
  });
});

describe("an answer", () => {
  test.each(['```json\n{"name":"Lisbon","people":567131}\n```', `\n\`\`\`\n${text}\n\`\`\`\n`, ` ${text}\n`])(
    "may be wrapped: %j",
    async (content) => {
      const { llm } = await answering(content);
      expect((await llm.chat("Lisbon", { responseFormat: city })).object).toEqual(lisbon);
    },
  );

  const wrong: [string, string, string, RegExp][] = [
    [
      "that does not fit",
      '{"name":"Lisbon"}',
      "stop",
      /The answer is not as the schema says:\n- people: Invalid input/,
    ],
    ["that is not JSON", "Lisbon is a city.", "stop", /The answer is not JSON: /],
    ["that was cut off", '{"name":"Lis', "length", /cut off at the limit of tokens.*The answer is not JSON/],
  ];
  test.each(wrong)("%s is an error that holds it", async (_, content, finish, message) => {
    const { llm } = await answering(content, finish);
    const error = await fails(llm.chat("Lisbon", { responseFormat: city }), LLMError, "LLM_BAD_ANSWER");
    expect(error.message).toMatch(message);
    expect((error as LLMError).partial).toMatchObject({ text: content, usage: { input: 7, output: 2 } });
  });

  test("that asks for a tool has no object yet", async () => {
    const calls = [{ id: "c1", type: "function", function: { name: "look", arguments: "{}" } }];
    const server = await serve(json(chatAnswer({ content: null, tool_calls: calls }, "tool_calls")));
    const llm = new OpenAI({ model: "m", apiKey: "k", baseURL: server.url });
    const options: CallOptions & { responseFormat: typeof city } = { responseFormat: city, tools: [{ name: "look" }] };
    const response = await llm.chat("Lisbon", options);
    expect(response.toolCalls).toHaveLength(1);
    expect(response.object).toBeUndefined();
  });

  test("may be streamed", async () => {
    const server = await serve(body(chatStream('{"name":"Lis', 'bon","people":567131}')));
    const llm = new OpenAI({ model: "m", apiKey: "k", baseURL: server.url });
    const stream = llm.streamChat("Lisbon", { responseFormat: city });
    let seen = "";
    for await (const delta of stream) if (delta.type === "text") seen += delta.text;
    expect(seen).toBe(text);
    expect((await soon(stream.response)).object).toEqual(lisbon);
  });

  test("that was streamed and does not fit ends the loop with the error of the response", async () => {
    const server = await serve(body(chatStream("{}")));
    const llm = new OpenAI({ model: "m", apiKey: "k", baseURL: server.url });
    const stream = llm.streamChat("Lisbon", { responseFormat: city });
    const error = await fails(
      async () => {
        for await (const _ of stream);
      },
      LLMError,
      "LLM_BAD_ANSWER",
    );
    await expect(stream.response).rejects.toBe(error);
  });

  test("comes through a tool where the provider has no other way", async () => {
    const server = await serve(
      json({
        id: "msg_1",
        type: "message",
        role: "assistant",
        model: "m",
        content: [{ type: "tool_use", id: "t1", name: "answer", input: lisbon }],
        stop_reason: "tool_use",
        usage: { input_tokens: 7, output_tokens: 2 },
      }),
    );
    const llm = new Anthropic({ model: "m", apiKey: "k", baseURL: server.url });
    const { object, toolCalls } = await llm.chat("Lisbon", { responseFormat: city });
    expect({ object, toolCalls }).toEqual({ object: lisbon, toolCalls: [] });
    expect(server.requests[0]!.json.tool_choice).toEqual({ type: "tool", name: "answer" });
  });

  test("comes through a tool where a form is refused beside tools, whose names it does not take", async () => {
    const functionCall = { name: "answer_", args: lisbon };
    const parts = [{ functionCall, thoughtSignature: "sig" }];
    const server = await serve(json({ candidates: [{ content: { role: "model", parts }, finishReason: "STOP" }] }));
    const llm = new Gemini({ model: "gemini-2.5-flash", apiKey: "k", baseURL: server.url });
    const response = await llm.chat("Lisbon", { responseFormat: city, tools: [{ name: "answer" }] });
    expect(response).toMatchObject({ object: lisbon, toolCalls: [], finishReason: "stop" });
    expect(response.message.content).toEqual([{ type: "text", text }]);
    expect(server.requests[0]!.json.generationConfig).toEqual({});
  });
});
