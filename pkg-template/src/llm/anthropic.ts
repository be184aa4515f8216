// The client of Anthropic.

import { LLMClient } from "./client.js";
import type { ClientOptions } from "./options.js";

/** Options of {@link Anthropic}. */
export interface AnthropicOptions extends ClientOptions {
  /**
   * Whether calls may come from a browser, where every visitor of the page can read the API key. Anthropic refuses such
   * calls without this option. Default: false.
   */
  readonly dangerouslyAllowBrowser?: boolean | undefined;
}

/**
 * A client of Anthropic's models.
 *
 * ```ts
 * const llm = new Anthropic({ model: "claude-sonnet-4-5", apiKey, maxTokens: 2_000 });
 * ```
 *
 * Anthropic requires `maxTokens`; the default is 4,096. Where the runtime has environment variables,
 * `ANTHROPIC_API_KEY` is the default of `apiKey`. The key from the environment is not sent to a `baseURL` from the
 * options.
 *
 * @throws ValidationError `INVALID_OPTION`, `INVALID_DURATION`
 */
export class Anthropic extends LLMClient {
  constructor(options: AnthropicOptions) {
    const permission = options?.dangerouslyAllowBrowser === true && {
      headers: { "anthropic-dangerous-direct-browser-access": "true", ...options.headers },
    };
    super(
      { ...options, ...permission },
      {
        name: "Anthropic",
        api: "anthropic",
        keyVariables: ["ANTHROPIC_API_KEY"],
        addressVariables: [],
        needsKey: true,
        optionNames: { dangerouslyAllowBrowser: 1 },
      },
    );
  }
}
