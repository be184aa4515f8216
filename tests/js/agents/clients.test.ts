// Agents on the package's own clients: several calls at a time, thoughts as text, errors, keys. More of it is in ../llm/agents.test.ts.

import type { HandlerContext } from "stepstream";
import {
  AgentStream,
  type AgentStep,
  type AgentStepInput,
  BaseAgent,
  type ChatDelta,
  FunctionAgent,
  type LLM,
  ReActAgent,
  ToolCallResult,
} from "stepstream/agents";
import { LLMError, OpenAICompatible } from "stepstream/llm";
import { expect, test } from "vitest";
import { expectError, failure } from "../kit/index.js";
import { body, chatAnswer, chatChunk, chatStream, events, json, serve } from "../llm/kit.js";
import { add, multiply, readAll, shown } from "./kit.js";

const callOf = (index: number, id: string, name: string, args: string): unknown[] => [
  chatChunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] }),
  ...[...args].map((piece) => chatChunk({ tool_calls: [{ index, function: { arguments: piece } }] })),
];

const usage = { id: "chatcmpl-1", choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } };

test("a conversation with parallel calls, streamed", async () => {
  const asking = events(
    ...callOf(0, "a", "add", '{"a":123,"b":456}'),
    ...callOf(1, "b", "multiply", '{"a":2,"b":3}'),
    chatChunk({}, "tool_calls"),
    usage,
    "[DONE]",
  );
  const server = await serve(body(asking), body(chatStream("It is ", "579 ", "and 6.")));
  const llm = new OpenAICompatible({ baseURL: `${server.url}/v1`, model: "m", apiKey: "k" });
  const run = new FunctionAgent({ llm, tools: [add, multiply], systemPrompt: "Calculate." }).run("Go");
  const all = await readAll(run);
  const { data } = await run;
  expect([data.text, shown(all).text]).toEqual(["It is 579 and 6.", "It is 579 and 6."]);
  expect(data.usage).toMatchObject({ input: 14, output: 6 });
  expect(all.filter((event) => event instanceof ToolCallResult).map((event) => event.data.content)).toEqual([
    "579",
    "6",
  ]);
  const [first, second] = server.requests.map((request) => request.json as { messages: unknown[]; tools: unknown[] });
  expect(first?.tools).toHaveLength(2);
  expect(second?.messages).toMatchObject([
    { role: "system", content: "Calculate." },
    { role: "user", content: "Go" },
    { role: "assistant", tool_calls: [{ id: "a" }, { id: "b" }] },
    { role: "tool", tool_call_id: "a", content: "579" },
    { role: "tool", tool_call_id: "b", content: "6" },
  ]);
});

test("an agent that thinks in text, not streamed", async () => {
  const act = { content: 'Thought: hm\nAction: add\nAction Input: {"a": 1, "b": 2}' };
  const server = await serve(json(chatAnswer(act)), json(chatAnswer({ content: "Thought: ok\nAnswer: 3" })));
  const llm = new OpenAICompatible({ baseURL: `${server.url}/v1`, model: "m", apiKey: "k" });
  const { data } = await new ReActAgent({ llm, tools: [add], streaming: false }).run("1 + 2?");
  expect([data.text, server.requests.length]).toEqual(["3", 2]);
});

test("the client's error is the run's error", async () => {
  const server = await serve(json({ error: { message: "no such key" } }, 401));
  const llm = new OpenAICompatible({ baseURL: `${server.url}/v1`, model: "m", apiKey: "sk-secret" });
  const error = await failure(new FunctionAgent({ llm }).run("Go"));
  expectError(error, LLMError, "LLM_AUTH");
  expect(JSON.stringify(error) + String(error)).not.toContain("sk-secret");
});

test("a client in an agent does not get into a snapshot, and its key neither", async () => {
  const server = await serve(body(events(chatChunk({ content: "Well, " })), { ending: "hang" }));
  const llm = new OpenAICompatible({ baseURL: `${server.url}/v1`, model: "m", apiKey: "sk-secret" });
  const run = new FunctionAgent({ llm }).run("Go");
  for await (const event of run) if (event instanceof AgentStream) break;
  expect(new TextDecoder().decode(run.snapshot())).not.toContain("sk-secret");
  run.cancel();
});

test("a program that changes how the stream of a client is read changes what its agent writes", async () => {
  const server = await serve(body(chatStream("quite ", "loud")));
  const client = new OpenAICompatible({ baseURL: `${server.url}/v1`, model: "m", apiKey: "k" });
  const llm: LLM = {
    chat: (messages, options) => client.chat(messages, options),
    streamChat: (messages, options) => {
      const stream = client.streamChat(messages, options);
      const deltas = stream[Symbol.asyncIterator]();
      async function* louder(): AsyncGenerator<ChatDelta> {
        for (let next = await deltas.next(); next.done !== true; next = await deltas.next()) {
          const delta = next.value;
          yield delta.type === "text" ? { ...delta, text: delta.text.toUpperCase() } : delta;
        }
      }
      return Object.assign(stream, { [Symbol.asyncIterator]: louder });
    },
  };
  expect(shown(await readAll(new FunctionAgent({ llm }).run("Go"))).text).toBe("QUITE LOUD");
});

test("an agent whose sink throws fails with that error, and gets no further delta", async () => {
  const server = await serve(body([chatStream("one", "two", "three").join("")]));
  const llm = new OpenAICompatible({ baseURL: `${server.url}/v1`, model: "m", apiKey: "k" });
  const taken: ChatDelta[] = [];
  class Picky extends BaseAgent {
    takeStep(context: HandlerContext, input: AgentStepInput): Promise<AgentStep> {
      const take = (delta: ChatDelta): void => {
        taken.push(delta);
        if (taken.length === 2) throw new RangeError("two are enough");
      };
      return this.callModel(context, input, {}, { take, end: () => expect.unreachable() });
    }
  }
  const error = await failure(new Picky({ llm }).run("Go"));
  expect(String(error)).toContain("two are enough");
  expect(taken).toMatchObject([{ text: "one" }, { text: "two" }]);
});
