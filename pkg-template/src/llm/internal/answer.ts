// Answers as the module tells them, and as users see them.

import { LLMError } from "../../errors/errors.js";
import { codeOf } from "../../errors/code-of.js";
import type { ChatResponse, ContentBlock, FinishReason, ToolCallRequest, Usage } from "../types.js";

/** What `Answer::to_json` in `src/llm/report.rs` writes. */
export interface AnswerJson {
  readonly id: string;
  readonly model: string;
  readonly content: readonly ContentBlock[];
  readonly finishReason?: FinishReason;
  /** The reason in the provider's words. */
  readonly finishRaw: string;
  readonly usage: Usage;
}

/** What `LlmError::to_json` there writes. */
interface ErrorJson {
  /** The number of the code. */
  readonly code: number;
  readonly message: string;
  readonly status?: number;
  readonly type?: string;
  readonly providerCode?: string;
  /** Milliseconds. */
  readonly retryAfter?: number;
  readonly partial?: AnswerJson;
}

/** An answer for users. */
export function responseOf({ id, model, content, finishReason, usage }: AnswerJson): ChatResponse {
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

/** An error for users. `reason` is why the caller aborted, if he did. */
export function errorOf(json: string, reason?: unknown): LLMError {
  const { code: number, message, partial, retryAfter, ...told } = JSON.parse(json) as ErrorJson;
  const code = codeOf(number);
  // The advice that belongs to the code follows as a sentence of its own.
  const detail = /[^\s.!?:;,…]$/.test(message) ? `${message}.` : message;
  return new LLMError(code, detail, {
    ...told,
    ...(code === "LLM_ABORTED" && { cause: reason }),
    ...(retryAfter !== undefined && { retryAfter: retryAfter / 1000 }),
    ...(partial !== undefined && { partial: responseOf(partial) }),
  });
}
