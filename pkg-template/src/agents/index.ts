// Everything that `stepstream/agents` exports.

export type { AgentChatOptions, AgentDefinition, AgentStep, AgentStepInput, ToolRetriever } from "./agent.js";
export { BaseAgent, type BaseAgentOptions } from "./base-agent.js";
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
export type { AgentLoop, AgentWorkflowOptions } from "./loop.js";
export {
  ChatMemoryBuffer,
  type ChatMemoryBufferOptions,
  type Memory,
  type TokenCounter,
  estimateTokens,
} from "./memory.js";
export type { Prompt } from "./prompts.js";
export { ReActAgent, type ReActAgentOptions } from "./react/react-agent.js";
export type { AgentResult, AgentRunInput, AgentRunOptions, AgentStart } from "./run-options.js";
export { AgentWorkflow, type FromToolsOptions } from "./workflow.js";
export { type Code } from "../errors/errors.js";
export { LLMError } from "../model/llm-error.js";
export type * from "../model/chat.js";
export * from "../tools/index.js";
