// OpenAI.

import { ValidationError } from "../errors.js";
import { describe } from "../internal/duration.js";
import { LLMClient } from "./client.js";
import type { ClientOptions } from "./options.js";

/** Options of {@link OpenAI}. */
export interface OpenAIOptions extends ClientOptions {
  /**
   * Which API is spoken. `"chat"` is Chat Completions: a call says all that it needs, nothing is kept at the provider, and other servers know it too.
   * `"responses"` tells of the reasoning of models that reason, and takes it back between calls of tools; OpenAI keeps what was said, for as
   * long as its rules say, unless `providerOptions` has `{ store: false, include: ["reasoning.encrypted_content"] }`. Default: `"chat"`.
   */
  readonly api?: "chat" | "responses" | undefined;
}

/**
 * OpenAI's models.
 *
 * ```ts
 * const llm = new OpenAI({ model: "gpt-5-mini", apiKey });
 * const text = await llm.complete("A haiku about rivers");
 * ```
 *
 * Where the runtime has environment variables, `OPENAI_API_KEY` and `OPENAI_BASE_URL` stand in for `apiKey` and `baseURL`; the key from there
 * is not sent to a `baseURL` that the program gives.
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
    });
  }
}
