// Conversations with models: messages, requests, responses and streams as types, the same for every provider.

import type { Signal } from "../util/platform.js";

/** The author of a message: the program, the user, the model, or a tool that the model called. */
export type Role = "system" | "user" | "assistant" | "tool";

/**
 * Data that a provider wants back unchanged with the block it came with. Keep it in the block; it is not sent to other
 * providers.
 */
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

/** An image: a URL that the provider can reach, or the data in base64. */
export type ImageBlock =
  | { readonly type: "image"; readonly url: string }
  | { readonly type: "image"; readonly data: string; readonly mediaType: string };

/** A call of a tool that the model asks for. */
export interface ToolCallBlock {
  readonly type: "toolCall";
  /** The result of the call has the same id. */
  readonly id: string;
  readonly name: string;
  /** The arguments as JSON text, which is incomplete when the response was cut off. */
  readonly arguments: string;
  readonly signature?: BlockSignature | undefined;
}

/** The result of a tool call. */
export interface ToolResultBlock {
  readonly type: "toolResult";
  /** The call's id. */
  readonly id: string;
  readonly content: string | readonly (TextBlock | ImageBlock)[];
  /** Whether the tool failed. Default: false. */
  readonly isError?: boolean | undefined;
}

/** The model's reasoning before its answer, as far as the provider shows it. */
export interface ReasoningBlock {
  readonly type: "reasoning";
  readonly text: string;
  readonly signature?: BlockSignature | undefined;
  /** Whether the provider hides the reasoning. */
  readonly redacted?: boolean | undefined;
}

/** The model declined to answer, with this text. */
export interface RefusalBlock {
  readonly type: "refusal";
  readonly text: string;
}

/** A part of a message's content. */
export type ContentBlock = TextBlock | ImageBlock | ToolCallBlock | ToolResultBlock | ReasoningBlock | RefusalBlock;

/** A message of a conversation. */
export interface ChatMessage {
  readonly role: Role;
  readonly content: string | readonly ContentBlock[];
}

/** A call of a tool that a model asked for. */
export interface ToolCallRequest {
  readonly id: string;
  readonly name: string;
  /** The arguments as JSON text. */
  readonly arguments: string;
}

/** Why the model stopped. */
export type FinishReason = "stop" | "length" | "toolCalls" | "contentFilter" | "refusal" | "pause" | "error" | "other";

/** The tokens of a call, as far as the provider reports them. */
export interface Usage {
  readonly input?: number | undefined;
  /** Output tokens, those of the reasoning included. */
  readonly output?: number | undefined;
  readonly reasoning?: number | undefined;
  /** Input tokens that were read from the provider's cache. */
  readonly cached?: number | undefined;
  /** Input tokens that were written to the provider's cache. */
  readonly cacheWritten?: number | undefined;
}

/** A JSON Schema, also in the types of other packages such as `JSONSchema7`; not a schema of a validation library. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- with `unknown`, no interface would fit.
export type JSONSchema = Readonly<Record<string, any>> & { readonly "~standard"?: never | undefined };

/** A tool as it is described to a model. */
export interface ToolDefinition {
  /** 1 to 64 letters, digits, `_` and `-`. */
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema of its arguments. Default: an object without members. */
  readonly parameters?: JSONSchema | undefined;
  /** Whether the provider must enforce the schema, where it can. Default: the provider's. */
  readonly strict?: boolean | undefined;
}

/** Whether and which tools the model has to call. Default: `"auto"`. */
export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

/** Structured output: the JSON Schema that the answer must match. */
export interface ResponseFormat {
  /** A name for the schema: letters, digits, `_` and `-`. Default: `"answer"`. */
  readonly name?: string | undefined;
  /** JSON Schema of an object. */
  readonly schema: JSONSchema;
  /**
   * Whether the provider must enforce the schema. OpenAI then supports a part of JSON Schema only, and wants every
   * member in `required`. Default: with `OpenAI`, true if the schema allows it; with others, the provider's default.
   */
  readonly strict?: boolean | undefined;
}

/** Options of a call that all providers have. */
export interface ChatOptions {
  readonly tools?: readonly ToolDefinition[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  /** Whether the model may call several tools at once. */
  readonly parallelToolCalls?: boolean | undefined;
  readonly temperature?: number | undefined;
  /** The highest number of tokens in the answer. */
  readonly maxTokens?: number | undefined;
  /** Texts at which the model stops. */
  readonly stop?: string | readonly string[] | undefined;
  readonly responseFormat?: ResponseFormat | undefined;
  /** Aborts the call; the connection is closed. */
  readonly signal?: Signal | undefined;
}

/** A complete response of a model. */
export interface ChatResponse {
  /** The message, to be appended to the conversation unchanged. */
  readonly message: ChatMessage & { readonly role: "assistant" };
  /** The text of all its text blocks. */
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCallRequest[];
  readonly finishReason: FinishReason | undefined;
  readonly usage: Usage;
  /** The model that answered, by the provider's name for it. */
  readonly model: string;
  /** The provider's id of the response. */
  readonly id: string;
}

/** A new piece of a streamed response. `index` is the position of its block in the message. */
export type ChatDelta =
  | { readonly type: "text"; readonly index: number; readonly text: string }
  | { readonly type: "reasoning"; readonly index: number; readonly text: string }
  | { readonly type: "refusal"; readonly index: number; readonly text: string }
  | { readonly type: "toolCallStart"; readonly index: number; readonly id: string; readonly name: string }
  | { readonly type: "toolCallDelta"; readonly index: number; readonly text: string }
  | { readonly type: "toolCallEnd"; readonly index: number }
  | { readonly type: "finish"; readonly reason: FinishReason };

/** A response with structured output. */
export interface ObjectResponse<Value> extends ChatResponse {
  /** The answer, parsed and checked against the schema. */
  readonly object: Value;
}

/**
 * A streamed response: its deltas as they come, and the complete response. The call has begun already; deltas are kept
 * until they are read.
 *
 * Each delta is read once: a second loop continues where the first stopped. Leaving the loop before the end aborts the
 * call and closes the connection, unless `response` has been read before: then the call continues without a reader.
 */
export interface ChatStream<Response extends ChatResponse = ChatResponse> extends AsyncIterable<ChatDelta> {
  /**
   * The complete response. It needs no loop over the deltas. Rejects with the same error as the loop. Leaving the loop
   * early counts as an abort: `LLM_ABORTED`, with what had arrived in `partial`.
   */
  readonly response: Promise<Response>;
}

/**
 * A model, as agents use it. The clients of `stepstream/llm` implement it, and so can any object of yours with these
 * two methods. Of a response, only `message` is required; the rest is read from the message.
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
