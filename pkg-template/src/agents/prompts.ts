// Prompts with places to be filled in.

import type { ChatMessage } from "../llm/types.js";
import { blocksOf, textOf } from "./messages.js";
import type { Prompt } from "./run-options.js";

const STATE_PROMPT = `{message}

This is the current state, which tools may have changed:
{state}`;

/** Fills in the places `{name}`; what is filled in is not looked into again. */
export function fill<Parts extends object>(prompt: Prompt<Parts>, parts: Parts): string {
  if (typeof prompt === "function") return prompt(parts);
  const known = parts as Readonly<Record<string, unknown>>;
  return prompt.replaceAll(/\{(\w+)\}/g, (place, name: string) => {
    if (!Object.hasOwn(known, name)) return place;
    const part = known[name];
    return typeof part === "string" ? part : JSON.stringify(part);
  });
}

/** The conversation with the state told in the last message of the user. */
export function withState(
  messages: readonly ChatMessage[],
  state: unknown,
  prompt: Prompt<{ readonly state: unknown; readonly message: string }> = STATE_PROMPT,
): readonly ChatMessage[] {
  const isEmpty = typeof state !== "object" || state === null || Object.keys(state).length === 0;
  let at = messages.length - 1;
  while (at >= 0 && messages[at]!.role !== "user") at -= 1;
  if (isEmpty || at < 0) return messages;
  const asked = messages[at]!;
  const text = fill(prompt, { state, message: textOf(asked) });
  const others = blocksOf(asked).filter(({ type }) => type !== "text");
  const told: ChatMessage = { ...asked, content: others.length === 0 ? text : [{ type: "text", text }, ...others] };
  return [...messages.slice(0, at), told, ...messages.slice(at + 1)];
}

/** The conversation with a system prompt before it. */
export function withSystem(messages: readonly ChatMessage[], prompt: string): readonly ChatMessage[] {
  return prompt === "" ? messages : [{ role: "system", content: prompt }, ...messages];
}

/** What stands in for the result of a call that is not made because the iterations are used up. */
export const NOT_MADE = "This call was not made: no more tools can be used.";

/** What the model is told when it has to answer without more tools. */
export const ANSWER_NOW = "No more tools can be used. Answer now, with what you know so far, and say what is missing.";

/** What the model is told when the answer is wanted in the form of a schema. */
export const STRUCTURE_NOW = "Now give your answer in the form that is asked for, and nothing else.";
