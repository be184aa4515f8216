// Everything that `stepstream/agents` offers. The workflow comes first: it and the agents know each other, and the classes of agents are derived
// from the base only after that is there.

export { AgentWorkflow, type AgentWorkflowOptions, type FromToolsOptions } from "./workflow.js";
export {
  type AgentChatOptions,
  type AgentStep,
  type AgentStepInput,
  BaseAgent,
  type BaseAgentOptions,
  type ToolRetriever,
} from "./base-agent.js";
export type { DeltaSink } from "./call-model.js";
export {
  type AgentEventData,
  AgentInput,
  type AgentMessages,
  AgentOutput,
  type AgentOutputData,
  AgentSetup,
  AgentStream,
  type AgentStreamData,
  type Purpose,
  type ToolApproval,
  ToolApprovalRequest,
  ToolApprovalResponse,
  ToolCall,
  type ToolCallData,
  type ToolCallDelta,
  ToolCallResult,
  type ToolCallResultData,
} from "./events.js";
export { FunctionAgent, type FunctionAgentOptions } from "./function-agent.js";
export type { HandoffPrompt } from "./handoff.js";
export {
  ChatMemoryBuffer,
  type ChatMemoryBufferOptions,
  type Memory,
  type TokenCounter,
  estimateTokens,
} from "./memory.js";
export { ReActAgent, type ReActAgentOptions } from "./react/react-agent.js";
export type { AgentResult, AgentRunInput, AgentRunOptions, AgentStart, Prompt } from "./run-options.js";
export { type Code, LLMError } from "../errors/errors.js";
export type * from "../llm/types.js";
export * from "../tools/index.js";
