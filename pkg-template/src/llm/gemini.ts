// The client of Google's Gemini.

import { LLMClient } from "./client.js";
import type { ClientOptions } from "./options.js";

/** Options of {@link Gemini}. */
export type GeminiOptions = ClientOptions;

/**
 * A client of Google's Gemini models.
 *
 * ```ts
 * const llm = new Gemini({ model: "gemini-2.5-flash", apiKey });
 * ```
 *
 * Where the runtime has environment variables, `GEMINI_API_KEY` and then `GOOGLE_API_KEY` are the defaults of `apiKey`.
 * The key from the environment is not sent to a `baseURL` from the options.
 *
 * @throws ValidationError `INVALID_OPTION`, `INVALID_DURATION`
 */
export class Gemini extends LLMClient {
  constructor(options: GeminiOptions) {
    super(options, {
      name: "Gemini",
      api: "gemini",
      keyVariables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
      addressVariables: [],
      needsKey: true,
    });
  }
}
