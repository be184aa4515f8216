// Handoffs: the tool by which an agent lets another one take over.

import { ValidationError } from "../api/index.js";
import type { ToolCallRequest, ToolDefinition } from "../model/chat.js";
import { type Tool, tool } from "../tools/index.js";
import type { AgentDefinition } from "./agent.js";
import { type Prompt, fill } from "./prompts.js";

/** The name of the tool. */
export const HANDOFF = "handoff";

/** The arguments of the tool. */
export interface HandoffArguments {
  readonly toAgent: string;
  readonly reason: string;
}

/** The description of the tool, for the model: `{agents}` is the list of the other agents with their descriptions. */
export type HandoffPrompt = Prompt<{ readonly agents: string }>;

const PROMPT = `Lets another agent take over. Use it when that agent is better suited to what the user wants now,\
 or when you lack the tools for it.
The other agent sees the whole conversation, so there is no need to tell it again.

The agents:
{agents}`;

/** The agents that an agent may hand off to. */
export function targetsOf(
  agent: AgentDefinition,
  agents: ReadonlyMap<string, AgentDefinition>,
): readonly AgentDefinition[] {
  return [...agents.values()].filter(
    (other) => other !== agent && (agent.canHandoffTo === undefined || agent.canHandoffTo.includes(other.name)),
  );
}

/** Makes the tool. Its result only names the agent; the step that gathers the results makes the handoff. */
export function handoffTool(
  targets: readonly AgentDefinition[],
  prompt: HandoffPrompt = PROMPT,
): Tool<HandoffArguments> {
  const agents = targets.map(({ name, description }) =>
    description === "" ? `- ${name}` : `- ${name}: ${description}`,
  );
  return tool<HandoffArguments>({
    name: HANDOFF,
    description: fill(prompt, { agents: agents.join("\n") }),
    parameters: {
      type: "object",
      properties: {
        toAgent: { type: "string", description: "The name of the agent." },
        reason: { type: "string", description: "Why, in a sentence." },
      },
      required: ["toAgent", "reason"],
    },
    execute: ({ toAgent, reason }) => {
      if (!targets.some(({ name }) => name === toAgent)) {
        const names = targets.map(({ name }) => `"${name}"`).join(", ");
        throw new Error(`There is no agent "${toAgent}" that you can hand off to. There are ${names}.`);
      }
      return `The agent "${toAgent}" takes over now, because: ${reason}\nIt goes on with what the user wants.`;
    },
  });
}

/** Whether another call of the same message hands off first: only one agent can take over. */
export function isLateHandoff(calls: readonly ToolCallRequest[], id: string): boolean {
  const first = calls.find(({ name }) => name === HANDOFF);
  return first !== undefined && first.id !== id;
}

/** @throws ValidationError `INVALID_AGENT` when a tool of the agent has the name of the handoff tool. */
export function checkHandoffName(agent: AgentDefinition, tools: readonly ToolDefinition[]): void {
  if (tools.some(({ name }) => name === HANDOFF)) {
    const detail =
      `A tool of the agent "${agent.name}" has the name "${HANDOFF}", ` + "which is that of the tool for handoffs.";
    throw new ValidationError("INVALID_AGENT", detail);
  }
}
