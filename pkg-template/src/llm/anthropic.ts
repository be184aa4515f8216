// Anthropic.

import { LLMClient } from "./client.js";
import type { ClientOptions } from "./options.js";

/** Options of {@link Anthropic}. */
export interface AnthropicOptions extends ClientOptions {
  /**
   * Whether calls may come from a page: Anthropic answers those only when they say that they know what it means. Everybody who can open the
   * page can read the key. Default: false.
   */
  readonly dangerouslyAllowBrowser?: boolean | undefined;
}

/**
 * Anthropic's models.
 *
 * ```ts
 * const llm = new Anthropic({ model: "claude-sonnet-4-5", apiKey, maxTokens: 2_000 });
 * ```
 *
 * Anthropic requires `maxTokens`; without one it is 4,096. Where the runtime has environment variables, `ANTHROPIC_API_KEY` stands in for `apiKey`;
 * the key from there is not sent to a `baseURL` that the program gives.
 *
 * @throws ValidationError `INVALID_OPTION`, `INVALID_DURATION`
 */
export class Anthropic extends LLMClient {
  constructor(options: AnthropicOptions) {
    const admission = options?.dangerouslyAllowBrowser === true && {
      headers: { "anthropic-dangerous-direct-browser-access": "true", ...options.headers },
    };
    super(
      { ...options, ...admission },
      {
        name: "Anthropic",
        api: "anthropic",
        keyVariables: ["ANTHROPIC_API_KEY"],
        addressVariables: [],
        needsKey: true,
      },
    );
  }
}
