// The tools that an agent can use at a moment: its own, the tool for handoffs, and those that its retriever finds.

import { type HandlerContext, ValidationError } from "../api/index.js";
import { describe } from "../util/describe.js";
import type { Tool } from "../tools/index.js";
import { isTool } from "../tools/tool.js";
import type { AgentDefinition } from "./agent.js";
import { stateOf } from "./turn.js";

/** The most runs whose retrieved tools are remembered; a search is made again for one that was forgotten. */
const MOST_RUNS = 100;

/** The tools of the agents of a workflow. */
export class Toolbox {
  /** The tool for handoffs of each agent that may hand off, by the agent's name. */
  readonly handoffs: ReadonlyMap<string, Tool>;
  /**
   * The retrieved tools of runs, by their id, the latest last: a search may be costly, and every call of a tool needs
   * the result.
   */
  readonly #retrieved = new Map<string, { readonly key: string; readonly tools: Promise<readonly Tool[]> }>();

  constructor(handoffs: ReadonlyMap<string, Tool>) {
    this.handoffs = handoffs;
  }

  /** All tools that an agent can use now. Of two with the same name, the agent's own takes precedence. */
  async toolsOf(context: HandlerContext, agent: AgentDefinition): Promise<readonly Tool[]> {
    const handoff = this.handoffs.get(agent.name);
    const own = handoff === undefined ? agent.tools : [...agent.tools, handoff];
    if (agent.toolRetriever === undefined) return own;
    const names = new Set(own.map(({ name }) => name));
    const found = await this.#retrieve(context, agent);
    return [...own, ...found.filter(({ name }) => !names.has(name) && names.add(name))];
  }

  #retrieve(context: HandlerContext, agent: AgentDefinition): Promise<readonly Tool[]> {
    const { store, runId } = context;
    const { query, before } = stateOf(store).turn;
    const key = JSON.stringify([agent.name, before.length, query]);
    const known = this.#retrieved.get(runId);
    if (known?.key === key) return known.tools;
    const tools = retrieve(context, agent, query);
    this.#retrieved.delete(runId);
    this.#retrieved.set(runId, { key, tools });
    for (const oldest of this.#retrieved.keys()) if (this.#retrieved.size > MOST_RUNS) this.#retrieved.delete(oldest);
    // A search that failed is made again at the next use.
    tools.catch(() => this.#retrieved.delete(runId));
    return tools;
  }
}

async function retrieve(context: HandlerContext, agent: AgentDefinition, query: string): Promise<readonly Tool[]> {
  const found: unknown = await agent.toolRetriever!(query, { context });
  if (Array.isArray(found) && found.every(isTool)) return found;
  const detail = `\`toolRetriever\` of the agent "${agent.name}" returned ${describe(found)}, not tools.`;
  throw new ValidationError("INVALID_AGENT", detail);
}
