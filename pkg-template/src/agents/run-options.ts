// What runs of agents are given, and what they result in.

import type { RetryFunction, RetryPolicy, WorkflowOptions } from "../index.js";
import type { ChatMessage, JSONSchema, Usage } from "../llm/types.js";
import type { StandardSchema } from "../tools/index.js";
import type { ToolCallResultData } from "./events.js";
import type { Memory } from "./memory.js";

/** A text with places to be filled in, or a function that makes it. */
export type Prompt<Parts> = string | ((parts: Parts) => string);

/** Options of runs of agents. */
export interface AgentRunOptions<Structured = unknown> extends Omit<WorkflowOptions, "name"> {
  /** How many seconds a run may be alive; null for any time. Default: null, as models and people take theirs; `maxIterations` is what bounds a run. */
  readonly timeout?: number | null | undefined;
  /** How often a run may call the model on the way to an answer. Default: 20. */
  readonly maxIterations?: number | undefined;
  /**
   * What happens when the last of those calls brings no answer: `"force"` fails the run with a LimitError `AGENT_ITERATIONS`; `"generate"` lets the model
   * answer with what it knows, in one more call in which it cannot use tools. Default: `"force"`.
   */
  readonly earlyStopping?: "force" | "generate" | undefined;
  /** What of the conversation the model is given. Default: a ChatMemoryBuffer. */
  readonly memory?: Memory | undefined;
  /** Plain data, under `state` in the store of a run that has none there: tools read and write `context.store.get("state.…")`. */
  readonly initialState?: Readonly<Record<string, unknown>> | undefined;
  /** How the model is told of the state, with the user's last message: `{state}` and `{message}` are filled in. */
  readonly statePrompt?: Prompt<{ readonly state: unknown; readonly message: string }> | undefined;
  /** The form in which the answer is wanted besides: JSON Schema, or a schema of Zod, Valibot, ArkType or the like. One more call of the model. */
  readonly outputSchema?: StandardSchema<unknown, Structured> | JSONSchema | undefined;
  /** How many tools may run at a time. Default: any number. */
  readonly maxParallelTools?: number | undefined;
  /** Whether and how the step that calls the model is tried again, after what the client of the model does itself. Default: it is not. */
  readonly retry?: RetryPolicy | RetryFunction | undefined;
}

/** What a run is started with, if it is more than a text. */
export interface AgentRunInput {
  /** What the user says. Default: the last message of `chatHistory`. */
  readonly message?: string | ChatMessage | undefined;
  /** What was said before. Default: what the store of the run knows, which is something when it goes on with that of another run. */
  readonly chatHistory?: readonly ChatMessage[] | undefined;
  /** Instead of the workflow's. */
  readonly maxIterations?: number | undefined;
}

/** What `run` of an agent takes. */
export type AgentStart = string | AgentRunInput;

/** What a run of agents results in. */
export interface AgentResult<Structured = unknown> {
  /** The answer. */
  readonly response: ChatMessage;
  /** Its text. */
  readonly text: string;
  /** The answer in the form of `outputSchema`. Without one it is undefined. */
  readonly structured: Structured;
  /** All calls of tools of this run with what came of them, in the order in which the model asked for them. */
  readonly toolCalls: readonly ToolCallResultData[];
  /** The agent that gave the answer. */
  readonly currentAgent: string;
  /** All tokens of this run, as far as the model told. */
  readonly usage: Usage;
  /** The whole conversation, to be given to a later run. */
  readonly chatHistory: readonly ChatMessage[];
}
