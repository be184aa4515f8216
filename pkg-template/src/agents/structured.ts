// The answer in the form of a schema: one more call of the model, after the answer.

import { LLMError } from "../errors/errors.js";
import type { HandlerContext } from "../api/index.js";
import type { ChatMessage, ContentBlock, JSONSchema, LLM, OwnResponse } from "../llm/types.js";
import { isStandardSchema, jsonSchemaOf } from "../tools/schema.js";
import { type Check, type Reading, jsonSchemaCheck, readJson, standardCheck } from "../tools/validate.js";
import type { AgentChatOptions, AgentStep } from "./base-agent.js";
import { callModel } from "./call-model.js";
import { blocksOf, messageOf, textOf } from "./messages.js";
import { STRUCTURE_NOW } from "./prompts.js";

/** How often the model is asked before the run fails. */
export const STRUCTURED_ATTEMPTS = 3;

/** The form of the answer. */
export interface OutputForm {
  readonly schema: JSONSchema;
  readonly check: Check;
}

/** @throws ValidationError `INVALID_SCHEMA` */
export function outputForm(given: unknown): OutputForm {
  const schema = jsonSchemaOf(given, undefined, "the answer");
  return { schema, check: isStandardSchema(given) ? standardCheck(given) : jsonSchemaCheck(schema) };
}

/** Models like to put JSON between fences, and to say something before it. */
function jsonIn(text: string): string {
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/i.exec(text);
  return (fenced?.[1] ?? text).trim();
}

/** Asks for the form; a message that does not have it comes back with what the model is to be told. */
export async function takeForm(
  { signal }: HandlerContext,
  llm: LLM,
  options: AgentChatOptions,
  messages: readonly ChatMessage[],
  { schema, check }: OutputForm,
): Promise<AgentStep & { readonly structured?: unknown }> {
  const asked: ChatMessage[] = [...inWords(messages), { role: "user", content: STRUCTURE_NOW }];
  const response = await callModel(llm, asked, { ...options, responseFormat: { schema }, signal }, undefined).catch(
    (error: unknown): OwnResponse => {
      // Clients check the form as well; what they refuse is looked at here, so that the model can be told.
      if (error instanceof LLMError && error.code === "LLM_BAD_ANSWER" && error.partial) return error.partial;
      throw error;
    },
  );
  const text = textOf(messageOf(response));
  const reading: Reading = await readJson(jsonIn(text), check, "The answer is");
  if (reading.ok) return { ...response, structured: reading.value };
  const told: ChatMessage[] = [{ role: "user", content: `${reading.message}\nGive the whole answer again.` }];
  return { ...response, retryMessages: text === "" ? told : [{ role: "assistant", content: text }, ...told] };
}

/**
 * The conversation with calls and results in words: some providers take neither where no tools are given, and giving them could make the
 * model call one more.
 */
function inWords(messages: readonly ChatMessage[]): ChatMessage[] {
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
