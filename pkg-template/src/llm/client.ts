// The base of the clients of all providers: checks the options of a call, hands it to the call driver, and returns the
// response.

import { ValidationError } from "../errors/errors.js";
import { LLMError } from "../model/llm-error.js";
import { milliseconds } from "../model/duration.js";
import { describe } from "../util/describe.js";
import type { ChatResponse, ChatStream, LLM, ObjectResponse, ToolDefinition } from "../model/chat.js";
import type { StandardSchema } from "../model/standard-schema.js";
import { onAbort } from "../util/abort.js";
import { checkOptions } from "../errors/check-options.js";
import { fromEnvironment } from "./environment.js";
import { type CallInput, type OnDeltas, driveCall } from "./internal/call-driver.js";
import { responseOf } from "./internal/model-response.js";
import {
  type CallOptions,
  type ClientOptions,
  type JsonCall,
  type ObjectOf,
  type Prompt,
  type RequestOptions,
  type StandardCall,
  type StandardFormatCall,
  callNames,
  clientNames,
  synonyms,
  timeoutNames,
} from "./options.js";
import { openStream } from "./stream.js";
import { type Format, formatOf, withObject } from "./structured.js";

/** How one provider differs from the others. */
export interface Provider {
  /** Its name, which is that of its client. */
  readonly name: string;
  readonly api: "chat" | "responses" | "anthropic" | "gemini";
  readonly flavour?: string | undefined;
  /** The environment variables for the key. Such a key is only sent to the provider's own address. */
  readonly keyVariables: readonly string[];
  /** The environment variables for the address. */
  readonly addressVariables: readonly string[];
  /** Whether it refuses requests without a key. */
  readonly needsKey: boolean;
  /** Whether it takes `strict` for every schema that allows it. Some servers refuse it for some of their models. */
  readonly isStrict?: boolean | undefined;
  /** The names of the options that only its client has. */
  readonly optionNames?: Readonly<Record<string, unknown>> | undefined;
}

type Sampling = Pick<ClientOptions, "temperature" | "maxTokens" | "stop" | "parallelToolCalls">;
type Tools = readonly ToolDefinition[] | undefined;

const isRecord = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

const isKeyHeader = (name: string): boolean => /^(?:authorization|(?:x-)?(?:goog-)?api-key)$/i.test(name);

function refuse(option: string, value: unknown): never {
  throw new ValidationError("INVALID_OPTION", `\`${option}\` is ${describe(value)}.`);
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** A value of the wrong type would not be sent, so that the call would silently be a different one. */
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
    checkOptions(timeouts, timeoutNames, "`timeouts`");
    for (const [name, seconds] of Object.entries(timeouts)) milliseconds(seconds as number, `timeouts.${name}`);
  }
  if (maxRetries !== undefined && !isCount(maxRetries)) refuse("maxRetries", maxRetries);
  for (const [name, value] of Object.entries({ headers, providerOptions })) {
    // Iterable objects such as Headers have no own members, and would count as empty.
    if (value !== undefined && (!isRecord(value) || Symbol.iterator in value)) refuse(name, value);
  }
}

/** JSON of a value that may be anything. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new LLMError("LLM_REQUEST", `The request is not JSON: ${String(error)}.`, { cause: error });
  }
}

/** The result of a function, or the abort of the signal if that comes first. */
function unlessAborted<Value>(act: () => Value | PromiseLike<Value>, signal: AbortSignal | undefined): Promise<Value> {
  return new Promise((resolve, reject) => {
    const leave = onAbort(signal, () => reject(new LLMError("LLM_ABORTED", "", { cause: signal!.reason })));
    if (signal?.aborted === true) return;
    new Promise<Value>((settle) => settle(act())).finally(leave).then(resolve, reject);
  });
}

/** The members of a tool that are sent to the model. */
function definitionOf({ name, description, parameters, strict }: ToolDefinition): ToolDefinition {
  return { name, description, parameters, strict };
}

/**
 * A client of a model. It holds no connection, and any number of calls can use it at the same time.
 *
 * A call that fails rejects with an {@link LLMError}; what had arrived by then is in its `partial`. Wrong options are a
 * ValidationError. A client cannot be in a snapshot: give it to a run as `data`. Printing a client does not show its
 * key.
 */
export abstract class LLMClient implements LLM {
  /** The provider. */
  readonly provider: string;
  /** The model of calls that name no other. */
  readonly model: string;
  readonly #options: ClientOptions;
  readonly #provider: Provider;

  /** @param how A {@link Provider}, which is nothing that users could name. */
  protected constructor(options: ClientOptions, how: object) {
    const provider = how as Provider;
    checkOptions(options, { ...clientNames, ...provider.optionNames }, provider.name, synonyms);
    const { model, apiKey, baseURL, fetch } = options;
    if (typeof model !== "string" || model === "") refuse("model", model);
    if (apiKey !== undefined && typeof apiKey !== "function" && typeof apiKey !== "string") {
      // The message does not describe the value, which may contain a key.
      throw new ValidationError("INVALID_OPTION", "`apiKey` is neither a string nor a function.");
    }
    if (baseURL !== undefined && typeof baseURL !== "string") refuse("baseURL", baseURL);
    if (fetch !== undefined && typeof fetch !== "function") refuse("fetch", fetch);
    checkRequestOptions(options);
    this.provider = provider.name;
    this.model = model;
    this.#options = { ...options };
    this.#provider = provider;
  }

