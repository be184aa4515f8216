// What the clients send: to where, with which headers and which body, and which options they do not take.

import { ValidationError } from "stepstream";
import {
  Anthropic,
  type CallOptions,
  type ChatMessage,
  type ClientOptions,
  Gemini,
  LLMError,
  type LLMClient,
  OpenAI,
  OpenAICompatible,
  tool,
} from "stepstream/llm";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { fails } from "../kit/index.js";
import { type Reply, type ScriptedServer, chatAnswer, json, serve } from "./kit.js";

const answers = {
  chat: chatAnswer({ content: "Hello" }),
  responses: {
    id: "resp_1",
    model: "test-model",
    status: "completed",
    output: [{ id: "msg_1", type: "message", role: "assistant", content: [{ type: "output_text", text: "Hello" }] }],
    usage: { input_tokens: 7, output_tokens: 2 },
  },
  anthropic: {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "test-model",
    content: [{ type: "text", text: "Hello" }],
    stop_reason: "end_turn",
    usage: { input_tokens: 7, output_tokens: 2 },
  },
  gemini: {
    responseId: "1",
    modelVersion: "test-model",
    candidates: [{ content: { role: "model", parts: [{ text: "Hello" }] }, finishReason: "STOP" }],
    usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 2 },
  },
};

type Api = keyof typeof answers;
const apis = Object.keys(answers) as Api[];

/** A client of an API at a server that answers it. */
async function clientOf(
  api: Api,
  options: Partial<ClientOptions> = {},
  reply: Reply = json(answers[api]),
): Promise<{ llm: LLMClient; server: ScriptedServer }> {
  const server = await serve(reply);
  const given = { model: "test-model", baseURL: `${server.url}/v1`, apiKey: "key-1", maxRetries: 0, ...options };
  const llm = {
    chat: () => new OpenAI(given),
    responses: () => new OpenAI({ ...given, api: "responses" }),
    anthropic: () => new Anthropic(given),
    gemini: () => new Gemini(given),
  }[api]();
  return { llm, server };
}

describe.each(apis)("a client of %s", (api) => {
  test("asks at the right place with the key in its header, and understands the answer", async () => {
    const { llm, server } = await clientOf(api);
    expect(await llm.chat("Hi")).toMatchObject({
      text: "Hello",
      reasoning: "",
      toolCalls: [],
      finishReason: "stop",
      model: "test-model",
      usage: { input: 7, output: 2 },
      message: { role: "assistant", content: [{ type: "text", text: "Hello" }] },
    });
    const [{ method, path, headers }] = server.requests as [(typeof server.requests)[number]];
    const places = {
      chat: { path: "/v1/chat/completions", header: "authorization", value: "Bearer key-1" },
      responses: { path: "/v1/responses", header: "authorization", value: "Bearer key-1" },
      anthropic: { path: "/v1/messages", header: "x-api-key", value: "key-1" },
      gemini: { path: "/v1/models/test-model:generateContent", header: "x-goog-api-key", value: "key-1" },
    }[api];
    expect({ method, path, value: headers[places.header] }).toEqual({
      method: "POST",
      path: places.path,
      value: places.value,
    });
    expect(headers["content-type"]).toBe("application/json");
  });

  test("completes", async () => {
    const { llm } = await clientOf(api);
    expect(await llm.complete("Hi")).toBe("Hello");
  });

  test("describes the tools, and which is wanted", async () => {
    const { llm, server } = await clientOf(api);
    const add = tool({
      name: "add",
      description: "Adds.",
      parameters: z.object({ a: z.number() }),
      execute: ({ a }) => a,
    });
    await llm.chat("1 + 2", { tools: [add], toolChoice: { name: "add" }, parallelToolCalls: false });
    const schema = { type: "object", properties: { a: { type: "number" } }, required: ["a"] };
    const { json: body } = server.requests[0]!;
    expect(body).toMatchObject(
      {
        chat: {
          tools: [{ type: "function", function: { name: "add", description: "Adds.", parameters: schema } }],
          tool_choice: { type: "function", function: { name: "add" } },
          parallel_tool_calls: false,
        },
        responses: {
          tools: [{ type: "function", name: "add", description: "Adds.", parameters: schema }],
          tool_choice: { type: "function", name: "add" },
          parallel_tool_calls: false,
        },
        anthropic: {
          tools: [{ name: "add", description: "Adds.", input_schema: schema }],
          tool_choice: { type: "tool", name: "add", disable_parallel_tool_use: true },
        },
        gemini: {
          tools: [{ functionDeclarations: [{ name: "add", description: "Adds." }] }],
          toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["add"] } },
        },
      }[api],
    );
    // Nothing of a tool but what a model has to know.
    expect(server.requests[0]!.text).not.toMatch(/returnDirect|needsApproval|timeout/);
  });

  test("sends images, those of tools' results too", async () => {
    const { llm, server } = await clientOf(api);
    const messages: ChatMessage[] = [
      {
        role: "user",
        content: [
          { type: "text", text: "Compare." },
          { type: "image", data: "aGkx", mediaType: "image/png" },
          { type: "image", url: "https://example.com/2.png" },
        ],
      },
      { role: "assistant", content: [{ type: "toolCall", id: "c1", name: "shot", arguments: "{}" }] },
      {
        role: "tool",
        content: [
          { type: "toolResult", id: "c1", content: [{ type: "image", data: "aGkz", mediaType: "image/jpeg" }] },
        ],
      },
    ];
    await llm.chat(messages, { tools: [{ name: "shot" }] });
    for (const piece of ["aGkx", "image/png", "https://example.com/2.png", "aGkz", "image/jpeg", "Compare."]) {
      expect(server.requests[0]!.text).toContain(piece);
    }
  });
});

