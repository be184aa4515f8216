// The agent that thinks, acts and observes in plain text: its format, what is wrong with it, and that nothing of it leaks into the answer.

import { LimitError, type WorkflowEvent } from "stepstream";
import { AgentOutput, AgentStream, type ChatMessage, ReActAgent, tool } from "stepstream/agents";
import { describe, expect, test } from "vitest";
import { fails } from "../kit/index.js";
import { type Line, ScriptedModel, add, call, multiply, readAll, shown, textIn } from "./kit.js";

const sum = `Thought: First I need the sum.
Action: add
Action Input: {"a": 123, "b": 456}`;
const product = `Thought: Now the product.
Action: multiply
Action Input: {"a": 579, "b": 789}`;
const answer = `Thought: I know enough to answer.
Answer: (123 + 456) * 789 is 456831.`;

const agentOf = (llm: ScriptedModel): ReActAgent => new ReActAgent({ llm, tools: [add, multiply] });

test("the calculator of the tutorial", async () => {
  const llm = new ScriptedModel([sum, product, answer]);
  const agent = new ReActAgent({ llm, tools: [add, multiply], systemPrompt: "You are a calculator." });
  const run = agent.run("What is (123 + 456) * 789?");
  const events = await readAll(run);
  const { data } = await run;
  expect(data.text).toBe("(123 + 456) * 789 is 456831.");
  expect(data.toolCalls.map(({ name, content }) => [name, content])).toEqual([
    ["add", "579"],
    ["multiply", "456831"],
  ]);
  expect(shown(events)).toEqual({
    text: data.text,
    reasoning: "First I need the sum.Now the product.I know enough to answer.",
  });
});

test("the model is given the format and the tools, and what came of its actions", async () => {
  const llm = new ScriptedModel([sum, answer]);
  await new ReActAgent({ llm, tools: [add, multiply], systemPrompt: "You are a calculator." }).run("Go");
  const { messages, options } = llm.last;
  const system = textIn(messages[0]);
  expect(system.startsWith("You are a calculator.\n\n")).toBe(true);
  for (const word of [
    "add",
    "multiply",
    "Adds two numbers.",
    '"required":["a","b"]',
    "Thought:",
    "Action Input:",
    "Answer:",
  ]) {
    expect(system).toContain(word);
  }
  expect(messages.slice(1)).toEqual([
    { role: "user", content: "Go" },
    { role: "assistant", content: sum },
    { role: "user", content: "Observation: 579" },
  ]);
  // As text alone: the provider is not given any tools.
  expect(options.tools).toBeUndefined();
});

test("formatPrompt replaces the text of the instructions", async () => {
  const llm = new ScriptedModel([answer]);
  const formatPrompt = (tools: readonly { name: string }[]): string =>
    `Use ${tools.map(({ name }) => name).join("+")}.`;
  await new ReActAgent({ llm, tools: [add, multiply], formatPrompt }).run("Go");
  expect(llm.last.messages[0]).toEqual({ role: "system", content: "Use add+multiply." });
});

test("without streaming it is the same", async () => {
  const llm = new ScriptedModel([sum, product, answer]);
  const { data } = await new ReActAgent({ llm, tools: [add, multiply], streaming: false }).run("Go");
  expect(data.text).toBe("(123 + 456) * 789 is 456831.");
  expect(llm.last.isStream).toBe(false);
});

/** The last message of a model, with what is to be shown of it. */
const messages: readonly (readonly [name: string, text: string, shown: { text: string; reasoning: string }])[] = [
  ["as it should be", answer, { text: "(123 + 456) * 789 is 456831.", reasoning: "I know enough to answer." }],
  ["an answer alone", "Answer: 42", { text: "42", reasoning: "" }],
  ["text without labels", "Hello! How can I help?", { text: "Hello! How can I help?", reasoning: "" }],
  ["bold labels", "**Thought:** hm\n**Answer**: **42**, of course", { text: "**42**, of course", reasoning: "hm" }],
  ["a final answer", "Thought: hm\nFinal Answer: 42", { text: "42", reasoning: "hm" }],
  [
    "several lines and white space",
    "  Thought:  one\n\n two \n\n\nAnswer:\n\n- a\n- b\n\n  c  \n\n",
    { text: "- a\n- b\n\n  c", reasoning: "one\n\n two" },
  ],
  ["text before the first label", "Sure.\nThought: hm\nAnswer: 42", { text: "42", reasoning: "Sure.\nhm" }],
  ["two thoughts", "Thought: a\nThought: b\nAnswer: 42", { text: "42", reasoning: "a\nb" }],
  ["an invented observation", "Thought: a\nAnswer: 42\nObservation: 43\nThought: b", { text: "42", reasoning: "a" }],
  ["an action after the answer", `Answer: 42\n${sum}`, { text: "42", reasoning: "" }],
  [
    "labels inside lines",
    "Thought: no Action: here\nAnswer: the Answer: is 42",
    { text: "the Answer: is 42", reasoning: "no Action: here" },
  ],
  [
    "words like labels",
    "Thought: a\nActions speak\nAnswer: b\nAnswering\nThoughts",
    { text: "b\nAnswering\nThoughts", reasoning: "a\nActions speak" },
  ],
  ["carriage returns", "Thought: a\r\nAnswer: 42\r\n", { text: "42", reasoning: "a" }],
  ["a label as the last word", "Answer: 42\nThought", { text: "42\nThought", reasoning: "" }],
];

