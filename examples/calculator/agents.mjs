// Two calculators: one for models that call functions, and one for models that are instructed in text how to ask for a
// tool.
import { FunctionAgent, ReActAgent } from "stepstream/agents";
import { add, multiply } from "./tools.mjs";

export const QUESTION = "What is (123 + 456) * 789?";
export const ANSWER = (123 + 456) * 789;

export const options = {
  tools: [add, multiply],
  systemPrompt: "You are a calculator. Use the tools for every step of a calculation, then give the result.",
  maxIterations: 5,
  earlyStopping: "generate", // After `maxIterations`, the model answers with what it knows.
  chatOptions: { maxTokens: 100, temperature: 0 },
};

/** The model has to call a tool at first. After that, it decides. */
export const functionAgent = (llm) => new FunctionAgent({ ...options, llm, initialToolChoice: "required" });

export const reActAgent = (llm) => new ReActAgent({ ...options, llm });
