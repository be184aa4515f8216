// The script of lib/script.mjs in the bytes of a server that speaks Chat Completions, streamed and not.
import { lineFor, piecesOf } from "./script.mjs";

const data = (event) => `data: ${JSON.stringify(event)}\n\n`;
const common = { id: "chatcmpl-0", created: 1770000000, model: "small-1" };
const usage = { prompt_tokens: 9, completion_tokens: 9, total_tokens: 18 };

const chunk = (delta, finish = null) =>
  data({
    ...common,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: finish === null ? null : usage,
  });

const functionOf = ({ name, input }) => ({ name, arguments: JSON.stringify(input) });

function eventsOf(line) {
  const begin = { role: "assistant", content: line.text === undefined ? null : "" };
  if (line.text !== undefined) {
    return [chunk(begin), ...piecesOf(line.text).map((content) => chunk({ content })), chunk({}, "stop")];
  }
  const { name, arguments: text } = functionOf(line);
  const part = (more) => chunk({ tool_calls: [{ index: 0, ...more }] });
  return [
    chunk(begin),
    part({ id: line.id, type: "function", function: { name, arguments: "" } }),
    part({ function: { arguments: text } }),
    chunk({}, "tool_calls"),
  ];
}

function messageOf(line) {
  if (line.text !== undefined) return { role: "assistant", content: line.text };
  const call = { id: line.id, type: "function", function: functionOf(line) };
  return { role: "assistant", content: null, tool_calls: [call] };
}

const textOf = (content) => (typeof content === "string" ? content : content.map(({ text }) => text).join(""));

/** What such a server answers to a request. */
function answerTo({ messages, stream = false }) {
  const results = messages.filter(({ role }) => role === "tool").map(({ content }) => textOf(content));
  const line = lineFor(textOf(messages.find(({ role }) => role === "user").content), results);
  if (stream) {
    const body = `${eventsOf(line).join("")}data: [DONE]\n\n`;
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }
  const finish = line.text === undefined ? "tool_calls" : "stop";
  const choices = [{ index: 0, message: messageOf(line), logprobs: null, finish_reason: finish }];
  return Response.json({ ...common, object: "chat.completion", choices, usage });
}

/** A `fetch` that is such a server. */
export const fetchScript = async (_, { body }) =>
  answerTo(JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body)));
