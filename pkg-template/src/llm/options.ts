// The options of clients and calls that all providers have.

import type { Fetch } from "../util/platform.js";
import type { ChatMessage, ChatOptions, ResponseFormat, ToolDefinition } from "../model/chat.js";
import type { OutputOf, StandardSchema } from "../model/standard-schema.js";
import type { OptionNames } from "../errors/check-options.js";
import type { AnyFormat, StandardFormat } from "./structured.js";

/** The timeouts of a call, in seconds; `null` for none. */
export interface Timeouts {
  /** From sending the request to the headers of the response; for streams only. Default: none. */
  readonly connect?: number | null | undefined;
  /** From sending the request to the first token. Default: none. */
  readonly firstToken?: number | null | undefined;
  /** From one token to the next; for streams only. Keep-alive messages of the server do not count. Default: none. */
  readonly betweenTokens?: number | null | undefined;
  /** The whole call with all its retries. Default: 600. */
  readonly total?: number | null | undefined;
}

/** Options of the requests of a call. */
export interface RequestOptions {
  /** How often a failed request is retried before its first token. Default: 2. */
  readonly maxRetries?: number | undefined;
  /** The timeouts. Those that are left out keep their value. */
  readonly timeouts?: Timeouts | undefined;
  /**
   * Whether a stream that broke off after some text is resumed, where the provider can continue a text: Anthropic,
   * vLLM, Mistral. Default: false.
   */
  readonly resumeOnDrop?: boolean | undefined;
  /** Headers of every request. Those of a call are added to those of the client, and take precedence. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Members of the request's body that only this provider has, such as `{ reasoning_effort: "low" }`. Objects are
   * merged with the body member by member; anything else replaces the member of that name.
   */
  readonly providerOptions?: Readonly<Record<string, unknown>> | undefined;
}

/** Options of a call. */
export interface CallOptions extends Omit<ChatOptions, "responseFormat">, RequestOptions {
  /** Another model for this call. */
  readonly model?: string | undefined;
  /** The schema of the answer. The answer is parsed and checked; the response has it as `object`. */
  readonly responseFormat?: AnyFormat | undefined;
}

/** Options of a call with the schema of a validation library. */
export interface StandardCall<
  Schema extends StandardSchema,
  Tools extends readonly ToolDefinition[] | undefined,
> extends Omit<CallOptions, "responseFormat" | "tools"> {
  readonly responseFormat: Schema;
  readonly tools?: Tools | undefined;
}

/** As {@link StandardCall}, with options of the format. */
export interface StandardFormatCall<
  Schema extends StandardSchema,
  Tools extends readonly ToolDefinition[] | undefined,
> extends Omit<CallOptions, "responseFormat" | "tools"> {
  readonly responseFormat: StandardFormat<Schema>;
  readonly tools?: Tools | undefined;
}

/** Options of a call with a JSON Schema. */
export interface JsonCall extends Omit<CallOptions, "responseFormat"> {
  readonly responseFormat: ResponseFormat;
}

/** The `object` of a response. With tools it may be undefined, because the model may call those first. */
export type ObjectOf<
  Schema extends StandardSchema,
  Tools extends readonly ToolDefinition[] | undefined,
> = Tools extends readonly ToolDefinition[] ? OutputOf<Schema> | undefined : OutputOf<Schema>;

/** A conversation: its messages, or a text as the one message of a user. */
export type Prompt = string | readonly ChatMessage[];

/** Options of a client. Options of a call take precedence. */
export interface ClientOptions
  extends RequestOptions, Omit<ChatOptions, "tools" | "toolChoice" | "responseFormat" | "signal"> {
  readonly model: string;
  /**
   * The API key, or a function that returns it and is called before each call, for keys that change. It is never part
   * of a log, an error or a snapshot.
   */
  readonly apiKey?: string | (() => string | PromiseLike<string>) | undefined;
  /** The URL up to and including the version, such as `https://api.openai.com/v1`. Default: the provider's own. */
  readonly baseURL?: string | undefined;
  /** Replaces the runtime's `fetch`. */
  readonly fetch?: Fetch | undefined;
}

const requestNames: OptionNames<RequestOptions> = {
  maxRetries: 1,
  timeouts: 1,
  resumeOnDrop: 1,
  headers: 1,
  providerOptions: 1,
};

type SharedOptions = Pick<ChatOptions, "parallelToolCalls" | "temperature" | "maxTokens" | "stop">;

const sharedNames: OptionNames<SharedOptions & { model: string }> = {
  model: 1,
  parallelToolCalls: 1,
  temperature: 1,
  maxTokens: 1,
  stop: 1,
};

/** The names of the options of every client. */
export const clientNames: OptionNames<ClientOptions> = {
  ...sharedNames,
  apiKey: 1,
  baseURL: 1,
  fetch: 1,
  ...requestNames,
};

/** The names of the options of a call. */
export const callNames: OptionNames<CallOptions> = {
  ...sharedNames,
  tools: 1,
  toolChoice: 1,
  responseFormat: 1,
  signal: 1,
  ...requestNames,
};

/** The names of the timeouts. */
export const timeoutNames: OptionNames<Timeouts> = { connect: 1, firstToken: 1, betweenTokens: 1, total: 1 };

/** Names that other libraries have for these options. */
export const synonyms = {
  key: "apiKey",
  token: "apiKey",
  url: "baseURL",
  endpoint: "baseURL",
  baseURI: "baseURL",
  timeout: "timeouts",
  retries: "maxRetries",
  maxOutputTokens: "maxTokens",
  maxCompletionTokens: "maxTokens",
  stopSequences: "stop",
  schema: "responseFormat",
  abortSignal: "signal",
  topP: "providerOptions",
  topK: "providerOptions",
  seed: "providerOptions",
  extraBody: "providerOptions",
  defaultHeaders: "headers",
};
