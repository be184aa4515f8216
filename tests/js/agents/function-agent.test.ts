// The agent whose model calls functions: the calculator of the tutorial, and what can go wrong with calls.

import {
  LimitError,
  StartEvent,
  StopEvent,
  ValidationError,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import {
  AgentInput,
  AgentOutput,
  AgentSetup,
  AgentStream,
  AgentWorkflow,
  type ChatMessage,
  type ChatOptions,
  FunctionAgent,
  type LLM,
  ReActAgent,
  ToolCall,
  ToolCallResult,
  tool,
} from "stepstream/agents";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { deferred, expectError, failure, fails, kinds, pause, turn } from "../kit/index.js";
import { ScriptedModel, add, call, multiply, readAll, resultsIn, shown, textIn } from "./kit.js";

const calculation = [
  { text: "First the sum.", calls: [call("add", { a: 123, b: 456 })], usage: { input: 10, output: 5 } },
  { calls: [call("multiply", { a: 579, b: 789 })], usage: { input: 20, output: 5, cached: 8 } },
  { text: "(123 + 456) * 789 is 456831.", usage: { input: 30, output: 7 } },
];

test("the calculator of the tutorial", async () => {
  const llm = new ScriptedModel(calculation);
  const agent = new FunctionAgent({ llm, tools: [add, multiply], systemPrompt: "You are a calculator." });
  const run = agent.run("What is (123 + 456) * 789?");
  const events = await readAll(run);
  const { data } = await run;

  expect(data.text).toBe("(123 + 456) * 789 is 456831.");
  expect(data.response).toEqual({ role: "assistant", content: [{ type: "text", text: data.text }] });
  expect(data.toolCalls.map(({ name, content, isError }) => ({ name, content, isError }))).toEqual([
    { name: "add", content: "579", isError: false },
    { name: "multiply", content: "456831", isError: false },
  ]);
  expect(data.currentAgent).toBe("agent");
  expect(data.usage).toEqual({ input: 60, output: 17, cached: 8 });
  expect(data.chatHistory.map(({ role }) => role)).toEqual([
    "user",
    "assistant",
    "tool",
    "assistant",
    "tool",
    "assistant",
  ]);
  expect(shown(events).text).toBe("First the sum.(123 + 456) * 789 is 456831.");
  const withoutStream = events.filter((event) => !(event instanceof AgentStream));
  const round = ["AgentInput", "AgentSetup", "AgentOutput"];
  const tools = ["ToolCall", "ToolCallResult"];
  expect(kinds(withoutStream)).toEqual(["StartEvent", ...round, ...tools, ...round, ...tools, ...round, "StopEvent"]);
});

test("the model is given the system prompt, the tools and the results", async () => {
  const llm = new ScriptedModel(calculation);
  const chatOptions = { temperature: 0.5, maxTokens: 100 };
  const agent = new FunctionAgent({ llm, tools: [add, multiply], systemPrompt: "Calculate.", chatOptions });
  await agent.run("Go");
  const { messages, options } = llm.last;
  expect(messages[0]).toEqual({ role: "system", content: "Calculate." });
  expect(messages[1]).toEqual({ role: "user", content: "Go" });
  expect(resultsIn(messages).map(({ text }) => text)).toEqual(["579", "456831"]);
  expect(options.tools?.map(({ name }) => name)).toEqual(["add", "multiply"]);
  expect(options.tools?.[0]).toMatchObject({ description: "Adds two numbers.", parameters: { required: ["a", "b"] } });
  expect(options).toMatchObject(chatOptions);
  expect(options.signal).toBeInstanceOf(AbortSignal);
  expect(options.toolChoice).toBeUndefined();
});

test("AgentWorkflow.fromTools is a workflow of one agent", async () => {
  const llm = new ScriptedModel(calculation);
  const workflow = AgentWorkflow.fromTools([add, multiply], { llm, systemPrompt: "Calculate.", name: "calculator" });
  const { data } = await workflow.run("What is (123 + 456) * 789?");
  expect([data.text, data.currentAgent]).toEqual(["(123 + 456) * 789 is 456831.", "calculator"]);
  expect(workflow.validate().filter(({ severity }) => severity === "error")).toEqual([]);
});

test("without streaming the model is called with chat, and there are no AgentStream events", async () => {
  const llm = new ScriptedModel(calculation);
  const run = new FunctionAgent({ llm, tools: [add, multiply], streaming: false }).run("Go");
  const events = await readAll(run);
  expect(kinds(events)).not.toContain("AgentStream");
  expect(llm.requests.map(({ isStream }) => isStream)).toEqual([false, false, false]);
  expect((await run).data.text).toBe("(123 + 456) * 789 is 456831.");
});

test("thoughts and calls that are being written are distinguished from text", async () => {
  const llm = new ScriptedModel([
    { reasoning: "I have to add.", calls: [call("add", { a: 1, b: 2 }, "one")] },
    { reasoning: "That was easy.", text: "3" },
  ]);
  const events = await readAll(new FunctionAgent({ llm, tools: [add] }).run("Go"));
  expect(shown(events)).toEqual({ text: "3", reasoning: "I have to add.That was easy." });
  const streamed = events.filter((event) => event instanceof AgentStream).map(({ data }) => data);
  const written = streamed.flatMap(({ toolCall }) => toolCall ?? []);
  expect(new Set(written.map(({ id, name }) => `${id} ${name}`))).toEqual(new Set(["one add"]));
  expect(JSON.parse(written.map((part) => part.arguments).join(""))).toEqual({ a: 1, b: 2 });
  expect(new Set(streamed.map(({ iteration }) => iteration))).toEqual(new Set([1, 2]));
});

test("calls of one message run at the same time; one that fails does not keep the others back", async () => {
  let atWork = 0;
  let most = 0;
  // The last call ends first, once all have begun; then the one before it.
  const ended = [1, 2, 3, 4].map(() => deferred());
  const slow = tool<{ n: number }>({
    name: "slow",
    parameters: { type: "object", properties: { n: { type: "number" } } },
    execute: async ({ n }) => {
      atWork += 1;
      most = Math.max(most, atWork);
      if (atWork === 3) ended[3]!.resolve();
      await ended[n]!.promise;
      await turn();
      atWork -= 1;
      ended[n - 1]!.resolve();
      if (n === 2) throw new Error("the second one is broken");
      return `done ${n}`;
    },
  });
  const llm = new ScriptedModel([{ calls: [1, 2, 3].map((n) => call("slow", { n }, `c${n}`)) }, "Fine."]);
  const run = new FunctionAgent({ llm, tools: [slow] }).run("Go");
  const events = await readAll(run);
  expect(most).toBe(3);
  expect(events.filter((event) => event instanceof ToolCall).map(({ data }) => data.id)).toEqual(["c1", "c2", "c3"]);
  const came = events.filter((event) => event instanceof ToolCallResult).map(({ data }) => data.id);
  expect(came).toEqual(["c3", "c2", "c1"]);
  // In the order of the calls, whichever was first.
  expect(resultsIn(llm.last.messages)).toEqual([
    { text: "done 1", isError: false },
    { text: "Error: the second one is broken", isError: true },
    { text: "done 3", isError: false },
  ]);
  expect((await run).data.toolCalls.map(({ id, isError }) => [id, isError])).toEqual([
    ["c1", false],
    ["c2", true],
    ["c3", false],
  ]);
});

test("maxParallelTools says how many tools run at a time", async () => {
  let atWork = 0;
  let most = 0;
  const slow = tool({
    name: "slow",
    execute: async () => {
      atWork += 1;
      most = Math.max(most, atWork);
      await pause(2);
      atWork -= 1;
      return "ok";
    },
  });
  const llm = new ScriptedModel([{ calls: Array.from({ length: 5 }, (_, n) => call("slow", {}, `c${n}`)) }, "Fine."]);
  const { data } = await new FunctionAgent({ llm, tools: [slow], maxParallelTools: 2 }).run("Go");
  expect([most, data.toolCalls.length]).toEqual([2, 5]);
});

test("an unknown tool and wrong arguments are results that the model can do something about", async () => {
  const llm = new ScriptedModel([
    {
      calls: [
        call("divide", { a: 1, b: 2 }),
        call("add", { a: 1 }),
        call("add", "{a: 1"),
        call("add", { a: 1, b: "2" }),
      ],
    },
    "I cannot do that.",
  ]);
  const { data } = await new FunctionAgent({ llm, tools: [add, multiply] }).run("Go");
  const [unknown, missing, broken, wrong] = resultsIn(llm.last.messages);
  expect(unknown).toEqual({ text: 'There is no tool "divide". There are "add", "multiply".', isError: true });
  expect(missing?.text).toContain("b: is missing");
  expect(broken?.text).toContain("not JSON");
  expect(wrong?.text).toContain("b: must be number, but is string");
  expect([missing, broken, wrong].map((result) => result?.isError)).toEqual([true, true, true]);
  expect(data.text).toBe("I cannot do that.");
});

test("a call without an id, and calls with one id, get ids of their own", async () => {
  const llm = new ScriptedModel([
    { calls: [call("add", { a: 1, b: 1 }, ""), call("add", { a: 2, b: 2 }, "x"), call("add", { a: 3, b: 3 }, "x")] },
    { calls: [call("add", { a: 4, b: 4 }, "x")] },
    "Fine.",
  ]);
  const { data } = await new FunctionAgent({ llm, tools: [add] }).run("Go");
  const ids = data.toolCalls.map(({ id }) => id);
  expect(new Set(ids).size).toBe(4);
  expect(ids).not.toContain("");
  expect(data.toolCalls.map(({ content }) => content)).toEqual(["2", "4", "6", "8"]);
  const asked = data.chatHistory.flatMap(({ role, content }) =>
    role === "assistant" && typeof content !== "string"
      ? content.flatMap((block) => (block.type === "toolCall" ? [block.id] : []))
      : [],
  );
  expect(asked).toEqual(ids);
});

test("a call has an id of its own also among those that the memory leaves out", async () => {
  const again = { calls: [call("add", { a: 1, b: 1 }, "x")] };
  const llm = new ScriptedModel([again, again, again, "Fine."]);
  const memory = { select: (messages: readonly ChatMessage[]) => messages.slice(0, 1) };
  const { data } = await new FunctionAgent({ llm, tools: [add], memory }).run("Go");
  expect(new Set(data.toolCalls.map(({ id }) => id)).size).toBe(3);
});

test("a response that fails before its deltas do is heard", async () => {
  const unheard: unknown[] = [];
  const onUnheard = (error: unknown): unknown => unheard.push(error);
  process.on("unhandledRejection", onUnheard);
  const llm: LLM = {
    chat: () => Promise.reject(new Error("not asked")),
    streamChat: () => ({
      response: Promise.reject(new Error("broke off")),
      async *[Symbol.asyncIterator]() {
        yield { type: "text", index: 0, text: "Fi" } as const;
        await pause(20);
      },
    }),
  };
  expect(await failure(new FunctionAgent({ llm }).run("Go"))).toMatchObject({ message: "broke off" });
  await pause(20);
  process.off("unhandledRejection", onUnheard);
  expect(unheard).toEqual([]);
});

test.each([
  ["nothing", undefined],
  ["no message", {}],
  ["a message without content", { message: { role: "assistant" } }],
  [
    "arguments that are no text",
    { message: { role: "assistant", content: "" }, toolCalls: [{ id: "1", name: "add", arguments: {} }] },
  ],
])("a model that gives %s learns of it", async (_, response) => {
  const llm: LLM = {
    chat: () => Promise.resolve(response as never),
    streamChat: () => ({ response: Promise.resolve(response as never), async *[Symbol.asyncIterator]() {} }),
  };
  for (const streaming of [true, false]) {
    for (const Kind of [FunctionAgent, ReActAgent]) {
      await fails(new Kind({ llm, tools: [add], streaming }).run("Go"), ValidationError, "INVALID_AGENT");
    }
  }
});

test("a tool that takes too long is an error for the model", async () => {
  let isAborted = false;
  const stuck = tool({
    name: "stuck",
    timeout: 0.01,
    execute: (_, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          isAborted = true;
          resolve("too late");
        });
      }),
  });
  const llm = new ScriptedModel([{ calls: [call("stuck", {})] }, "It takes too long."]);
  const { data } = await new FunctionAgent({ llm, tools: [stuck] }).run("Go");
  expect(resultsIn(llm.last.messages)).toEqual([
    { text: "Error: The tool did not finish in 0.01 seconds.", isError: true },
  ]);
  expect([data.text, isAborted]).toEqual(["It takes too long.", true]);
});

