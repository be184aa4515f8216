// Decoding of a stream of Chat Completions, written plainly and without a package: what a program would do by itself.
import { responseOf } from "../lib/streams.mjs";

const PREFIX = "data: ";

export default {
  async decodeChat(kB) {
    let text = "";
    let rest = "";
    const decoder = new TextDecoder();
    const reader = responseOf("chat", kB).body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text.length;
      const events = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        const data = event.slice(PREFIX.length);
        if (data !== "[DONE]") text += JSON.parse(data).choices[0]?.delta.content ?? "";
      }
    }
  },
};
