// The events of agents, as they appear in the stream of a run.

import { HumanResponseEvent, InputRequiredEvent, WorkflowEvent } from "../api/index.js";
import type { ChatMessage, FinishReason, ToolCallRequest, ToolResultBlock, Usage } from "../model/chat.js";

/**
 * The purpose of a call of the model: a `"step"` towards the answer; the `"answer"` itself, without tools, because the
 * iterations are used up; or the `"structured"` output after the answer.
 */
export type Purpose = "step" | "answer" | "structured";

/** The members that the data of all events of agents has. */
export interface AgentEventData {
  /** The agent's name. */
  readonly agent: string;
  /** The number of the call of the model in this run, from 1. */
  readonly iteration: number;
}

/** The data of {@link AgentInput} and {@link AgentSetup}. */
export interface AgentMessages extends AgentEventData {
  readonly purpose: Purpose;
  readonly messages: readonly ChatMessage[];
}

/** An agent begins an iteration, with the conversation that the memory has selected. */
export class AgentInput extends WorkflowEvent<AgentMessages> {
  static readonly type: string = "stepstream.agent-input";
}

/** The messages for the model: those of {@link AgentInput} with the system prompt and the state. */
export class AgentSetup extends WorkflowEvent<AgentMessages> {
  static readonly type: string = "stepstream.agent-setup";
}

/** A piece of a call of a tool that the model is writing. */
export interface ToolCallDelta {
  readonly id: string;
  readonly name: string;
  /** The next piece of the arguments, which are JSON text. */
  readonly arguments: string;
}

/** The data of {@link AgentStream}. Exactly one of `delta`, `reasoning` and `toolCall` has content. */
export interface AgentStreamData extends AgentEventData {
  /** New text for the user, or empty. The deltas of the last iteration are the answer. */
  readonly delta: string;
  /** New reasoning of the model. Usually not shown to users. */
  readonly reasoning?: string | undefined;
  /** A new piece of a call of a tool. */
  readonly toolCall?: ToolCallDelta | undefined;
}

/**
 * A new piece of what the model writes.
 *
 * When the step of the model runs again, because it failed and is retried or because the run was recovered, the run
 * first publishes a `StreamReset` of the main entry. Discard the pieces of its `iteration`; the model writes them anew:
 *
 * ```ts
 * for await (const event of run) {
 *   if (event instanceof AgentStream) page.append(event.data.iteration, event.data.delta);
 *   else if (event instanceof StreamReset) page.clear(event.data.iteration);
 * }
 * ```
 */
export class AgentStream extends WorkflowEvent<AgentStreamData> {
  static readonly type: string = "stepstream.agent-stream";
}

/** The data of {@link AgentOutput}. */
export interface AgentOutputData extends AgentEventData {
  readonly purpose: Purpose;
  /** The model's message. */
  readonly response: ChatMessage;
  /** The text of the message. */
  readonly text: string;
  /** The calls of tools in the message. A message without any is the answer. */
  readonly toolCalls: readonly ToolCallRequest[];
  readonly finishReason?: FinishReason | undefined;
  readonly usage?: Usage | undefined;
  /** Set when the message cannot be used: messages with which the model is called again. */
  readonly retryMessages?: readonly ChatMessage[] | undefined;
  /** The structured output, if this is the call for it. */
  readonly structured?: unknown | undefined;
}

/** A complete message of the model. */
export class AgentOutput extends WorkflowEvent<AgentOutputData> {
  static readonly type: string = "stepstream.agent-output";
}

/** The data of {@link ToolCall}. */
export interface ToolCallData extends ToolCallRequest, AgentEventData {}

/** A tool is about to be called. Each call is an event of its own; the calls of one message run at the same time. */
export class ToolCall extends WorkflowEvent<ToolCallData> {
  static readonly type: string = "stepstream.tool-call";
}

/** The data of {@link ToolCallResult}. */
export interface ToolCallResultData extends ToolCallData {
  /** The result as the model gets it. */
  readonly content: ToolResultBlock["content"];
  /** Whether the tool failed or was refused, its arguments were wrong, or it does not exist. */
  readonly isError: boolean;
  /** Whether the result is the answer of the run. */
  readonly returnDirect: boolean;
  /** The agent that takes over, if the call was a handoff. */
  readonly handoffTo?: string | undefined;
}

/** The result of a call of a tool. */
export class ToolCallResult extends WorkflowEvent<ToolCallResultData> {
  static readonly type: string = "stepstream.tool-call-result";
}

/**
 * A call of a tool that needs approval. Answer it with a {@link ToolApprovalResponse} of the same `id`. Several calls
 * may wait for approval at the same time.
 */
export class ToolApprovalRequest extends InputRequiredEvent<ToolCallData> {
  static readonly type: string = "stepstream.tool-approval-request";
}

/** The data of {@link ToolApprovalResponse}. */
export interface ToolApproval {
  /** The `id` of the request. */
  readonly id: string;
  readonly approved: boolean;
  /** The reason of a refusal, which the model gets. */
  readonly reason?: string | undefined;
}

/**
 * Approves or refuses a call of a tool.
 *
 * ```ts
 * if (event instanceof ToolApprovalRequest) {
 *   run.sendEvent(new ToolApprovalResponse({ id: event.data.id, approved: await ask(event.data) }));
 * }
 * ```
 */
export class ToolApprovalResponse extends HumanResponseEvent<ToolApproval> {
  static readonly type: string = "stepstream.tool-approval-response";
}