describe("options", () => {
  test("of the client hold for each call, and a call may say otherwise", async () => {
    const { llm, server } = await clientOf("chat", {
      temperature: 0.5,
      maxTokens: 100,
      headers: { "x-team": "a", "x-both": "client" },
      providerOptions: { seed: 1, metadata: { a: 1 } },
    });
    await llm.chat("Hi");
    await llm.chat("Hi", {
      model: "other",
      temperature: 0,
      stop: ["END"],
      headers: { "x-both": "call" },
      providerOptions: { seed: 2 },
    });
    const [first, second] = server.requests;
    expect(first!.json).toMatchObject({ model: "test-model", temperature: 0.5, max_tokens: 100, seed: 1 });
    expect(first!.json.metadata).toEqual({ a: 1 });
    expect(second!.json).toMatchObject({ model: "other", temperature: 0, max_tokens: 100, stop: ["END"], seed: 2 });
    expect([first!.headers["x-team"], first!.headers["x-both"]]).toEqual(["a", "client"]);
    expect([second!.headers["x-team"], second!.headers["x-both"]]).toEqual(["a", "call"]);
  });

  test("that are undefined are as if they were not there", async () => {
    const { llm, server } = await clientOf("chat", { temperature: 0.5 });
    await llm.chat("Hi", { temperature: undefined, tools: undefined, signal: undefined } as never);
    expect(server.requests[0]!.json).toEqual({
      model: "test-model",
      messages: [{ role: "user", content: "Hi" }],
      temperature: 0.5,
    });
  });

  test("may have times without end", async () => {
    const { llm } = await clientOf("chat", { timeouts: { total: null, connect: Infinity } });
    expect(await llm.complete("Hi", { timeouts: { firstToken: 5 } })).toBe("Hello");
  });

  test("of the client are copied", async () => {
    const options = { model: "test-model", temperature: 0.5 };
    const { llm, server } = await clientOf("chat", options);
    options.temperature = 1;
    await llm.chat("Hi");
    expect(server.requests[0]!.json.temperature).toBe(0.5);
  });

  const wrongOptions: [string, object, string][] = [
    ["no model", { model: "" }, "INVALID_OPTION"],
    ["a key that is none", { apiKey: { secret: "key-1" } }, "INVALID_OPTION"],
    ["an address that is none", { baseURL: new URL("http://127.0.0.1") }, "INVALID_OPTION"],
    ["a fetch that is none", { fetch: "fetch" }, "INVALID_OPTION"],
    ["half a retry", { maxRetries: 0.5 }, "INVALID_OPTION"],
    ["an instance of Headers", { headers: new Headers({ a: "b" }) }, "INVALID_OPTION"],
    ["half a token", { maxTokens: 1.5 }, "INVALID_OPTION"],
    ["a temperature that is none", { temperature: "0.5" }, "INVALID_OPTION"],
    ["a time before now", { timeouts: { total: -1 } }, "INVALID_DURATION"],
    ["an API that there is not", { api: "grpc" }, "INVALID_OPTION"],
  ];
  test.each(wrongOptions)("of a client are refused: %s", async (_, options, code) => {
    const error = await fails(() => new OpenAI({ model: "m", ...options }), ValidationError, code);
    expect(error.message).not.toContain("key-1");
  });

  test("of a compatible server have its address", async () => {
    await fails(() => new OpenAICompatible({ model: "m" } as never), ValidationError, "INVALID_OPTION");
    const unknown = { model: "m", baseURL: "http://127.0.0.1/v1", server: "lmstudio" as never };
    await fails(() => new OpenAICompatible(unknown), ValidationError, "INVALID_OPTION");
  });

  const wrongCalls: [string, unknown, unknown, string][] = [
    ["messages that are none", 7, {}, "INVALID_OPTION"],
    ["options that are none", "Hi", 7, "INVALID_OPTION"],
    ["tools that are no list", "Hi", { tools: {} }, "INVALID_OPTION"],
    ["a tool that is none", "Hi", { tools: ["add"] }, "INVALID_OPTION"],
    ["a format that is none", "Hi", { responseFormat: "json" }, "INVALID_OPTION"],
    ["a format without a schema", "Hi", { responseFormat: {} }, "INVALID_SCHEMA"],
    ["a union as a format", "Hi", { responseFormat: z.union([z.object({}), z.object({})]) }, "INVALID_SCHEMA"],
    ["a temperature that is none", "Hi", { temperature: Number.NaN }, "INVALID_OPTION"],
    ["tokens as text", "Hi", { maxTokens: "100" }, "INVALID_OPTION"],
    ["a stop sequence that is none", "Hi", { stop: ["a", 7] }, "INVALID_OPTION"],
    ["yes as text", "Hi", { parallelToolCalls: "yes" }, "INVALID_OPTION"],
    ["a signal that is none", "Hi", { signal: {} }, "INVALID_OPTION"],
    ["a time that is none", "Hi", { timeouts: { total: "1" } }, "INVALID_DURATION"],
  ];
  test.each(wrongCalls)("of a call are refused before anything is sent: %s", async (_, messages, options, code) => {
    const { llm, server } = await clientOf("chat");
    await fails(llm.chat(messages as string, options as CallOptions), ValidationError, code);
    await fails(() => llm.streamChat(messages as string, options as CallOptions), ValidationError, code);
    expect(server.requests).toHaveLength(0);
  });

  const wrongRequests: [string, ChatMessage[], CallOptions][] = [
    ["no messages", [], {}],
    ["a role that there is not", [{ role: "robot" as never, content: "Hi" }], {}],
    ["a block that there is not", [{ role: "user", content: [{ type: "video" } as never] }], {}],
    ["a result as another API has it", [{ role: "tool", tool_call_id: "a", content: "x" } as never], {}],
    ["a message without content", [{ role: "user" } as never], {}],
    ["a header that HTTP does not allow", [{ role: "user", content: "Hi" }], { headers: { "a b": "c" } }],
    ["what is not JSON", [{ role: "user", content: "Hi" }], { providerOptions: { a: 1n } }],
  ];
  test.each(wrongRequests)("and messages that cannot be sent reject: %s", async (_, messages, options) => {
    const { llm, server } = await clientOf("chat");
    await fails(llm.chat(messages, options), LLMError, "LLM_REQUEST");
    expect(server.requests).toHaveLength(0);
  });
});

