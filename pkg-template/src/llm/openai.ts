// The client of OpenAI.

import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { LLMClient } from "./client.js";
import type { ClientOptions } from "./options.js";

/** Options of {@link OpenAI}. */
export interface OpenAIOptions extends ClientOptions {
  /**
   * The API that is used. `"chat"` is Chat Completions: OpenAI stores nothing, and many other servers have the same
   * API. `"responses"` returns the reasoning of models that reason, and takes it back between calls of tools. With it,
   * OpenAI stores the conversation for some time, unless `providerOptions` is `{ store: false, include:
   * ["reasoning.encrypted_content"] }`. Default: `"chat"`.
   */
  readonly api?: "chat" | "responses" | undefined;
}

/**
 * A client of OpenAI's models.
 *
 * ```ts
 * const llm = new OpenAI({ model: "gpt-5-mini", apiKey });
 * const text = await llm.complete("A haiku about rivers");
 * ```
 *
 * Where the runtime has environment variables, `OPENAI_API_KEY` and `OPENAI_BASE_URL` are the defaults of `apiKey` and
 * `baseURL`. The key from the environment is not sent to a `baseURL` from the options.
 *
 * @throws ValidationError `INVALID_OPTION`, `INVALID_DURATION`
 */
export class OpenAI extends LLMClient {
  constructor(options: OpenAIOptions) {
    const api = options?.api ?? "chat";
    if (api !== "chat" && api !== "responses") {
      throw new ValidationError("INVALID_OPTION", `\`api\` is ${describe(api)}.`);
    }
    super(options, {
      name: "OpenAI",
      api,
      keyVariables: ["OPENAI_API_KEY"],
      addressVariables: ["OPENAI_BASE_URL"],
      needsKey: true,
      isStrict: true,
      optionNames: { api: 1 },
    });
  }
}
