// API keys: where they come from, where they go, and that nothing else shows them.

import { inspect } from "node:util";
import { SnapshotError, StartEvent, ValidationError, Workflow } from "stepstream";
import { Anthropic, Gemini, type LLMClient, LLMError, OpenAI, OpenAICompatible } from "stepstream/llm";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { deferred, failure, fails, soon } from "../kit/index.js";
import { chatAnswer, json, serve } from "./kit.js";

const key = "sk-very-secret-0123456789";
const hello = json(chatAnswer({ content: "Hello" }));

const variables = ["OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"];
beforeEach(() => variables.forEach((name) => vi.stubEnv(name, undefined)));
afterEach(() => void vi.unstubAllEnvs());

/** Every way in which a program may come to print something. */
function printed(value: unknown): string {
  const ways = [
    () => JSON.stringify(value),
    () => inspect(value, { depth: Infinity, showHidden: true, getters: true }),
    () => String(value),
    () => inspect(structuredClone(value), { depth: Infinity, showHidden: true }),
    () => Object.entries(value as object).join(),
    () => (value instanceof Error ? `${value.stack}${inspect(value.cause, { depth: Infinity })}` : ""),
  ];
  return ways
    .map((way) => {
      try {
        return way();
      } catch (error) {
        return String(error);
      }
    })
    .join("\n");
}

const clients: [string, LLMClient][] = [
  ["OpenAI", new OpenAI({ model: "m", apiKey: key, headers: { "x-secret": key } })],
  ["OpenAICompatible", new OpenAICompatible({ model: "m", apiKey: key, baseURL: `http://127.0.0.1/v1?key=${key}` })],
  ["Anthropic", new Anthropic({ model: "m", apiKey: key })],
  ["Gemini", new Gemini({ model: "m", apiKey: key })],
];

describe.each(clients)("%s", (name, llm) => {
  test("does not show its key", () => {
    const text = printed(llm);
    expect(text).not.toContain(key);
    expect(text).toContain(name);
    expect(JSON.parse(JSON.stringify(llm))).toEqual({ provider: name, model: "m" });
  });

  test("is not carried in a snapshot", async () => {
    const workflow = new Workflow<unknown, unknown, unknown>();
    const stored = deferred();
    workflow.addStep({ inputs: [StartEvent] }, async ({ store, requireEvent }) => {
      store.set("model", llm);
      stored.resolve();
      await requireEvent(StartEvent);
    });
    const run = workflow.run(0).start();
    await soon(stored.promise);
    const error = await fails(() => run.snapshot(), SnapshotError, "SNAPSHOT_VALUE");
    expect(error.message).toContain(`store.model is an instance of ${name}`);
    expect(printed(error)).not.toContain(key);
    run.cancel();
    await failure(run);
  });
});

describe("an error", () => {
  const refusal = { error: { message: `Incorrect API key provided: ${key}`, type: "invalid_request_error" } };
  test("of a provider that repeats the key does not show it", async () => {
    const server = await serve(json(refusal, 401));
    const llm = new OpenAI({ model: "m", apiKey: key, baseURL: server.url });
    const error = await fails(llm.chat("Hi"), LLMError, "LLM_AUTH");
    expect(printed(error)).not.toContain(key);
  });

  test("that is called by the key does not show it", async () => {
    const server = await serve(json({ error: { message: "No", type: key, code: key } }, 400));
    const llm = new OpenAI({ model: "m", apiKey: key, baseURL: server.url });
    const error = await fails(llm.chat("Hi"), LLMError, "LLM_BAD_REQUEST");
    expect(printed(error)).not.toContain(key);
    expect((error as LLMError).type).toBe("[secret]");
  });

  const addresses = [
    ["a password", `http://someone:${key}@127.0.0.1/v1`],
    ["a key in its query", `nowhere/v1?a=1&key=${key}`],
  ];
  test.each(addresses)("of an address with %s does not show it", async (_, baseURL) => {
    const llm = new OpenAICompatible({ model: "m", baseURL: baseURL!, maxRetries: 0 });
    const error = await fails(llm.chat("Hi"), LLMError, "LLM_NETWORK");
    expect(printed(error)).not.toContain(key);
    expect(error.message).toContain("/v1/chat/completions");
  });

  test("of the network does not show it", async () => {
    const server = await serve(hello);
    await server.close();
    const llm = new OpenAI({ model: "m", apiKey: key, baseURL: `${server.url}/v1`, maxRetries: 0 });
    const error = await fails(llm.chat("Hi"), LLMError, "LLM_NETWORK");
    expect(printed(error)).not.toContain(key);
  });
});

