// What all agents have in common: who they are, what they may do, and the three things that a kind of agent decides for itself.

import { type HandlerContext, ValidationError, type Workflow } from "../index.js";
import { describe } from "../internal/duration.js";
import type { ChatMessage, ChatOptions, LLM, OwnResponse, ToolDefinition } from "../llm/types.js";
import { isTool } from "../tools/tool.js";
import type { Tool } from "../tools/index.js";
import { type DeltaSink, StreamWriter, callModel } from "./call-model.js";
import type { AgentOutputData, Purpose, ToolCallResultData } from "./events.js";
import type { AgentRunOptions } from "./run-options.js";
import { AgentWorkflow } from "./workflow.js";

/** Finds the tools that are of use for what the user wants. */
export type ToolRetriever = (
  query: string,
  run: { readonly context: HandlerContext },
) => readonly Tool[] | PromiseLike<readonly Tool[]>;

/** What may be said of a call of the model beside what the agent itself says. */
export type AgentChatOptions = Omit<ChatOptions, "tools" | "toolChoice" | "responseFormat" | "signal">;

/**
 * Options of an agent. Those of {@link AgentRunOptions} count for runs of the agent alone; in an {@link AgentWorkflow} that of the workflow do.
 */
export interface BaseAgentOptions<Structured = unknown> extends AgentRunOptions<Structured> {
  /** Its name, for other agents and in events. Default: `"agent"`. */
  readonly name?: string | undefined;
  /** What it is good for. Other agents go by it when they hand off. */
  readonly description?: string | undefined;
  /** What it is told before the conversation: a text, or a function that makes it for each call of the model. */
  readonly systemPrompt?: string | ((context: HandlerContext) => string | PromiseLike<string>) | undefined;
  /** The model: a client of `stepstream/llm`, or any object with `chat` and `streamChat`. */
  readonly llm?: LLM | undefined;
  /** What it may use. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tools are checked when they are called; `unknown` would refuse all with typed arguments.
  readonly tools?: readonly Tool<any, any>[] | undefined;
  /** Finds more tools, for each message of the user. */
  readonly toolRetriever?: ToolRetriever | undefined;
  /** The names of the agents that it may hand off to; `[]` for none. Default: all others of the workflow. */
  readonly canHandoffTo?: readonly string[] | undefined;
  /** `temperature`, `maxTokens` and the like, for each call of the model. */
  readonly chatOptions?: AgentChatOptions | undefined;
  /** Whether the model streams; without, there are no {@link AgentStream} events. Default: true. */
  readonly streaming?: boolean | undefined;
}

/** What an agent is given for a step. */
export interface AgentStepInput {
  /** The conversation, as the model is to be given it: the system prompt, what the memory lets through, the state. */
  readonly messages: readonly ChatMessage[];
  /** The tools that it has, retrieved ones and the one for handing off included. */
  readonly tools: readonly ToolDefinition[];
  /** `"answer"` when the iterations are used up: no tool will be called any more. */
  readonly purpose: Exclude<Purpose, "structured">;
  /** Which call of the model of this run it is, from 1. */
  readonly iteration: number;
}

/** What an agent gives for a step: a model's response, or of such a one at least the message. */
export interface AgentStep extends OwnResponse {
  /** Set when the message is of no use: the agent is asked again, and these are appended to what it is given. They are not remembered. */
  readonly retryMessages?: readonly ChatMessage[] | undefined;
}

/**
 * The base of all agents. Derive from it for an agent of your own: `takeStep` is all that it needs.
 *
 * ```ts
 * class EchoAgent extends BaseAgent {
 *   takeStep(_context: HandlerContext, { messages }: AgentStepInput): AgentStep {
 *     return { message: { role: "assistant", content: `You said: ${messages.at(-1)?.content}` } };
 *   }
 * }
 * ```
 *
 * The object itself is not part of a run's snapshot, so it should hold no state: that belongs into `context.store`. A step that was under way when a
 * snapshot was taken runs again.
 */
export abstract class BaseAgent<Structured = unknown> {
  readonly name: string;
  readonly description: string;
  readonly systemPrompt: NonNullable<BaseAgentOptions["systemPrompt"]>;
  readonly llm: LLM | undefined;
  readonly tools: readonly Tool[];
  readonly toolRetriever: ToolRetriever | undefined;
  readonly canHandoffTo: readonly string[] | undefined;
  readonly chatOptions: AgentChatOptions;
  readonly streaming: boolean;
  readonly #options: BaseAgentOptions<Structured>;
  #workflow: AgentWorkflow<unknown, Structured> | undefined;

