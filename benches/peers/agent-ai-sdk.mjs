// The AI SDK's agent as its documentation shows it: a ToolLoopAgent with tools, and the model of its own `ai/test`. The
// part `bytes` has its client for compatible servers, and the `fetch` that stepstream's has in the same row.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ToolLoopAgent, tool } from "ai";
import { z } from "zod";
import { mockModel } from "../lib/mock-model.mjs";
import { fetchScript } from "../lib/script-bodies.mjs";
import { INSTRUCTIONS, questionOf } from "../lib/script.mjs";

const inputSchema = z.object({ a: z.number(), b: z.number() });
const tools = {
  add: tool({ description: "Adds two numbers.", inputSchema, execute: async ({ a, b }) => a + b }),
  multiply: tool({ description: "Multiplies two numbers.", inputSchema, execute: async ({ a, b }) => a * b }),
};

/** `forget` is called after each run. */
function cases(model, forget = () => {}) {
  const agent = new ToolLoopAgent({ model, instructions: INSTRUCTIONS, tools });
  return {
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
