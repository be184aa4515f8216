// What the clients of all providers have in common: from a call's options to the carrier, and from its answer to users.

import { LLMError, ValidationError } from "../errors.js";
import { describe, milliseconds } from "../internal/duration.js";
import type { StandardSchema } from "../tools/schema.js";
import { definitionOf } from "../tools/internal.js";
import { fromEnvironment } from "./environment.js";
import { responseOf } from "./internal/answer.js";
import { type CallInput, carry } from "./internal/transport.js";
import type {
  CallOptions,
  ClientOptions,
  JsonCall,
  ObjectOf,
  Prompt,
  RequestOptions,
  StandardCall,
  StandardFormatCall,
} from "./options.js";
import { openStream } from "./stream.js";
import { type Format, formatOf, withObject } from "./structured.js";
import type { ChatResponse, ChatStream, LLM, ObjectResponse, ToolDefinition } from "./types.js";

/** What tells one provider from another. */
export interface Provider {
  /** How it is called. */
  readonly name: string;
  readonly api: "chat" | "responses" | "anthropic" | "gemini";
  readonly flavour?: string | undefined;
  /** The variables in which its key and its address may stand. The key from there goes to no address that the program gave. */
  readonly keyVariables: readonly string[];
  readonly addressVariables: readonly string[];
  /** Whether it lets nobody in without a key. */
  readonly needsKey: boolean;
  /** Whether it holds models to a schema, if that is fit for it and is called strict. Some servers refuse the word for some of their models. */
  readonly isStrict?: boolean | undefined;
}

type Sampling = Pick<ClientOptions, "temperature" | "maxTokens" | "stop" | "parallelToolCalls">;
type Tools = readonly ToolDefinition[] | undefined;

const isRecord = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

const isKeyHeader = (name: string): boolean => /^(?:authorization|(?:x-)?(?:goog-)?api-key)$/i.test(name);

function refuse(option: string, value: unknown): never {
  throw new ValidationError("INVALID_OPTION", `\`${option}\` is ${describe(value)}.`);
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** What is given of the wrong type would not be sent, and the call would be another than the one that was meant. */
function checkSampling({ temperature, maxTokens, stop, parallelToolCalls: parallel }: Sampling): void {
  if (temperature !== undefined && !Number.isFinite(temperature)) refuse("temperature", temperature);
  if (maxTokens !== undefined && !isCount(maxTokens)) refuse("maxTokens", maxTokens);
  if (stop !== undefined && ![stop].flat().every((text) => typeof text === "string")) refuse("stop", stop);
  if (parallel !== undefined && typeof parallel !== "boolean") refuse("parallelToolCalls", parallel);
}

function checkRequestOptions(options: RequestOptions & Sampling): void {
  checkSampling(options);
  const { timeouts, maxRetries, headers, providerOptions } = options;
  if (timeouts !== undefined) {
    if (!isRecord(timeouts)) refuse("timeouts", timeouts);
    for (const [name, seconds] of Object.entries(timeouts)) milliseconds(seconds as number, `timeouts.${name}`);
  }
  if (maxRetries !== undefined && !isCount(maxRetries)) refuse("maxRetries", maxRetries);
  for (const [name, value] of Object.entries({ headers, providerOptions })) {
    // A Headers object has no members; as a record it would be empty.
    if (value !== undefined && (!isRecord(value) || Symbol.iterator in value)) refuse(name, value);
  }
}

/** JSON of what a program gave, which may be anything. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new LLMError("LLM_REQUEST", `The request is not JSON: ${String(error)}.`, { cause: error });
  }
}

/** What is asked for, unless the caller aborts before it is there. */
function unlessAborted<Value>(ask: () => Value | PromiseLike<Value>, signal: AbortSignal | undefined): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new LLMError("LLM_ABORTED", "", { cause: signal!.reason }));
    if (signal?.aborted === true) return onAbort();
    signal?.addEventListener("abort", onAbort);
    new Promise<Value>((answer) => answer(ask()))
      .finally(() => signal?.removeEventListener("abort", onAbort))
      .then(resolve, reject);
  });
}

/**
 * A client of a model. It holds no connection and may be used for any number of calls at once.
 *
 * All calls reject with an {@link LLMError} when they fail; what had arrived by then is in its `partial`. Wrong options are a ValidationError.
 * A client does not belong into a snapshot: give it to a run as `data`. Its key is not shown by anything that prints it.
 */