function streamed(line: Line, cut: number | readonly number[]): Promise<WorkflowEvent[]> {
  return readAll(agentOf(new ScriptedModel([line], cut)).run("Go"));
}

describe.each(messages)("%s", (_, text, expected) => {
  test("is shown as it should be, wherever the text is cut", async () => {
    for (let at = 1; at <= text.length; at += 1) {
      const events = await streamed(text, [at]);
      expect({ at, ...shown(events) }).toEqual({ at, ...expected });
    }
    for (const size of [1, 2, 3, 5]) expect(shown(await streamed(text, size))).toEqual(expected);
  });

  test("results in the text that was shown", async () => {
    const { data } = await agentOf(new ScriptedModel([text])).run("Go");
    expect(data.text).toBe(expected.text);
  });
});

test("an answer is streamed while it is written", async () => {
  const events = await streamed(`Answer: ${"word ".repeat(50)}`, 5);
  const deltas = events.filter((event) => event instanceof AgentStream).map(({ data }) => data.delta);
  expect(deltas.length).toBeGreaterThan(45);
});

/** Actions in forms that models give them. */
const actions: readonly (readonly [name: string, text: string, args: unknown])[] = [
  ["as it should be", sum, { a: 123, b: 456 }],
  ["over several lines", 'Action: add\nAction Input: {\n  "a": 123,\n  "b": 456\n}\n', { a: 123, b: 456 }],
  ["in a fence", 'Thought: x\nAction: `add`\nAction Input:\n```json\n{"a": 123, "b": 456}\n```', { a: 123, b: 456 }],
  ["with parentheses", 'Action: add()\nAction Input: {"a": 123, "b": 456}', { a: 123, b: 456 }],
  ["with what comes after it invented", `${sum}\nObservation: 1000\nThought: done\nAnswer: 1000`, { a: 123, b: 456 }],
  ["with another action", `${sum}\n${product}`, { a: 123, b: 456 }],
  ["with braces in a text", 'Action: add\nAction Input: {"a": "}{\\"", "b": 456} and so on', { a: '}{"', b: 456 }],
  ["in bold", '**Thought:** x\n**Action:** add\n**Action Input:** {"a": 123, "b": 456}', { a: 123, b: 456 }],
  ["with the arguments behind the name", 'Action: add\n```json\n{"a": 123, "b": 456}\n```', { a: 123, b: 456 }],
  ["with a label of its own", 'Action: add\nAction_Input: {"a": 123, "b": 456}', { a: 123, b: 456 }],
  ["without arguments", "Thought: x\nAction: add", {}],
  ["with no arguments as text", "Action: add\nAction Input: None", {}],
];

test.each(actions)("an action %s", async (_, text, args) => {
  for (const cut of [1, 2, 7, 1000]) {
    const llm = new ScriptedModel([text, "Answer: done"], cut);
    const run = agentOf(llm).run("Go");
    const events = await readAll(run);
    const { data } = await run;
    expect(data.toolCalls.map(({ name }) => name)).toEqual(["add"]);
    expect(JSON.parse(data.toolCalls[0]!.arguments)).toEqual(args);
    expect(shown(events).text).toBe("done");
  }
});

