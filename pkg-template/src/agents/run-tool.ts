// One call of a tool by an agent. Every failure is a result, so that the model can react to it.

import type { HandlerContext } from "../api/index.js";
import { type ToolOutcome, executeTool, failureOf, parseArguments, unknownTool } from "../tools/execute.js";
import type { Tool } from "../tools/index.js";
import { throwIfAborted } from "../util/abort.js";
import { askForApproval, refusalOf } from "./approval.js";
import type { ToolCallData } from "./events.js";

const failed = (content: string): ToolOutcome => ({ content, isError: true });

/** Resolves after all the code that is ready to run. */
const nextMacrotask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/**
 * Makes a call: finds the tool, checks the arguments, asks for approval, runs the tool.
 *
 * @throws The reason of the step's signal when that aborts; nothing else.
 */
export async function runTool(
  context: HandlerContext,
  tools: readonly Tool[],
  call: ToolCallData,
): Promise<ToolOutcome & { readonly tool?: Tool }> {
  const tool = tools.find(({ name }) => name === call.name);
  if (tool === undefined) return failed(unknownTool(call.name, tools));
  const parsed = await parseArguments(tool, call.arguments);
  if (!parsed.ok) return { tool, ...failed(parsed.message) };
  const refused = await checkApproval(context, tool, parsed.args, call);
  if (refused !== undefined) return { tool, ...refused };
  // A reader that takes a snapshot when it gets the ToolCall event shall take it before the side effect, not during it.
  if (tool.once) await nextMacrotask();
  const { signal } = context;
  throwIfAborted(signal);
  return { tool, ...(await executeTool(tool, parsed.args, { signal, context, toolCallId: call.id })) };
}

/** Undefined when the call may be made; else its result. */
async function checkApproval(
  context: HandlerContext,
  tool: Tool,
  args: unknown,
  call: ToolCallData,
): Promise<ToolOutcome | undefined> {
  let isNeeded: boolean;
  try {
    isNeeded = await tool.needsApproval(args, { context });
  } catch (error) {
    // It is unknown whether the call may be made, so it is not made.
    return failureOf(error);
  }
  if (!isNeeded) return undefined;
  const approval = await askForApproval(context, call);
  return approval.approved === true ? undefined : failed(refusalOf(approval));
}
