// Agents on a real model. What a model of this size answers is nothing to rely on; that its runs end, and how, is.

import { LimitError } from "stepstream";
import { AgentStream, FunctionAgent, ReActAgent, ToolCall, ToolCallResult, tool } from "stepstream/agents";
import { expect, test } from "vitest";
import { isWorking, openai } from "./kit.js";

const QUESTION = "What is (123 + 456) * 789?";

const numbers = {
  type: "object",
  properties: { a: { type: "number" }, b: { type: "number" } },
  required: ["a", "b"],
  additionalProperties: false,
};
const calculator = (name: string, execute: (args: { a: number; b: number }) => number) =>
  tool<{ a: number; b: number }>({ name, description: `Does: ${name} two numbers.`, parameters: numbers, execute });
const tools = [calculator("add", ({ a, b }) => a + b), calculator("multiply", ({ a, b }) => a * b)];

const options = { tools, maxIterations: 3, chatOptions: { maxTokens: 60 } } as const;

test("a FunctionAgent calls a tool that it has to call, and comes to an answer", async () => {
  const agent = new FunctionAgent({
    ...options,
    llm: openai(),
    initialToolChoice: "required",
    earlyStopping: "generate",
  });
  const run = agent.run(QUESTION);
  const called: string[] = [];
  let results = 0;
  let last = { iteration: 0, text: "" };
  for await (const event of run) {
    if (event instanceof ToolCall && event.data.iteration === 1) called.push(event.data.name);
    if (event instanceof ToolCallResult && event.data.iteration === 1) {
      expect(event.data.isError, JSON.stringify(event.data)).toBe(false);
      results += 1;
    }
    if (event instanceof AgentStream) {
      const { iteration, delta } = event.data;
      last = { iteration, text: iteration === last.iteration ? last.text + delta : delta };
    }
  }
  expect(called.length).toBeGreaterThan(0);
  expect(["add", "multiply"]).toEqual(expect.arrayContaining([...new Set(called)]));
  expect(results).toBe(called.length);
  const { data } = await run;
  expect(data.text).toBe(last.text);
  expect(data.usage.output).toBeGreaterThan(0);
});

test("a ReActAgent comes to an answer, or to its limit", async () => {
  const agent = new ReActAgent({ ...options, llm: openai() });
  const run = agent.run(QUESTION);
  let shown = "";
  const reading = (async () => {
    for await (const event of run) if (event instanceof AgentStream) shown += event.data.delta;
  })();
  const [outcome] = await Promise.allSettled([run, reading]);
  if (outcome.status === "rejected") {
    expect(outcome.reason).toBeInstanceOf(LimitError);
    expect((outcome.reason as LimitError).code).toBe("AGENT_ITERATIONS");
  } else {
    expect(outcome.value.data.text).not.toBe("");
  }
  expect(shown).not.toMatch(/^\s*(?:Thought|Action|Action Input|Answer):/m);
});

test("a ReActAgent that is to answer at its limit does", async () => {
  const agent = new ReActAgent({ ...options, llm: openai(), maxIterations: 2, earlyStopping: "generate" });
  const { data } = await agent.run(QUESTION);
  expect(data.text).not.toBe("");
});

test("a run that is cancelled aborts the answer that is being written", async () => {
  const agent = new FunctionAgent({ llm: openai(), chatOptions: { maxTokens: 3000 } });
  const run = agent.run("Write a long story about a lighthouse.");
  const reading = (async () => {
    for await (const event of run) if (event instanceof AgentStream && event.data.delta !== "") run.cancel("enough");
  })();
  const outcomes = await Promise.allSettled([run, reading]);
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "RUN_CANCELLED" } });
  await expect.poll(isWorking).toBe(false);
});
