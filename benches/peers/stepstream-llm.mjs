// Decoding by stepstream's clients, from the body of an answer to the whole message; `read` also looks at every delta.
import { Anthropic, Gemini, OpenAI } from "stepstream/llm";
import { responseOf } from "../lib/streams.mjs";

const common = { model: "small-1", apiKey: "none" };
const messages = [{ role: "user", content: "Go on." }];

const clients = {
  chat: (fetch) => new OpenAI({ ...common, api: "chat", fetch }),
  responses: (fetch) => new OpenAI({ ...common, api: "responses", fetch }),
  anthropic: (fetch) => new Anthropic({ ...common, fetch }),
  gemini: (fetch) => new Gemini({ ...common, fetch }),
};

const streamOf = (form, kB) => clients[form](async () => responseOf(form, kB)).streamChat(messages);

const decode = (form) => async (kB) => (await streamOf(form, kB).response).text.length;

const decodeAndRead = (form) => async (kB) => {
  let length = 0;
  for await (const delta of streamOf(form, kB)) if (delta.type === "text") length += delta.text.length;
  return length;
};

const cases = (work) => ({
  decodeChat: work("chat"),
  decodeResponses: work("responses"),
  decodeAnthropic: work("anthropic"),
  decodeGemini: work("gemini"),
});

export default cases(decode);
export const read = cases(decodeAndRead);
