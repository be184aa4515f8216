// Agents at work: a workflow of six steps, made with nothing but the public API.
//
//   initRun -> AgentInput -> setupAgent -> AgentSetup -> runAgentStep -> AgentOutput -> parseAgentOutput
//     -> ToolCall, one for each call -> callTool -> ToolCallResult -> aggregateToolResults -> AgentInput …
//     -> StopEvent
//
// What a run knows is in its store (turn.ts); models, tools and other functions are in the agents, and never in a snapshot.

import {
  type RunArguments,
  type RunOf,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  type WorkflowContext,
} from "../index.js";
import { describe } from "../internal/duration.js";
import type { Tool } from "../tools/index.js";
import { type BaseAgent, type BaseAgentOptions, needsModel } from "./base-agent.js";
import { agentsOf, checkPrompt, checkRunOptions, countOf, inputOf, unknownAgent } from "./check.js";
import {
  AgentInput,
  AgentOutput,
  AgentSetup,
  AgentStream,
  ToolApprovalRequest,
  ToolApprovalResponse,
  ToolCall,
  ToolCallResult,
} from "./events.js";
import { FunctionAgent, type FunctionAgentOptions } from "./function-agent.js";
import { type HandoffPrompt, handoffTool, targetsOf } from "./handoff.js";
import { ChatMemoryBuffer } from "./memory.js";
import { ReActAgent, type ReActAgentOptions } from "./react/react-agent.js";
import type { AgentResult, AgentRunOptions, AgentStart } from "./run-options.js";
import { AgentSteps } from "./steps.js";
import { outputForm } from "./structured.js";

/** Options of an {@link AgentWorkflow}. */
export interface AgentWorkflowOptions<Structured = unknown> extends AgentRunOptions<Structured> {
  /** Its name in messages. */
  readonly name?: string | undefined;
  /** The agents, each with a name of its own. */
  readonly agents: readonly BaseAgent[];
  /** The name of the agent that a conversation begins with. Default: the first one. */
  readonly rootAgent?: string | undefined;
  /** How agents are told when and to whom they may hand off: `{agents}` are the names and descriptions of the others. */
  readonly handoffPrompt?: HandoffPrompt | undefined;
}

/** Options of {@link AgentWorkflow.fromTools}. */
export type FromToolsOptions<Structured = unknown> = Omit<
  FunctionAgentOptions<Structured>,
  "tools" | "canHandoffTo"
> & {
  /** Whether the model calls functions, or writes in the ReAct format. Default: `"function"`. */
  readonly kind?: "function" | "react" | undefined;
};

const DEFAULT_ITERATIONS = 20;

/** The latest run by its store, which it may have from another one: two at a time would write over each other's turns. */
const latest = new WeakMap<object, Pick<WorkflowContext, "status">>();
const noStore = {};
const alive: ReadonlySet<string> = new Set(["created", "running", "waiting"]);

/**
 * Agents that answer together: one is at work at a time, and may hand off to another. A workflow like any other: runs are awaited and iterated,
 * cancelled, taken as bytes and gone on with.
 *
 * ```ts
 * const team = new AgentWorkflow({ agents: [researcher, writer], rootAgent: "researcher", initialState: { notes: [] } });
 * const run = team.run("Write a report on the history of the web.");
 * for await (const event of run) if (event instanceof AgentStream) page.append(event.data.delta);
 * const { data } = await run;
 *
 * const next = team.run("Make it shorter.", undefined, { context: run }); // Goes on with the conversation and the state.
 * ```
 *
 * A run that is recovered, here or in another process, finds models and tools in the workflow that recovers it, which must have agents of the same names. A call
 * of a model that was under way is made again; a call of a tool as well, unless it is marked `once` and its result was in the snapshot.
 *
 * @typeParam ContextData What tools find in `context.data`.
 * @typeParam Structured What `outputSchema` describes.
 */
export class AgentWorkflow<ContextData = unknown, Structured = unknown> extends Workflow<
  ContextData,
  AgentStart,
  AgentResult<Structured>
