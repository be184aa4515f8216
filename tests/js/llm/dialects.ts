// What the four APIs say, in so far as tests of the transport need it: answers piece by piece, and the clients that understand them.

import {
  Anthropic,
  type ChatMessage,
  type ChatOptions,
  type ChatResponse,
  type ChatStream,
  Gemini,
  OpenAI,
  OpenAICompatible,
} from "stepstream/llm";

/** The words of one API. */
export interface Dialect {
  readonly name: string;
  /** The path at which a stream is asked for. */
  readonly path: string;
  /** How a stream begins; no text yet. */
  readonly begin: string;
  text(text: string): string;
  /** Why the answer ends, and what it cost. */
  readonly finish: string;
  /** The end marker; empty where there is none. */
  readonly marker: string;
  /** What is known of the cost after the first text, as the table of faults writes it. */
  readonly known: string;
  /** An error in the middle of a stream. */
  readonly error: string;
  /** A whole answer, not streamed. */
  whole(text: string): string;
  client(options: ClientOptions): Client;
}

/** What all clients can do. */
export interface Client {
  chat(messages: readonly ChatMessage[], options?: ChatOptions): Promise<ChatResponse>;
  streamChat(messages: readonly ChatMessage[], options?: ChatOptions): ChatStream;
}

/** What tests give to clients. */
export interface ClientOptions {
  readonly baseURL: string;
  readonly fetch?: typeof fetch;
  readonly [option: string]: unknown;
}

const model = "small-1";
const apiKey = "key-for-tests";

const data = (event: unknown): string => `data: ${JSON.stringify(event)}\n\n`;
const named = (event: { readonly type: string; readonly [member: string]: unknown }): string =>
  `event: ${event.type}\n${data(event)}`;

const chatChunk = (delta: object, finish: string | null = null): string =>
  data({ id: "c-1", object: "chat.completion.chunk", model, choices: [{ index: 0, delta, finish_reason: finish }] });

const chat: Dialect = {
  name: "chat",
  path: "/v1/chat/completions",
  begin: chatChunk({ role: "assistant", content: "" }),
  text: (text) => chatChunk({ content: text }),
  finish: chatChunk({}, "stop") + data({ id: "c-1", choices: [], usage: { prompt_tokens: 9, completion_tokens: 2 } }),
  marker: "data: [DONE]\n\n",
  known: "",
  error: data({ error: { message: "The engine has stopped.", type: "server_error", code: null } }),
  whole: (text) =>
    JSON.stringify({
      id: "c-1",
      model,
      choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
      usage: { prompt_tokens: 9, completion_tokens: 2 },
    }),
  client: ({ baseURL, ...options }) => new OpenAI({ model, apiKey, api: "chat", baseURL: `${baseURL}/v1`, ...options }),
};

/** OpenAI itself, which always sends its end marker; at another address it would be taken for a server that imitates it. */
const openai: Dialect = {
  ...chat,
  name: "chat (OpenAI)",
  client: ({ baseURL, ...options }) =>
    new OpenAICompatible({ model, apiKey, server: "openai", baseURL: `${baseURL}/v1`, ...options }),
};

/** A server that speaks the same and can go on from a begun answer. */
const vllm: Dialect = {
  ...chat,
  name: "chat (vLLM)",
  client: ({ baseURL, ...options }) =>
    new OpenAICompatible({ model, apiKey, server: "vllm", baseURL: `${baseURL}/v1`, ...options }),
};

const item = { id: "msg_1", type: "message", role: "assistant" };

const responses: Dialect = {
  name: "responses",
  path: "/v1/responses",
  begin:
    named({ type: "response.created", response: { id: "resp_1", model, status: "in_progress", output: [] } }) +
    named({ type: "response.output_item.added", output_index: 0, item: { ...item, content: [] } }),
  text: (delta) =>
    named({ type: "response.output_text.delta", item_id: "msg_1", output_index: 0, content_index: 0, delta }),
  finish: "",
  marker: named({
    type: "response.completed",
    response: {
      id: "resp_1",
      model,
      status: "completed",
      usage: { input_tokens: 9, output_tokens: 2, total_tokens: 11 },
    },
  }),
  known: "",
  error: named({ type: "error", code: "server_error", message: "The engine has stopped.", param: null }),
  whole: (text) =>
    JSON.stringify({
      id: "resp_1",
      object: "response",
      model,
      status: "completed",
      output: [{ ...item, content: [{ type: "output_text", text, annotations: [] }] }],
      usage: { input_tokens: 9, output_tokens: 2, total_tokens: 11 },
    }),
  client: ({ baseURL, ...options }) =>
    new OpenAI({ model, apiKey, api: "responses", baseURL: `${baseURL}/v1`, ...options }),
};

const anthropic: Dialect = {
  name: "anthropic",
  path: "/v1/messages",
  begin:
    named({
      type: "message_start",
      message: { id: "msg_1", type: "message", role: "assistant", model, content: [], usage: { input_tokens: 9 } },
    }) +
    named({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }) +
    named({ type: "ping" }),
  text: (text) => named({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
  finish:
    named({ type: "content_block_stop", index: 0 }) +
    named({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } }),
  marker: named({ type: "message_stop" }),
  known: ", usage 9",
  error: named({ type: "error", error: { type: "overloaded_error", message: "The engine has stopped." } }),
  whole: (text) =>
    JSON.stringify({
      id: "msg_1",
      type: "message",
      role: "assistant",
      model,
      content: [{ type: "text", text }],
      stop_reason: "end_turn",
      usage: { input_tokens: 9, output_tokens: 2 },
    }),
  client: ({ baseURL, ...options }) => new Anthropic({ model, apiKey, baseURL: `${baseURL}/v1`, ...options }),
};

const geminiChunk = (text: string, more: object = {}): object => ({
  candidates: [{ index: 0, content: { role: "model", parts: [{ text }] }, ...more }],
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 2, totalTokenCount: 11 },
  modelVersion: model,
  responseId: "g-1",
});

const gemini: Dialect = {
  name: "gemini",
  path: `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
  begin: data({ modelVersion: model, responseId: "g-1", usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 } }),
  text: (text) => data(geminiChunk(text)),
  finish: data(geminiChunk("", { finishReason: "STOP" })),
  marker: "",
  known: ", usage 9 and 2",
  error: data({ error: { code: 503, message: "The engine has stopped.", status: "UNAVAILABLE" } }),
  whole: (text) => JSON.stringify(geminiChunk(text, { finishReason: "STOP" })),
  client: ({ baseURL, ...options }) => new Gemini({ model, apiKey, baseURL: `${baseURL}/v1beta`, ...options }),
};

export const dialects = { chat, openai, vllm, responses, anthropic, gemini };