/** What cannot be used, and a word of the error that the model gets. */
const wrong: readonly (readonly [name: string, text: string, word: string])[] = [
  ["a thought alone", "Thought: I should add the numbers.", "neither"],
  ["nothing", "", "neither"],
  ["an empty answer", "Thought: x\nAnswer:", "neither"],
  ["no name of a tool", 'Thought: x\nAction:\nAction Input: {"a": 1}', "no name"],
  ["arguments without an action", 'Thought: x\nAction Input: {"a": 1}', 'no line "Action:"'],
  ["arguments that are no JSON", "Action: add\nAction Input: {a: 1, b: 2}", "no JSON"],
  ["arguments that are cut off", 'Action: add\nAction Input: {"a": 1, "b"', "no JSON"],
  ["arguments that are no object", "Action: add\nAction Input: [1, 2]", "one JSON object"],
];

test.each(wrong)("%s is reported to the model, and forgotten when it has found its way", async (_, text, word) => {
  const llm = new ScriptedModel([text, text, "Thought: sorry\nAnswer: 3"], 1);
  const run = agentOf(llm).run("Go");
  const events = await readAll(run);
  const { data } = await run;
  expect([data.text, shown(events).text]).toEqual(["3", "3"]);
  const said = llm.last.messages.slice(2);
  const complaints = said.filter(({ role }) => role === "user").map(textIn);
  expect(complaints).toHaveLength(2);
  for (const complaint of complaints) expect(complaint).toContain(word);
  expect(events.filter((event) => event instanceof AgentOutput && event.data.retryMessages !== undefined)).toHaveLength(
    2,
  );
  expect(data.chatHistory.map(({ role }) => role)).toEqual(["user", "assistant"]);
  expect(data.toolCalls).toEqual([]);
});

test("a model that never finds its way uses up the iterations", async () => {
  const llm = new ScriptedModel(() => "Thought: hm");
  await fails(new ReActAgent({ llm, maxIterations: 4 }).run("Go"), LimitError, "AGENT_ITERATIONS");
  expect(llm.requests).toHaveLength(4);
});

test("with earlyStopping generate it is asked for the answer alone", async () => {
  const isLast = (given: readonly ChatMessage[]): boolean => textIn(given.at(-1)).includes("Answer now");
  const script = (given: readonly ChatMessage[]): Line => (isLast(given) ? "Thought: It must be 579." : sum);
  const llm = new ScriptedModel(script);
  const agent = new ReActAgent({ llm, tools: [add], maxIterations: 2, earlyStopping: "generate" });
  const run = agent.run("Go");
  const events = await readAll(run);
  const { data } = await run;
  // What it has thought is better than nothing.
  expect(data.text).toBe("It must be 579.");
  expect(shown(events).text).toBe("It must be 579.");
  expect(textIn(llm.last.messages[0])).not.toContain("Action");
  const stubborn = new ReActAgent({
    llm: new ScriptedModel(() => sum.slice(sum.indexOf("Action"))),
    tools: [add],
    maxIterations: 1,
    earlyStopping: "generate",
  });
  await fails(stubborn.run("Go"), LimitError, "AGENT_ITERATIONS");
});

test("an unknown tool and a failing one are observations", async () => {
  const llm = new ScriptedModel([
    'Action: divide\nAction Input: {"a": 1}',
    'Action: add\nAction Input: {"a": 1}',
    "Answer: no",
  ]);
  await agentOf(llm).run("Go");
  const observations = llm.last.messages.map(textIn).filter((text) => text.startsWith("Observation:"));
  expect(observations[0]).toBe('Observation: It failed. There is no tool "divide". There are "add", "multiply".');
  expect(observations[1]).toContain("b: is missing");
});

test("images that a tool gives reach the model", async () => {
  const image = { type: "image", url: "https://example.com/cat.png" } as const;
  const look = tool({ name: "look", execute: () => ({ content: [{ type: "text" as const, text: "A cat:" }, image] }) });
  const llm = new ScriptedModel(["Action: look", "Answer: a cat"]);
  await new ReActAgent({ llm, tools: [look] }).run("Go");
  expect(llm.last.messages.at(-1)?.content).toEqual([
    { type: "text", text: "Observation: " },
    { type: "text", text: "A cat:" },
    image,
  ]);
});

test("the model's own thoughts are reasoning, and its own calls are not taken", async () => {
  const line = { reasoning: "So many numbers.", text: "Answer: 3", calls: [call("add", { a: 1, b: 2 })] };
  const run = agentOf(new ScriptedModel([line], 3)).run("Go");
  const events = await readAll(run);
  expect(shown(events)).toEqual({ text: "3", reasoning: "So many numbers." });
  expect((await run).data.toolCalls).toEqual([]);
});