test("a tool with returnDirect ends the run with its result; one that fails does not", async () => {
  const lookUp = tool<{ fail: boolean }>({
    name: "lookUp",
    parameters: { type: "object", properties: { fail: { type: "boolean" } } },
    returnDirect: true,
    execute: ({ fail }) => {
      if (fail) throw new Error("not there");
      return "The page, as it is.";
    },
  });
  const llm = new ScriptedModel([
    { calls: [call("lookUp", { fail: true })] },
    { calls: [call("lookUp", { fail: false })] },
  ]);
  const { data } = await new FunctionAgent({ llm, tools: [lookUp] }).run("Go");
  expect(data.text).toBe("The page, as it is.");
  expect(llm.requests).toHaveLength(2);
  expect(data.toolCalls.map(({ returnDirect }) => returnDirect)).toEqual([false, true]);
  expect(data.chatHistory.at(-1)).toEqual({ role: "assistant", content: "The page, as it is." });
});

test("when the iterations are used up, the run fails, and no more tools run", async () => {
  let runs = 0;
  const again = tool({ name: "again", execute: () => (runs += 1) });
  const llm = new ScriptedModel(() => ({ calls: [call("again", {})] }));
  const run = new FunctionAgent({ llm, tools: [again], maxIterations: 3 }).run("Go");
  await fails(run, LimitError, "AGENT_ITERATIONS");
  expect([llm.requests.length, runs]).toEqual([3, 2]);
  // An answer in the last iteration is an answer.
  const just = new ScriptedModel([{ calls: [call("again", {})] }, "Done."]);
  expect((await new FunctionAgent({ llm: just, tools: [again], maxIterations: 2 }).run("Go")).data.text).toBe("Done.");
});

