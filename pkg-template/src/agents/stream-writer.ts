// Writes the deltas of a model into the stream of a run. Every token passes here: it becomes one event, and nothing
// more.

import type { HandlerContext } from "../api/index.js";
import type { ChatDelta } from "../model/chat.js";
import type { DeltaSink } from "./call-model.js";
import { AgentStream, type AgentStreamData } from "./events.js";

/** Writes {@link AgentStream} events. */
export class StreamWriter implements DeltaSink {
  readonly #write: HandlerContext["writeEventToStream"];
  readonly #agent: string;
  readonly #iteration: number;
  /** The calls that the model is writing, by the index of their block. */
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
