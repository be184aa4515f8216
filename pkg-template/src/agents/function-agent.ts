// The agent for models that can call functions.

import type { HandlerContext } from "../api/index.js";
import type { LLM, ToolChoice } from "../model/chat.js";
import type { AgentStep, AgentStepInput } from "./agent.js";
import { BaseAgent, type BaseAgentOptions } from "./base-agent.js";
import { checkModel } from "./team.js";

/** Options of a {@link FunctionAgent}. */
export interface FunctionAgentOptions<Structured = unknown> extends BaseAgentOptions<Structured> {
  readonly llm: LLM;
  /** Whether and which tools the model must call in its first call; after that it decides. Default: `"auto"`. */
  readonly initialToolChoice?: ToolChoice | undefined;
}

/**
 * An agent whose model can call functions: the tools are sent through the provider's API, and calls come back as such.
 *
 * ```ts
 * const agent = new FunctionAgent({
 *   llm: new OpenAI({ model: "gpt-5-mini", apiKey }),
 *   systemPrompt: "You are a calculator.",
 *   tools: [add, multiply],
 * });
 * const { data } = await agent.run("What is (123 + 456) * 789?");
 * ```
 */
export class FunctionAgent<Structured = unknown> extends BaseAgent<Structured> {
  readonly initialToolChoice: ToolChoice | undefined;

  /**
   * @param options The options.
   * @param ownNames As for {@link BaseAgent}.
   * @throws ValidationError `INVALID_AGENT`, `INVALID_OPTION`
   */
  constructor(options: FunctionAgentOptions<Structured>, ownNames: Readonly<Record<string, unknown>> = {}) {
    super(options, { initialToolChoice: 1, ...ownNames });
    checkModel(this);
    this.initialToolChoice = options.initialToolChoice;
  }

  takeStep(context: HandlerContext, input: AgentStepInput): Promise<AgentStep> {
    const { tools, purpose, iteration } = input;
    if (tools.length === 0) return this.callModel(context, input);
    // The request keeps the tools: some providers refuse a conversation with calls otherwise.
    if (purpose === "answer") return this.callModel(context, input, { tools, toolChoice: "none" });
    const toolChoice = iteration === 1 ? this.initialToolChoice : undefined;
    return this.callModel(context, input, { tools, ...(toolChoice === undefined ? {} : { toolChoice }) });
  }
}
