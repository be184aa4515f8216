// The agent for any model: it is told in words how to ask for a tool, and what it writes is read.

import type { HandlerContext } from "../../index.js";
import type { ChatDelta, ChatMessage, ContentBlock, OwnResponse, ToolDefinition } from "../../llm/types.js";
import { type AgentStep, type AgentStepInput, BaseAgent, type BaseAgentOptions, needsModel } from "../base-agent.js";
import { type DeltaSink, StreamWriter } from "../call-model.js";
import { textOf } from "../messages.js";
import { complaintOf, formatPrompt, inFormat } from "./format.js";
import { ReActParser, type ReActStep } from "./parser.js";

/** Options of a {@link ReActAgent}. */
export interface ReActAgentOptions<Structured = unknown> extends BaseAgentOptions<Structured> {
  readonly llm: NonNullable<BaseAgentOptions["llm"]>;
  /**
   * How the model is told of the format and the tools, after the system prompt. It has to lead to the lines `Thought:`, `Action:`, `Action Input:` and
   * `Answer:`. Default: a prompt in English.
   */
  readonly formatPrompt?: ((tools: readonly ToolDefinition[]) => string) | undefined;
}

/**
 * An agent that thinks, acts and observes in plain text, for models that cannot call functions, or not well.
 *
 * It writes `Thought: …`, and then either `Action: …` with `Action Input: …` or `Answer: …`. In the stream only the answer is `delta`; thoughts
 * are `reasoning`. When the model does not keep to the format, it is told what was wrong and asked again.
 *
 * ```ts
 * const agent = new ReActAgent({ llm: new OpenAICompatible({ baseURL, model: "some-small-model" }), tools: [add, multiply] });
 * const { data } = await agent.run("What is (123 + 456) * 789?");
 * ```
 */
export class ReActAgent<Structured = unknown> extends BaseAgent<Structured> {
  readonly #formatPrompt: (tools: readonly ToolDefinition[]) => string;

  /** @throws ValidationError `INVALID_AGENT` */
  constructor(options: ReActAgentOptions<Structured>) {
    super(options);
    needsModel(this);
    this.#formatPrompt = options.formatPrompt ?? formatPrompt;
  }

  async takeStep(context: HandlerContext, input: AgentStepInput): Promise<AgentStep> {
    const isLast = input.purpose === "answer";
    const prompt = this.#formatPrompt(isLast ? [] : input.tools);
    const [first, ...others] = input.messages;
    const isSystem = first?.role === "system";
    const system = isSystem ? `${textOf(first)}\n\n${prompt}` : prompt;
    const messages: ChatMessage[] = [
      { role: "system", content: system },
      ...inFormat(isSystem ? others : input.messages),
    ];
    const sink = new ReActSink(new StreamWriter(context, this.name, input.iteration), isLast);
    const response = await this.callModel(context, input, { messages }, sink);
    const parser = new ReActParser();
    parser.push(textOf(response.message));
    return stepOf(response, parser.end(isLast), input.iteration);
  }
}

/** Reads what is streamed, and passes on what is for the run's stream. */
class ReActSink implements DeltaSink {
  readonly #writer: StreamWriter;
  readonly #parser: ReActParser;
  readonly #isLast: boolean;

  constructor(writer: StreamWriter, isLast: boolean) {
    this.#writer = writer;
    this.#isLast = isLast;
    this.#parser = new ReActParser({
      thought: (text) => writer.reasoning(text),
      answer: (text) => writer.text(text),
    });
  }

  take(delta: ChatDelta): void {
    if (delta.type === "text" || delta.type === "refusal") this.#parser.push(delta.text);
    else if (delta.type === "reasoning") this.#writer.reasoning(delta.text);
  }

  end(): void {
    this.#parser.end(this.#isLast);
  }
}

/** The step with a message as an agent that calls functions would have it, so that the two kinds understand each other's conversations. */
function stepOf(response: OwnResponse, step: ReActStep, iteration: number): AgentStep {
  const { usage, finishReason } = response;
  const about = { ...(usage === undefined ? {} : { usage }), ...(finishReason === undefined ? {} : { finishReason }) };
  const thought: ContentBlock[] = step.thought === "" ? [] : [{ type: "reasoning", text: step.thought }];
  const message = (block: ContentBlock): AgentStep["message"] => ({ role: "assistant", content: [...thought, block] });
  if (step.kind === "answer") return { ...about, message: message({ type: "text", text: step.answer }) };
  if (step.kind === "action") {
    const call = { type: "toolCall" as const, id: `react_${iteration}`, name: step.name, arguments: step.input };
    return { ...about, message: message(call) };
  }
  const text = textOf(response.message);
  const told: ChatMessage = { role: "user", content: complaintOf(step.complaint) };
  return {
    ...about,
    message: { role: "assistant", content: text },
    retryMessages: text.trim() === "" ? [told] : [{ role: "assistant", content: text }, told],
  };
}
