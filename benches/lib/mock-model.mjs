// The model of the AI SDK's own tests (`ai/test`) with the script of lib/script.mjs. Mastra takes the same object.
import { MockLanguageModelV4 } from "ai/test";
import { lineFor, piecesOf } from "./script.mjs";

const USAGE = {
  inputTokens: { total: 9, noCache: 9, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 9, text: 9, reasoning: undefined },
};
const reason = (unified) => ({ unified, raw: undefined });

const valueOf = ({ output }) => (typeof output.value === "object" ? JSON.stringify(output.value) : output.value);

/** The line that comes next in a conversation in the form of the AI SDK. */
function nextLine(prompt) {
  const parts = prompt.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  const question = prompt.find(({ role }) => role === "user").content[0].text;
  return lineFor(question, parts.filter(({ type }) => type === "tool-result").map(valueOf));
}

const callOf = ({ id, name, input }) => ({
  type: "tool-call",
  toolCallId: id,
  toolName: name,
  input: JSON.stringify(input),
});

function streamed(line) {
  const finish = (why) => ({ type: "finish", finishReason: reason(why), usage: USAGE });
  const start = { type: "stream-start", warnings: [] };
  if (line.text === undefined) {
    const call = callOf(line);
    const input = [
      { type: "tool-input-start", id: line.id, toolName: line.name },
      { type: "tool-input-delta", id: line.id, delta: call.input },
      { type: "tool-input-end", id: line.id },
    ];
    return [start, ...input, call, finish("tool-calls")];
  }
  const deltas = piecesOf(line.text).map((delta) => ({ type: "text-delta", id: "text", delta }));
  return [start, { type: "text-start", id: "text" }, ...deltas, { type: "text-end", id: "text" }, finish("stop")];
}

/** Chunks that are there at once; the one of the SDK, `simulateReadableStream`, waits for a timer before each. */
const streamOf = (chunks) =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

/** A model, and `forget`, which drops the calls that it has recorded: nothing else does, and they are whole prompts. */
export function mockModel() {
  const model = new MockLanguageModelV4({
    doGenerate: async ({ prompt }) => {
      const line = nextLine(prompt);
      const isCall = line.text === undefined;
      return {
        content: [isCall ? callOf(line) : { type: "text", text: line.text }],
        finishReason: reason(isCall ? "tool-calls" : "stop"),
        usage: USAGE,
        warnings: [],
      };
    },
    doStream: async ({ prompt }) => ({ stream: streamOf(streamed(nextLine(prompt))) }),
  });
  const forget = () => {
    model.doGenerateCalls.length = 0;
    model.doStreamCalls.length = 0;
  };
  return { model, forget };
}
