// The events of agents, as they appear in a run's stream.

import { HumanResponseEvent, InputRequiredEvent, WorkflowEvent } from "../index.js";
import type { ChatMessage, FinishReason, ToolCallRequest, ToolResultBlock, Usage } from "../llm/types.js";

/**
 * What the model is called for: a `"step"` towards the answer; the `"answer"` itself, without tools, because the iterations are used up; the
 * `"structured"` form of the answer.
 */
export type Purpose = "step" | "answer" | "structured";

/** What the events of agents have in common. */
export interface AgentEventData {
  /** The agent's name. */
  readonly agent: string;
  /** Which call of the model of this run it belongs to, from 1. */
  readonly iteration: number;
}

/** What {@link AgentInput} and {@link AgentSetup} carry. */
export interface AgentMessages extends AgentEventData {
  readonly purpose: Purpose;
  readonly messages: readonly ChatMessage[];
}

/** The conversation, as far as the memory lets it through: an agent is about to take a step. */
export class AgentInput extends WorkflowEvent<AgentMessages> {
  static readonly type: string = "stepstream.agent-input";
}

/** The same as the model is given it: with the system prompt and the state. */
export class AgentSetup extends WorkflowEvent<AgentMessages> {
  static readonly type: string = "stepstream.agent-setup";
}

/** A part of a call that a model is writing. */
export interface ToolCallDelta {
  readonly id: string;
  readonly name: string;
  /** What is new of the arguments, as JSON text. */
  readonly arguments: string;
}

/** What {@link AgentStream} carries: exactly one of the three is not empty. */
export interface AgentStreamData extends AgentEventData {
  /** New text, for the user. The deltas of the last iteration are the answer. Empty when something else is new. */
  readonly delta: string;
  /** New thoughts. Not for the user, unless you want it so. */
  readonly reasoning?: string | undefined;
  /** New of a call of a tool. */
  readonly toolCall?: ToolCallDelta | undefined;
}

/**
 * What a model has just written, piece by piece.
 *
 * ```ts
 * for await (const event of run) if (event instanceof AgentStream) page.append(event.data.delta);
 * ```
 */
export class AgentStream extends WorkflowEvent<AgentStreamData> {
  static readonly type: string = "stepstream.agent-stream";
}

/** What {@link AgentOutput} carries. */
export interface AgentOutputData extends AgentEventData {
  readonly purpose: Purpose;
  /** The model's message. */
  readonly response: ChatMessage;
  /** All of its text. */
  readonly text: string;
  /** What it asks for. Without any the message is the answer. */
  readonly toolCalls: readonly ToolCallRequest[];
  readonly finishReason?: FinishReason | undefined;
  readonly usage?: Usage | undefined;
  /** Set when the message cannot be used: what the model is told before it is asked again. */
  readonly retryMessages?: readonly ChatMessage[] | undefined;
  /** The answer in the form of `outputSchema`, when it was asked for in that. */
  readonly structured?: unknown;
}

/** One message of a model. */
export class AgentOutput extends WorkflowEvent<AgentOutputData> {
  static readonly type: string = "stepstream.agent-output";
}

/** What {@link ToolCall} carries. */
export interface ToolCallData extends ToolCallRequest, AgentEventData {}

/** A tool is about to be called. Each call is an event of its own, and they run at the same time. */
export class ToolCall extends WorkflowEvent<ToolCallData> {
  static readonly type: string = "stepstream.tool-call";
}

/** What {@link ToolCallResult} carries. */
export interface ToolCallResultData extends ToolCallData {
  /** What the model is told. */
  readonly content: ToolResultBlock["content"];
  /** The tool failed or was refused, the arguments were wrong, or there is no such tool. */
  readonly isError: boolean;
  /** This is the answer of the run. */
  readonly returnDirect: boolean;
  /** The agent that takes over, if the call was a handoff. */
  readonly handoffTo?: string | undefined;
}

/** What came of a call of a tool. */
export class ToolCallResult extends WorkflowEvent<ToolCallResultData> {
  static readonly type: string = "stepstream.tool-call-result";
}

/**
 * A call of a tool that needs approval: answer it with a {@link ToolApprovalResponse} of the same `id`. Several may be open at a time.
 */
export class ToolApprovalRequest extends InputRequiredEvent<ToolCallData> {
  static readonly type: string = "stepstream.tool-approval-request";
}

/** What {@link ToolApprovalResponse} carries. */
export interface ToolApproval {
  /** That of the request. */
  readonly id: string;
  readonly approved: boolean;
  /** Why not; the model is told. */
  readonly reason?: string | undefined;
}

/**
 * Whether a call of a tool may be made.
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
