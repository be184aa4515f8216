// Asking somebody whether a call of a tool may be made.

import type { HandlerContext } from "../api/index.js";
import { type ToolApproval, ToolApprovalRequest, ToolApprovalResponse, type ToolCallData } from "./events.js";

/**
 * Asks and waits. Each call waits for its own answer, so any number may be asked about at a time, and an answer that comes after a recovery, or
 * before the question was read, finds its way.
 */
export async function askForApproval({ waitForEvent }: HandlerContext, call: ToolCallData): Promise<ToolApproval> {
  const response = await waitForEvent(ToolApprovalResponse, {
    id: `approval:${call.id}`,
    ask: new ToolApprovalRequest(call),
    // It comes from outside.
    where: ({ data }) => (data as ToolApproval | undefined)?.id === call.id,
  });
  return response.data;
}

/** What the model is told of a refusal. */
export function refusalOf({ reason }: ToolApproval): string {
  const why = reason === undefined || reason === "" ? "" : ` The reason is: ${reason}`;
  return `The user did not allow this call, and it was not made.${why}`;
}
