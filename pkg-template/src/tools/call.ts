// Calls of tools for programs that hold a conversation with a model themselves, without an agent.

import type { Signal } from "../util/platform.js";
import { ValidationError } from "../errors/errors.js";
import type { HandlerContext } from "../model/handler-context.js";
import { describe } from "../util/describe.js";
import type { ToolCallRequest, ToolResultBlock } from "../model/chat.js";
import { type OptionNames, checkOptions } from "../errors/check-options.js";
import { executeTool, parseArguments, unknownTool } from "./execute.js";
import { type Tool, isTool } from "./tool.js";

/** Options of {@link callTool}. */
export interface CallToolOptions {
  /** Aborts the call. */
  readonly signal?: Signal | undefined;
  /** The context of the step that calls the tool, for tools that use it. */
  readonly context?: HandlerContext | undefined;
}

const optionNames: OptionNames<CallToolOptions> = { signal: 1, context: 1 };

/** The arguments of {@link callTool}, or an error that names the wrong one. */
function checkCall(tools: readonly Tool[], call: ToolCallRequest, options: CallToolOptions): void {
  checkOptions(options, optionNames, "callTool", { abortSignal: "signal" });
  if (!Array.isArray(tools)) throw new ValidationError("INVALID_TOOL", `The tools are ${describe(tools)}, not a list.`);
  const wrong = tools.findIndex((one) => !isTool(one));
  if (wrong >= 0) throw new ValidationError("INVALID_TOOL", `The tool ${wrong + 1} is ${describe(tools[wrong])}.`);
  const { id, name, arguments: text } = (call ?? {}) as Partial<ToolCallRequest>;
  for (const [member, value] of Object.entries({ id, name, arguments: text })) {
    if (typeof value === "string") continue;
    throw new ValidationError("INVALID_OPTION", `\`${member}\` of the call is ${describe(value)}, not a string.`);
  }
}

/**
 * Executes a call that a model asked for: finds the tool, checks the arguments, runs the tool, and returns the result
 * as a block for the conversation. A failure of the tool is a result with `isError`, so that the model can react to it.
 * `needsApproval` is not considered: only agents ask for approval.
 *
 * ```ts
 * const { message, toolCalls } = await llm.chat(messages, { tools });
 * const results = await Promise.all(toolCalls.map((call) => callTool(tools, call)));
 * messages.push(message, { role: "tool", content: results });
 * ```
 *
 * @throws ValidationError `INVALID_TOOL`, `INVALID_OPTION` for wrong arguments; and the reason of `signal` when it
 * aborts.
 */
export async function callTool(
  tools: readonly Tool[],
  call: ToolCallRequest,
  options: CallToolOptions = {},
): Promise<ToolResultBlock> {
  checkCall(tools, call, options);
  const { id, name } = call;
  const failed = (content: string): ToolResultBlock => ({ type: "toolResult", id, content, isError: true });
  const tool = tools.find((candidate) => candidate.name === name);
  if (tool === undefined) return failed(unknownTool(name, tools));
  const parsed = await parseArguments(tool, call.arguments);
  if (!parsed.ok) return failed(parsed.message);
  const { signal, context } = options;
  const { content, isError } = await executeTool(tool, parsed.args, { signal, context, toolCallId: id });
  return { type: "toolResult", id, content, isError };
}