> {
  /** The agents, by name. */
  readonly agents: ReadonlyMap<string, BaseAgent>;
  /** The name of the agent that a conversation begins with. */
  readonly rootAgent: string;

  /**
   * @throws ValidationError `INVALID_AGENT`, `DUPLICATE_AGENT`, `UNKNOWN_AGENT`, `INVALID_OPTION`, `INVALID_SCHEMA`, `INVALID_DURATION`, `INVALID_WORKERS`,
   * `INVALID_RETRY`
   */
  constructor(options: AgentWorkflowOptions<Structured>) {
    if (typeof options !== "object" || options === null) {
      throw new ValidationError("INVALID_OPTION", `The options of the workflow are ${describe(options)}.`);
    }
    const { agents, rootAgent, handoffPrompt, memory, maxIterations, outputSchema } = options;
    const events = [AgentStream, ToolApprovalRequest, ToolApprovalResponse, ...(options.events ?? [])];
    super({ ...options, timeout: options.timeout ?? null, events });
    checkRunOptions(options);
    checkPrompt(handoffPrompt, "handoffPrompt");
    this.agents = agentsOf(agents);
    this.rootAgent = rootAgent ?? agents[0]!.name;
    if (!this.agents.has(this.rootAgent)) throw unknownAgent(this.rootAgent, "`rootAgent`", this.agents);
    const handoffs = new Map<string, Tool>();
    for (const agent of this.agents.values()) {
      const targets = targetsOf(agent, this.agents);
      if (targets.length > 0) handoffs.set(agent.name, handoffTool(targets, handoffPrompt) as Tool);
      if (outputSchema !== undefined) needsModel(agent);
    }
    const steps = new AgentSteps({
      agents: this.agents,
      rootAgent: this.rootAgent,
      memory: memory ?? new ChatMemoryBuffer(),
      maxIterations: countOf(maxIterations, DEFAULT_ITERATIONS, "maxIterations"),
      form: outputSchema === undefined ? undefined : outputForm(outputSchema),
      handoffs,
      options,
    });
    this.#addSteps(steps, options);
  }

  /**
   * A workflow of one agent with these tools.
   *
   * ```ts
   * const calculator = AgentWorkflow.fromTools([add, multiply], { llm, systemPrompt: "You are a calculator." });
   * ```
   *
   * @throws ValidationError as the constructor.
   */
  static fromTools<Structured = unknown>(
    tools: NonNullable<BaseAgentOptions["tools"]>,
    options: FromToolsOptions<Structured>,
  ): AgentWorkflow<unknown, Structured> {
    const { kind = "function", ...others } = options;
    if (!["function", "react"].includes(kind)) {
      throw new ValidationError("INVALID_OPTION", `kind is ${describe(kind)}.`);
    }
    const given: ReActAgentOptions<Structured> = { ...others, tools };
    const agent = kind === "react" ? new ReActAgent(given) : new FunctionAgent(given);
    return agent.workflow;
  }

  /**
   * Makes a run.
   *
   * @param input What the user says, or that with more about the run.
   * @param data What tools find in `context.data`.
   * @param options With `context: run` the conversation and the state of another run go on; its agent is at work first.
   * @throws ValidationError `INVALID_OPTION`; also when another turn of that conversation has not ended.
   */
  override run<Given extends ContextData | undefined = undefined>(
    ...args: RunArguments<AgentStart, Given>
  ): RunOf<ContextData, AgentStart, AgentResult<Structured>, Given> {
    const [input, data, options] = args;
    inputOf(input instanceof StartEvent ? input.data : input);
    const before = latest.get(options?.context?.store ?? noStore);
    if (before !== undefined && alive.has(before.status)) {
      const detail = "The conversation of `context` is in the middle of a turn. Await that run first, or cancel it.";
      throw new ValidationError("INVALID_OPTION", detail);
    }
    const isList = typeof input === "object" && !(input instanceof StartEvent) && input.chatHistory !== undefined;
    // The run begins a little later, when the list may be longer already: programs go on writing into it.
    const run = super.run(isList ? { ...input, chatHistory: [...input.chatHistory] } : input, data, options);
    latest.set(run.store, run);
    return run;
  }

  #addSteps(steps: AgentSteps, { maxParallelTools, retry }: AgentWorkflowOptions<Structured>): void {
    const stop = StopEvent<AgentResult<never>>;
    this.addStep({ name: "initRun", inputs: [StartEvent<AgentStart>], outputs: [AgentInput] }, (context, { data }) =>
      steps.initRun(context, data),
    );
    this.addStep({ name: "setupAgent", inputs: [AgentInput], outputs: [AgentSetup] }, (context, event) =>
      steps.setupAgent(context, event),
    );
    this.addStep(
      { name: "runAgentStep", inputs: [AgentSetup], outputs: [AgentOutput], ...(retry === undefined ? {} : { retry }) },
      (context, event) => steps.runAgentStep(context, event),
    );
    this.addStep(
      { name: "parseAgentOutput", inputs: [AgentOutput], outputs: [ToolCall, AgentInput, stop] },
      (context, event) => steps.parseAgentOutput(context, event),
    );
    const workers = maxParallelTools === undefined ? {} : { numWorkers: maxParallelTools };
    this.addStep({ name: "callTool", inputs: [ToolCall], outputs: [ToolCallResult], ...workers }, (context, event) =>
      steps.callTool(context, event),
    );
    this.addStep(
      { name: "aggregateToolResults", inputs: [ToolCallResult], outputs: [AgentInput, stop] },
      (context, event) => steps.aggregateToolResults(context, event),
    );
  }
}