export abstract class LLMClient implements LLM {
  /** The provider. */
  readonly provider: string;
  /** The model that is asked unless a call names another. */
  readonly model: string;
  readonly #own: ClientOptions;
  readonly #provider: Provider;

  constructor(options: ClientOptions, provider: Provider) {
    if (!isRecord(options)) refuse("options", options);
    const { model, apiKey, baseURL, fetch } = options;
    if (typeof model !== "string" || model === "") refuse("model", model);
    if (apiKey !== undefined && typeof apiKey !== "function" && typeof apiKey !== "string") {
      // Without saying what it is: it may be a key in some wrapping.
      throw new ValidationError("INVALID_OPTION", "`apiKey` is neither a string nor a function.");
    }
    if (baseURL !== undefined && typeof baseURL !== "string") refuse("baseURL", baseURL);
    if (fetch !== undefined && typeof fetch !== "function") refuse("fetch", fetch);
    checkRequestOptions(options);
    this.provider = provider.name;
    this.model = model;
    this.#own = { ...options };
    this.#provider = provider;
  }

  /**
   * Asks, and gives the text of the answer.
   *
   * ```ts
   * const text = await llm.complete("A haiku about rivers");
   * ```
   *
   * @throws LLMError
   */
  async complete(prompt: Prompt, options: CallOptions = {}): Promise<string> {
    return (await this.chat(prompt, options)).text;
  }

  /**
   * Asks, and gives the pieces of the answer's text as they come. Leaving the loop aborts the call.
   *
   * ```ts
   * for await (const text of llm.streamComplete("A haiku about rivers")) write(text);
   * ```
   *
   * @throws LLMError
   */
  async *streamComplete(prompt: Prompt, options: CallOptions = {}): AsyncGenerator<string, void, undefined> {
    for await (const delta of this.streamChat(prompt, options)) {
      if (delta.type === "text") yield delta.text;
    }
  }

  /**
   * Sends a conversation, and gives the model's next message. A string is the one message of a user.
   *
   * With `responseFormat`, a JSON Schema or a schema of a validation library, the response has an `object` that fits it.
   *
   * ```ts
   * const { object } = await llm.chat("Where is Lisbon?", { responseFormat: z.object({ country: z.string() }) });
   * ```
   *
   * @throws LLMError `LLM_BAD_ANSWER` also when the answer does not fit `responseFormat`.
   */
  chat<Schema extends StandardSchema, Given extends Tools = undefined>(
    messages: Prompt,
    options: StandardCall<Schema, Given>,
  ): Promise<ObjectResponse<ObjectOf<Schema, Given>>>;
  chat<Schema extends StandardSchema, Given extends Tools = undefined>(
    messages: Prompt,
    options: StandardFormatCall<Schema, Given>,
  ): Promise<ObjectResponse<ObjectOf<Schema, Given>>>;
  chat<Value = unknown>(messages: Prompt, options: JsonCall): Promise<ObjectResponse<Value>>;
  chat(messages: Prompt, options?: CallOptions): Promise<ChatResponse>;
  async chat(messages: Prompt, options: CallOptions = {}): Promise<ChatResponse> {
    const { request, format } = this.#request(messages, options);
    return this.#call(request, format, options, options.signal, undefined);
  }

