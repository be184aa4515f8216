// Decoding as JavaScript clients do it: eventsource-parser for the framing, JSON.parse for the events, and the few members that hold text.
// It does less than a client has to: no tool calls, no reasoning, no usage, no errors.
import { createParser } from "eventsource-parser";
import { responseOf } from "../lib/streams.mjs";

const textOf = {
  chat: (event) => event.choices[0]?.delta.content,
  responses: (event) => (event.type === "response.output_text.delta" ? event.delta : undefined),
  anthropic: (event) => (event.type === "content_block_delta" ? event.delta.text : undefined),
  gemini: (event) => event.candidates[0].content.parts[0].text,
};

const decode = (form) => async (kB) => {
  let text = "";
  const parser = createParser({
    onEvent({ data }) {
      if (data !== "[DONE]") text += textOf[form](JSON.parse(data)) ?? "";
    },
  });
  const decoder = new TextDecoder();
  const reader = responseOf(form, kB).body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text.length;
    parser.feed(decoder.decode(value, { stream: true }));
  }
};

export default {
  decodeChat: decode("chat"),
  decodeResponses: decode("responses"),
  decodeAnthropic: decode("anthropic"),
  decodeGemini: decode("gemini"),
};
