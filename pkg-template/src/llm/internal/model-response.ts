// Responses and errors: from the JSON of the wasm module to what users get.

import { LLMError } from "../../model/llm-error.js";
import { codeOf } from "../../errors/code-of.js";
import type { ChatResponse, ContentBlock, FinishReason, ToolCallRequest, Usage } from "../../model/chat.js";

/** The JSON that `ModelResponse::to_json` in `src/llm/to_json.rs` writes. */
export interface ResponseJson {
  readonly id: string;
  readonly model: string;
  readonly content: readonly ContentBlock[];
  readonly finishReason?: FinishReason;
  /** The reason in the provider's words. */
  readonly finishRaw: string;
  readonly usage: Usage;
}

/** The JSON that `LlmError::to_json` in the same file writes. */
interface ErrorJson {
  /** The number of the code. */
  readonly code: number;
  readonly message: string;
  readonly status?: number;
  readonly type?: string;
  readonly providerCode?: string;
  /** Milliseconds. */
  readonly retryAfter?: number;
  readonly partial?: ResponseJson;
}

/** A response for users. */
export function responseOf({ id, model, content, finishReason, usage }: ResponseJson): ChatResponse {
  let text = "";
  let reasoning = "";
  const toolCalls: ToolCallRequest[] = [];
  for (const block of content) {
    if (block.type === "text") text += block.text;
    else if (block.type === "reasoning") reasoning += block.text;
    else if (block.type === "toolCall") {
      toolCalls.push({ id: block.id, name: block.name, arguments: block.arguments });
    }
  }
  return { message: { role: "assistant", content }, text, reasoning, toolCalls, finishReason, usage, model, id };
}

/** An error for users. `reason` is the reason of the caller's signal, if that has aborted. */
export function errorOf(json: string, reason?: unknown): LLMError {
  const { code: number, message, partial, retryAfter, ...others } = JSON.parse(json) as ErrorJson;
  const code = codeOf(number);
  // The help for the code follows as a sentence of its own.
  const detail = /[^\s.!?:;,…]$/.test(message) ? `${message}.` : message;
  return new LLMError(code, detail, {
    ...others,
    ...(code === "LLM_ABORTED" && { cause: reason }),
    ...(retryAfter !== undefined && { retryAfter: retryAfter / 1000 }),
    ...(partial !== undefined && { partial: responseOf(partial) }),
  });
}
