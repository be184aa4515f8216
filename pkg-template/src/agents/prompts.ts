// Prompts: templates with placeholders, and the texts that agents add to a conversation.

import type { ChatMessage } from "../model/chat.js";
import { blocksOf, textOf } from "./messages.js";

/** A text with placeholders such as `{name}`, or a function that makes the text. */
export type Prompt<Parts> = string | ((parts: Parts) => string);

const STATE_PROMPT = `{message}

This is the current state, which tools may have changed:
{state}`;

/** Replaces the placeholders of a prompt. What replaces them is not searched for placeholders again. */
export function fill<Parts extends object>(prompt: Prompt<Parts>, parts: Parts): string {
  if (typeof prompt === "function") return prompt(parts);
  const known = parts as Readonly<Record<string, unknown>>;
  return prompt.replaceAll(/\{(\w+)\}/g, (placeholder, name: string) => {
    if (!Object.hasOwn(known, name)) return placeholder;
    const part = known[name];
    return typeof part === "string" ? part : JSON.stringify(part);
  });
}

/** The conversation with the state added to the last message of the user. */
export function withState(
  messages: readonly ChatMessage[],
  state: unknown,
  prompt: Prompt<{ readonly state: unknown; readonly message: string }> = STATE_PROMPT,
): readonly ChatMessage[] {
  const isEmpty = typeof state !== "object" || state === null || Object.keys(state).length === 0;
  let at = messages.length - 1;
  while (at >= 0 && messages[at]!.role !== "user") at -= 1;
  if (isEmpty || at < 0) return messages;
  const message = messages[at]!;
  const text = fill(prompt, { state, message: textOf(message) });
  const others = blocksOf(message).filter(({ type }) => type !== "text");
  const content: ChatMessage["content"] = others.length === 0 ? text : [{ type: "text", text }, ...others];
  return [...messages.slice(0, at), { ...message, content }, ...messages.slice(at + 1)];
}

/** The conversation with a system prompt before it. */
export function withSystem(messages: readonly ChatMessage[], prompt: string): readonly ChatMessage[] {
  return prompt === "" ? messages : [{ role: "system", content: prompt }, ...messages];
}

/** The result of a call that is not made because the iterations are used up. */
export const NOT_MADE = "This call was not made: no more tools can be used.";

/** Asks the model for an answer without more tools. */
export const ANSWER_NOW = "No more tools can be used. Answer now, with what you know so far, and say what is missing.";

/** Asks the model for the structured output. */
export const STRUCTURE_NOW = "Now give your answer in the form that is asked for, and nothing else.";
