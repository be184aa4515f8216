// Long streams in the words of each API, shaped like recorded ones: the events of a few words, over and over.

/** What a model writes: pieces of the size of tokens, with escapes and characters of several bytes among them. */
const WORDS = ' the| quick| brown| fox|,| jumps| over|\n|\n- **| "lazy"| Hünde| 🦀|.| again| and| on'.split("|");

const data = (event) => `data: ${JSON.stringify(event)}\n\n`;
const named = (event) => `event: ${event.type}\n${data(event)}`;

const chunk = (choice, usage = null) =>
  data({
    id: "chatcmpl-Zx0Zx0Zx0Zx0Zx0Zx0Zx0Zx0Zx0Zx",
    object: "chat.completion.chunk",
    created: 1770000000,
    model: "small-1-2026-01-01",
    service_tier: "default",
    system_fingerprint: "fp_0000000000",
    choices: [{ index: 0, logprobs: null, finish_reason: null, ...choice }],
    usage,
    obfuscation: "Zx0Zx0Zx",
  });

let sequence = 0;
const response = (event) => named({ ...event, sequence_number: (sequence += 1) });
const itemId = "msg_0000000000000000000000000000000000000000000000000";

const part = (text, more = {}) =>
  data({
    candidates: [{ content: { parts: [{ text }], role: "model" }, index: 0, ...more }],
    usageMetadata: {
      promptTokenCount: 9,
      candidatesTokenCount: 23,
      totalTokenCount: 32,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 9 }],
    },
    modelVersion: "small-1",
    responseId: "Zx0Zx0Zx0Zx0Zx0Zx0Zx0Zx",
  });

/** How each API begins, says something, and ends. */
export const forms = {
  chat: {
    begin: chunk({ delta: { role: "assistant", content: "", refusal: null } }),
    say: (text) => chunk({ delta: { content: text } }),
    end: `${chunk({ delta: {}, finish_reason: "stop" })}data: [DONE]\n\n`,
  },
  responses: {
    begin:
      response({ type: "response.created", response: { id: "resp_0", model: "small-1", output: [] } }) +
      response({
        type: "response.output_item.added",
        output_index: 0,
        item: { id: itemId, type: "message", status: "in_progress", content: [], role: "assistant" },
      }),
    say: (delta) =>
      response({
        type: "response.output_text.delta",
        item_id: itemId,
        output_index: 0,
        content_index: 0,
        delta,
        logprobs: [],
        obfuscation: "Zx0Zx0Zx",
      }),
    end: response({ type: "response.completed", response: { id: "resp_0", model: "small-1", status: "completed" } }),
  },
  anthropic: {
    begin:
      named({ type: "message_start", message: { id: "msg_0", model: "small-1", usage: { input_tokens: 9 } } }) +
      named({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    say: (text) => named({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
    end:
      named({ type: "content_block_stop", index: 0 }) +
      named({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 9 } }) +
      named({ type: "message_stop" }),
  },
  gemini: { begin: "", say: (text) => part(text), end: part("", { finishReason: "STOP" }) },
};

const made = new Map();

/** A stream of at least so many kB, and how long its text is in UTF-16 units. */
export function streamOf(form, kB) {
  const key = `${form} ${kB}`;
  const found = made.get(key);
  if (found) return found;
  const { begin, say, end } = forms[form];
  const round = Buffer.from(WORDS.map(say).join(""));
  const rounds = Math.ceil((kB * 1e3) / round.length);
  const parts = [Buffer.from(begin), ...Array.from({ length: rounds }, () => round), Buffer.from(end)];
  const stream = { bytes: new Uint8Array(Buffer.concat(parts)), length: rounds * WORDS.join("").length };
  made.set(key, stream);
  return stream;
}

/** As much as a busy socket gives at once. */
const PIECE = 16_384;

/** An answer whose body comes in pieces, as `fetch` would give it. */
export function responseOf(form, kB) {
  const { bytes } = streamOf(form, kB);
  let at = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, (at += PIECE)));
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
