// What the entries of models, tools and agents export, and that they share what they have in common.

import * as stepstream from "stepstream";
import * as agents from "stepstream/agents";
import * as llm from "stepstream/llm";
import * as slim from "stepstream/slim/llm";
import { expect, test } from "vitest";
import "../kit/guard.js";

test("stepstream/llm exports these values", () => {
  expect(Object.keys(llm).sort()).toEqual([
    "Anthropic",
    "Gemini",
    "LLMClient",
    "LLMError",
    "OpenAI",
    "OpenAICompatible",
    "ValidationError",
    "callTool",
    "tool",
  ]);
});

test("the slim entry exports the same, and takes the module", () => {
  const { setLLMWasmModule, ...rest } = slim;
  expect(setLLMWasmModule).toBeTypeOf("function");
  expect(rest).toEqual({ ...llm });
});

test("a tool and an error are the same in all entries", () => {
  expect(agents.tool).toBe(llm.tool);
  expect(agents.callTool).toBe(llm.callTool);
  expect(agents.LLMError).toBe(llm.LLMError);
  expect(stepstream.LLMError).toBe(llm.LLMError);
  expect(stepstream.ValidationError).toBe(llm.ValidationError);
});
