// Streamed answers: the deltas as they come, the whole beside them, and what becomes of the connection.

import {
  Anthropic,
  type ChatDelta,
  type ChatResponse,
  type ContentBlock,
  Gemini,
  LLMError,
  OpenAI,
  OpenAICompatible,
} from "stepstream/llm";
import { describe, expect, test } from "vitest";
import { deferred, failure, fails, pause, soon } from "../kit/index.js";
import { type Piece, type ScriptedServer, body, chatChunk, chatStream, events, fixture, serve } from "./kit.js";

type Ending = NonNullable<Parameters<typeof body>[1]>["ending"];

async function streaming(
  pieces: readonly Piece[],
  ending: Ending = "end",
  options: Partial<ConstructorParameters<typeof OpenAI>[0]> = {},
): Promise<{ llm: OpenAI; server: ScriptedServer }> {
  const server = await serve(body(pieces, ending === undefined ? {} : { ending }));
  return { llm: new OpenAI({ model: "m", apiKey: "k", baseURL: server.url, maxRetries: 0, ...options }), server };
}

async function read(stream: AsyncIterable<ChatDelta>): Promise<{ deltas: ChatDelta[]; error: unknown }> {
  const deltas: ChatDelta[] = [];
  try {
    for await (const delta of stream) deltas.push(delta);
  } catch (error) {
    return { deltas, error };
  }
  return { deltas, error: undefined };
}

const textOf = (deltas: readonly ChatDelta[]): string =>
  deltas.map((delta) => (delta.type === "text" ? delta.text : "")).join("");

describe("deltas", () => {
  test("are cut as they came, whatever is in them", async () => {
    const texts = ["Grüße, ", "世界 🌍 ", "", '\n"q" \\', "🦀", "e\u0301"];
    const { llm } = await streaming([chatStream(...texts).join("")]);
    const { deltas } = await soon(read(llm.streamChat("Hi")));
    expect(deltas).toEqual([
      ...texts.filter((text) => text !== "").map((text) => ({ type: "text", index: 0, text })),
      { type: "finish", reason: "stop" },
    ]);
  });

  test("carry reasoning, calls and text, each with its block", async () => {
    const call = (index: number, id: string, name: string, text: string): unknown => ({
      tool_calls: [{ index, id, type: "function", function: { name, arguments: text } }],
    });
    const more = { tool_calls: [{ index: 0, function: { arguments: "1}" } }] };
    const pieces = events(
      chatChunk({ reasoning_content: "Hm." }),
      chatChunk({ content: "Let me see." }),
      chatChunk(call(0, "c1", "add", '{"a":')),
      chatChunk(more),
      chatChunk(call(1, "c2", "now", "")),
      chatChunk({}, "tool_calls"),
      "[DONE]",
    );
    const { llm } = await streaming(pieces);
    const stream = llm.streamChat("Hi");
    const { deltas } = await soon(read(stream));
    expect(deltas).toEqual([
      { type: "reasoning", index: 0, text: "Hm." },
      { type: "text", index: 1, text: "Let me see." },
      { type: "toolCallStart", index: 2, id: "c1", name: "add" },
      { type: "toolCallDelta", index: 2, text: '{"a":' },
      { type: "toolCallDelta", index: 2, text: "1}" },
      // In this form, that the first is complete is known when all are; and no arguments are an object without members.
      { type: "toolCallStart", index: 3, id: "c2", name: "now" },
      { type: "toolCallEnd", index: 2 },
      { type: "toolCallDelta", index: 3, text: "{}" },
      { type: "toolCallEnd", index: 3 },
      { type: "finish", reason: "toolCalls" },
    ]);
    const { message, text, reasoning, toolCalls, finishReason } = await stream.response;
    expect({ text, reasoning, toolCalls, finishReason }).toEqual({
      text: "Let me see.",
      reasoning: "Hm.",
      toolCalls: [
        { id: "c1", name: "add", arguments: '{"a":1}' },
        { id: "c2", name: "now", arguments: "{}" },
      ],
      finishReason: "toolCalls",
    });
    expect(message.content).toHaveLength(4);
  });

  test("come one by one, not when all is there", async () => {
    const [first, ...rest] = chatStream("a", "b");
    const firstIsRead = deferred();
    const { llm } = await streaming([first!, firstIsRead.promise, ...rest]);
    const texts: string[] = [];
    const reading = async (): Promise<void> => {
      for await (const delta of llm.streamChat("Hi")) {
        if (delta.type !== "text") continue;
        texts.push(delta.text);
        // The server waits for this before it goes on.
        firstIsRead.resolve();
      }
    };
    await soon(reading());
    expect(texts).toEqual(["a", "b"]);
  });

  test("that were not read yet are kept", async () => {
    const { llm } = await streaming(chatStream("a", "b"));
    const stream = llm.streamChat("Hi");
    expect((await soon(stream.response)).text).toBe("ab");
    expect(textOf((await soon(read(stream))).deltas)).toBe("ab");
    expect((await soon(read(stream))).deltas).toEqual([]);
  });

  test("are given once: several readers share them", async () => {
    const { llm } = await streaming(chatStream("a", "b", "c", "d"));
    const stream = llm.streamChat("Hi");
    const [one, two] = await soon(Promise.all([read(stream), read(stream)]));
    expect([...textOf(one.deltas), ...textOf(two.deltas)].sort().join("")).toBe("abcd");
  });

  test("of an answer that is written down are those of each read", async () => {
    const { llm } = await streaming([fixture("chat-text")]);
    const stream = llm.streamChat("Hi");
    const { deltas, error } = await soon(read(stream));
    expect(error).toBeUndefined();
    const { text, usage } = await stream.response;
    expect(textOf(deltas)).toBe(text);
    expect(usage).toEqual({ input: 9, output: 7, cached: 4, reasoning: 2 });
  });
});

