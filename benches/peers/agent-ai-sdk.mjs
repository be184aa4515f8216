// The AI SDK's agent as its documentation shows it: a ToolLoopAgent with tools, and the model of its own `ai/test`. The
// part `bytes` has its client for compatible servers, and the `fetch` that stepstream's has in the same row.
import { ToolLoopAgent, tool } from "ai";
import { z } from "zod";
import { agentTurns, modelOverFetch } from "../lib/agent-turns.mjs";
import { mockModel } from "../lib/mock-model.mjs";
import { INSTRUCTIONS } from "../lib/script.mjs";

const inputSchema = z.object({ a: z.number(), b: z.number() });
const tools = {
  add: tool({ description: "Adds two numbers.", inputSchema, execute: async ({ a, b }) => a + b }),
  multiply: tool({ description: "Multiplies two numbers.", inputSchema, execute: async ({ a, b }) => a * b }),
};

function turnsOf(model, forget) {
  const agent = new ToolLoopAgent({ model, instructions: INSTRUCTIONS, tools });
  return agentTurns(
    { generate: (prompt) => agent.generate({ prompt }), stream: (prompt) => agent.stream({ prompt }) },
    forget,
  );
}

const { model, forget } = mockModel();

export default turnsOf(model, forget);
export const bytes = turnsOf(modelOverFetch());
