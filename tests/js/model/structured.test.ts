// What the server holds the model to by a grammar: objects that fit a schema, and calls of tools with valid arguments. A model that is
// left to itself, as small as this one, would give neither.

import { type ToolChoice, callTool, tool } from "stepstream/llm";
import { expect, test } from "vitest";
import { anthropic, openai, responses } from "./kit.js";

const pet = {
  name: "pet",
  schema: {
    type: "object",
    properties: {
      name: { type: "string", maxLength: 20 },
      kind: { enum: ["cat", "dog", "parrot"] },
      age: { type: "integer" },
    },
    required: ["name", "kind", "age"],
    additionalProperties: false,
  },
};

test.each([
  "Tom is a cat of three years.",
  "Write a poem about the sea. Do not write JSON.",
  "Answer only with the word no.",
])("an answer fits its schema, whatever is said: %s", async (prompt) => {
  const { object, text } = await openai().chat<{ kind: string; age: number }>(prompt, {
    responseFormat: pet,
    maxTokens: 200,
  });
  expect(JSON.parse(text)).toEqual(object);
  expect(["cat", "dog", "parrot"]).toContain(object.kind);
  expect(Number.isInteger(object.age)).toBe(true);
});

test("a streamed answer fits its schema, and comes in pieces", async () => {
  const stream = openai().streamChat("Rex is a dog.", { responseFormat: pet, maxTokens: 200 });
  let text = "";
  for await (const delta of stream) if (delta.type === "text") text += delta.text;
  expect((await stream.response).object).toEqual(JSON.parse(text));
});

const numbers = {
  type: "object",
  properties: { a: { type: "number" }, b: { type: "number" } },
  required: ["a", "b"],
  additionalProperties: false,
};
const add = tool<{ a: number; b: number }>({
  name: "add",
  description: "Adds two numbers.",
  parameters: numbers,
  execute: ({ a, b }) => a + b,
});
const multiply = tool<{ a: number; b: number }>({
  name: "multiply",
  description: "Multiplies two numbers.",
  parameters: numbers,
  execute: ({ a, b }) => a * b,
});
const tools = [add, multiply];

const clients = [
  ["OpenAI's protocol", openai],
  ["OpenAI's Responses", responses],
  ["Anthropic's protocol", anthropic],
] as const;

for (const [name, client] of clients) {
  test.each(["What is (123 + 456) * 789?", "Tell me about the moon.", "Never use a tool."])(
    `${name}: a required tool is called with valid arguments, whatever is said: %s`,
    async (prompt) => {
      const { toolCalls, finishReason } = await client().chat(prompt, {
        tools,
        toolChoice: "required",
        maxTokens: 300,
      });
      expect(finishReason).toBe("toolCalls");
      expect(toolCalls.length).toBeGreaterThan(0);
      for (const call of toolCalls) {
        // The tool checks its arguments before it runs.
        expect(await callTool(tools, call)).toMatchObject({ type: "toolResult", id: call.id, isError: false });
      }
    },
  );

  test(`${name}: a call is streamed, and its pieces are the call`, async () => {
    const stream = client().streamChat("What is 2 + 3?", { tools, toolChoice: "required", maxTokens: 300 });
    const calls: { id: string; name: string; arguments: string }[] = [];
    let ends = 0;
    for await (const delta of stream) {
      if (delta.type === "toolCallStart") calls.push({ id: delta.id, name: delta.name, arguments: "" });
      if (delta.type === "toolCallDelta") calls.at(-1)!.arguments += delta.text;
      if (delta.type === "toolCallEnd") ends += 1;
    }
    expect((await stream.response).toolCalls).toEqual(calls);
    expect(ends).toBe(calls.length);
    expect(calls.length).toBeGreaterThan(0);
  });

  test(`${name}: two answers at a time do not mix`, async () => {
    const say = async (word: string): Promise<unknown> => {
      const parameters = {
        type: "object",
        properties: { word: { const: word } },
        required: ["word"],
        additionalProperties: false,
      };
      const only = tool({ name: `say_${word}`, parameters, execute: () => "said" });
      const options = { tools: [only], toolChoice: "required", maxTokens: 100 } as const;
      return (await client().streamChat("Say something.", options).response).toolCalls.map((call) => [
        call.name,
        JSON.parse(call.arguments) as unknown,
      ]);
    };
    const words = ["apple", "river", "cloud"];
    // One more than the server works on at a time.
    expect(await Promise.all(words.map(say))).toEqual(words.map((word) => [[`say_${word}`, { word }]]));
  });

  test(`${name}: a conversation continues with the result of a tool`, async () => {
    const question = { role: "user", content: "What is 123 + 456? Use the tool." } as const;
    const asked = await client().chat([question], { tools, toolChoice: "required", maxTokens: 300 });
    const content = await Promise.all(asked.toolCalls.map((call) => callTool(tools, call)));
    const messages = [question, asked.message, { role: "tool", content } as const];
    const alone = await client().chat([question], { tools, maxTokens: 40 });
    const answer = await client().chat(messages, { tools, toolChoice: "none", maxTokens: 40 });
    expect(answer.text).not.toBe("");
    // The call and its result were a part of what the model read.
    expect(answer.usage.input! + (answer.usage.cached ?? 0)).toBeGreaterThan(alone.usage.input!);
  });
}

test("the one tool that is asked for by name is called, though the server knows no such choice", async () => {
  const toolChoice: ToolChoice = { name: "multiply" };
  const { toolCalls } = await openai().chat("What is 1 + 1?", { tools, toolChoice, maxTokens: 300 });
  expect(toolCalls.map((call) => call.name)).toEqual(["multiply"]);
});
