// Answers as a real server streams them: they come over time, they are counted, and they can be broken off.

import { type ChatDelta, LLMError } from "stepstream/llm";
import { expect, test } from "vitest";
import { anthropic, isWorking, openai, proxy } from "./kit.js";

const STORY = "Write a long story about a lighthouse.";

const textOf = (delta: ChatDelta): string => (delta.type === "text" ? delta.text : "");

/** The texts of a stream, with when each came. */
async function listen(stream: AsyncIterable<ChatDelta>): Promise<{ readonly text: string; readonly at: number }[]> {
  const heard = [];
  for await (const delta of stream) if (delta.type === "text") heard.push({ text: delta.text, at: performance.now() });
  return heard;
}

for (const [name, client] of [
  ["OpenAI's protocol", openai],
  ["Anthropic's protocol", anthropic],
] as const) {
  test(`${name}: an answer comes in pieces while it is written, and the pieces are the answer`, async () => {
    const stream = client().streamChat(STORY, { maxTokens: 60 });
    const heard = await listen(stream);
    const response = await stream.response;
    expect(heard.length).toBeGreaterThan(20);
    // Sixty tokens take the model some tenths of a second; an answer that was held back would come at once.
    expect(heard.at(-1)!.at - heard[0]!.at).toBeGreaterThan(50);
    expect(heard.map(({ text }) => text).join("")).toBe(response.text);
    expect(response.message).toMatchObject({ role: "assistant", content: [{ type: "text", text: response.text }] });
  });

  test(`${name}: what was used is counted, and why the model stopped is reported`, async () => {
    const stream = client().streamChat(STORY, { maxTokens: 12 });
    const response = await stream.response;
    expect(response).toMatchObject({ finishReason: "length", model: "smollm2-135m-instruct" });
    expect(response.usage.output).toBe(12);
    expect(response.usage.input).toBeGreaterThan(10);
    expect(await client().chat(STORY, { maxTokens: 12 })).toMatchObject({
      finishReason: "length",
      usage: { output: 12 },
    });
  });
}

test("an answer is aborted half-way: the connection is closed and the server stops working", async () => {
  const watched = await proxy();
  const controller = new AbortController();
  const stream = openai(watched.address).streamChat(STORY, { maxTokens: 3000, signal: controller.signal });
  let heard = "";
  const loop = (async () => {
    for await (const delta of stream) {
      heard += textOf(delta);
      if (heard.length > 40) controller.abort();
    }
  })();
  const failure: unknown = await loop.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(LLMError);
  const { code, partial } = failure as LLMError;
  expect(code).toBe("LLM_ABORTED");
  expect(partial?.text.startsWith(heard)).toBe(true);
  expect(await watched.closedByClient).toBeGreaterThan(0);
  await expect.poll(isWorking).toBe(false);
});

test("a loop that is left closes the connection too", async () => {
  const watched = await proxy();
  for await (const text of openai(watched.address).streamComplete(STORY, { maxTokens: 3000 })) {
    if (text !== "") break;
  }
  expect(await watched.closedByClient).toBeGreaterThan(0);
  await expect.poll(isWorking).toBe(false);
});

test("a call without a stream closes the connection when it is aborted", async () => {
  const watched = await proxy();
  const signal = AbortSignal.timeout(300);
  const call = openai(watched.address).chat(STORY, { maxTokens: 200, signal });
  await expect(call).rejects.toMatchObject({ code: "LLM_ABORTED" });
  // This server looks at the connection only while it streams: that it is closed is all that can be seen.
  expect(await watched.closedByClient).toBe(0);
});

test("a time limit between the tokens of a working model is not met, a limit of the whole is", async () => {
  const call = openai().chat(STORY, { maxTokens: 3000, timeouts: { total: 1 } });
  await expect(call).rejects.toMatchObject({ code: "LLM_TIMEOUT" });
  const patient = openai().streamChat(STORY, { maxTokens: 20, timeouts: { firstToken: 100, betweenTokens: 100 } });
  expect((await patient.response).usage.output).toBe(20);
});

test("a conversation that is too long is reported as such", async () => {
  const call = openai().chat("word ".repeat(6000));
  await expect(call).rejects.toMatchObject({ code: "LLM_CONTEXT_LENGTH", status: 400 });
});
