// The agent for models that call functions.

import type { HandlerContext } from "../index.js";
import type { ToolChoice } from "../llm/types.js";
import { type AgentStep, type AgentStepInput, BaseAgent, type BaseAgentOptions, needsModel } from "./base-agent.js";

/** Options of a {@link FunctionAgent}. */
export interface FunctionAgentOptions<Structured = unknown> extends BaseAgentOptions<Structured> {
  readonly llm: NonNullable<BaseAgentOptions["llm"]>;
  /** Whether and which tools the model has to call at first; afterwards it decides. Default: `"auto"`. */
  readonly initialToolChoice?: ToolChoice | undefined;
}

/**
 * An agent whose model calls functions: it is told of the tools through the provider's API, and its calls come back as such.
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

  /** @throws ValidationError `INVALID_AGENT` */
  constructor(options: FunctionAgentOptions<Structured>) {
    super(options);
    needsModel(this);
    this.initialToolChoice = options.initialToolChoice;
  }

  takeStep(context: HandlerContext, input: AgentStepInput): Promise<AgentStep> {
    const { tools, purpose, iteration } = input;
    if (tools.length === 0) return this.callModel(context, input);
    // The tools stay in the request: some providers refuse calls in the conversation without them.
    if (purpose === "answer") return this.callModel(context, input, { tools, toolChoice: "none" });
    const toolChoice = iteration === 1 ? this.initialToolChoice : undefined;
    return this.callModel(context, input, { tools, ...(toolChoice === undefined ? {} : { toolChoice }) });
  }
}
