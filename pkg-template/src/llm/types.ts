// The words of a conversation with a model, the same for every provider.

import type { Signal } from "../platform.js";

/** Who says a message: the program, the user, the model, or a tool that the model called. */
export type Role = "system" | "user" | "assistant" | "tool";

/** What a provider wants back unchanged with the block it came with. Keep it with the block; other providers are not sent it. */
export interface BlockSignature {
  readonly api: "chat" | "responses" | "anthropic" | "gemini";
  readonly id?: string | undefined;
  readonly data?: string | undefined;
}

/** Text. */
export interface TextBlock {
  readonly type: "text";
  readonly text: string;
  readonly signature?: BlockSignature | undefined;
}

/** An image: at an address that the provider can reach, or here in base64. */
export type ImageBlock =
  | { readonly type: "image"; readonly url: string }
  | { readonly type: "image"; readonly data: string; readonly mediaType: string };

/** The model asks for a tool to be called. */
export interface ToolCallBlock {
  readonly type: "toolCall";
  /** Ties the result to the call. */
  readonly id: string;
  readonly name: string;
  /** The arguments as JSON text. A call that was cut off may end in the middle of it. */
  readonly arguments: string;
  readonly signature?: BlockSignature | undefined;
}

/** What came of a tool call. */
export interface ToolResultBlock {
  readonly type: "toolResult";
  /** The call's id. */
  readonly id: string;
  readonly content: string | readonly (TextBlock | ImageBlock)[];
  readonly isError?: boolean | undefined;
}

/** What the model thought before it answered, as far as the provider shows it. */
export interface ReasoningBlock {
  readonly type: "reasoning";
  readonly text: string;
  readonly signature?: BlockSignature | undefined;
  /** Whether the provider hides the thoughts. */
  readonly redacted?: boolean | undefined;
}

/** The model declined to answer, in these words. */
export interface RefusalBlock {
  readonly type: "refusal";
  readonly text: string;
}

/** A part of a message. */
export type ContentBlock = TextBlock | ImageBlock | ToolCallBlock | ToolResultBlock | ReasoningBlock | RefusalBlock;

/** A message of a conversation. */
export interface ChatMessage {
  readonly role: Role;
  readonly content: string | readonly ContentBlock[];
}

/** A call of a tool, as a model asked for it. */
export interface ToolCallRequest {
  readonly id: string;
  readonly name: string;
  /** The arguments as JSON text. */
  readonly arguments: string;
}

/** Why a model stopped. */
export type FinishReason = "stop" | "length" | "toolCalls" | "contentFilter" | "refusal" | "pause" | "error" | "other";

/** Tokens that were counted, as far as the provider tells. */
export interface Usage {
  readonly input?: number | undefined;
  /** Those of the reasoning included. */
  readonly output?: number | undefined;
  readonly reasoning?: number | undefined;
  /** Input tokens that came out of the provider's cache. */
  readonly cached?: number | undefined;
  /** Input tokens that were written into it. */
  readonly cacheWritten?: number | undefined;
}

/** A JSON Schema, also as the types of other packages have it, such as `JSONSchema7`. A schema of a validation library is none. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- with `unknown`, no interface would fit.
export type JSONSchema = Readonly<Record<string, any>> & { readonly "~standard"?: never | undefined };

/** A tool as a model is told of it. */
export interface ToolDefinition {
  /** Letters, digits, `_` and `-`, at most 64. */
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema of its arguments. Default: an object without members. */
  readonly parameters?: JSONSchema | undefined;
  /** Whether the provider is to hold the model to the schema, where it can. */
  readonly strict?: boolean | undefined;
}

/** Whether and which tools the model has to call. Default: `"auto"`. */
export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

/** The form in which the answer is asked for, as a model is told of it. */
export interface ResponseFormat {
  /** A name for the schema: letters, digits, `_` and `-`. Default: `"answer"`. */
  readonly name?: string | undefined;
  /** JSON Schema of an object. */
  readonly schema: JSONSchema;
  /**
   * Whether the provider is told that it has to hold the model to the schema. OpenAI takes a part of JSON Schema then, and wants every
   * member in `required`. Default: with `OpenAI`, if the schema is fit for it; elsewhere what the provider takes for one.
   */
  readonly strict?: boolean | undefined;
}

/** What a call may be given, whoever the provider is. */
export interface ChatOptions {
  readonly tools?: readonly ToolDefinition[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  /** Whether the model may call several tools at once. */
  readonly parallelToolCalls?: boolean | undefined;
  readonly temperature?: number | undefined;
  /** How many tokens the answer may have. */
  readonly maxTokens?: number | undefined;
  readonly stop?: string | readonly string[] | undefined;
  readonly responseFormat?: ResponseFormat | undefined;
  /** Aborts the call; the connection is closed. */
  readonly signal?: Signal | undefined;
}

/** An answer. */
export interface ChatResponse {
  /** To be put to the conversation as it is. */
  readonly message: ChatMessage & { readonly role: "assistant" };
  /** All of its text. */
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCallRequest[];
  readonly finishReason: FinishReason | undefined;
  readonly usage: Usage;
  /** The model, as the provider names it. */
  readonly model: string;
  /** The provider's id of the answer. */
  readonly id: string;
}

/** Something new in an answer. `index` is the block of the message that it belongs to. */
export type ChatDelta =
  | { readonly type: "text"; readonly index: number; readonly text: string }
  | { readonly type: "reasoning"; readonly index: number; readonly text: string }
  | { readonly type: "refusal"; readonly index: number; readonly text: string }
  | { readonly type: "toolCallStart"; readonly index: number; readonly id: string; readonly name: string }
  | { readonly type: "toolCallDelta"; readonly index: number; readonly text: string }
  | { readonly type: "toolCallEnd"; readonly index: number }
  | { readonly type: "finish"; readonly reason: FinishReason };

/** An answer in the form that was asked for. */
export interface ObjectResponse<Value> extends ChatResponse {
  /** The answer, read and checked. */
  readonly object: Value;
}

/**
 * A streamed answer: its deltas as they come, and the whole. The call has begun; what comes is kept until it is read.
 *
 * Each delta is given once: a second loop goes on where the first left off. Leaving the loop before the end aborts the call and closes the
 * connection, unless `response` has been asked for: then the call goes on without readers.
 */
export interface ChatStream<Response extends ChatResponse = ChatResponse> extends AsyncIterable<ChatDelta> {
  /**
   * The whole answer; also without a loop over the deltas. Rejects with what the loop throws; that a loop was left counts as an abort
   * (`LLM_ABORTED`, with what had arrived in `partial`).
   */
  readonly response: Promise<Response>;
}

/**
 * What agents need of a model. The clients of `stepstream/llm` are such, and so is any object of yours with these two methods; what it leaves
 * out of a response (all but `message`) is taken from the message.
 */
export interface LLM {
  chat(messages: readonly ChatMessage[], options?: ChatOptions): Promise<OwnResponse>;
  streamChat(messages: readonly ChatMessage[], options?: ChatOptions): OwnStream;
}

/** A {@link ChatResponse} of which only the message is required. */
export type OwnResponse = Pick<ChatResponse, "message"> & {
  readonly [Field in keyof ChatResponse]?: ChatResponse[Field] | undefined;
};

/** A {@link ChatStream} of a model of your own. */
export interface OwnStream extends AsyncIterable<ChatDelta> {
  readonly response: PromiseLike<OwnResponse>;
}