describe("every API", () => {
  const fixtures = ["chat-text", "chat-habits", "chat-parallel-calls", "responses-all", "anthropic-all", "gemini-all"];
  test.each(fixtures)("streams what it says: the deltas of %s, put together, are the message", async (name) => {
    const server = await serve(body([fixture(name)]));
    const options = { model: "m", apiKey: "k", baseURL: server.url, maxRetries: 0 };
    const llm = {
      chat: () => new OpenAICompatible(options),
      responses: () => new OpenAI({ ...options, api: "responses" }),
      anthropic: () => new Anthropic(options),
      gemini: () => new Gemini(options),
    }[name.split("-")[0] as "chat" | "responses" | "anthropic" | "gemini"]();
    const stream = llm.streamChat("Hi");
    const { deltas, error } = await soon(read(stream));
    expect(error).toBeUndefined();
    const { message, finishReason } = await stream.response;

    const parts = new Map<number, { text: string; id?: string; name?: string }>();
    for (const delta of deltas) {
      if (delta.type === "finish") continue;
      const part = parts.get(delta.index) ?? { text: "" };
      parts.set(delta.index, part);
      if (delta.type === "toolCallStart") Object.assign(part, { id: delta.id, name: delta.name });
      else if (delta.type !== "toolCallEnd") part.text += delta.text;
    }
    const blocks = message.content as readonly ContentBlock[];
    expect(blocks.length).toBeGreaterThan(0);
    blocks.forEach((block, index) => {
      const { text = "", id, name: tool } = parts.get(index) ?? {};
      if (block.type === "toolCall") expect([id, tool, text]).toEqual([block.id, block.name, block.arguments]);
      else if ("text" in block) expect(text).toBe(block.text);
    });
    expect(deltas.at(-1)).toEqual({ type: "finish", reason: finishReason });
  });
});

test("text alone may be streamed", async () => {
  const { llm } = await streaming(chatStream("a", "b"));
  const texts: string[] = [];
  for await (const text of llm.streamComplete("Hi")) texts.push(text);
  expect(texts).toEqual(["a", "b"]);
});

