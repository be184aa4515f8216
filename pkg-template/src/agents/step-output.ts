// The event for the step of an agent.

import { callsOf, messageOf, textOf, withOwnIds, withoutCalls } from "./messages.js";
import type { ChatMessage } from "../model/chat.js";
import type { AgentStep } from "./agent.js";
import { type AgentMessages, AgentOutput, type AgentOutputData, type ToolCallResultData } from "./events.js";

/**
 * The event for a step of an agent.
 *
 * @param messages The conversation, whose calls have ids that a new call must not have.
 */
export function outputOf(
  { agent, iteration, purpose }: Omit<AgentMessages, "messages">,
  step: AgentStep & { readonly structured?: unknown },
  messages: readonly ChatMessage[] = [],
): AgentOutput {
  const { usage, finishReason, retryMessages } = step;
  const takenIds = new Set(messages.flatMap((message) => callsOf(message).map(({ id }) => id)));
  const message = withOwnIds(messageOf(step), takenIds, iteration);
  // When no tool may be called, calls that the model makes all the same are ignored.
  const response = purpose === "step" ? message : withoutCalls(message);
  return new AgentOutput({
    agent,
    iteration,
    purpose,
    response,
    text: textOf(response),
    toolCalls: callsOf(response),
    ...(usage === undefined ? {} : { usage }),
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(retryMessages === undefined ? {} : { retryMessages }),
    ...("structured" in step ? { structured: step.structured } : {}),
  });
}

/** The result of a tool as the answer, for a tool with `returnDirect`. */
export function directOutput({ agent, iteration, content }: ToolCallResultData): AgentOutputData {
  const response: ChatMessage = { role: "assistant", content };
  return { agent, iteration, purpose: "answer", response, text: textOf(response), toolCalls: [] };
}
