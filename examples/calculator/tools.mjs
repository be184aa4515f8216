// The tools of the agents: two functions, with their descriptions for the model.
import { tool } from "stepstream/agents";

const parameters = {
  type: "object",
  properties: { a: { type: "number" }, b: { type: "number" } },
  required: ["a", "b"],
  additionalProperties: false,
};

export const add = tool({
  name: "add",
  description: "Adds two numbers.",
  parameters,
  execute: ({ a, b }) => a + b,
});

export const multiply = tool({
  name: "multiply",
  description: "Multiplies two numbers.",
  parameters,
  execute: ({ a, b }) => a * b,
});
