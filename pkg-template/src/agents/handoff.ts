// Handing off: the tool by which an agent lets another one take over.

import { ValidationError } from "../api/index.js";
import type { ToolCallRequest, ToolDefinition } from "../llm/types.js";
import { type Tool, tool } from "../tools/index.js";
import type { BaseAgent } from "./base-agent.js";
import { fill } from "./prompts.js";
import type { Prompt } from "./run-options.js";

/** The name of the tool. */
export const HANDOFF = "handoff";

/** What the model gives. */
export interface HandoffArguments {
  readonly toAgent: string;
  readonly reason: string;
}

/** How an agent is told when and to whom it may hand off; `{agents}` are the names and descriptions. */
export type HandoffPrompt = Prompt<{ readonly agents: string }>;

const PROMPT = `Lets another agent take over. Use it when that agent is better suited to what the user wants now, or when you lack the tools for it.
The other agent sees the whole conversation, so there is no need to tell it again.

The agents:
{agents}`;

/** The agents that one may hand off to. */
export function targetsOf(agent: BaseAgent, agents: ReadonlyMap<string, BaseAgent>): BaseAgent[] {
  return [...agents.values()].filter(
    (other) => other !== agent && (agent.canHandoffTo === undefined || agent.canHandoffTo.includes(other.name)),
  );
}

/** The tool. It only says who takes over; that it happens is up to the step that gathers the results. */
export function handoffTool(targets: readonly BaseAgent[], prompt: HandoffPrompt = PROMPT): Tool<HandoffArguments> {
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

/** Whether an earlier one of the calls that the model made at the same time hands off as well: only one agent can take over. */
export function isLate(calls: readonly ToolCallRequest[], id: string): boolean {
  const first = calls.find(({ name }) => name === HANDOFF);
  return first !== undefined && first.id !== id;
}

/** @throws ValidationError `INVALID_AGENT` when a tool has the name of this one. */
export function checkNames(agent: BaseAgent, tools: readonly ToolDefinition[]): void {
  if (tools.some(({ name }) => name === HANDOFF)) {
    const detail = `A tool of the agent "${agent.name}" has the name "${HANDOFF}", by which agents hand off.`;
    throw new ValidationError("INVALID_AGENT", detail);
  }
}
