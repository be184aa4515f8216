// A trap in the module of the clients: every call under way is notified, nothing else notices, and the next call gets a fresh instance.

import { EngineError, StartEvent, StopEvent, Workflow } from "stepstream";
import { OpenAICompatible, setLLMWasmModule } from "stepstream/slim/llm";
import { afterEach, expect, test } from "vitest";
import { failure, soon } from "../kit/index.js";
import { llmWasm } from "./broken-module.js";
import { body, chatStream, serve } from "./kit.js";

const whole = body(chatStream("Hello"));
const begun = body(chatStream("Hello").slice(0, 1), { ending: "hang" });

/** Good for everything but an abort, so that a test can get rid of an instance. */
const usable = llmWasm("call_abort");

function clientOf(url: string): OpenAICompatible {
  return new OpenAICompatible({ model: "m", baseURL: `${url}/v1`, maxRetries: 0 });
}

afterEach(async () => {
  const last = clientOf("http://127.0.0.1:9").chat("Hi", { signal: AbortSignal.abort() });
  expect(await failure(soon(last))).toMatchObject({ code: "ENGINE_PANICKED" });
});

test("a trap ends all calls under way with one error, closes their connections, and is over with the next call", async () => {
  setLLMWasmModule(usable);
  const server = await serve(begun, begun, whole);
  const llm = clientOf(server.url);
  const controller = new AbortController();
  const streams = [llm.streamChat("one", { signal: controller.signal }), llm.streamChat("two")];
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  for (const iterator of iterators) {
    expect((await soon(iterator.next())).value).toMatchObject({ type: "text", text: "Hello" });
  }
  const workflow = new Workflow<unknown, string, string>();
  workflow.addStep({ inputs: [StartEvent<string>] }, async (_, event) => new StopEvent(event.data));
  const run = workflow.run("untouched").start();

  controller.abort();
  const errors = await Promise.all(streams.map((stream) => failure(soon(stream.response))));
  for (const error of errors) {
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code: "ENGINE_PANICKED", cause: expect.any(WebAssembly.RuntimeError) });
  }
  for (const iterator of iterators) expect(await failure(soon(iterator.next()))).toBe(errors[0]);
  for (const { closed } of server.requests) expect(await soon(closed)).toEqual({ wasCut: true });
  expect((await soon(run)).data).toBe("untouched");

  expect((await soon(llm.streamChat("three").response)).text).toBe("Hello");
  expect(server.requests).toHaveLength(3);
});

// Wherever it happens, the call fails in the same way, and does not hang.
test.each(["call_new", "call_poll", "call_head", "call_chunk", "call_end", "call_wake", "call_break", "call_desk"])(
  "a trap in %s",
  async (name) => {
    const ending = name === "call_break" ? "cut" : "end";
    const pieces = name === "call_wake" ? [1000] : ["data: {}\n\n", 20];
    const server = await serve(body(pieces, { ending }), whole);
    const llm = clientOf(server.url);
    setLLMWasmModule(llmWasm(name));
    const timeouts = name === "call_wake" ? { firstToken: 0.01 } : {};
    const error = await failure(soon(llm.streamChat("one", { timeouts }).response));
    expect(error).toMatchObject({ name: "EngineError", code: "ENGINE_PANICKED" });
    setLLMWasmModule(usable);
    const url = (await serve(whole)).url;
    expect((await soon(clientOf(url).streamChat("two").response)).text).toBe("Hello");
  },
);
