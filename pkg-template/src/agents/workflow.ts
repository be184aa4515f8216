// The workflow of agents as users make it: the loop, and a short way to one agent with tools.

import { ValidationError } from "../api/index.js";
import { describe } from "../util/describe.js";
import type { BaseAgentOptions } from "./base-agent.js";
import { FunctionAgent, type FunctionAgentOptions } from "./function-agent.js";
import { AgentLoop, pickOptions } from "./loop.js";
import { ReActAgent, type ReActAgentOptions } from "./react/react-agent.js";
import { runOptionNames } from "./run-options.js";

/** Options of {@link AgentWorkflow.fromTools}. */
export type FromToolsOptions<Structured = unknown> = Omit<
  FunctionAgentOptions<Structured>,
  "tools" | "canHandoffTo"
> & {
  /** Whether the model calls functions, or writes in the ReAct format. Default: `"function"`. */
  readonly kind?: "function" | "react" | undefined;
};

/**
 * A workflow of agents: one agent at a time works on the conversation, and may hand off to another. It is a workflow
 * like any other: its runs can be awaited, iterated, cancelled, saved in a snapshot and resumed.
 *
 * ```ts
 * const team = new AgentWorkflow({
 *   agents: [researcher, writer],
 *   rootAgent: "researcher",
 *   initialState: { notes: [] },
 * });
 * const run = team.run("Write a report on the history of the web.");
 * for await (const event of run) if (event instanceof AgentStream) page.append(event.data.delta);
 * const { data } = await run;
 *
 * const next = team.run("Make it shorter.", undefined, { context: run }); // Continues the conversation and the state.
 * ```
 *
 * A run that is recovered, in this process or another one, uses the models and tools of the workflow that recovers it,
 * which must have agents of the same names. A call of a model that was running is made again. So is a call of a tool,
 * unless the tool is marked `once` and its result is in the snapshot.
 *
 * @typeParam ContextData The type of `context.data` in tools.
 * @typeParam Structured The type of the structured output.
 */
export class AgentWorkflow<ContextData = unknown, Structured = unknown> extends AgentLoop<ContextData, Structured> {
  /**
   * A workflow of one agent with these tools.
   *
   * ```ts
   * const calculator = AgentWorkflow.fromTools([add, multiply], { llm, systemPrompt: "You are a calculator." });
   * ```
   *
   * @throws ValidationError as the constructor.
   */
  static fromTools<Structured = unknown>(
    tools: NonNullable<BaseAgentOptions["tools"]>,
    options: FromToolsOptions<Structured>,
  ): AgentWorkflow<unknown, Structured> {
    const { kind = "function", ...others } = options;
    if (!["function", "react"].includes(kind)) {
      throw new ValidationError("INVALID_OPTION", `kind is ${describe(kind)}.`);
    }
    const given: ReActAgentOptions<Structured> = { ...others, tools };
    const agent = kind === "react" ? new ReActAgent(given) : new FunctionAgent(given);
    const runOptions = pickOptions(given, runOptionNames);
    return new AgentWorkflow<unknown, Structured>({ ...runOptions, name: agent.name, agents: [agent] } as never);
  }
}
