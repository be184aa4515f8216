// What every client must make of a provider's good and bad days, against a server that is not ours (aimock-server.ts). The laws depend on
// no test library, because a page in a browser checks them as well as Node does.

import { type ChatDelta, type ChatMessage, LLMError } from "stepstream/llm";
import { type Dialect, dialects } from "./dialects.js";

const { chat, responses, anthropic, gemini } = dialects;

/** What the server says slowly. */
export const COUNTING = "one two three four five six seven eight nine ten";

/**
 * How often a slow answer may be asked for: on a busy machine, all of one may be there before the client looks, but not
 * of each.
 */
const ATTEMPTS = 10;

/** The clients by name. */
export const clients: Readonly<Record<string, Dialect>> = { chat, responses, anthropic, gemini };

function equal(found: unknown, wanted: unknown, what: string): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what}: ${left} instead of ${right}`);
}

function ok(value: unknown, what: string): asserts value {
  if (!value) throw new Error(what);
}

const user = (content: string): readonly ChatMessage[] => [{ role: "user", content }];

const tool = (name: string, member: string): { name: string; parameters: Record<string, unknown> } => ({
  name,
  parameters: { type: "object", properties: { [member]: { type: "string" } } },
});

async function failure(promise: Promise<unknown>): Promise<LLMError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  ok(outcome instanceof LLMError, `an LLMError was expected, not ${String(outcome)}`);
  return outcome;
}

/** A law asks one client at one address. */
type Law = (dialect: Dialect, baseURL: string) => Promise<void>;

export const laws: Readonly<Record<string, Law>> = {
  async "text comes piece by piece"(dialect, baseURL) {
    const stream = dialect.client({ baseURL }).streamChat(user("greet"));
    const deltas: ChatDelta[] = [];
    for await (const delta of stream) deltas.push(delta);
    const response = await stream.response;
    equal(response.text, "Grüße, 世界 👩‍🚀! Wie geht es?", "text");
    equal(response.reasoning, "I say hello.", "reasoning");
    equal(response.finishReason, "stop", "finish reason");
    ok(response.usage.output !== undefined, "usage is known");
    const texts = deltas.filter((delta) => delta.type === "text");
    ok(texts.length > 3, `${texts.length} pieces of text`);
    equal(texts.map((delta) => delta.text).join(""), response.text, "the deltas are the text");
    equal(deltas.at(-1), { type: "finish", reason: "stop" }, "the last delta");
  },

  async "an answer in one piece"(dialect, baseURL) {
    const response = await dialect.client({ baseURL }).chat(user("greet"));
    equal(response.text, "Grüße, 世界 👩‍🚀! Wie geht es?", "text");
    equal(response.finishReason, "stop", "finish reason");
  },

  async "tools are called, and their results are understood"(dialect, baseURL) {
    const client = dialect.client({ baseURL });
    const options = { tools: [tool("weather", "city"), tool("time", "zone")] };
    const asked = user("weather");
    const stream = client.streamChat(asked, options);
    const pieces: Record<number, string> = {};
    for await (const delta of stream) {
      if (delta.type === "toolCallDelta") pieces[delta.index] = (pieces[delta.index] ?? "") + delta.text;
    }
    const { message, toolCalls, finishReason, text } = await stream.response;
    equal(
      toolCalls.map((call) => [call.name, JSON.parse(call.arguments)]),
      [
        ["weather", { city: "Köln", days: 2 }],
        ["time", { zone: "CET" }],
      ],
      "calls",
    );
    // The server gives Gemini's answers a reason that Gemini does not know.
    equal([finishReason, text], [dialect === gemini ? "other" : "toolCalls", "I look."], "finish reason and text");
    equal(
      Object.values(pieces),
      toolCalls.map((call) => call.arguments),
      "the deltas are the arguments",
    );
    ok(new Set(toolCalls.map(({ id }) => id)).size === 2, "each call has an id of its own");
    const results = toolCalls.map(({ id, name }) => ({ type: "toolResult", id, content: `${name}: fine` }) as const);
    const answer = await client.chat([...asked, message, { role: "tool", content: results }], options);
    equal([answer.text, answer.toolCalls], ["Sunny, at noon.", []], "the answer");
  },

  async "a server that failed once is asked again"(dialect, baseURL) {
    // The server counts the requests of each such id by itself.
    const headers = { "x-test-id": `${dialect.name} ${Math.random()}` };
    const response = await dialect.client({ baseURL, headers }).chat(user("flaky"));
    equal(response.text, "Now it works.", "text");
  },

  async "a wrong key is reported"(dialect, baseURL) {
    const error = await failure(dialect.client({ baseURL }).streamChat(user("locked")).response);
    equal([error.code, error.status], ["LLM_AUTH", 401], "error");
    ok(error.message.includes("Who are you?"), error.message);
  },

  async "a rate limit is reported, without waiting for long"(dialect, baseURL) {
    const error = await failure(dialect.client({ baseURL, maxRetries: 0 }).chat(user("crowded")));
    equal([error.code, error.status], ["LLM_RATE_LIMIT", 429], "error");
    // Pages see the header only where the server shows it to them.
    if (typeof document === "undefined") equal(error.retryAfter, 90, "retryAfter");
  },

  async "a slow answer is seen as it grows"(dialect, baseURL) {
    let growth = 0;
    for (let attempt = 0; attempt < ATTEMPTS && growth < 200; attempt += 1) {
      const stream = dialect.client({ baseURL }).streamChat(user("slow"));
      const times: number[] = [];
      for await (const delta of stream) if (delta.type === "text") times.push(performance.now());
      growth = times.at(-1)! - times[0]!;
      equal((await stream.response).text, COUNTING, "text");
    }
    ok(growth >= 200, `it came within ${growth} ms, ${ATTEMPTS} times`);
  },

  async "a slow answer can be aborted"(dialect, baseURL) {
    let length = COUNTING.length;
    for (let attempt = 0; attempt < ATTEMPTS && length === COUNTING.length; attempt += 1) {
      const controller = new AbortController();
      const stream = dialect.client({ baseURL }).streamChat(user("slow"), { signal: controller.signal });
      const heard = failure(stream.response);
      try {
        for await (const delta of stream) if (delta.type === "text") controller.abort();
      } catch (error) {
        equal(error === (await heard), true, "loop and promise end alike");
      }
      const { code, partial } = await heard;
      equal(code, "LLM_ABORTED", "code");
      length = partial?.text.length ?? 0;
    }
    ok(length > 0 && length < COUNTING.length, `${length} of ${COUNTING.length} characters had arrived`);
  },

  async "an answer that breaks off keeps what had arrived"(dialect, baseURL) {
    const { code, partial } = await failure(dialect.client({ baseURL }).streamChat(user("broken")).response);
    equal(code, "LLM_STREAM_CUT", "code");
    ok(partial && partial.text.length > 0 && COUNTING.startsWith(partial.text), "partial text");
  },
};
