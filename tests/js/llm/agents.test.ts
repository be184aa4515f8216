// Agents on the clients: what the one asks for, the other sends, and what comes back is understood.

import { CancelledError } from "stepstream";
import { AgentStream, FunctionAgent, tool } from "stepstream/agents";
import { OpenAI } from "stepstream/llm";
import { expect, test } from "vitest";
import * as z from "zod";
import { fails, soon } from "../kit/index.js";
import { body, chatAnswer, chatChunk, chatStream, events, json, serve } from "./kit.js";

const add = tool({
  name: "add",
  description: "Adds two numbers.",
  parameters: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => a + b,
});

const clientAt = (baseURL: string): OpenAI => new OpenAI({ model: "m", apiKey: "k", baseURL, maxRetries: 0 });

test("a tool is called with what the model wrote, and the result goes back", async () => {
  const call = { index: 0, id: "c1", type: "function", function: { name: "add", arguments: '{"a":123,"b":456}' } };
  const asking = events(chatChunk({ tool_calls: [call] }), chatChunk({}, "tool_calls"), "[DONE]");
  const server = await serve(body(asking), body(chatStream("It is ", "579.")));
  const agent = new FunctionAgent({ llm: clientAt(server.url), tools: [add] });
  const run = agent.run("What is 123 + 456?");
  let seen = "";
  for await (const event of run) if (event instanceof AgentStream) seen += event.data.delta;
  const { data } = await soon(run);
  expect({ seen, text: data.text }).toEqual({ seen: "It is 579.", text: "It is 579." });
  expect(data.toolCalls).toMatchObject([{ name: "add", content: "579" }]);
  const [first, second] = server.requests;
  expect(first!.json.tools).toMatchObject([{ function: { name: "add", parameters: { required: ["a", "b"] } } }]);
  expect(second!.json.messages.slice(-2)).toMatchObject([
    { role: "assistant", tool_calls: [{ id: "c1" }] },
    { role: "tool", tool_call_id: "c1", content: "579" },
  ]);
});

test("a run that is cancelled closes the connection of its model", async () => {
  const server = await serve(body(chatStream("It ").slice(0, 1), { ending: "hang" }));
  const run = new FunctionAgent({ llm: clientAt(server.url) }).run("Hi");
  for await (const event of run) {
    if (event instanceof AgentStream) break;
  }
  run.cancel();
  await fails(run, CancelledError, "RUN_CANCELLED");
  expect(await soon(server.requests[0]!.closed)).toEqual({ wasCut: true });
});

test("an answer that does not have the form is asked for again", async () => {
  const server = await serve(
    body(chatStream("Lisbon.")),
    json(chatAnswer({ content: '{"city":7}' })),
    json(chatAnswer({ content: '{"city":"Lisbon"}' })),
  );
  const agent = new FunctionAgent({ llm: clientAt(server.url), outputSchema: z.object({ city: z.string() }) });
  const run = agent.run("The capital of Portugal?");
  expect((await soon(run)).data.structured).toEqual({ city: "Lisbon" });
  const [, , last] = server.requests;
  const complaint = /^The answer is not as the schema says:\n- city: Invalid input/;
  expect(last!.json.messages.map(({ content }: { content: string }) => content)).toContainEqual(
    expect.stringMatching(complaint),
  );
});
