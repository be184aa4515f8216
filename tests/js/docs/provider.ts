// The language model that the programs in the documents talk to. The programs are written as for OpenAI, and the
// environment points them to this server, which plays the model: it answers each question with a fixed text, so that
// the output is the same every time.
import { LLMock } from "@copilotkit/aimock";
import { answers } from "./answers.ts";

/** One answer of the model: a text, or the calls of tools that it asks for. */
export type Answer = string | readonly { readonly name: string; readonly arguments: object }[];

/** What a request looks like, as far as the choice of an answer needs it. */
interface Request {
  readonly messages: readonly { readonly role: string; readonly content?: unknown }[];
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  const parts = (Array.isArray(content) ? content : []) as { readonly text?: string }[];
  return parts.map(({ text = "" }) => text).join("");
}

/** How many messages the model has written since `question` was asked; -1 if the last question is another one. */
function turnOf({ messages }: Request, question: string): number {
  let turn = -1;
  for (const { role, content } of messages) {
    if (role === "assistant" && turn >= 0) turn += 1;
    const asked = role === "user" && answers.find(([known]) => textOf(content).includes(known));
    if (asked) turn = asked[0] === question ? 0 : -1;
  }
  return turn;
}

/** Starts the server on a free port of this machine. It has to be stopped. */
export async function startProvider(): Promise<{
  readonly env: NodeJS.ProcessEnv;
  readonly stop: () => Promise<void>;
}> {
  const mock = new LLMock({ port: 0, host: "127.0.0.1" });
  for (const [question, ...turns] of answers) {
    for (const [nth, answer] of turns.entries()) {
      mock.on({ predicate: (request) => turnOf(request as Request, question) === nth }, response(answer, nth), {
        chunkSize: 8,
      });
    }
  }
  await mock.start();
  const env = { OPENAI_BASE_URL: `${mock.url}/v1`, OPENAI_API_KEY: "any" };
  return { env, stop: () => mock.stop() };
}

function response(answer: Answer, turn: number) {
  if (typeof answer === "string") return { content: answer };
  const toolCalls = answer.map((call, nth) => ({
    id: `call-${turn}-${nth}`,
    name: call.name,
    arguments: JSON.stringify(call.arguments),
  }));
  return { toolCalls };
}
