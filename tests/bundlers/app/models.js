// Calls of a model and an agent, against the server of the tests.
import { FunctionAgent, ToolCallResult } from "stepstream/agents";
import { LLMError, OpenAI, tool } from "stepstream/llm";

const add = tool({
  name: "add",
  description: "Adds two numbers.",
  parameters: {
    type: "object",
    properties: { a: { type: "number" }, b: { type: "number" } },
    required: ["a", "b"],
  },
  execute: ({ a, b }) => a + b,
});

export async function models(baseURL) {
  const llm = new OpenAI({ model: "m", apiKey: "k", baseURL, maxRetries: 0 });
  const words = [];
  for await (const delta of llm.streamChat("Hi")) if (delta.type === "text") words.push(delta.text);
  const run = new FunctionAgent({ llm, tools: [add] }).run("What is 1 + 2?");
  const results = [];
  for await (const event of run) if (event instanceof ToolCallResult) results.push(event.data.content);
  const refused = await llm.streamChat("Refuse").response.catch((error) => error);
  return { words, results, agent: (await run).data.text, refused: [refused instanceof LLMError, refused.code] };
}
