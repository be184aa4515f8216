// What a client and a call can be told, whoever the provider is.

import type { Fetch } from "../platform.js";
import type { OutputOf, StandardSchema } from "../tools/schema.js";
import type { AnyFormat, StandardFormat } from "./structured.js";
import type { ChatMessage, ChatOptions, ResponseFormat, ToolDefinition } from "./types.js";

/** How long a call may take, in seconds; `null` for as long as it takes. */
export interface Timeouts {
  /** From sending the request to the head of its answer; for streams only. Default: none. */
  readonly connect?: number | null | undefined;
  /** From sending the request to the first token. Default: none. */
  readonly firstToken?: number | null | undefined;
  /** From one token to the next; for streams only. What a server sends to keep the line open does not count. Default: none. */
  readonly betweenTokens?: number | null | undefined;
  /** The whole call with all retries. Default: 600. */
  readonly total?: number | null | undefined;
}

/** How a request is made. */
export interface RequestOptions {
  /** How often a failed request is sent again at most, before the first token. Default: 2. */
  readonly maxRetries?: number | undefined;
  /** A single one may be given; the others stay as they are. */
  readonly timeouts?: Timeouts | undefined;
  /**
   * Whether a stream that broke off after some text is gone on with, where the provider can go on from a begun answer: Anthropic, vLLM,
   * Mistral. Default: false.
   */
  readonly resumeOnDrop?: boolean | undefined;
  /** Sent with each request; those of the call beside those of the client, and stronger. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Put into the body of the request as they are, for whatever a provider has of its own: `{ reasoning_effort: "low" }`. Objects are merged
   * member by member; anything else replaces what would stand there.
   */
  readonly providerOptions?: Readonly<Record<string, unknown>> | undefined;
}

/** What a call can be told. */
export interface CallOptions extends Omit<ChatOptions, "responseFormat">, RequestOptions {
  /** Another model for this call. */
  readonly model?: string | undefined;
  /** The form of the answer. What comes back is read and checked, and stands in the response's `object`. */
  readonly responseFormat?: AnyFormat | undefined;
}

/** Options of a call whose answer is to be as a schema of a validation library says. */
export interface StandardCall<
  Schema extends StandardSchema,
  Tools extends readonly ToolDefinition[] | undefined,
> extends Omit<CallOptions, "responseFormat" | "tools"> {
  readonly responseFormat: Schema;
  readonly tools?: Tools | undefined;
}

/** As {@link StandardCall}, with more said of the form. */
export interface StandardFormatCall<
  Schema extends StandardSchema,
  Tools extends readonly ToolDefinition[] | undefined,
> extends Omit<CallOptions, "responseFormat" | "tools"> {
  readonly responseFormat: StandardFormat<Schema>;
  readonly tools?: Tools | undefined;
}

/** Options of a call whose answer is to be as a JSON Schema says. */
export interface JsonCall extends Omit<CallOptions, "responseFormat"> {
  readonly responseFormat: ResponseFormat;
}

/** What comes of a call with a schema: with tools, the model may ask for those first, and there is no object yet. */
export type ObjectOf<
  Schema extends StandardSchema,
  Tools extends readonly ToolDefinition[] | undefined,
> = Tools extends readonly ToolDefinition[] ? OutputOf<Schema> | undefined : OutputOf<Schema>;

/** What a conversation is given as: its messages, or the one message of a user. */
export type Prompt = string | readonly ChatMessage[];

/** What a client is told once. Each call may say otherwise. */
export interface ClientOptions
  extends RequestOptions, Omit<ChatOptions, "tools" | "toolChoice" | "responseFormat" | "signal"> {
  readonly model: string;
  /** The key, or what gives it: asked before each call, for keys that change. It is never shown, written down, or put into an error. */
  readonly apiKey?: string | (() => string | PromiseLike<string>) | undefined;
  /** The address up to and including the version, such as `https://api.openai.com/v1`. Default: the provider's own. */
  readonly baseURL?: string | undefined;
  /** Takes the place of the runtime's `fetch`. */
  readonly fetch?: Fetch | undefined;
}
