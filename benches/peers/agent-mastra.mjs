// Mastra's Agent as its documentation shows it. Its documentation names models by text; the scripted one is an object
// of the AI SDK, which it takes as well. So is the client of the part `bytes`.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";
import { mockModel } from "../lib/mock-model.mjs";
import { fetchScript } from "../lib/script-bodies.mjs";
import { INSTRUCTIONS, questionOf } from "../lib/script.mjs";

const inputSchema = z.object({ a: z.number(), b: z.number() });
const tools = {
  add: createTool({
    id: "add",
    description: "Adds two numbers.",
    inputSchema,
    execute: async ({ a, b }) => a + b,
  }),
  multiply: createTool({
    id: "multiply",
    description: "Multiplies two numbers.",
    inputSchema,
    execute: async ({ a, b }) => a * b,
  }),
};

/** `forget` is called after each run. */
function cases(model, forget = () => {}) {
  const agent = new Agent({ id: "calculator", name: "Calculator", instructions: INSTRUCTIONS, model, tools });
  return {
    async agentTurn(i) {
      const { text } = await agent.generate(questionOf(i));
      forget();
      return text;
    },

    async agentStream(i) {
      const { textStream } = await agent.stream(questionOf(i));
      let text = "";
      for await (const piece of textStream) text += piece;
      forget();
      return text;
    },
  };
}

const { model, forget } = mockModel();
const provider = createOpenAICompatible({
  name: "local",
  baseURL: "http://127.0.0.1/v1",
  apiKey: "none",
  fetch: fetchScript,
});

export default cases(model, forget);
export const bytes = cases(provider("small-1"));
