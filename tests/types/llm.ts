// Clients of models: what a call gives follows from its options.
import {
  Anthropic,
  type CallOptions,
  type ChatDelta,
  type ChatMessage,
  type ChatResponse,
  type FinishReason,
  Gemini,
  type LLM,
  type ObjectResponse,
  OpenAI,
  OpenAICompatible,
  tool,
} from "stepstream/llm";
import * as v from "valibot";
import * as z from "zod";
import { type Equal, type IsAny, expectType, expectValue } from "./helpers.js";

const llm = new OpenAI({ model: "m", apiKey: async () => "k", api: "responses", timeouts: { total: null } });
const models: readonly LLM[] = [
  llm,
  new OpenAICompatible({ baseURL: "http://127.0.0.1/v1", model: "m", server: "llamacpp" }),
  new Anthropic({ model: "m", dangerouslyAllowBrowser: true, maxTokens: 100 }),
  new Gemini({ model: "m", fetch: globalThis.fetch, headers: { "x-team": "a" } }),
];

// @ts-expect-error -- no model.
new OpenAI({ apiKey: "k" });
// @ts-expect-error -- no address.
new OpenAICompatible({ model: "m" });
// @ts-expect-error -- no such server.
new OpenAICompatible({ baseURL: "", model: "m", server: "lama" });
// @ts-expect-error -- tools belong to a call.
new OpenAI({ model: "m", tools: [] });
// @ts-expect-error -- there is no way to the key.
void llm.apiKey;

const messages: ChatMessage[] = [
  { role: "system", content: "Be brief." },
  {
    role: "user",
    content: [
      { type: "image", data: "", mediaType: "image/png" },
      { type: "text", text: "What is it?" },
    ],
  },
];
const options: CallOptions = { temperature: 0, signal: AbortSignal.timeout(1), toolChoice: { name: "add" } };
expectValue<Promise<string>>()(llm.complete("Hi", options));
expectValue<Promise<ChatResponse>>()(llm.chat(messages, options));
expectValue<Promise<ChatResponse>>()(llm.streamChat("Hi").response);
expectType<Equal<ChatResponse["finishReason"], FinishReason | undefined>>();
// @ts-expect-error -- a misspelt option.
void llm.chat("Hi", { temprature: 1 });
// @ts-expect-error -- a misspelt option beside a schema.
void llm.chat("Hi", { responseFormat: z.object({}), temprature: 1 });
// @ts-expect-error -- a message says who speaks.
void llm.chat([{ content: "Hi" }]);

// The object of an answer.
const city = z.object({ name: z.string(), people: z.string().transform(Number) });
interface City {
  name: string;
  people: number;
}
expectValue<Promise<ObjectResponse<City>>>()(llm.chat("Lisbon", { responseFormat: city }));
expectValue<Promise<ObjectResponse<City>>>()(llm.chat("Lisbon", { responseFormat: { name: "city", schema: city } }));
expectValue<Promise<ObjectResponse<City>>>()(llm.streamChat("Lisbon", { responseFormat: city }).response);
const add = tool({ name: "add", execute: () => 1 });
// With tools, the model may ask for those first.
expectValue<Promise<ObjectResponse<City | undefined>>>()(llm.chat("Lisbon", { responseFormat: city, tools: [add] }));
void llm
  .chat("Lisbon", { responseFormat: { schema: v.object({ name: v.string() }), jsonSchema: { type: "object" } } })
  .then(({ object }) => expectValue<string>()(object.name));
const json = { responseFormat: { schema: { type: "object" } } };
expectValue<Promise<ObjectResponse<unknown>>>()(llm.chat("Lisbon", json));
expectValue<Promise<ObjectResponse<City>>>()(llm.chat<City>("Lisbon", json));

for await (const delta of llm.streamChat("Hi")) {
  expectValue<ChatDelta>()(delta);
  if (delta.type === "finish") expectValue<FinishReason>()(delta.reason);
  if (delta.type === "toolCallStart") expectValue<string>()(delta.name);
}
for await (const text of llm.streamComplete("Hi")) expectValue<string>()(text);
expectType<Equal<IsAny<Awaited<ReturnType<typeof llm.chat>>>, false>>();

// A model of one's own.
const echo: LLM = {
  chat: async (given) => ({ message: { role: "assistant", content: given.at(-1)?.content ?? "" } }),
  streamChat: (given) => ({
    response: echo.chat(given),
    async *[Symbol.asyncIterator]() {
      yield { type: "finish", reason: "stop" } as const;
    },
  }),
};
export { echo, models };
