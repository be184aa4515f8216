// Mastra's Agent as its documentation shows it. Its documentation names models by text; the scripted one is an object
// of the AI SDK, which it takes as well.
import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";
import { mockModel } from "../lib/mock-model.mjs";
import { INSTRUCTIONS, questionOf } from "../lib/script.mjs";

const inputSchema = z.object({ a: z.number(), b: z.number() });
const { model, forget } = mockModel();

const agent = new Agent({
  id: "calculator",
  name: "Calculator",
  instructions: INSTRUCTIONS,
  model,
  tools: {
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
  },
});

export default {
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