test("with earlyStopping generate the model answers with what it knows", async () => {
  const again = tool({ name: "again", execute: () => "nothing new" });
  const script = (_: unknown, options: ChatOptions) =>
    options.toolChoice === "none"
      ? { text: "So far: nothing.", calls: [call("again", {})] }
      : { calls: [call("again", {})] };
  const llm = new ScriptedModel(script);
  const agent = new FunctionAgent({ llm, tools: [again], earlyStopping: "generate" });
  const { data } = await agent.run({ message: "Go", maxIterations: 2 });
  expect(llm.requests).toHaveLength(3);
  expect(data.text).toBe("So far: nothing.");
  expect(resultsIn(llm.last.messages).map(({ isError }) => isError)).toEqual([false, true]);
  expect(textIn(llm.last.messages.at(-1))).toContain("Answer now");
  // The model learns of it, and nothing else has to know.
  expect(data.chatHistory.map(({ role }) => role)).toEqual([
    "user",
    "assistant",
    "tool",
    "assistant",
    "tool",
    "assistant",
  ]);
  expect(data.response.content).toEqual([{ type: "text", text: "So far: nothing." }]);
});

test("an error of the model fails the run with the same object, or lets the step be tried again", async () => {
  const broken = new TypeError("the model is on strike");
  const failed = new FunctionAgent({ llm: new ScriptedModel([broken]) }).run("Go");
  expect(await failure(failed)).toBe(broken);
  expect(failed.failure?.step).toBe("runAgentStep");
  const retry = retryPolicy({ wait: waitFixed(0), stop: stopAfterAttempt(3) });
  const llm = new ScriptedModel([broken, broken, "Back at work."]);
  expect((await new FunctionAgent({ llm, retry }).run("Go")).data.text).toBe("Back at work.");
});

