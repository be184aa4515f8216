// What the tests of agents have in common: a model that says what a script gives it, and tools that calculate.

import { StreamReset, type WorkflowContext, type WorkflowEvent } from "stepstream";
import {
  AgentStream,
  type AgentStreamData,
  type ChatDelta,
  type ChatMessage,
  type ChatOptions,
  type ContentBlock,
  type LLM,
  type OwnResponse,
  type OwnStream,
  type Tool,
  type Usage,
  tool,
} from "stepstream/agents";

/** A call of a tool in a script. */
export interface ScriptedCall {
  readonly name: string;
  readonly args: unknown;
  readonly id?: string;
}

/** What the model says; a string is its text. */
export type Line =
  | string
  | Error
  | {
      readonly text?: string;
      readonly reasoning?: string;
      readonly calls?: readonly ScriptedCall[];
      readonly usage?: Usage;
    };

/** The lines in order, or what to say to a conversation. */
export type Script = readonly Line[] | ((messages: readonly ChatMessage[], options: ChatOptions) => Line);

/** One call of the model, as it was made. */
export interface Request {
  readonly messages: readonly ChatMessage[];
  readonly options: ChatOptions;
  readonly isStream: boolean;
}

/** How the model's text is cut: into pieces of this many characters, or at these places. */
export type Cut = number | readonly number[];

function pieces(text: string, cut: Cut): string[] {
  const cuts =
    typeof cut === "number"
      ? Array.from({ length: Math.ceil(text.length / cut) - 1 }, (_, nth) => (nth + 1) * cut)
      : cut;
  const all: string[] = [];
  let from = 0;
  for (const to of [...cuts.filter((at) => at < text.length), text.length]) {
    all.push(text.slice(from, to));
    from = to;
  }
  return all;
}

/** A model with a script. */
export class ScriptedModel implements LLM {
  readonly requests: Request[] = [];
  readonly #script: Script;
  readonly #cut: Cut;

  constructor(script: Script, cut: Cut = 7) {
    this.#script = script;
    this.#cut = cut;
  }

  /** The last call. */
  get last(): Request {
    return this.requests.at(-1)!;
  }

  #next(messages: readonly ChatMessage[], options: ChatOptions, isStream: boolean): OwnResponse {
    this.requests.push({ messages, options, isStream });
    options.signal?.throwIfAborted();
    const line =
      typeof this.#script === "function" ? this.#script(messages, options) : this.#script[this.requests.length - 1];
    if (line === undefined) throw new Error(`The script has no line ${this.requests.length}.`);
    if (line instanceof Error) throw line;
    const { text = "", reasoning = "", calls = [], usage } = typeof line === "string" ? { text: line } : line;
    const content: ContentBlock[] = [];
    if (reasoning !== "") content.push({ type: "reasoning", text: reasoning });
    if (text !== "") content.push({ type: "text", text });
    for (const { name, args, id } of calls) {
      const json = typeof args === "string" ? args : JSON.stringify(args);
      content.push({ type: "toolCall", id: id ?? `id_${messages.length}_${content.length}`, name, arguments: json });
    }
    return { message: { role: "assistant", content }, ...(usage === undefined ? {} : { usage }) };
  }

  async chat(messages: readonly ChatMessage[], options: ChatOptions = {}): Promise<OwnResponse> {
    await Promise.resolve();
    return this.#next(messages, options, false);
  }

  streamChat(messages: readonly ChatMessage[], options: ChatOptions = {}): OwnStream {
    const answer = Promise.resolve().then(() => this.#next(messages, options, true));
    const cut = this.#cut;
    return {
      response: answer,
      async *[Symbol.asyncIterator](): AsyncGenerator<ChatDelta> {
        const { content } = (await answer).message;
        for (const [index, block] of (content as readonly ContentBlock[]).entries()) {
          if (block.type === "text" || block.type === "reasoning") {
            for (const text of pieces(block.text, cut)) yield { type: block.type, index, text };
          } else if (block.type === "toolCall") {
            yield { type: "toolCallStart", index, id: block.id, name: block.name };
            for (const text of pieces(block.arguments, cut)) yield { type: "toolCallDelta", index, text };
            yield { type: "toolCallEnd", index };
          }
        }
      },
    };
  }
}

/** A call of a tool, for scripts. */
export const call = (name: string, args: unknown, id?: string): ScriptedCall =>
  id === undefined ? { name, args } : { name, args, id };

const numbers = {
  type: "object",
  properties: { a: { type: "number" }, b: { type: "number" } },
  required: ["a", "b"],
} as const;

interface Numbers {
  readonly a: number;
  readonly b: number;
}

export const add: Tool<Numbers, number> = tool<Numbers, number>({
  name: "add",
  description: "Adds two numbers.",
  parameters: numbers,
  execute: ({ a, b }) => a + b,
});

export const multiply: Tool<Numbers, number> = tool<Numbers, number>({
  name: "multiply",
  description: "Multiplies two numbers.",
  parameters: numbers,
  execute: ({ a, b }) => a * b,
});

/** Text of a message. */
export function textIn(message: ChatMessage | undefined): string {
  if (message === undefined) return "";
  if (typeof message.content === "string") return message.content;
  return message.content
    .map((block) =>
      block.type === "text" ? block.text : block.type === "toolResult" ? textOfResult(block.content) : "",
    )
    .join("");
}

function textOfResult(content: string | readonly ContentBlock[]): string {
  return typeof content === "string" ? content : textIn({ role: "user", content });
}

/** The results of tools in a conversation, in order. */
export function resultsIn(messages: readonly ChatMessage[]): { text: string; isError: boolean }[] {
  return messages.flatMap(({ content }) =>
    typeof content === "string"
      ? []
      : content.flatMap((block) =>
          block.type === "toolResult" ? [{ text: textOfResult(block.content), isError: block.isError === true }] : [],
        ),
  );
}

/** What a reader of the stream shows as the answer, and as thoughts: after a reset, that iteration is written anew. */
export function shown(events: readonly WorkflowEvent[]): { text: string; reasoning: string } {
  let streamed: AgentStreamData[] = [];
  for (const event of events) {
    if (event instanceof AgentStream) streamed.push(event.data);
    if (event instanceof StreamReset) {
      streamed = streamed.filter(({ iteration }) => iteration !== event.data.iteration);
    }
  }
  return {
    text: streamed.map(({ delta }) => delta).join(""),
    reasoning: streamed.map(({ reasoning = "" }) => reasoning).join(""),
  };
}

/** Reads all events of a run, and answers some. */
export async function readAll(
  run: WorkflowContext<never, never, unknown> | WorkflowContext,
  onEvent: (event: WorkflowEvent) => void = () => undefined,
): Promise<WorkflowEvent[]> {
  const events: WorkflowEvent[] = [];
  for await (const event of run) {
    events.push(event);
    onEvent(event);
  }
  return events;
}