describe("leaving the loop", () => {
  test("aborts the call and closes the connection; the response says so", async () => {
    const { llm, server } = await streaming(chatStream("a", "b").slice(0, 1), "hang");
    const stream = llm.streamChat("Hi");
    for await (const delta of stream) if (delta.type === "text") break;
    expect(await soon(server.requests[0]!.closed)).toEqual({ wasCut: true });
    const error = (await fails(stream.response, LLMError, "LLM_ABORTED")) as LLMError;
    expect(error.partial).toMatchObject({ text: "a" });
  });

  test("leaves the call alone when the response is wanted", async () => {
    const [first, ...rest] = chatStream("a", "b");
    const loopIsLeft = deferred();
    const { llm, server } = await streaming([first!, loopIsLeft.promise, ...rest]);
    const stream = llm.streamChat("Hi");
    const { response } = stream;
    for await (const delta of stream) if (delta.type === "text") break;
    loopIsLeft.resolve();
    expect((await soon(response)).text).toBe("ab");
    expect(await soon(server.requests[0]!.closed)).toEqual({ wasCut: false });
  });

  test("of text alone aborts too", async () => {
    const { llm, server } = await streaming(chatStream("a", "b").slice(0, 1), "hang");
    for await (const text of llm.streamComplete("Hi")) if (text === "a") break;
    expect(await soon(server.requests[0]!.closed)).toEqual({ wasCut: true });
  });
});

describe("a signal", () => {
  test("stops the call, and what had come is kept, with its usage", async () => {
    const controller = new AbortController();
    const pieces = events({
      ...(chatChunk({ content: "a" }) as object),
      usage: { prompt_tokens: 7, completion_tokens: 1 },
    });
    const { llm, server } = await streaming(pieces, "hang");
    const stream = llm.streamChat("Hi", { signal: controller.signal });
    const seen: ChatDelta[] = [];
    const reason = new Error("the user left");
    const error = await failure(async () => {
      for await (const delta of stream) {
        seen.push(delta);
        controller.abort(reason);
      }
    });
    expect(error).toBeInstanceOf(LLMError);
    expect(error).toMatchObject({ code: "LLM_ABORTED", partial: { text: "a", usage: { input: 7, output: 1 } } });
    expect(await failure(stream.response)).toBe(error);
    expect(await soon(server.requests[0]!.closed)).toEqual({ wasCut: true });
    expect(textOf(seen)).toBe("a");
  });

  test("that was aborted before sends nothing", async () => {
    const { llm, server } = await streaming(chatStream("a"));
    await fails(llm.streamChat("Hi", { signal: AbortSignal.abort() }).response, LLMError, "LLM_ABORTED");
    await fails(llm.chat("Hi", { signal: AbortSignal.abort() }), LLMError, "LLM_ABORTED");
    expect(server.requests).toHaveLength(0);
  });
});

describe("a stream that breaks", () => {
  test("gives what had come, then its error, once", async () => {
    const { llm } = await streaming(chatStream("a", "b").slice(0, 2), "cut");
    const stream = llm.streamChat("Hi");
    const { deltas, error } = await soon(read(stream));
    expect(textOf(deltas)).toBe("ab");
    expect(error).toBeInstanceOf(LLMError);
    expect((error as LLMError).partial).toMatchObject({ text: "ab", message: { role: "assistant" } });
    expect(await failure(stream.response)).toBe(error);
    expect(await soon(read(stream))).toEqual({ deltas: [], error: undefined });
  });

  test("is no unhandled rejection, whether anybody listens or not", async () => {
    const { llm, server } = await streaming([], "cut");
    const stream = llm.streamChat("Hi");
    void llm.streamChat("Hi").response;
    await soon(failure(stream.response));
    while (server.requests.length < 2) await pause(5);
    await pause(20);
  });
});

test("a model with two streams at once does not mix them", async () => {
  const server = await serve(body(chatStream("a", "b")), body([20, ...chatStream("c", "d")]));
  const llm = new OpenAI({ model: "m", apiKey: "k", baseURL: server.url });
  const all = await soon(Promise.all([llm.streamChat("1").response, llm.streamChat("2").response]));
  expect(all.map(({ text }: ChatResponse) => text).sort()).toEqual(["ab", "cd"]);
});