test("cancelling the run aborts the call of the model, and the tool at work", async () => {
  const signals: AbortSignal[] = [];
  const forever = (signal: AbortSignal): Promise<never> => {
    signals.push(signal);
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  };
  const chat = (_: unknown, { signal }: ChatOptions = {}): Promise<never> => forever(signal!);
  const asked = new FunctionAgent({ llm: { chat, streamChat: () => expect.unreachable() }, streaming: false }).run(
    "Go",
  );
  asked.start();
  await pause(2);
  asked.cancel();
  const wait = tool({ name: "wait", execute: (_, { signal }) => forever(signal) });
  const called = new FunctionAgent({ llm: new ScriptedModel([{ calls: [call("wait", {})] }]), tools: [wait] }).run(
    "Go",
  );
  called.start();
  await pause(5);
  called.cancel();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
});

test("tools find the run's data and store, and the id of their call", async () => {
  const note = tool<{ text: string }>({
    name: "note",
    parameters: { type: "object", properties: { text: { type: "string" } } },
    execute: ({ text }, { context, toolCallId }) => {
      context.store.edit<string[]>("state.notes", (notes = []) => [...notes, text]);
      return `${(context.data as { user: string }).user} ${toolCallId}`;
    },
  });
  const llm = new ScriptedModel([{ calls: [call("note", { text: "hello" }, "n1")] }, "Noted."]);
  const workflow = new AgentWorkflow<{ user: string }>({ agents: [new FunctionAgent({ llm, tools: [note] })] });
  const run = workflow.run("Go", { user: "Ada" });
  await run;
  expect(resultsIn(llm.last.messages)).toEqual([{ text: "Ada n1", isError: false }]);
  expect(run.store.get("state")).toEqual({ notes: ["hello"] });
});

