// State in the prompt, answers in a form, agents of one's own.

import { type HandlerContext, LimitError } from "stepstream";
import {
  type AgentOutputData,
  type AgentStep,
  type AgentStepInput,
  AgentWorkflow,
  BaseAgent,
  type ChatMessage,
  type ChatOptions,
  FunctionAgent,
  ReActAgent,
  type StandardSchema,
  type ToolCallResultData,
  tool,
} from "stepstream/agents";
import { describe, expect, test } from "vitest";
import { expectError, failure, fails } from "../kit/index.js";
import { type Line, ScriptedModel, add, call, multiply, readAll, shown, textIn } from "./kit.js";

describe("state", () => {
  const rename = tool<{ name: string }>({
    name: "rename",
    parameters: { type: "object", properties: { name: { type: "string" } } },
    execute: ({ name }, { context }) => context.store.set("state.name", name),
  });

  test("is added to the user's last message, with its value at that moment", async () => {
    const llm = new ScriptedModel([{ calls: [call("rename", { name: "Grace" })] }, "Done."]);
    const workflow = new AgentWorkflow({
      agents: [new FunctionAgent({ llm, tools: [rename] })],
      initialState: { name: "unset" },
      statePrompt: "State: {state}. {message}! {other}",
    });
    const run = workflow.run({ message: "Rename me", chatHistory: [{ role: "user", content: "earlier" }] });
    const { data } = await run;
    const seen = llm.requests.map(({ messages }) => messages.filter(({ role }) => role === "user").map(textIn));
    expect(seen).toEqual([
      ["earlier", 'State: {"name":"unset"}. Rename me! {other}'],
      ["earlier", 'State: {"name":"Grace"}. Rename me! {other}'],
    ]);
    expect(run.store.get("state")).toEqual({ name: "Grace" });
    // In the conversation there is what was said.
    expect(data.chatHistory.map(textIn)).toEqual(["earlier", "Rename me", "", "null", "Done."]);
    const next = workflow.run("And now?", undefined, { context: run });
    expect(await failure(next)).toMatchObject({ message: "The script has no line 3." });
    expect(textIn(llm.last.messages.at(-1))).toBe('State: {"name":"Grace"}. And now?! {other}');
  });

  test("leaves images where they are, and what is filled in alone", async () => {
    const llm = new ScriptedModel(["Done."]);
    const image = { type: "image", url: "https://example.com/cat.png" } as const;
    const options = { initialState: { text: "{message}" }, statePrompt: "{state} {message}" };
    const message = { role: "user", content: [{ type: "text", text: "a {state}" }, image] } as const;
    await new FunctionAgent({ llm, ...options }).run({ message });
    expect(llm.last.messages[0]?.content).toEqual([{ type: "text", text: '{"text":"{message}"} a {state}' }, image]);
  });

  test("that is empty is not added, and a function may write the prompt", async () => {
    const llm = new ScriptedModel(() => "Done.");
    await new FunctionAgent({ llm, initialState: {} }).run("Hi");
    expect(llm.last.messages).toEqual([{ role: "user", content: "Hi" }]);
    const statePrompt = ({ state, message }: { state: unknown; message: string }): string =>
      `${(state as { n: number }).n} ${message}`;
    await new FunctionAgent({ llm, initialState: { n: 7 }, statePrompt }).run("Hi");
    expect(llm.last.messages).toEqual([{ role: "user", content: "7 Hi" }]);
  });
});

