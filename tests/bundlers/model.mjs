// A model on this machine, as far as the app needs one: the form of Chat Completions, streamed, and open to pages of other origins.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const chunk = (delta, finish_reason = null) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  model: "m",
  choices: [{ index: 0, delta, finish_reason }],
});

const call = { index: 0, id: "c1", type: "function", function: { name: "add", arguments: '{"a":1,"b":2}' } };
const usage = { id: "chatcmpl-1", choices: [], usage: { prompt_tokens: 7, completion_tokens: 2 } };

function answer({ messages, tools }) {
  const { role, content } = messages.at(-1);
  if (role === "tool") return [chunk({ content: `It is ${content}.` }), chunk({}, "stop")];
  if (tools) return [chunk({ tool_calls: [call] }), chunk({}, "tool_calls")];
  return [chunk({ content: "Grüße, " }), chunk({ content: "世界" }), chunk({}, "stop")];
}

const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "*, authorization",
  "access-control-allow-methods": "POST",
};

async function reply(request, response) {
  if (request.method === "OPTIONS") return response.writeHead(204, cors).end();
  const asked = JSON.parse(await text(request));
  if (asked.messages.at(-1).content === "Refuse") {
    const error = JSON.stringify({ error: { message: "no such key" } });
    return response.writeHead(401, { ...cors, "content-type": "application/json" }).end(error);
  }
  response.writeHead(200, { ...cors, "content-type": "text/event-stream" });
  for (const event of [...answer(asked), usage]) {
    response.write(`data: ${JSON.stringify(event)}\n\n`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return response.end("data: [DONE]\n\n");
}

/** Starts one; resolves with its address for clients, and how to stop it. */
export async function startModel() {
  const server = createServer((request, response) => {
    reply(request, response).catch((error) => response.destroy(error));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseURL: `http://127.0.0.1:${server.address().port}/v1`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