  /** @throws ValidationError `INVALID_AGENT` */
  constructor(options: BaseAgentOptions<Structured> = {}) {
    if (typeof options !== "object" || options === null) {
      throw new ValidationError("INVALID_AGENT", `The options of the agent are ${describe(options)}.`);
    }
    const { name = "agent", description = "", systemPrompt = "", llm, tools = [], toolRetriever } = options;
    const { canHandoffTo, chatOptions = {}, streaming = true } = options;
    if (typeof name !== "string" || name === "") {
      throw new ValidationError("INVALID_AGENT", `The name of the agent is ${describe(name)}.`);
    }
    const check = (isRight: boolean, what: string, value: unknown): void => {
      if (!isRight) throw new ValidationError("INVALID_AGENT", `${what} of the agent "${name}" is ${describe(value)}.`);
    };
    check(typeof description === "string", "`description`", description);
    check(typeof systemPrompt === "string" || typeof systemPrompt === "function", "`systemPrompt`", systemPrompt);
    check(llm === undefined || isLLM(llm), "`llm`", llm);
    check(Array.isArray(tools), "`tools`", tools);
    for (const tool of tools) check(isTool(tool), "A tool", tool);
    const twice = tools.find((tool, nth) => tools.findIndex((other) => other.name === tool.name) !== nth);
    check(twice === undefined, "The name of two tools", twice?.name);
    check(toolRetriever === undefined || typeof toolRetriever === "function", "`toolRetriever`", toolRetriever);
    const isNames = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === "string");
    check(canHandoffTo === undefined || isNames(canHandoffTo), "`canHandoffTo`", canHandoffTo);
    check(typeof chatOptions === "object" && chatOptions !== null, "`chatOptions`", chatOptions);
    check(typeof streaming === "boolean", "`streaming`", streaming);
    this.name = name;
    this.description = description;
    this.systemPrompt = systemPrompt;
    this.llm = llm;
    this.tools = tools as readonly Tool[];
    this.toolRetriever = toolRetriever;
    this.canHandoffTo = canHandoffTo;
    this.chatOptions = chatOptions;
    this.streaming = streaming;
    this.#options = options;
  }

  /**
   * Takes a step: mostly one call of the model. The calls of tools in the message are made, in parallel; a message without any is the answer.
   *
   * What it throws fails the run, or lets the step be tried again under the option `retry`.
   */
  abstract takeStep(context: HandlerContext, input: AgentStepInput): AgentStep | PromiseLike<AgentStep>;

  /**
   * The messages in which the model is told of results, in the order of the calls. By default one of the role "tool" with all of them.
   *
   * Each call has to get its result, as providers refuse the conversation otherwise.
   */
  handleToolCallResults(
    _context: HandlerContext,
    results: readonly ToolCallResultData[],
  ): readonly ChatMessage[] | PromiseLike<readonly ChatMessage[]> {
    const content = results.map((result) => ({
      type: "toolResult" as const,
      id: result.id,
      content: result.content,
      isError: result.isError,
    }));
    return [{ role: "tool", content }];
  }

  /** Has the last word on the answer: what it gives back is what is remembered and what the run results in. By default the same. */
  finalize(_context: HandlerContext, output: AgentOutputData): AgentOutputData | PromiseLike<AgentOutputData> {
    return output;
  }

  /**
   * Calls the model with the messages of a step, and streams what it writes. For `takeStep`.
   *
   * @param options Beside the agent's `chatOptions`; `messages` instead of those of the step.
   * @param sink Instead of the run's stream.
   * @throws ValidationError `INVALID_AGENT` when the agent has no model; and what the model throws.
   */
  protected async callModel(
    context: HandlerContext,
    input: AgentStepInput,
    options: ChatOptions & { readonly messages?: readonly ChatMessage[] | undefined } = {},
    sink?: DeltaSink,
  ): Promise<OwnResponse> {
    const { messages = input.messages, ...others } = options;
    if (this.llm === undefined) throw new ValidationError("INVALID_AGENT", `The agent "${this.name}" has no \`llm\`.`);
    const given = { ...this.chatOptions, ...withoutUndefined(others), signal: context.signal };
    const writer = sink ?? new StreamWriter(context, this.name, input.iteration);
    return callModel(this.llm, messages, given, this.streaming ? writer : undefined);
  }

  /** The workflow that the agent runs in when it runs alone. */
  get workflow(): AgentWorkflow<unknown, Structured> {
    if (this.#workflow === undefined) {
      const { name: _name, ...options } = this.#options;
      const { tools: _tools, llm: _llm, ...forRuns } = options;
      this.#workflow = new AgentWorkflow<unknown, Structured>({ ...forRuns, name: this.name, agents: [this] });
    }
    return this.#workflow;
  }

  /**
   * Runs the agent alone. See {@link AgentWorkflow.run}.
   *
   * ```ts
   * const { data } = await agent.run("What is (123 + 456) * 789?");
   * console.log(data.text);
   * ```
   *
   * @throws ValidationError `INVALID_OPTION`
   */
  run(
    ...args: Parameters<AgentWorkflow<unknown, Structured>["run"]>
  ): ReturnType<AgentWorkflow<unknown, Structured>["run"]> {
    return this.workflow.run(...args);
  }

  /** Goes on with a run of the agent alone. See {@link Workflow.recover}. */
  recover(...args: Parameters<Workflow["recover"]>): ReturnType<AgentWorkflow<unknown, Structured>["run"]> {
    return this.workflow.recover(...args);
  }
}

/** An option that is undefined was left out, and does not hide one of the agent's. */
function withoutUndefined<Options extends object>(options: Options): Partial<Options> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<Options>;
}

function isLLM(value: unknown): boolean {
  const { chat, streamChat } = (value ?? {}) as Partial<LLM>;
  return typeof chat === "function" && typeof streamChat === "function";
}

/** @throws ValidationError `INVALID_AGENT` */
export function needsModel({ name, llm }: Pick<BaseAgent, "name" | "llm">): void {
  if (llm === undefined) throw new ValidationError("INVALID_AGENT", `The agent "${name}" has no \`llm\`.`);
}