test("the retriever finds tools for what the user wants, once for each turn", async () => {
  const queries: string[] = [];
  const llm = new ScriptedModel([
    { calls: [call("add", { a: 1, b: 2 }), call("multiply", { a: 3, b: 4 })] },
    "3 and 12",
    "3 and 12, still",
  ]);
  const agent = new FunctionAgent({
    llm,
    tools: [multiply],
    toolRetriever: async (query) => {
      queries.push(query);
      await pause(1);
      return [add, multiply];
    },
  });
  const run = agent.run("Add, please");
  const { data } = await run;
  expect(queries).toEqual(["Add, please"]);
  expect(llm.requests[0]?.options.tools?.map(({ name }) => name)).toEqual(["multiply", "add"]);
  expect(data.toolCalls.map(({ content }) => content)).toEqual(["3", "12"]);
  await agent.run("Add, please", undefined, { context: run });
  expect(queries).toHaveLength(2);
  const wrong = new FunctionAgent({ llm, toolRetriever: () => ["add"] as never });
  expectError(await failure(wrong.run("Go")), ValidationError, "INVALID_AGENT");
});

test("initialToolChoice counts for the first call of the model", async () => {
  const llm = new ScriptedModel([{ calls: [call("add", { a: 1, b: 2 })] }, "3"]);
  await new FunctionAgent({ llm, tools: [add], initialToolChoice: "required" }).run("Go");
  expect(llm.requests.map(({ options }) => options.toolChoice)).toEqual(["required", undefined]);
});

test("an agent's workflow can be part of another one", async () => {
  const llm = new ScriptedModel(["Rain."]);
  const agent = new FunctionAgent({ name: "weather", llm });
  const { Workflow } = await import("stepstream");
  const outer = new Workflow<unknown, string, string>().addWorkflows({ weather: agent.workflow });
  outer.addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<string>] }, async ({ workflows }, { data }) => {
    const { data: said } = await workflows.weather.run(`How is the weather in ${data}?`);
    return new StopEvent(said.text);
  });
  expect((await outer.run("Leeds")).data).toBe("Rain.");
  expect(textIn(llm.last.messages[0])).toBe("How is the weather in Leeds?");
});

test("the events say which agent they are about, and what the model was given", async () => {
  const llm = new ScriptedModel(["Hello."]);
  const run = new FunctionAgent({ name: "greeter", llm, systemPrompt: () => Promise.resolve("Be kind.") }).run("Hi");
  const events = await readAll(run);
  const input = events.find((event) => event instanceof AgentInput)!;
  const setup = events.find((event) => event instanceof AgentSetup)!;
  const output = events.find((event) => event instanceof AgentOutput)!;
  const about = { agent: "greeter", iteration: 1, purpose: "step" };
  const said = { role: "user", content: "Hi" };
  expect(input.data).toEqual({ ...about, messages: [said] });
  expect(setup.data).toEqual({ ...about, messages: [{ role: "system", content: "Be kind." }, said] });
  expect(output.data).toMatchObject({ ...about, text: "Hello.", toolCalls: [] });
});
