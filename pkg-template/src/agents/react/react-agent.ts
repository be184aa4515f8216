// The agent for any model: the prompt describes a text format for calls of tools, and the model's text is parsed.

import { type HandlerContext, ValidationError } from "../../api/index.js";
import { describe } from "../../util/describe.js";
import type { ChatDelta, ChatMessage, ContentBlock, LLM, OwnResponse, ToolDefinition } from "../../model/chat.js";
import type { AgentStep, AgentStepInput } from "../agent.js";
import { BaseAgent, type BaseAgentOptions } from "../base-agent.js";
import type { DeltaSink } from "../call-model.js";
import { textOf } from "../messages.js";
import { StreamWriter } from "../stream-writer.js";
import { checkModel } from "../team.js";
import { correctionFor, formatPrompt, inFormat } from "./format.js";
import { ReActParser, type ReActStep } from "./parser.js";

/** Options of a {@link ReActAgent}. */
export interface ReActAgentOptions<Structured = unknown> extends BaseAgentOptions<Structured> {
  readonly llm: LLM;
  /**
   * Makes the prompt that describes the format and the tools, which follows the system prompt. The model has to write
   * lines with the labels `Thought:`, `Action:`, `Action Input:` and `Answer:`. Default: a prompt in English.
   */
  readonly formatPrompt?: ((tools: readonly ToolDefinition[]) => string) | undefined;
}

/**
 * An agent that thinks, acts and observes in plain text, for models that cannot call functions well.
 *
 * The model writes `Thought: …`, and then either `Action: …` with `Action Input: …` or `Answer: …`. In the stream,
 * the answer is `delta` and thoughts are `reasoning`. When the model does not follow the format, it is called again
 * with a message that says what was wrong.
 *
 * ```ts
 * const agent = new ReActAgent({
 *   llm: new OpenAICompatible({ baseURL, model: "some-small-model" }),
 *   tools: [add, multiply],
 * });
 * const { data } = await agent.run("What is (123 + 456) * 789?");
 * ```
 */
export class ReActAgent<Structured = unknown> extends BaseAgent<Structured> {
  readonly #formatPrompt: (tools: readonly ToolDefinition[]) => string;

  /**
   * @param options The options.
   * @param ownNames As for {@link BaseAgent}.
   * @throws ValidationError `INVALID_AGENT`, `INVALID_OPTION`
   */
  constructor(options: ReActAgentOptions<Structured>, ownNames: Readonly<Record<string, unknown>> = {}) {
    super(options, { formatPrompt: 1, ...ownNames });
    checkModel(this);
    const prompt: unknown = options.formatPrompt ?? formatPrompt;
    if (typeof prompt !== "function") {
      const detail = `\`formatPrompt\` of the agent "${this.name}" is ${describe(prompt)}, not a function.`;
      throw new ValidationError("INVALID_AGENT", detail);
    }
    this.#formatPrompt = prompt as typeof formatPrompt;
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

/** Parses the deltas, and writes thoughts and the answer into the run's stream. */
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

/**
 * The step with a message like that of a FunctionAgent, so that both kinds of agents can continue each other's
 * conversations.
 */
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
  const correction: ChatMessage = { role: "user", content: correctionFor(step.problem) };
  return {
    ...about,
    message: { role: "assistant", content: text },
    retryMessages: text.trim() === "" ? [correction] : [{ role: "assistant", content: text }, correction],
  };
}
