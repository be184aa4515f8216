// Servers that speak OpenAI's Chat Completions: many do, each with an accent.

import { ValidationError } from "../errors.js";
import { describe } from "../internal/duration.js";
import { LLMClient } from "./client.js";
import type { ClientOptions } from "./options.js";

/** The servers whose ways are known. `"openai"` takes what OpenAI takes; `"generic"` is any other. */
export type Server = "openai" | "generic" | "ollama" | "vllm" | "llamacpp" | "groq" | "deepseek" | "mistral" | "xai";

const servers: readonly Server[] = [
  "openai",
  "generic",
  "ollama",
  "vllm",
  "llamacpp",
  "groq",
  "deepseek",
  "mistral",
  "xai",
];

/** Options of {@link OpenAICompatible}. */
export interface OpenAICompatibleOptions extends ClientOptions {
  /** The address up to and including the version, such as `http://127.0.0.1:11434/v1`. */
  readonly baseURL: string;
  /** Which server it is. Default: what the address tells; `"generic"` if that is nothing. */
  readonly server?: Server | undefined;
}

/**
 * A server that speaks Chat Completions: Ollama, vLLM, llama.cpp, Groq, DeepSeek, Mistral, xAI and others.
 *
 * ```ts
 * const llm = new OpenAICompatible({ baseURL: "http://127.0.0.1:11434/v1", model: "llama3.2" });
 * ```
 *
 * @throws ValidationError `INVALID_OPTION`, `INVALID_DURATION`
 */
export class OpenAICompatible extends LLMClient {
  constructor(options: OpenAICompatibleOptions) {
    if (typeof options?.baseURL !== "string" || options.baseURL === "") {
      throw new ValidationError("INVALID_OPTION", `\`baseURL\` is ${describe(options?.baseURL)}.`);
    }
    const { server } = options;
    if (server !== undefined && !servers.includes(server)) {
      throw new ValidationError("INVALID_OPTION", `\`server\` is ${describe(server)}.`);
    }
    super(options, {
      name: "OpenAICompatible",
      api: "chat",
      flavour: server,
      keyVariables: [],
      addressVariables: [],
      needsKey: false,
    });
  }
}