  /**
   * Sends a prompt, and returns the text of the answer.
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
   * Sends a prompt, and yields the text of the answer piece by piece. Leaving the loop aborts the call.
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
   * Sends a conversation, and returns the model's next message. A string is a conversation of one user message.
   *
   * With `responseFormat`, a JSON Schema or a schema of a validation library, the response has a matching `object`.
   *
   * ```ts
   * const { object } = await llm.chat("Where is Lisbon?", { responseFormat: z.object({ country: z.string() }) });
   * ```
   *
   * @throws LLMError; `LLM_BAD_ANSWER` also when the answer does not match `responseFormat`. ValidationError
   * `INVALID_OPTION`, `INVALID_SCHEMA`, `INVALID_DURATION` for wrong options.
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
   * As {@link chat}, with the response as a stream.
   *
   * ```ts
   * const stream = llm.streamChat("A haiku about rivers");
   * for await (const delta of stream) if (delta.type === "text") write(delta.text);
   * const { usage } = await stream.response;
   * ```
   *
   * @throws ValidationError for wrong options, synchronously. Other errors reject the loop and `response`.
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

  /** The JSON that `Request::from_json` in `src/llm/from_json.rs` reads. Undefined members are left out. */
  #request(messages: Prompt, options: CallOptions): { request: string; format: Format | undefined } {
    if (typeof messages !== "string" && !Array.isArray(messages)) refuse("messages", messages);
    checkOptions(options, callNames, `A call of ${this.#provider.name}`, synonyms);
    const { tools, responseFormat, signal } = options;
    if (tools !== undefined && !(Array.isArray(tools) && tools.every(isRecord))) refuse("tools", tools);
    if (signal !== undefined && typeof signal?.addEventListener !== "function") refuse("signal", signal);
    checkRequestOptions(options);
    const own = this.#options;
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
      responseFormat: this.#provider.isStrict === true ? format?.strictRequest : format?.request,
      options: { ...own.providerOptions, ...options.providerOptions },
      headers: options.headers,
    });
    return { request, format };
  }

  /**
   * The JSON that `CallOptions::from_json` in that file reads. In JSON, Infinity becomes null, which means the same.
   */
  #callOptions(options: CallOptions): string {
    const own = this.#options;
    const ofCall = Object.entries(options.timeouts ?? {}).filter(([, seconds]) => seconds !== undefined);
    return jsonOf({
      ...own.timeouts,
      ...Object.fromEntries(ofCall),
      maxRetries: options.maxRetries ?? own.maxRetries,
      resumeOnDrop: options.resumeOnDrop ?? own.resumeOnDrop,
    });
  }

  /** The JSON that `Provider::from_json` in that file reads. It contains the key, so it is not kept between calls. */
  async #providerConfig(signal: AbortSignal | undefined): Promise<string> {
    const { apiKey: given, baseURL, headers, fetch } = this.#options;
    const { api, flavour, keyVariables, addressVariables, needsKey, name } = this.#provider;
    const own: unknown = typeof given === "function" ? await unlessAborted(given, signal) : given;
    if (own !== undefined && typeof own !== "string") {
      throw new ValidationError("INVALID_OPTION", "`apiKey` returned something that is not a string.");
    }
    const apiKey = own ?? (baseURL === undefined ? fromEnvironment(keyVariables) : undefined);
    // A proxy or the program's own `fetch` may add the key.
    const mayLackKey = baseURL !== undefined || fetch !== undefined || Object.keys(headers ?? {}).some(isKeyHeader);
    if (needsKey && !mayLackKey && (apiKey === undefined || apiKey === "")) {
      const [variable] = keyVariables;
      throw new LLMError("LLM_AUTH", `${name} was called without an API key: pass \`apiKey\`, or set ${variable}.`);
    }
    return jsonOf({ api, flavour, baseURL: baseURL ?? fromEnvironment(addressVariables), apiKey, headers });
  }

  async #call(
    request: string,
    format: Format | undefined,
    options: CallOptions,
    signal: AbortSignal | undefined,
    onDeltas: OnDeltas | undefined,
  ): Promise<ChatResponse> {
    const input: CallInput = {
      provider: await this.#providerConfig(signal),
      request,
      options: this.#callOptions(options),
      stream: onDeltas !== undefined,
      // Called as a method of the global object: some runtimes refuse any other `this`.
      fetch: this.#options.fetch ?? ((...given) => globalThis.fetch(...given)),
      ...(signal === undefined ? {} : { signal }),
    };
    const response = responseOf(await driveCall(input, onDeltas));
    return format === undefined ? response : withObject(response, format);
  }
}
