// The agents of a workflow, by name.

import { ValidationError } from "../api/index.js";
import { describe } from "../util/describe.js";
import type { AgentDefinition } from "./agent.js";
import { checkHandoffName, targetsOf } from "./handoff.js";

const methods = ["takeStep", "handleToolCallResults", "finalize"] as const;

/**
 * Checks agents, and returns them by name. @throws ValidationError `INVALID_AGENT`, `DUPLICATE_AGENT`, `UNKNOWN_AGENT`
 */
export function teamOf(agents: unknown): ReadonlyMap<string, AgentDefinition> {
  if (!Array.isArray(agents) || agents.length === 0) {
    throw new ValidationError("INVALID_AGENT", "`agents` is not a list of agents.");
  }
  const team = new Map<string, AgentDefinition>();
  for (const agent of agents as readonly AgentDefinition[]) {
    // By the methods, not by the class: an agent may be of another copy of the package.
    if (typeof agent !== "object" || agent === null || methods.some((name) => typeof agent[name] !== "function")) {
      throw new ValidationError("INVALID_AGENT", `One of \`agents\` is ${describe(agent)}.`);
    }
    if (team.has(agent.name)) throw new ValidationError("DUPLICATE_AGENT", `The name is "${agent.name}".`);
    team.set(agent.name, agent);
  }
  for (const agent of team.values()) {
    for (const name of agent.canHandoffTo ?? []) {
      if (!team.has(name)) throw unknownAgent(name, `\`canHandoffTo\` of "${agent.name}"`, team);
    }
    if (targetsOf(agent, team).length > 0) checkHandoffName(agent, agent.tools);
  }
  return team;
}

/** The agent of a name. @throws ValidationError `UNKNOWN_AGENT` */
export function agentNamed(name: string, where: string, team: ReadonlyMap<string, AgentDefinition>): AgentDefinition {
  const agent = team.get(name);
  if (agent === undefined) throw unknownAgent(name, where, team);
  return agent;
}

function unknownAgent(name: unknown, where: string, team: ReadonlyMap<string, AgentDefinition>): ValidationError {
  const names = [...team.keys()].map((known) => `"${known}"`).join(", ");
  return new ValidationError("UNKNOWN_AGENT", `${where} names ${describe(name)}; there are ${names}.`);
}

/** @throws ValidationError `INVALID_AGENT` when the agent has no model. */
export function checkModel({ name, llm }: Pick<AgentDefinition, "name" | "llm">): void {
  if (llm === undefined) throw new ValidationError("INVALID_AGENT", `The agent "${name}" has no \`llm\`.`);
}
