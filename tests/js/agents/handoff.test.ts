// Several agents: who takes over from whom, and what the next one knows.

import { ValidationError } from "stepstream";
import { AgentOutput, AgentWorkflow, FunctionAgent, ReActAgent, ToolCallResult, tool } from "stepstream/agents";
import { expect, test } from "vitest";
import { fails } from "../kit/index.js";
import { type Line, ScriptedModel, add, call, readAll, resultsIn, textIn } from "./kit.js";

const handoff = (toAgent: string, reason = "it knows better"): Line => ({
  calls: [call("handoff", { toAgent, reason })],
});

test("a chain of handoffs; the last agent answers, and is at work first in the next turn", async () => {
  const first = new ScriptedModel([handoff("second", "it can add")]);
  const second = new ScriptedModel([{ calls: [call("add", { a: 1, b: 2 })] }, handoff("third")]);
  const third = new ScriptedModel(["It is 3.", "You are welcome."]);
  const workflow = new AgentWorkflow({
    agents: [
      new FunctionAgent({ name: "first", description: "Asks.", llm: first }),
      new FunctionAgent({ name: "second", description: "Adds numbers.", llm: second, tools: [add] }),
      new FunctionAgent({ name: "third", description: "Writes.", llm: third }),
    ],
  });
  expect(workflow.validate().filter(({ severity }) => severity === "error")).toEqual([]);
  const run = workflow.run("What is 1 + 2?");
  const events = await readAll(run);
  const { data } = await run;
  expect([data.text, data.currentAgent]).toEqual(["It is 3.", "third"]);
  const spoken = events.filter((event) => event instanceof AgentOutput).map((event) => event.data.agent);
  expect(spoken).toEqual(["first", "second", "second", "third"]);
  const results = events.filter((event) => event instanceof ToolCallResult).map((event) => event.data);
  expect(results.map(({ handoffTo }) => handoffTo)).toEqual(["second", undefined, "third"]);
  expect(results[0]?.content).toContain("it can add");
  // Each one sees what was said before.
  expect(resultsIn(third.last.messages)).toHaveLength(3);
  expect(textIn(third.last.messages[0])).toBe("What is 1 + 2?");

  const next = await workflow.run("Thanks!", undefined, { context: run });
  expect([next.data.text, next.data.currentAgent]).toEqual(["You are welcome.", "third"]);
});

test("agents know those that they may hand off to", async () => {
  const llm = new ScriptedModel(() => "Hello.");
  const agent = (name: string, canHandoffTo?: readonly string[]): FunctionAgent =>
    new FunctionAgent({
      name,
      description: `Does ${name}.`,
      llm,
      ...(canHandoffTo === undefined ? {} : { canHandoffTo }),
    });
  const agents = [agent("all"), agent("some", ["all"]), agent("none", [])];
  const toolFor = async (rootAgent: string, handoffPrompt?: string): Promise<string | undefined> => {
    const options = handoffPrompt === undefined ? {} : { handoffPrompt };
    await new AgentWorkflow({ agents, rootAgent, ...options }).run("Hi");
    return llm.last.options.tools?.find(({ name }) => name === "handoff")?.description;
  };
  expect(await toolFor("all")).toContain("- some: Does some.\n- none: Does none.");
  expect(await toolFor("some")).toContain("- all: Does all.");
  expect(await toolFor("some")).not.toContain("none");
  expect(await toolFor("none")).toBeUndefined();
  expect(await toolFor("some", "Only to:\n{agents}")).toBe("Only to:\n- all: Does all.");
});

test("handing off to an unknown agent, and to one that is out of reach, is an error for the model", async () => {
  const llm = new ScriptedModel([handoff("nobody"), handoff("secret"), { calls: [call("handoff", {})] }, "I stay."]);
  const other = (name: string): FunctionAgent => new FunctionAgent({ name, llm: new ScriptedModel([]) });
  const root = new FunctionAgent({ name: "root", llm, canHandoffTo: ["open"] });
  const { data } = await new AgentWorkflow({ agents: [root, other("open"), other("secret")] }).run("Go");
  expect([data.text, data.currentAgent]).toEqual(["I stay.", "root"]);
  const [unknown, secret, missing] = resultsIn(llm.last.messages);
  expect(unknown).toEqual({
    text: 'Error: There is no agent "nobody" that you can hand off to. There are "open".',
    isError: true,
  });
  expect(secret?.text).toContain('no agent "secret"');
  expect(missing?.text).toContain("toAgent: is missing");
  // An agent that runs alone has no other at all.
  const alone = new ScriptedModel([handoff("open"), "Alone."]);
  expect((await new FunctionAgent({ llm: alone }).run("Go")).data.text).toBe("Alone.");
  expect(resultsIn(alone.last.messages)[0]?.text).toBe('There is no tool "handoff". There are no tools.');
});

test("of two handoffs at the same time the first counts, and other tools are not lost", async () => {
  const calls = [
    call("add", { a: 1, b: 2 }),
    call("handoff", { toAgent: "b", reason: "x" }),
    call("handoff", { toAgent: "c", reason: "y" }),
  ];
  const seen = new ScriptedModel(["Done."]);
  const agents = [
    new FunctionAgent({ name: "a", llm: new ScriptedModel([{ calls }]), tools: [add] }),
    new FunctionAgent({ name: "b", llm: seen }),
    new FunctionAgent({ name: "c", llm: new ScriptedModel([]) }),
  ];
  const { data } = await new AgentWorkflow({ agents }).run("Go");
  expect(data.currentAgent).toBe("b");
  expect(resultsIn(seen.last.messages).map(({ isError }) => isError)).toEqual([false, false, true]);
});

