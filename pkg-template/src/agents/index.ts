// What "stepstream/agents" offers.

export { type Code, LLMError } from "../errors.js";
export type * from "../llm/types.js";
export * from "../tools/index.js";
