// What `stepstream/llm` and `stepstream/agents` export about tools.

export type { OutputOf, StandardIssue, StandardResult, StandardSchema } from "../model/standard-schema.js";
export { type CallToolOptions, callTool } from "./call.js";
export {
  type NeedsApproval,
  type StandardToolOptions,
  type Tool,
  type ToolContent,
  type ToolOptions,
  type ToolRun,
  tool,
} from "./tool.js";
