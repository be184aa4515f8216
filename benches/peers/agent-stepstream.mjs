// stepstream's agent with the scripted model as an object, as the peers have it: no bytes are parsed. The part `bytes`
// has a client of stepstream/llm instead, and a `fetch` that answers with the streams of a server.
import { AgentStream, FunctionAgent, tool } from "stepstream/agents";
import { OpenAI } from "stepstream/llm";
import { z } from "zod";
import { INSTRUCTIONS, lineFor, piecesOf, questionOf } from "../lib/script.mjs";
import { fetchScript } from "../lib/script-bodies.mjs";

const parameters = z.object({ a: z.number(), b: z.number() });
const tools = [
  tool({ name: "add", description: "Adds two numbers.", parameters, execute: async ({ a, b }) => a + b }),
  tool({ name: "multiply", description: "Multiplies two numbers.", parameters, execute: async ({ a, b }) => a * b }),
];

const textOf = (content) => (typeof content === "string" ? content : content.map(({ text }) => text).join(""));

/** The line that comes next in a conversation in stepstream's form. */
function nextLine(messages) {
  const blocks = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  const results = blocks.filter(({ type }) => type === "toolResult");
  return lineFor(
    textOf(messages.find(({ role }) => role === "user").content),
    results.map(({ content }) => textOf(content)),
  );
}

function responseOf({ id, name, input, text }) {
  const block =
    text === undefined ? { type: "toolCall", id, name, arguments: JSON.stringify(input) } : { type: "text", text };
  return { message: { role: "assistant", content: [block] }, usage: { input: 9, output: 9 } };
}

async function* deltasOf({ id, name, input, text }) {
  if (text !== undefined) {
    for (const piece of piecesOf(text)) yield { type: "text", index: 0, text: piece };
    return;
  }
  yield { type: "toolCallStart", index: 0, id, name };
  yield { type: "toolCallDelta", index: 0, text: JSON.stringify(input) };
  yield { type: "toolCallEnd", index: 0 };
}

/** A model of one's own, as docs/agents.md describes it. */
const scripted = {
  chat: async (messages) => responseOf(nextLine(messages)),
  streamChat(messages) {
    const line = nextLine(messages);
    return { response: Promise.resolve(responseOf(line)), [Symbol.asyncIterator]: () => deltasOf(line) };
  },
};

const client = new OpenAI({ model: "small-1", apiKey: "none", api: "chat", fetch: fetchScript });

function cases(llm) {
  const common = { llm, systemPrompt: INSTRUCTIONS, tools };
  const quiet = new FunctionAgent({ ...common, streaming: false });
  const streaming = new FunctionAgent(common);
  return {
    agentTurn: async (i) => (await quiet.run(questionOf(i))).data.text,

    async agentStream(i) {
      let text = "";
      for await (const event of streaming.run(questionOf(i)))
        if (event instanceof AgentStream) text += event.data.delta;
      return text;
    },
  };
}

export default cases(scripted);
export const bytes = cases(client);
