// What `stepstream/llm` and `stepstream/agents` offer about tools.

export { type CallToolOptions, callTool } from "./call.js";
export type { OutputOf, StandardIssue, StandardResult, StandardSchema } from "./schema.js";
export {
  type NeedsApproval,
  type StandardToolOptions,
  type Tool,
  type ToolContent,
  type ToolOptions,
  type ToolRun,
  tool,
} from "./tool.js";