test("agents of both kinds understand each other", async () => {
  const words = new ScriptedModel([
    'Thought: Not mine.\nAction: handoff\nAction Input: {"toAgent": "caller", "reason": "numbers"}',
    "Thought: Easy.\nAnswer: The sum is 3.",
  ]);
  const calls = new ScriptedModel([{ calls: [call("add", { a: 1, b: 2 })] }, handoff("thinker")]);
  const agents = [
    new ReActAgent({ name: "thinker", llm: words }),
    new FunctionAgent({ name: "caller", llm: calls, tools: [add] }),
  ];
  const { data } = await new AgentWorkflow({ agents }).run("1 + 2?");
  expect(data.text).toBe("The sum is 3.");
  // The one sees calls and results as such, the other as text in its own format.
  expect(resultsIn(calls.last.messages).map(({ text }) => text)).toEqual([expect.stringContaining("caller"), "3"]);
  const texts = words.last.messages.map(textIn);
  expect(texts).toContain('Thought: I need a tool.\nAction: add\nAction Input: {"a":1,"b":2}');
  expect(texts).toContain("Observation: 3");
});

test("what is wrong with agents is said when they are put together", async () => {
  const llm = new ScriptedModel([]);
  const agent = (name: string, more: object = {}): FunctionAgent => new FunctionAgent({ name, llm, ...more });
  const named = tool({ name: "handoff", execute: () => "" });
  const bad: readonly (readonly [string, () => unknown])[] = [
    ["DUPLICATE_AGENT", () => new AgentWorkflow({ agents: [agent("a"), agent("a")] })],
    ["UNKNOWN_AGENT", () => new AgentWorkflow({ agents: [agent("a")], rootAgent: "b" })],
    ["UNKNOWN_AGENT", () => new AgentWorkflow({ agents: [agent("a", { canHandoffTo: ["b"] })] })],
    ["INVALID_AGENT", () => new AgentWorkflow({ agents: [] })],
    ["INVALID_AGENT", () => new AgentWorkflow({ agents: ["a"] as never })],
    ["INVALID_AGENT", () => new AgentWorkflow({ agents: [{ name: "a", takeStep: () => undefined }] as never })],
    ["INVALID_OPTION", () => AgentWorkflow.fromTools([], { llm, kind: "plan" as never })],
    ["INVALID_AGENT", () => new AgentWorkflow({ agents: [agent("a", { tools: [named] }), agent("b")] })],
    ["INVALID_AGENT", () => new FunctionAgent({} as never)],
    ["INVALID_AGENT", () => new FunctionAgent({ llm: {} as never })],
    ["INVALID_AGENT", () => new ReActAgent({ name: "x" } as never)],
    ["INVALID_AGENT", () => new FunctionAgent(null as never)],
    ["INVALID_AGENT", () => agent("")],
    ["INVALID_AGENT", () => agent("a", { tools: [add, add] })],
    ["INVALID_AGENT", () => agent("a", { tools: [{ name: "add" }] })],
    ["INVALID_AGENT", () => agent("a", { tools: add })],
    ["INVALID_AGENT", () => agent("a", { toolRetriever: [] })],
    ["INVALID_AGENT", () => agent("a", { canHandoffTo: "b" })],
    ["INVALID_AGENT", () => agent("a", { systemPrompt: 1 })],
    ["INVALID_AGENT", () => agent("a", { streaming: 1 })],
    ["INVALID_AGENT", () => agent("a", { description: 1 })],
    ["INVALID_AGENT", () => agent("a", { chatOptions: 1 })],
    ["INVALID_OPTION", () => new AgentWorkflow(null as never)],
    ["INVALID_OPTION", () => new AgentWorkflow({ agents: [agent("a")], maxIterations: 0 })],
    ["INVALID_OPTION", () => new AgentWorkflow({ agents: [agent("a")], earlyStopping: "stop" as never })],
    ["INVALID_OPTION", () => new AgentWorkflow({ agents: [agent("a")], memory: {} as never })],
    ["INVALID_OPTION", () => new AgentWorkflow({ agents: [agent("a")], initialState: { f: () => 1 } })],
    ["INVALID_OPTION", () => new AgentWorkflow({ agents: [agent("a")], initialState: 1 as never })],
    ["INVALID_OPTION", () => new AgentWorkflow({ agents: [agent("a")], statePrompt: 1 as never })],
    ["INVALID_OPTION", () => new AgentWorkflow({ agents: [agent("a")], handoffPrompt: 1 as never })],
    ["INVALID_WORKERS", () => new AgentWorkflow({ agents: [agent("a")], maxParallelTools: 0 })],
    ["INVALID_DURATION", () => new AgentWorkflow({ agents: [agent("a")], timeout: -1 })],
    ["INVALID_RETRY", () => new AgentWorkflow({ agents: [agent("a")], retry: 3 as never })],
    ["INVALID_SCHEMA", () => new AgentWorkflow({ agents: [agent("a")], outputSchema: { type: "string" } })],
    ["INVALID_OPTION", () => agent("a").run(undefined as never)],
    ["INVALID_OPTION", () => agent("a").run({})],
    ["INVALID_OPTION", () => agent("a").run({ message: 5 as never })],
    ["INVALID_OPTION", () => agent("a").run({ message: { role: "assistant", content: "" } })],
    ["INVALID_OPTION", () => agent("a").run({ message: "x", chatHistory: "x" as never })],
    ["INVALID_OPTION", () => agent("a").run({ message: "x", chatHistory: [{ role: "robot" } as never] })],
    ["INVALID_OPTION", () => agent("a").run({ chatHistory: [{ role: "assistant", content: "Hi" }] })],
    ["INVALID_OPTION", () => agent("a").run({ message: "x", maxIterations: 1.5 })],
  ];
  for (const [code, make] of bad) await fails(make, ValidationError, code);
});
