// One call of a model by an agent, with what it writes going into the run's stream as it comes.

import type { HandlerContext } from "../api/index.js";
import type { ChatDelta, ChatMessage, ChatOptions, LLM, OwnResponse, OwnStream } from "../llm/types.js";
import { responseOf } from "./check.js";
import { AgentStream, type AgentStreamData } from "./events.js";

/** Is given what is new in an answer. */
export interface DeltaSink {
  take(delta: ChatDelta): void;
  /** The answer is complete. */
  end(): void;
}

const ignore = (): void => undefined;

const MODEL = "The model";

/** Calls a model; with a sink as a stream. Whatever the model throws is thrown. @throws ValidationError `INVALID_AGENT` */
export async function callModel(
  llm: LLM,
  messages: readonly ChatMessage[],
  options: ChatOptions,
  sink: DeltaSink | undefined,
): Promise<OwnResponse> {
  if (sink === undefined) return responseOf(await llm.chat(messages, options), MODEL);
  const stream: OwnStream = llm.streamChat(messages, options);
  // It may fail while the deltas are still read, or after they have failed, when nobody asks for it.
  Promise.resolve(stream.response).then(ignore, ignore);
  for await (const delta of stream) sink.take(delta);
  const response = responseOf(await stream.response, MODEL);
  sink.end();
  return response;
}

/** Writes deltas into the stream of a run. On the path of every token: it makes one event, and no more. */
export class StreamWriter implements DeltaSink {
  readonly #write: HandlerContext["writeEventToStream"];
  readonly #agent: string;
  readonly #iteration: number;
  /** The calls that are being written, by their block. */
  #calls: Map<number, { readonly id: string; readonly name: string }> | undefined;

  constructor(context: HandlerContext, agent: string, iteration: number) {
    this.#write = context.writeEventToStream;
    this.#agent = agent;
    this.#iteration = iteration;
  }

  take(delta: ChatDelta): void {
    switch (delta.type) {
      case "text":
      case "refusal":
        this.text(delta.text);
        return;
      case "reasoning":
        this.reasoning(delta.text);
        return;
      case "toolCallStart":
        this.#calls ??= new Map();
        this.#calls.set(delta.index, { id: delta.id, name: delta.name });
        this.#call(delta.index, "");
        return;
      case "toolCallDelta":
        if (delta.text !== "") this.#call(delta.index, delta.text);
        return;
      default:
    }
  }

  end(): void {
    this.#calls = undefined;
  }

  text(delta: string): void {
    if (delta !== "") this.#put({ agent: this.#agent, iteration: this.#iteration, delta });
  }

  reasoning(reasoning: string): void {
    if (reasoning !== "") this.#put({ agent: this.#agent, iteration: this.#iteration, delta: "", reasoning });
  }

  #call(index: number, text: string): void {
    const call = this.#calls?.get(index);
    if (call === undefined) return;
    const toolCall = { id: call.id, name: call.name, arguments: text };
    this.#put({ agent: this.#agent, iteration: this.#iteration, delta: "", toolCall });
  }

  #put(data: AgentStreamData): void {
    this.#write(new AgentStream(data));
  }
}