describe("an answer in a form", () => {
  const outputSchema = { type: "object", properties: { sum: { type: "number" } }, required: ["sum"] };
  const lines = (...forms: readonly string[]): Line[] => [
    { calls: [call("add", { a: 1, b: 2 })] },
    "It is 3.",
    ...forms,
  ];

  test("is asked for after the answer, and does not show in the stream or the conversation", async () => {
    const llm = new ScriptedModel(lines('{"sum": 3}'));
    const run = new FunctionAgent({ llm, tools: [add], outputSchema, systemPrompt: "Add." }).run("1 + 2?");
    const events = await readAll(run);
    const { data } = await run;
    expect([data.structured, data.text]).toEqual([{ sum: 3 }, "It is 3."]);
    expect(shown(events).text).toBe("It is 3.");
    expect(data.chatHistory.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
    const { messages, options } = llm.last;
    expect(options.responseFormat?.schema).toEqual(outputSchema);
    expect(options.tools).toBeUndefined();
    // Calls and results are text.
    expect(messages.map(textIn).slice(0, 5)).toEqual([
      "Add.",
      "1 + 2?",
      '[I call add with {"a":1,"b":2}]',
      "[Result of add] 3",
      "It is 3.",
    ]);
    expect(
      messages.every(({ content }) => typeof content === "string" || content.every(({ type }) => type === "text")),
    ).toBe(true);
  });

  test("may be between fences; the model gets a message about what is wrong", async () => {
    const llm = new ScriptedModel(lines("no idea", '{"sum": "3"}', 'Here:\n```JSON\n{"sum": 3}\n```'));
    const { data } = await new FunctionAgent({ llm, tools: [add], outputSchema }).run("1 + 2?");
    expect(data.structured).toEqual({ sum: 3 });
    const seen = llm.last.messages.map(textIn).join("\n");
    expect(seen).toContain("The answer is not JSON");
    expect(seen).toContain("sum: must be number, but is string");
    expect(data.chatHistory).toHaveLength(4);
  });

  test("that does not come fails the run", async () => {
    const llm = new ScriptedModel(lines("a", "b", "c"));
    const error = await failure(new FunctionAgent({ llm, tools: [add], outputSchema }).run("1 + 2?"));
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({ code: "ANSWER_FORM" });
    expect(llm.requests).toHaveLength(5);
  });

  test("may be that of a validation library, which converts it", async () => {
    const schema: StandardSchema<unknown, { sum: bigint }> & { toJSONSchema: () => unknown } = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) => ({ value: { sum: BigInt((value as { sum: number }).sum) } }),
      },
      toJSONSchema: () => outputSchema,
    };
    const llm = new ScriptedModel(lines('{"sum": 3}'));
    const { data } = await new FunctionAgent({ llm, tools: [add], outputSchema: schema }).run("1 + 2?");
    const { sum }: { sum: bigint } = data.structured;
    expect(sum).toBe(3n);
  });

  test("comes from ReAct agents as well, and after results that are the answer", async () => {
    const direct = tool({ name: "direct", returnDirect: true, execute: () => "3, at once" });
    const llm = new ScriptedModel(["Action: direct", '{"sum": 3}']);
    const { data } = await new ReActAgent({ llm, tools: [direct], outputSchema }).run("1 + 2?");
    expect([data.text, data.structured]).toEqual(["3, at once", { sum: 3 }]);
  });
});

