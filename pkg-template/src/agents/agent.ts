// An agent as the loop sees it: its definition, what it is given for a step, and what it returns. The loop depends on
// these types alone; the classes that implement them depend on the loop.

import type { HandlerContext } from "../api/index.js";
import type { ChatMessage, ChatOptions, LLM, OwnResponse, ToolDefinition } from "../model/chat.js";
import type { Tool } from "../tools/index.js";
import type { AgentOutputData, Purpose, ToolCallResultData } from "./events.js";

/** Finds tools that are useful for what the user wants. */
export type ToolRetriever = (
  query: string,
  run: { readonly context: HandlerContext },
) => readonly Tool[] | PromiseLike<readonly Tool[]>;

/** Options of an agent's calls of the model, beside those that the agent sets itself. */
export type AgentChatOptions = Omit<ChatOptions, "tools" | "toolChoice" | "responseFormat" | "signal">;

/** The input of a step of an agent. */
export interface AgentStepInput {
  /** The conversation as it is for the model: the system prompt, the messages that the memory selected, the state. */
  readonly messages: readonly ChatMessage[];
  /** The tools of the agent, those of its retriever and the tool for handoffs included. */
  readonly tools: readonly ToolDefinition[];
  /** `"answer"` when the iterations are used up: no tool is called any more. */
  readonly purpose: Exclude<Purpose, "structured">;
  /** The number of the call of the model in this run, from 1. */
  readonly iteration: number;
}

/** The result of a step of an agent: a response of a model, of which only the message is required. */
export interface AgentStep extends OwnResponse {
  /**
   * Set when the message cannot be used: the agent takes another step, with these messages appended to its input. They
   * do not become part of the conversation.
   */
  readonly retryMessages?: readonly ChatMessage[] | undefined;
}

/** An agent, as an `AgentWorkflow` uses it. `BaseAgent` implements it. */
export interface AgentDefinition {
  readonly name: string;
  readonly description: string;
  readonly systemPrompt: string | ((context: HandlerContext) => string | PromiseLike<string>);
  readonly llm: LLM | undefined;
  readonly tools: readonly Tool[];
  readonly toolRetriever: ToolRetriever | undefined;
  readonly canHandoffTo: readonly string[] | undefined;
  readonly chatOptions: AgentChatOptions;
  takeStep(context: HandlerContext, input: AgentStepInput): AgentStep | PromiseLike<AgentStep>;
  handleToolCallResults(
    context: HandlerContext,
    results: readonly ToolCallResultData[],
  ): readonly ChatMessage[] | PromiseLike<readonly ChatMessage[]>;
  finalize(context: HandlerContext, output: AgentOutputData): AgentOutputData | PromiseLike<AgentOutputData>;
}
