// The ReAct format: the prompt that describes it, and conversations written in it.

import type { ChatMessage, ContentBlock, ToolDefinition, ToolResultBlock } from "../../model/chat.js";
import { blocksOf, textOf } from "../messages.js";

/** The prompt that describes the format and the tools. It follows the agent's own system prompt. */
export function formatPrompt(tools: readonly ToolDefinition[]): string {
  const answer = `Thought: I know enough to answer.
Answer: what you tell the user, in the language of the user`;
  if (tools.length === 0)
    return `Write in exactly this form, with the labels at the beginning of the lines:\n\n${answer}`;
  const described = tools.map(({ name, description = "", parameters = {} }) => {
    const title = description === "" ? name : `${name}: ${description}`;
    return `- ${title}\n  Arguments, as JSON Schema: ${JSON.stringify(parameters)}`;
  });
  return `You can use tools. You decide which, in which order, and how to cut the task into parts for them.

The tools:
${described.join("\n")}

Write in exactly one of two forms, with the labels at the beginning of the lines. To use a tool:

Thought: what you need to know or do next
Action: the name of one tool, one of ${tools.map(({ name }) => name).join(", ")}
Action Input: its arguments as one JSON object, such as {"text": "hello", "count": 5}

Write nothing after that. The result comes back in a message of this form; never write it yourself:

Observation: what the tool gave

Go on like this until you know enough, or know that the tools cannot help. Then write:

${answer}`;
}

/** The message for a model that did not follow the format. */
export function correctionFor(problem: string): string {
  return `I could not read that. ${problem}
Write a line "Thought:", and after it either a line "Action:" and a line "Action Input:", or a line "Answer:".`;
}

/** A message of the model in the format. */
function stepText(blocks: readonly ContentBlock[]): string {
  const join = (type: "reasoning" | "text" | "refusal"): string =>
    blocks.flatMap((block) => (block.type === type ? [block.text] : [])).join("");
  const text = join("text") || join("refusal");
  const thought = join("reasoning");
  const calls = blocks.filter((block) => block.type === "toolCall");
  if (calls.length === 0) return `Thought: ${thought || "I know enough to answer."}\nAnswer: ${text}`;
  const actions = calls.map((call) => `Action: ${call.name}\nAction Input: ${call.arguments || "{}"}`);
  return `Thought: ${thought || text || "I need a tool."}\n${actions.join("\n")}`;
}

/** A result of a tool in the format. */
function observation({ content, isError }: ToolResultBlock): ContentBlock[] {
  const label = `Observation: ${isError === true ? "It failed. " : ""}`;
  if (typeof content === "string") return [{ type: "text", text: label + content }];
  return [{ type: "text", text: label }, ...content];
}

/** The conversation with calls of tools and results written in the format, so that the model sees no other. */
export function inFormat(messages: readonly ChatMessage[]): ChatMessage[] {
  return messages.map((message): ChatMessage => {
    if (message.role === "assistant") return { role: "assistant", content: stepText(blocksOf(message)) };
    if (message.role !== "tool") return message;
    const content = blocksOf(message).flatMap((block) => (block.type === "toolResult" ? observation(block) : [block]));
    const isText = content.every(({ type }) => type === "text");
    if (!isText) return { role: "user", content };
    return { role: "user", content: content.map((block) => textOf({ role: "user", content: [block] })).join("\n") };
  });
}