  /**
   * As {@link chat}, with the answer as it comes.
   *
   * ```ts
   * const stream = llm.streamChat("A haiku about rivers");
   * for await (const delta of stream) if (delta.type === "text") write(delta.text);
   * const { usage } = await stream.response;
   * ```
   *
   * @throws ValidationError for wrong options, at once. All else comes out of the loop and of `response`.
   */
  streamChat<Schema extends StandardSchema, Given extends Tools = undefined>(
    messages: Prompt,
    options: StandardCall<Schema, Given>,
  ): ChatStream<ObjectResponse<ObjectOf<Schema, Given>>>;
  streamChat<Schema extends StandardSchema, Given extends Tools = undefined>(
    messages: Prompt,
    options: StandardFormatCall<Schema, Given>,
  ): ChatStream<ObjectResponse<ObjectOf<Schema, Given>>>;
  streamChat<Value = unknown>(messages: Prompt, options: JsonCall): ChatStream<ObjectResponse<Value>>;
  streamChat(messages: Prompt, options?: CallOptions): ChatStream;
  streamChat(messages: Prompt, options: CallOptions = {}): ChatStream {
    const { request, format } = this.#request(messages, options);
    return openStream((signal, onDeltas) => this.#call(request, format, options, signal, onDeltas), options.signal);
  }

  /** The JSON that `Request::from_json` in `src/llm/intake.rs` reads. What is undefined is left out. */
  #request(messages: Prompt, options: CallOptions): { request: string; format: Format | undefined } {
    if (typeof messages !== "string" && !Array.isArray(messages)) refuse("messages", messages);
    if (!isRecord(options)) refuse("options", options);
    const { tools, responseFormat, signal } = options;
    if (tools !== undefined && !(Array.isArray(tools) && tools.every(isRecord))) refuse("tools", tools);
    if (signal !== undefined && typeof signal?.addEventListener !== "function") refuse("signal", signal);
    checkRequestOptions(options);
    const own = this.#own;
    const format = responseFormat === undefined ? undefined : formatOf(responseFormat);
    const request = jsonOf({
      model: options.model ?? own.model,
      messages: typeof messages === "string" ? [{ role: "user", content: messages }] : messages,
      tools: tools?.map(definitionOf),
      toolChoice: options.toolChoice,
      parallelToolCalls: options.parallelToolCalls ?? own.parallelToolCalls,
      temperature: options.temperature ?? own.temperature,
      maxTokens: options.maxTokens ?? own.maxTokens,
      stop: options.stop ?? own.stop,
      responseFormat: this.#provider.isStrict === true ? format?.strictlyTold : format?.told,
      options: { ...own.providerOptions, ...options.providerOptions },
      headers: options.headers,
    });
    return { request, format };
  }

  /** The JSON that `CallOptions::from_json` there reads; JSON has no infinity, and its `null` means the same. */
  #patience(options: CallOptions): string {
    const own = this.#own;
    return jsonOf({
      ...own.timeouts,
      ...options.timeouts,
      maxRetries: options.maxRetries ?? own.maxRetries,
      resumeOnDrop: options.resumeOnDrop ?? own.resumeOnDrop,
    });
  }

  /** The JSON that `Provider::from_json` there reads. It holds the key, and is made anew for each call. */
  async #place(signal: AbortSignal | undefined): Promise<string> {
    const { apiKey: given, baseURL, headers, fetch } = this.#own;
    const { api, flavour, keyVariables, addressVariables, needsKey, name } = this.#provider;
    const own: unknown = typeof given === "function" ? await unlessAborted(given, signal) : given;
    if (own !== undefined && typeof own !== "string") {
      throw new ValidationError("INVALID_OPTION", "`apiKey` gave something that is not a string.");
    }
    const apiKey = own ?? (baseURL === undefined ? fromEnvironment(keyVariables) : undefined);
    // A proxy, or a fetch of the program's, may add the key itself.
    const isOpen = baseURL !== undefined || fetch !== undefined || Object.keys(headers ?? {}).some(isKeyHeader);
    if (needsKey && !isOpen && (apiKey === undefined || apiKey === "")) {
      const [variable] = keyVariables;
      throw new LLMError("LLM_AUTH", `${name} was called without a key: give \`apiKey\`, or set ${variable}.`);
    }
    return jsonOf({ api, flavour, baseURL: baseURL ?? fromEnvironment(addressVariables), apiKey, headers });
  }

  async #call(
    request: string,
    format: Format | undefined,
    options: CallOptions,
    signal: AbortSignal | undefined,
    onDeltas: ((text: string, records: Uint32Array) => void) | undefined,
  ): Promise<ChatResponse> {
    const input: CallInput = {
      provider: await this.#place(signal),
      request,
      options: this.#patience(options),
      stream: onDeltas !== undefined,
      // Not taken off the global object: some runtimes refuse a `fetch` that was.
      fetch: this.#own.fetch ?? ((...given) => globalThis.fetch(...given)),
      ...(signal === undefined ? {} : { signal }),
    };
    const response = responseOf(await carry(input, onDeltas));
    return format === undefined ? response : withObject(response, format);
  }
}
