// A model's server that every runtime can ask: it speaks OpenAI's Chat Completions, whole and streamed, lets pages ask from elsewhere, and
// behaves as the name of the model says. `#` and what follows distinguishes callers.
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization, content-type",
  "access-control-expose-headers": "retry-after",
};

const USAGE = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };

const chunk = (delta, finish = null) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  model: "local",
  choices: [{ index: 0, delta, finish_reason: finish }],
});

const sse = (value) => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;

/** Writes a stream in pieces that end anywhere, also inside a character. */
async function writeCut(response, text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length && !response.destroyed; at += 23) {
    response.write(bytes.subarray(at, at + 23));
    if (at % 3 === 0) await pause(1);
  }
}

const textOf = (message) =>
  typeof message.content === "string"
    ? message.content
    : (message.content ?? []).map(({ text }) => text ?? "").join("");

/** What the model says: text, or calls of tools as `[name, arguments]`. */
function answerTo({ messages, tools = [] }, behaviour) {
  const last = messages.at(-1);
  if (behaviour === "react") {
    const seen = textOf(last).includes("Observation:");
    if (seen) return { text: "Thought: I can answer now.\nAnswer: It is 5." };
    return { text: 'Thought: I need a tool.\nAction: add\nAction Input: {"a": 2, "b": 3}' };
  }
  if (behaviour === "desk") return { calls: [["handoff", { toAgent: "adder", reason: "It can add." }]] };
  if (last.role === "tool") {
    const results = messages.filter(({ role }) => role === "tool").map(textOf);
    return { text: `The results: ${results.join(", ")}.` };
  }
  if (tools.length > 0)
    return {
      calls: [
        ["add", { a: 2, b: 3 }],
        ["add", { a: 40, b: 2 }],
      ],
    };
  return { text: `You said: ${textOf(last)}` };
}

const toolCalls = (calls) =>
  calls.map(([name, args], index) => ({
    index,
    id: `call-${index + 1}`,
    type: "function",
    function: { name, arguments: JSON.stringify(args) },
  }));

function streamOf({ text, calls }) {
  if (calls !== undefined) {
    const parts = toolCalls(calls).flatMap(({ index, id, type, function: { name, arguments: args } }) => [
      chunk({ tool_calls: [{ index, id, type, function: { name, arguments: "" } }] }),
      ...(args.match(/.{1,4}/g) ?? []).map((piece) =>
        chunk({ tool_calls: [{ index, function: { arguments: piece } }] }),
      ),
    ]);
    return [...parts, chunk({}, "tool_calls")];
  }
  return [...(text.match(/\s*\S+/gu) ?? []).map((word) => chunk({ content: word })), chunk({}, "stop")];
}

function wholeOf({ text, calls }) {
  const message = { role: "assistant", content: text ?? null, ...(calls && { tool_calls: toolCalls(calls) }) };
  const choices = [{ index: 0, message, finish_reason: calls ? "tool_calls" : "stop" }];
  return { id: "chatcmpl-1", object: "chat.completion", model: "local", choices, usage: USAGE };
}

async function bodyOf(request) {
  const chunks = [];
  for await (const piece of request) chunks.push(piece);
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** Starts it on this machine; `url` leads to the API, `close` ends it. */
export async function startModelServer() {
  const seen = new Map();
  const closed = new Set();

  const json = (response, status, value, headers = {}) =>
    response.writeHead(status, { ...CORS, "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  const refuse = (response, status, message, headers) => json(response, status, { error: { message } }, headers);

  const behaviours = {
    /** Fails once, and asks for little patience. */
    busy(_body, response, count) {
      if (count > 1) return undefined;
      return refuse(response, 429, "Too many requests", { "retry-after": "0" });
    },
    locked: (_body, response) => refuse(response, 401, "Incorrect API key provided"),
    /** Says one word, and then nothing more until the caller has gone. */
    async hanging(_body, response, _count, model) {
      response.on("close", () => closed.add(model));
      response.writeHead(200, { ...CORS, "content-type": "text/event-stream" }).write(sse(chunk({ content: "One" })));
      await new Promise((resolve) => response.on("close", resolve));
    },
    cut(_body, response) {
      response.writeHead(200, { ...CORS, "content-type": "text/event-stream" });
      return response.end(sse(chunk({ content: "Half of" })));
    },
    failing(_body, response) {
      response.writeHead(200, { ...CORS, "content-type": "text/event-stream" });
      return response.end(sse(chunk({ content: "Half" })) + sse({ error: { message: "The server is on fire" } }));
    },
    structured: (_body, response) => json(response, 200, wholeOf({ text: '{"city":"Lisbon","people":545000}' })),
  };

  async function answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, "http://here");
    if (request.method === "OPTIONS") return response.writeHead(204, CORS).end();
    if (pathname === "/closed") return json(response, 200, { closed: closed.has(searchParams.get("model")) });
    const body = await bodyOf(request);
    const { model } = body;
    const count = (seen.get(model) ?? 0) + 1;
    seen.set(model, count);
    const [behaviour] = model.split("#");
    const done = behaviours[behaviour]?.(body, response, count, model);
    if (done !== undefined) return done;
    const said = answerTo(body, behaviour);
    if (!body.stream) return json(response, 200, wholeOf(said));
    response.writeHead(200, { ...CORS, "content-type": "text/event-stream" });
    const end = { ...chunk({}), choices: [], usage: USAGE };
    await writeCut(response, [...streamOf(said), end, "[DONE]"].map(sse).join(""));
    return response.end();
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.destroy(error));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
