// The error of a call of a model.

import { type Code, WorkflowError } from "../errors/errors.js";
import type { ChatResponse } from "./chat.js";

/** What is known of a call of a model that failed; see the fields of {@link LLMError}. */
export interface LLMErrorOptions extends ErrorOptions {
  readonly status?: number | undefined;
  readonly type?: string | undefined;
  readonly providerCode?: string | undefined;
  readonly retryAfter?: number | undefined;
  readonly partial?: ChatResponse | undefined;
}

/** A call of a model failed. Its message holds the provider's words, and no API key. */
export class LLMError extends WorkflowError {
  override readonly name = "LLMError";
  /** The HTTP status, if an answer came. */
  readonly status: number | undefined;
  /** The provider's type of the error, such as `overloaded_error`. */
  readonly type: string | undefined;
  /** The provider's code of the error, such as `model_not_found`. */
  readonly providerCode: string | undefined;
  /** How many seconds the provider asks to wait before the next request. */
  readonly retryAfter: number | undefined;
  /** What had arrived of the answer; undefined if nothing had. */
  readonly partial: ChatResponse | undefined;

  constructor(code: Code, detail = "", options: LLMErrorOptions = {}) {
    super(code, detail, options);
    this.status = options.status;
    this.type = options.type;
    this.providerCode = options.providerCode;
    this.retryAfter = options.retryAfter;
    this.partial = options.partial;
  }
}
