// Two calculators: one whose model calls functions, and one whose model is told in words how to ask for a tool.
import { FunctionAgent, ReActAgent } from "stepstream/agents";
import { add, multiply } from "./tools.mjs";

export const QUESTION = "What is (123 + 456) * 789?";
export const ANSWER = (123 + 456) * 789;

export const options = {
  tools: [add, multiply],
  systemPrompt: "You are a calculator. Use the tools for every step of a calculation, then give the result.",
  maxIterations: 5,
  earlyStopping: "generate", // Then it has to answer with what it knows.
  chatOptions: { maxTokens: 100, temperature: 0 },
};

/** The model has to call a tool at first; afterwards it decides. */
export const functionAgent = (llm) => new FunctionAgent({ ...options, llm, initialToolChoice: "required" });

export const reActAgent = (llm) => new ReActAgent({ ...options, llm });
