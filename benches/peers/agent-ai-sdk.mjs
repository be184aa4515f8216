// The AI SDK's agent as its documentation shows it: a ToolLoopAgent with tools, and the model of its own `ai/test`.
import { ToolLoopAgent, tool } from "ai";
import { z } from "zod";
import { mockModel } from "../lib/mock-model.mjs";
import { INSTRUCTIONS, questionOf } from "../lib/script.mjs";

const inputSchema = z.object({ a: z.number(), b: z.number() });
const { model, forget } = mockModel();

const agent = new ToolLoopAgent({
  model,
  instructions: INSTRUCTIONS,
  tools: {
    add: tool({ description: "Adds two numbers.", inputSchema, execute: async ({ a, b }) => a + b }),
    multiply: tool({ description: "Multiplies two numbers.", inputSchema, execute: async ({ a, b }) => a * b }),
  },
});

export default {
  async agentTurn(i) {
    const { text } = await agent.generate({ prompt: questionOf(i) });
    forget();
    return text;
  },

  async agentStream(i) {
    const { textStream } = await agent.stream({ prompt: questionOf(i) });
    let text = "";
    for await (const piece of textStream) text += piece;
    forget();
    return text;
  },
};
