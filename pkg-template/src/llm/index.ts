// Everything that "stepstream/llm" exports.

export { type Code, ValidationError } from "../errors/errors.js";
export { LLMError } from "../model/llm-error.js";
export * from "../tools/index.js";
export { Anthropic, type AnthropicOptions } from "./anthropic.js";
export { LLMClient } from "./client.js";
export { Gemini, type GeminiOptions } from "./gemini.js";
export { OpenAICompatible, type OpenAICompatibleOptions, type Server } from "./openai-compatible.js";
export { OpenAI, type OpenAIOptions } from "./openai.js";
export type {
  CallOptions,
  ClientOptions,
  JsonCall,
  ObjectOf,
  Prompt,
  RequestOptions,
  StandardCall,
  StandardFormatCall,
  Timeouts,
} from "./options.js";
export type { AnyFormat, StandardFormat } from "./structured.js";
export type * from "../model/chat.js";