describe("a key", () => {
  test("may be a function, asked before each call", async () => {
    const server = await serve(hello);
    let count = 0;
    const llm = new OpenAI({ model: "m", apiKey: async () => `key-${(count += 1)}`, baseURL: server.url });
    await llm.complete("Hi");
    await llm.streamChat("Hi").response.catch(() => undefined);
    expect(server.requests.map(({ headers }) => headers["authorization"])).toEqual(["Bearer key-1", "Bearer key-2"]);
  });

  test("of a function that fails is that failure", async () => {
    const reason = new Error("the vault is closed");
    const llm = new OpenAI({ model: "m", apiKey: () => Promise.reject(reason) });
    expect(await failure(llm.chat("Hi"))).toBe(reason);
    expect(await failure(llm.streamChat("Hi").response)).toBe(reason);
  });

  test("of a function that does not come is not waited for after an abort", async () => {
    const llm = new OpenAI({ model: "m", apiKey: () => new Promise(() => {}) });
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [llm.chat("Hi", { signal }), llm.streamChat("Hi", { signal }).response];
    const reason = new Error("enough");
    controller.abort(reason);
    for (const call of [...calls, llm.chat("Hi", { signal })]) {
      const error = await soon(fails(call, LLMError, "LLM_ABORTED"));
      expect(error.cause).toBe(reason);
    }
  });

  test("of a function that gives none is refused", async () => {
    const llm = new OpenAI({ model: "m", apiKey: () => 7 as never });
    await fails(llm.chat("Hi"), ValidationError, "INVALID_OPTION");
  });

  const keyless: [string, LLMClient, string][] = [
    ["OpenAI", new OpenAI({ model: "m" }), "OPENAI_API_KEY"],
    ["Anthropic", new Anthropic({ model: "m", dangerouslyAllowBrowser: true }), "ANTHROPIC_API_KEY"],
    ["Gemini", new Gemini({ model: "m", apiKey: "" }), "GEMINI_API_KEY"],
  ];
  test.each(keyless)("that %s has not got is asked for, and nothing is sent", async (name, llm, variable) => {
    const error = await fails(llm.chat("Hi"), LLMError, "LLM_AUTH");
    expect(error.message).toContain(`${name} was called without an API key: pass \`apiKey\`, or set ${variable}.`);
  });

  test("stands in the environment, with the address", async () => {
    const server = await serve(hello);
    const llm = new OpenAI({ model: "m" });
    vi.stubEnv("OPENAI_API_KEY", "key-env");
    vi.stubEnv("OPENAI_BASE_URL", `${server.url}/v1`);
    await llm.complete("Hi");
    await new OpenAI({ model: "m", apiKey: "key-own" }).complete("Hi");
    expect(server.requests.map(({ headers }) => headers["authorization"])).toEqual([
      "Bearer key-env",
      "Bearer key-own",
    ]);
  });

  test("out of the environment goes to no address that the program gives", async () => {
    const server = await serve(hello);
    vi.stubEnv("OPENAI_API_KEY", "key-env");
    await new OpenAI({ model: "m", baseURL: server.url }).complete("Hi");
    await new OpenAICompatible({ model: "m", baseURL: server.url }).complete("Hi");
    expect(server.requests.map(({ headers }) => headers["authorization"])).toEqual([undefined, undefined]);
  });
});
