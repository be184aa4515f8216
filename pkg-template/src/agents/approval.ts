// Approval of a call of a tool by a person.

import type { HandlerContext } from "../api/index.js";
import { type ToolApproval, ToolApprovalRequest, ToolApprovalResponse, type ToolCallData } from "./events.js";

/**
 * Publishes the request and waits for the response. Each call waits for the response of its own id, so that several
 * calls can be asked about at the same time, and a response arrives even after a recovery or before the request was
 * read.
 */
export async function askForApproval({ waitForEvent }: HandlerContext, call: ToolCallData): Promise<ToolApproval> {
  const response = await waitForEvent(ToolApprovalResponse, {
    id: `approval:${call.id}`,
    ask: new ToolApprovalRequest(call),
    // The response comes from outside, so its data may be anything.
    where: ({ data }) => (data as ToolApproval | undefined)?.id === call.id,
  });
  return response.data;
}

/** The result of a call that was refused, for the model. */
export function refusalOf({ reason }: ToolApproval): string {
  const why = reason === undefined || reason === "" ? "" : ` The reason is: ${reason}`;
  return `The user did not allow this call, and it was not made.${why}`;
}
