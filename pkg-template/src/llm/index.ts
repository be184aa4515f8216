// What "stepstream/llm" offers.

export { type Code, LLMError } from "../errors.js";
export type * from "./types.js";
export * from "../tools/index.js";
