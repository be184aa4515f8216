// The client of servers with OpenAI's Chat Completions API, and the differences between them.

import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { LLMClient } from "./client.js";
import type { ClientOptions } from "./options.js";

/** The servers whose differences are known. `"openai"` is one without differences, `"generic"` any other. */
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
  /** The URL up to and including the version, such as `http://127.0.0.1:11434/v1`. */
  readonly baseURL: string;
  /** Which server it is. Default: recognised by the URL, else `"generic"`. */
  readonly server?: Server | undefined;
}

/**
 * A client of any server with the Chat Completions API: Ollama, vLLM, llama.cpp, Groq, DeepSeek, Mistral, xAI and
 * others.
 *
 * ```ts
 * const llm = new OpenAICompatible({ baseURL: "http://127.0.0.1:11434/v1", model: "llama3.2" });
 * ```
 *
 * @throws ValidationError `INVALID_OPTION`, `INVALID_DURATION`
 */
export class OpenAICompatible extends LLMClient {
  constructor(options: OpenAICompatibleOptions) {
    super(options, {
      name: "OpenAICompatible",
      api: "chat",
      flavour: options?.server,
      keyVariables: [],
      addressVariables: [],
      needsKey: false,
      optionNames: { server: 1 },
    });
    const { baseURL, server } = options;
    if (typeof baseURL !== "string" || baseURL === "") {
      throw new ValidationError("INVALID_OPTION", `\`baseURL\` is ${describe(baseURL)}.`);
    }
    if (server !== undefined && !servers.includes(server)) {
      throw new ValidationError("INVALID_OPTION", `\`server\` is ${describe(server)}.`);
    }
  }
}
