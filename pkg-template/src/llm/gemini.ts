// Google's Gemini.

import { LLMClient } from "./client.js";
import type { ClientOptions } from "./options.js";

/** Options of {@link Gemini}. */
export type GeminiOptions = ClientOptions;

/**
 * Google's Gemini models.
 *
 * ```ts
 * const llm = new Gemini({ model: "gemini-2.5-flash", apiKey });
 * ```
 *
 * Where the runtime has environment variables, `GEMINI_API_KEY`, or `GOOGLE_API_KEY` after it, stands in for `apiKey`; the key from there is
 * not sent to a `baseURL` that the program gives.
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