describe("a compatible server", () => {
  test("needs no key, and is spoken to as it wants", async () => {
    const server = await serve(json(answers.chat));
    const mistral = new OpenAICompatible({ baseURL: `${server.url}/v1`, model: "m", server: "mistral", maxTokens: 9 });
    expect(await mistral.complete("Hi", { tools: [{ name: "a" }], toolChoice: "required" })).toBe("Hello");
    const { headers, json: body } = server.requests[0]!;
    expect(headers["authorization"]).toBeUndefined();
    expect(body).toMatchObject({ max_tokens: 9, tool_choice: "any" });
  });
});

test("Anthropic learns that a page calls, when the program says that it may", async () => {
  const server = await serve(json(answers.anthropic));
  const options = { baseURL: `${server.url}/v1`, model: "m", apiKey: "k", headers: { "x-team": "a" } };
  await new Anthropic(options).complete("Hi");
  await new Anthropic({ ...options, dangerouslyAllowBrowser: true }).complete("Hi");
  const header = "anthropic-dangerous-direct-browser-access";
  expect(server.requests.map(({ headers }) => headers[header])).toEqual([undefined, "true"]);
  expect(server.requests[1]!.headers["x-team"]).toBe("a");
});

test("a fetch of the program's own is the one that is used", async () => {
  const asked: string[] = [];
  const fetch = async (url: unknown, init: RequestInit | undefined): Promise<Response> => {
    asked.push(`${init?.method} ${String(url)}`);
    return Response.json(answers.chat);
  };
  const llm = new OpenAI({ model: "m", fetch: fetch as typeof globalThis.fetch });
  expect(await llm.complete("Hi")).toBe("Hello");
  expect(asked).toEqual(["POST https://api.openai.com/v1/chat/completions"]);
});
