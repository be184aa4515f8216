// Mastra's Agent as its documentation shows it. Its documentation names models by text; the scripted one is an object
// of the AI SDK, which it takes as well. So is the client of the part `bytes`.
import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";
import { agentTurns, modelOverFetch } from "../lib/agent-turns.mjs";
import { mockModel } from "../lib/mock-model.mjs";
import { INSTRUCTIONS } from "../lib/script.mjs";

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

function turnsOf(model, forget) {
  const agent = new Agent({ id: "calculator", name: "Calculator", instructions: INSTRUCTIONS, model, tools });
  return agentTurns(
    { generate: (question) => agent.generate(question), stream: (question) => agent.stream(question) },
    forget,
  );
}

const { model, forget } = mockModel();

export default turnsOf(model, forget);
export const bytes = turnsOf(modelOverFetch());