describe("an agent of one's own", () => {
  /** Thinks of a call, then says what came of it: without any model. */
  class Planner extends BaseAgent {
    readonly #log: string[];

    constructor(log: string[]) {
      super({ name: "planner", tools: [add, multiply] });
      this.#log = log;
    }

    override takeStep(context: HandlerContext, { messages, tools, iteration, purpose }: AgentStepInput): AgentStep {
      this.#log.push(`${iteration} ${purpose} ${tools.map(({ name }) => name).join("+")} ${context.step}`);
      const last = textIn(messages.at(-1));
      if (last.startsWith("Results:")) return { message: { role: "assistant", content: last } };
      return {
        message: {
          role: "assistant",
          content: [
            { type: "toolCall", id: "1", name: "add", arguments: '{"a":1,"b":2}' },
            { type: "toolCall", id: "2", name: "multiply", arguments: '{"a":3,"b":4}' },
          ],
        },
        usage: { output: 1 },
      };
    }

    override handleToolCallResults(_: HandlerContext, results: readonly ToolCallResultData[]): ChatMessage[] {
      return [{ role: "user", content: `Results: ${results.map(({ content }) => content as string).join(", ")}` }];
    }

    override async finalize(_: HandlerContext, output: AgentOutputData): Promise<AgentOutputData> {
      await Promise.resolve();
      return { ...output, response: { role: "assistant", content: `${output.text}. That is all.` } };
    }
  }

  test("takes steps, reports results and has the last word", async () => {
    const log: string[] = [];
    const { data } = await new Planner(log).run("Go");
    expect(data.text).toBe("Results: 3, 12. That is all.");
    expect(data.chatHistory.at(-1)).toEqual(data.response);
    expect(log).toEqual(["1 step add+multiply runAgentStep", "2 step add+multiply runAgentStep"]);
    expect(data.usage).toEqual({ output: 1 });
  });

  test("works with others", async () => {
    const llm = new ScriptedModel([{ calls: [call("handoff", { toAgent: "planner", reason: "plans" })] }]);
    const { data } = await new AgentWorkflow({
      agents: [new FunctionAgent({ name: "root", llm }), new Planner([])],
    }).run("Go");
    expect([data.currentAgent, data.text]).toEqual(["planner", "Results: 3, 12. That is all."]);
  });

  test("may call the model itself, with what it likes", async () => {
    class Terse extends BaseAgent {
      override async takeStep(context: HandlerContext, input: AgentStepInput): Promise<AgentStep> {
        const messages = [...input.messages, { role: "user" as const, content: "In one word." }];
        return this.callModel(context, input, { messages, maxTokens: 1 });
      }
    }
    const llm = new ScriptedModel((_, options: ChatOptions) => `Yes ${options.maxTokens}`, 2);
    const run = new Terse({ llm, chatOptions: { temperature: 0 } }).run("Is it?");
    expect(shown(await readAll(run)).text).toBe("Yes 1");
    expect(llm.last.options).toMatchObject({ temperature: 0, maxTokens: 1 });
    await fails(new Terse({}).run("Is it?"), (await import("stepstream")).ValidationError, "INVALID_AGENT");
  });

  /** An agent in which one method gives something. */
  const misbehaving = (method: "takeStep" | "handleToolCallResults" | "finalize", given: unknown): BaseAgent => {
    class Misbehaving extends BaseAgent {
      override takeStep(_: HandlerContext, { iteration }: AgentStepInput): AgentStep {
        const calls = [{ type: "toolCall", id: "1", name: "add", arguments: '{"a":1,"b":2}' }] as const;
        return { message: { role: "assistant", content: iteration === 1 ? calls : "3" } };
      }
    }
    return Object.assign(new Misbehaving({ tools: [add] }), { [method]: () => given });
  };
  const message = { role: "assistant", content: "3" };
  test.each([
    ["takeStep", undefined],
    ["takeStep", null],
    ["takeStep", "3"],
    ["takeStep", { message: "3" }],
    ["takeStep", { message: { role: "assistant" } }],
    ["takeStep", { message: { role: "assistant", content: [{ type: "text" }] } }],
    ["takeStep", { message, toolCalls: [{ id: "1", name: "add", arguments: { a: 1, b: 2 } }] }],
    ["takeStep", { message, retryMessages: "again" }],
    ["handleToolCallResults", undefined],
    ["handleToolCallResults", ["3"]],
    ["finalize", undefined],
    ["finalize", {}],
  ] as const)("is an error when %s returns %j", async (method, given) => {
    const { ValidationError } = await import("stepstream");
    const error = await failure(misbehaving(method, given).run("1 + 2?"));
    expectError(error, ValidationError, "INVALID_AGENT");
    expect((error as Error).message).toContain(`${method} of the agent "agent" returned`);
  });
});
