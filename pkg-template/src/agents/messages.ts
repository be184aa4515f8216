// Reads and changes messages: text, calls of tools, usage.

import type { ChatMessage, ContentBlock, OwnResponse, ToolCallBlock, ToolCallRequest, Usage } from "../model/chat.js";

/** The blocks of a message. */
export function blocksOf({ content }: ChatMessage): readonly ContentBlock[] {
  if (typeof content !== "string") return content;
  return content === "" ? [] : [{ type: "text", text: content }];
}

/** The text of a message; if it has none, the text of its refusal. */
export function textOf(message: ChatMessage): string {
  if (typeof message.content === "string") return message.content;
  const join = (type: "text" | "refusal"): string => {
    let text = "";
    for (const block of blocksOf(message)) if (block.type === type) text += block.text;
    return text;
  };
  return join("text") || join("refusal");
}

/** The calls of tools in a message. */
export function callsOf(message: ChatMessage): ToolCallRequest[] {
  const calls = blocksOf(message).filter((block) => block.type === "toolCall");
  return calls.map(({ id, name, arguments: text }) => ({ id, name, arguments: text }));
}

/** The message without its calls of tools. */
export function withoutCalls(message: ChatMessage): ChatMessage {
  if (typeof message.content === "string") return message;
  return { ...message, content: message.content.filter(({ type }) => type !== "toolCall") };
}

/**
 * The message with unique ids of its calls, by which results are assigned to calls. Some models leave ids out or repeat
 * them.
 *
 * @param taken The ids of earlier calls.
 */
export function withOwnIds(message: ChatMessage, taken: ReadonlySet<string>, iteration: number): ChatMessage {
  const known = new Set(taken);
  let nth = 0;
  let isChanged = false;
  const content = blocksOf(message).map((block) => {
    if (block.type !== "toolCall") return block;
    nth += 1;
    let { id } = block;
    if (id === "" || known.has(id)) {
      isChanged = true;
      const stem = id === "" ? "call" : id;
      for (let more = 0; id === "" || known.has(id); more += 1) {
        id = `${stem}_${iteration}_${nth}${more === 0 ? "" : `_${more}`}`;
      }
    }
    known.add(id);
    return id === block.id ? block : ({ ...block, id } satisfies ToolCallBlock);
  });
  return isChanged ? { ...message, content } : message;
}

/** The message of a response, with the calls that a user's own model gives only as `toolCalls`. */
export function messageOf({ message, toolCalls = [] }: OwnResponse): ChatMessage {
  if (toolCalls.length === 0 || callsOf(message).length > 0) return message;
  return {
    ...message,
    content: [...blocksOf(message), ...toolCalls.map((call) => ({ type: "toolCall" as const, ...call }))],
  };
}

/** The sum of two counts. */
export function addUsage(one: Usage, other: Usage | undefined): Usage {
  if (other === undefined) return one;
  const sum: { -readonly [Kind in keyof Usage]: Usage[Kind] } = { ...one };
  for (const kind of ["input", "output", "reasoning", "cached", "cacheWritten"] as const) {
    const more = other[kind];
    if (more !== undefined) sum[kind] = (sum[kind] ?? 0) + more;
  }
  return sum;
}
