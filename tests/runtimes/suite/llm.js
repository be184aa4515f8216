// Calls of models over the runtime's own `fetch`, to the server of lib/model-server.mjs.

import { StopEvent } from "stepstream";
import { LLMError, OpenAICompatible, callTool, tool } from "stepstream/llm";
import { Progress, equal, eventsOf, fails, ok, pause, single, soon } from "./kit.js";

let calls = 0;

export const add = tool({
  name: "add",
  description: "Adds two numbers.",
  parameters: {
    type: "object",
    properties: { a: { type: "number" }, b: { type: "number" } },
    required: ["a", "b"],
    additionalProperties: false,
  },
  execute: ({ a, b }) => a + b,
});

/** A client of a model that behaves in this way, and is used by one test alone. */
export function client(server, behaviour = "plain", options = {}) {
  const model = `${behaviour}#${(calls += 1)} ${Math.random()}`;
  return new OpenAICompatible({ baseURL: server, model, apiKey: "sk-not-a-key", server: "generic", ...options });
}

/** @param server The address of the model's server. */
export const llm = (server) => ({
  async "models: a whole answer, and a streamed one, with usage"() {
    equal(await soon(client(server).complete("Grüße, 𝄞!")), "You said: Grüße, 𝄞!");
    const stream = client(server).streamChat([{ role: "user", content: "in pieces: ä€𝄞 ok" }]);
    const pieces = [];
    for await (const delta of stream) if (delta.type === "text") pieces.push(delta.text);
    const { text, usage, finishReason } = await soon(stream.response);
    ok(pieces.length > 2, `the answer came in ${pieces.length} pieces`);
    equal([pieces.join(""), text, finishReason], [text, "You said: in pieces: ä€𝄞 ok", "stop"]);
    equal([usage.input, usage.output], [7, 5]);
  },

  async "models: several tools at once, called, and their results given back"() {
    const messages = [{ role: "user", content: "2 + 3, and 40 + 2" }];
    const first = await soon(client(server).streamChat(messages, { tools: [add] }).response);
    equal(
      first.toolCalls.map(({ name, arguments: text }) => [name, JSON.parse(text)]),
      [
        ["add", { a: 2, b: 3 }],
        ["add", { a: 40, b: 2 }],
      ],
    );
    equal(first.finishReason, "toolCalls");
    const results = await Promise.all(first.toolCalls.map((call) => callTool([add], call)));
    const next = [...messages, first.message, { role: "tool", content: results }];
    equal((await soon(client(server).chat(next, { tools: [add] }))).text, "The results: 5, 42.");
  },

  async "models: an answer in a form"() {
    const schema = {
      type: "object",
      properties: { city: { type: "string" }, people: { type: "integer" } },
      required: ["city", "people"],
    };
    const { object } = await soon(client(server, "structured").chat("Where?", { responseFormat: { schema } }));
    equal(object, { city: "Lisbon", people: 545_000 });
  },

  async "models: a busy server is asked again, a refusal is not"() {
    equal(await soon(client(server, "busy").complete("again")), "You said: again");
    const error = await fails(client(server, "locked").complete("let me in"), LLMError, "LLM_AUTH");
    equal(error.status, 401);
    ok(!`${error.message} ${error.stack} ${JSON.stringify(error)}`.includes("sk-not-a-key"), "the key is in the error");
  },

  async "models: a broken stream says what had arrived"() {
    const cut = client(server, "cut").streamChat("go on").response;
    equal((await fails(cut, LLMError, "LLM_STREAM_CUT")).partial.text, "Half of");
    const failing = client(server, "failing").streamChat("go on").response;
    equal((await fails(failing, LLMError, "LLM_STREAM_ERROR")).partial.text, "Half");
  },

  async "models: a timeout between tokens, and no server"() {
    const patience = { timeouts: { betweenTokens: 0.1 }, maxRetries: 0 };
    await fails(client(server, "hanging", patience).streamChat("hm").response, LLMError, "LLM_TIMEOUT");
    const noServer = client("http://127.0.0.1:1/v1", "plain", { maxRetries: 0 });
    await fails(noServer.complete("hello?"), LLMError, "LLM_NETWORK");
  },

  async "models: an abort closes the connection"() {
    const model = client(server, "hanging");
    const stream = model.streamChat("wait");
    for await (const delta of stream) {
      ok(delta.text === "One", `it began with ${delta.text}`);
      break;
    }
    const second = client(server, "hanging");
    const controller = new AbortController();
    const byHand = second.streamChat("wait", { signal: controller.signal });
    const failing = fails(byHand.response, LLMError, "LLM_ABORTED");
    for await (const _ of byHand) {
      controller.abort();
      break;
    }
    equal((await failing).partial.text, "One");
    for (const { model: name } of [model, second]) {
      const address = `${new URL(server).origin}/closed?model=${encodeURIComponent(name)}`;
      const isClosed = async () => {
        while (!(await (await fetch(address)).json()).closed) await pause(20);
      };
      await soon(isClosed(), `the connection of ${name}`);
    }
  },

  async "models: in a step, streamed on, with the client in data"() {
    const workflow = single(async ({ data, signal, writeEventToStream }, event) => {
      const stream = data.llm.streamChat(event.data, { signal });
      for await (const delta of stream) if (delta.type === "text") writeEventToStream(new Progress(delta.text));
      return new StopEvent((await stream.response).text);
    });
    const run = workflow.run("one two three").with({ llm: client(server) });
    const events = await soon(eventsOf(run));
    const streamed = events.filter((event) => event instanceof Progress).map(({ data }) => data);
    equal([streamed.join(""), run.result], ["You said: one two three", "You said: one two three"]);
  },
});
