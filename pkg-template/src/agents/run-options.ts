// The options, the input and the result of runs of agents.

import type { RetryFunction, RetryPolicy, WorkflowOptions } from "../api/index.js";
import type { ChatMessage, JSONSchema, Usage } from "../model/chat.js";
import type { StandardSchema } from "../tools/index.js";
import type { OptionNames } from "../errors/check-options.js";
import { workflowOptionNames } from "../model/options.js";
import type { ToolCallResultData } from "./events.js";
import type { Memory } from "./memory.js";
import type { Prompt } from "./prompts.js";

/** Options of runs of agents. */
export interface AgentRunOptions<Structured = unknown> extends Omit<WorkflowOptions, "name" | "timeout"> {
  /**
   * The timeout of a run in seconds; `null` for none. Default: none, because models and people may take long;
   * `maxIterations` limits a run.
   */
  readonly timeout?: number | null | undefined;
  /** How often a run may call the model on the way to an answer. Default: 20. */
  readonly maxIterations?: number | undefined;
  /**
   * What happens when the last of those calls brings no answer. With `"force"` the run fails with a LimitError
   * `AGENT_ITERATIONS`. With `"generate"` the model is called once more, without tools, to answer with what it knows.
   * Default: `"force"`.
   */
  readonly earlyStopping?: "force" | "generate" | undefined;
  /** Selects the messages of the conversation that the model gets. Default: a `ChatMemoryBuffer`. */
  readonly memory?: Memory | undefined;
  /**
   * Plain data: the first value of `state` in the store of a run. Tools read and write it with `context.store`, such as
   * `context.store.get("state.notes")`.
   */
  readonly initialState?: Readonly<Record<string, unknown>> | undefined;
  /** The last message of the user with the state added: `{message}` and `{state}` are replaced. */
  readonly statePrompt?: Prompt<{ readonly state: unknown; readonly message: string }> | undefined;
  /**
   * The schema of a structured output, for which the model is called once more after the answer: JSON Schema, or a
   * schema of Zod, Valibot, ArkType or the like.
   */
  readonly outputSchema?: StandardSchema<unknown, Structured> | JSONSchema | undefined;
  /** How many tools may run at the same time. Default: any number. */
  readonly maxParallelTools?: number | undefined;
  /** Retries the step that calls the model, after the retries of the client of the model. Default: no retry. */
  readonly retry?: RetryPolicy | RetryFunction | undefined;
}

const { name: _name, ...unnamed } = workflowOptionNames;

/** The names of the options of runs of agents. */
export const runOptionNames: OptionNames<AgentRunOptions> = {
  ...unnamed,
  maxIterations: 1,
  earlyStopping: 1,
  memory: 1,
  initialState: 1,
  statePrompt: 1,
  outputSchema: 1,
  maxParallelTools: 1,
  retry: 1,
};

/** Names that other libraries have for the options of agents. */
export const synonyms = {
  maxSteps: "maxIterations",
  maxTurns: "maxIterations",
  state: "initialState",
  output: "outputSchema",
  outputType: "outputSchema",
  responseFormat: "outputSchema",
  concurrency: "maxParallelTools",
  system: "systemPrompt",
  instructions: "systemPrompt",
  prompt: "systemPrompt",
  model: "llm",
  handoffs: "canHandoffTo",
  root: "rootAgent",
};

/** The input of a run of agents, if it is more than a text. */
export interface AgentRunInput {
  /** The message of the user. Default: the last message of `chatHistory`. */
  readonly message?: string | ChatMessage | undefined;
  /** The conversation before the message. Default: that of the run's store, if the run continues another one. */
  readonly chatHistory?: readonly ChatMessage[] | undefined;
  /** Overrides the workflow's `maxIterations` for this run. */
  readonly maxIterations?: number | undefined;
}

/** The input of a run of agents. */
export type AgentStart = string | AgentRunInput;

/** The result of a run of agents. */
export interface AgentResult<Structured = unknown> {
  /** The answer. */
  readonly response: ChatMessage;
  /** The text of the answer. */
  readonly text: string;
  /** The structured output; undefined without `outputSchema`. */
  readonly structured: Structured;
  /** All calls of tools of this run with their results, in the order in which the model made them. */
  readonly toolCalls: readonly ToolCallResultData[];
  /** The name of the agent that answered. */
  readonly currentAgent: string;
  /** The tokens of all calls of the model in this run, as far as the model reports them. */
  readonly usage: Usage;
  /** The whole conversation, for `chatHistory` of a later run. */
  readonly chatHistory: readonly ChatMessage[];
}
