// Calls of tools in programs that carry on a conversation themselves, without an agent.

import type { HandlerContext } from "../handler-context.js";
import type { ToolCallRequest, ToolResultBlock } from "../llm/types.js";
import type { Signal } from "../platform.js";
import { executeTool, parseArguments } from "./internal.js";
import type { Tool } from "./tool.js";

/** What a call of a tool is made with. */
export interface CallToolOptions {
  /** Aborts the call. */
  readonly signal?: Signal | undefined;
  /** The context of the step in which the tool is called, for tools that use it. */
  readonly context?: HandlerContext | undefined;
}

/**
 * Makes a call that a model asked for: finds the tool, checks the arguments, runs it, and gives the result as it goes into the conversation. What
 * goes wrong with the tool is a result with `isError`, so that the model can try something else. Nobody is asked for approval: that is what agents do.
 *
 * ```ts
 * const { message, toolCalls } = await llm.chat(messages, { tools });
 * const results = await Promise.all(toolCalls.map((call) => callTool(tools, call)));
 * messages.push(message, { role: "tool", content: results });
 * ```
 *
 * @throws The reason of `signal`, when that is aborted; nothing else.
 */
export async function callTool(
  tools: readonly Tool[],
  call: ToolCallRequest,
  options: CallToolOptions = {},
): Promise<ToolResultBlock> {
  const { id, name } = call;
  const failed = (content: string): ToolResultBlock => ({ type: "toolResult", id, content, isError: true });
  const tool = tools.find((candidate) => candidate.name === name);
  if (tool === undefined) {
    const others = tools.map((candidate) => `"${candidate.name}"`).join(", ");
    return failed(`There is no tool "${name}". ${others === "" ? "There are no tools." : `There are ${others}.`}`);
  }
  const parsed = await parseArguments(tool, call.arguments);
  if (!parsed.ok) return failed(parsed.message);
  const { content, isError } = await executeTool(tool, parsed.args, { ...options, toolCallId: id });
  return { type: "toolResult", id, content, isError };
}
