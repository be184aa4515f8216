// The base of the classes of agents: its options, the three methods in which agents differ, and runs of one agent
// alone.

import { type HandlerContext, ValidationError, type Workflow } from "../api/index.js";
import { describe } from "../util/describe.js";
import type { ChatMessage, ChatOptions, LLM, OwnResponse } from "../model/chat.js";
import { isTool } from "../tools/tool.js";
import type { Tool } from "../tools/index.js";
import { type OptionNames, checkOptions } from "../errors/check-options.js";
import type { AgentChatOptions, AgentDefinition, AgentStep, AgentStepInput, ToolRetriever } from "./agent.js";
import { type DeltaSink, callModel } from "./call-model.js";
import type { AgentOutputData, ToolCallResultData } from "./events.js";
import { AgentLoop, pickOptions } from "./loop.js";
import { type AgentRunOptions, runOptionNames, synonyms } from "./run-options.js";
import { StreamWriter } from "./stream-writer.js";
import { checkModel } from "./team.js";

/**
 * Options of an agent. Those of {@link AgentRunOptions} are for runs of the agent alone; in an `AgentWorkflow`, those
 * of the workflow count.
 */
export interface BaseAgentOptions<Structured = unknown> extends AgentRunOptions<Structured> {
  /** Its name, for other agents and in events. Default: `"agent"`. */
  readonly name?: string | undefined;
  /** What it can do. Other agents decide by this text whether to hand off to it. Default: empty. */
  readonly description?: string | undefined;
  /** The system prompt: a text, or a function that makes it for each call of the model. Default: none. */
  readonly systemPrompt?: string | ((context: HandlerContext) => string | PromiseLike<string>) | undefined;
  /** The model: a client of `stepstream/llm`, or any object with `chat` and `streamChat`. */
  readonly llm?: LLM | undefined;
  /** The tools it can use. Default: none. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- `unknown` would refuse tools with typed arguments.
  readonly tools?: readonly Tool<any, any>[] | undefined;
  /** Finds more tools, for each message of the user. */
  readonly toolRetriever?: ToolRetriever | undefined;
  /** The names of the agents it may hand off to; `[]` for none. Default: all other agents of the workflow. */
  readonly canHandoffTo?: readonly string[] | undefined;
  /** Options of each call of the model, such as `temperature` and `maxTokens`. */
  readonly chatOptions?: AgentChatOptions | undefined;
  /** Whether the model streams. Without, there are no `AgentStream` events. Default: true. */
  readonly streaming?: boolean | undefined;
}

const optionNames: OptionNames<BaseAgentOptions> = {
  name: 1,
  description: 1,
  systemPrompt: 1,
  llm: 1,
  tools: 1,
  toolRetriever: 1,
  canHandoffTo: 1,
  chatOptions: 1,
  streaming: 1,
  ...runOptionNames,
};

/**
 * The base of all agents. Derive from it for an agent of your own, which has to implement `takeStep` only:
 *
 * ```ts
 * class EchoAgent extends BaseAgent {
 *   takeStep(_context: HandlerContext, { messages }: AgentStepInput): AgentStep {
 *     return { message: { role: "assistant", content: `You said: ${messages.at(-1)?.content}` } };
 *   }
 * }
 * ```
 *
 * The agent itself is not in the snapshot of a run, so keep state in `context.store`, not in the agent. A step that was
 * running when a snapshot was taken runs again after a recovery.
 */
export abstract class BaseAgent<Structured = unknown> implements AgentDefinition {
  readonly name: string;
  readonly description: string;
  readonly systemPrompt: AgentDefinition["systemPrompt"];
  readonly llm: LLM | undefined;
  readonly tools: readonly Tool[];
  readonly toolRetriever: ToolRetriever | undefined;
  readonly canHandoffTo: readonly string[] | undefined;
  readonly chatOptions: AgentChatOptions;
  readonly streaming: boolean;
  readonly #runOptions: AgentRunOptions<Structured>;
  #workflow: AgentLoop<unknown, Structured> | undefined;

  /**
   * @param options The options.
   * @param ownNames The names of options that the derived class adds, as the keys of an object: `{ mood: 1 }`.
   * @throws ValidationError `INVALID_AGENT` for a wrong value, `INVALID_OPTION` for an unknown option.
   */
  constructor(options: BaseAgentOptions<Structured> = {}, ownNames: Readonly<Record<string, unknown>> = {}) {
    if (typeof options !== "object" || options === null) {
      throw new ValidationError("INVALID_AGENT", `The options of the agent are ${describe(options)}.`);
    }
    checkOptions(options, { ...optionNames, ...ownNames }, new.target.name, synonyms);
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
    this.#runOptions = pickOptions<AgentRunOptions<Structured>>(options, runOptionNames);
  }

  /**
   * Takes a step: usually one call of the model. The calls of tools in the message are made in parallel; a message
   * without any is the answer.
   *
   * An error fails the run, or is retried with the option `retry`.
   */
  abstract takeStep(context: HandlerContext, input: AgentStepInput): AgentStep | PromiseLike<AgentStep>;

  /**
   * Makes the messages with the results of tools, in the order of the calls. By default, one message of the role "tool"
   * with all results.
   *
   * Every call needs a result in them, because providers refuse the conversation otherwise.
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

  /** Called with the answer. What it returns is remembered, and is the result of the run. By default, the same. */
  finalize(_context: HandlerContext, output: AgentOutputData): AgentOutputData | PromiseLike<AgentOutputData> {
    return output;
  }

  /**
   * For `takeStep`: calls the model with the messages of the step, and writes the deltas into the stream of the run.
   *
   * @param options Options beside the agent's `chatOptions`; and `messages` to send others than those of the step.
   * @param sink Receives the deltas instead of the run's stream.
   * @throws ValidationError `INVALID_AGENT` when the agent has no model; and whatever the model throws.
   */
  protected async callModel(
    context: HandlerContext,
    input: AgentStepInput,
    options: ChatOptions & { readonly messages?: readonly ChatMessage[] | undefined } = {},
    sink?: DeltaSink,
  ): Promise<OwnResponse> {
    const { messages = input.messages, ...others } = options;
    checkModel(this);
    const request = { ...this.chatOptions, ...withoutUndefined(others), signal: context.signal };
    const deltas = this.streaming ? (sink ?? new StreamWriter(context, this.name, input.iteration)) : undefined;
    return callModel(this.llm!, messages, request, deltas);
  }

  /** The workflow for runs of the agent alone. */
  get workflow(): AgentLoop<unknown, Structured> {
    this.#workflow ??= new AgentLoop<unknown, Structured>({ ...this.#runOptions, name: this.name, agents: [this] });
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
  run(...args: Parameters<AgentLoop<unknown, Structured>["run"]>): ReturnType<AgentLoop<unknown, Structured>["run"]> {
    return this.workflow.run(...args);
  }

  /** Resumes a run of the agent alone. See {@link Workflow.recover}. */
  recover(...args: Parameters<Workflow["recover"]>): ReturnType<AgentLoop<unknown, Structured>["run"]> {
    return this.workflow.recover(...args);
  }
}

function isLLM(value: unknown): boolean {
  const { chat, streamChat } = (value ?? {}) as Partial<LLM>;
  return typeof chat === "function" && typeof streamChat === "function";
}

/** An option that is undefined counts as left out, and does not hide one of the agent's. */
function withoutUndefined<Options extends object>(options: Options): Partial<Options> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<Options>;
}
