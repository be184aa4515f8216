// Structured output of agents: one more call of the model after the answer.

import { type HandlerContext, LLMError } from "../api/index.js";
import type { ChatMessage, ContentBlock, LLM, OwnResponse } from "../model/chat.js";
import { parseAndCheck } from "../schema/check.js";
import type { SchemaDefinition } from "../schema/definition.js";
import type { AgentChatOptions, AgentStep } from "./agent.js";
import { callModel } from "./call-model.js";
import { blocksOf, messageOf, textOf } from "./messages.js";
import { STRUCTURE_NOW } from "./prompts.js";

/** How often the model is asked before the run fails. */
export const STRUCTURED_ATTEMPTS = 3;

/** The JSON in a text: models often write a fence around it, and some text before that. */
function jsonIn(text: string): string {
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/i.exec(text);
  return (fenced?.[1] ?? text).trim();
}

/**
 * Asks for the structured output. When the output is not valid, the step has `retryMessages` that say what is wrong.
 */
export async function askForStructuredOutput(
  { signal }: HandlerContext,
  llm: LLM,
  options: AgentChatOptions,
  messages: readonly ChatMessage[],
  { schema, check }: SchemaDefinition,
): Promise<AgentStep & { readonly structured?: unknown }> {
  const request: ChatMessage[] = [...callsAsText(messages), { role: "user", content: STRUCTURE_NOW }];
  const response = await callModel(llm, request, { ...options, responseFormat: { schema }, signal }, undefined).catch(
    (error: unknown): OwnResponse => {
      // Clients check the output too. What they refuse is checked here again, for the message to the model.
      if (error instanceof LLMError && error.code === "LLM_BAD_ANSWER" && error.partial) return error.partial;
      throw error;
    },
  );
  const text = textOf(messageOf(response));
  const checked = await parseAndCheck(jsonIn(text), check, "The answer is");
  if (checked.ok) return { ...response, structured: checked.value };
  const correction: ChatMessage = { role: "user", content: `${checked.message}\nGive the whole answer again.` };
  const retryMessages = text === "" ? [correction] : [{ role: "assistant" as const, content: text }, correction];
  return { ...response, retryMessages };
}

/**
 * The conversation with calls of tools and their results as text: some providers refuse both in a request without
 * tools, and in a request with tools the model could call one.
 */
function callsAsText(messages: readonly ChatMessage[]): ChatMessage[] {
  const names = new Map<string, string>();
  return messages.flatMap((message): ChatMessage[] => {
    const blocks = blocksOf(message);
    const content = blocks.flatMap((block): ContentBlock[] => {
      switch (block.type) {
        case "toolCall":
          names.set(block.id, block.name);
          return [{ type: "text", text: `[I call ${block.name} with ${block.arguments || "{}"}]` }];
        case "toolResult": {
          const head = `[${block.isError === true ? "Error" : "Result"} of ${names.get(block.id) ?? "the tool"}] `;
          if (typeof block.content === "string") return [{ type: "text", text: head + block.content }];
          return [{ type: "text", text: head }, ...block.content];
        }
        case "reasoning":
          return [];
        default:
          return [block];
      }
    });
    if (content.length === 0) return [];
    return [{ role: message.role === "tool" ? "user" : message.role, content }];
  });
}
