// One call of a tool, as an agent makes it. Whatever goes wrong with it is a result, so that the model can try something else.

import type { HandlerContext } from "../api/index.js";
import { type ToolOutcome, executeTool, failureOf, parseArguments } from "../tools/internal.js";
import type { Tool } from "../tools/index.js";
import { askForApproval, refusalOf } from "./approval.js";
import type { ToolCallData } from "./events.js";

const failed = (content: string): ToolOutcome => ({ content, isError: true });

/** Lets everything that waits for a promise have its turn. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/**
 * Makes a call: finds the tool, checks the arguments, asks for approval, runs it.
 *
 * @throws The reason of the step's signal, when that is aborted; nothing else.
 */
export async function runTool(
  context: HandlerContext,
  tools: readonly Tool[],
  call: ToolCallData,
): Promise<ToolOutcome & { readonly tool?: Tool }> {
  const tool = tools.find(({ name }) => name === call.name);
  if (tool === undefined) {
    const names = tools.map(({ name }) => `"${name}"`).join(", ");
    return failed(`There is no tool "${call.name}". ${names === "" ? "There are no tools." : `There are ${names}.`}`);
  }
  const parsed = await parseArguments(tool, call.arguments);
  if (!parsed.ok) return { tool, ...failed(parsed.message) };
  const refused = await approvalFor(context, tool, parsed.args, call);
  if (refused !== undefined) return { tool, ...refused };
  // A snapshot taken by somebody who is just told of the call is from before the deed, not from the middle of it.
  if (tool.once) await nextTurn();
  const { signal } = context;
  signal.throwIfAborted();
  return { tool, ...(await executeTool(tool, parsed.args, { signal, context, toolCallId: call.id })) };
}

/** Undefined when the call may be made. */
async function approvalFor(
  context: HandlerContext,
  tool: Tool,
  args: unknown,
  call: ToolCallData,
): Promise<ToolOutcome | undefined> {
  let isNeeded: boolean;
  try {
    isNeeded = await tool.needsApproval(args, { context });
  } catch (error) {
    // Nobody can tell whether it may be made.
    return failureOf(error);
  }
  if (!isNeeded) return undefined;
  const approval = await askForApproval(context, call);
  return approval.approved === true ? undefined : failed(refusalOf(approval));
}
