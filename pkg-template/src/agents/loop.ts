// The loop of agents: a workflow of six steps, made with nothing but the public API.
//
//   initRun -> AgentInput -> setupAgent -> AgentSetup -> runAgentStep -> AgentOutput -> parseAgentOutput
//     -> ToolCall, one for each call -> callTool -> ToolCallResult -> aggregateToolResults -> AgentInput …
//     -> StopEvent
//
// The state of a run is in its store (turn.ts). Models, tools and other functions are in the agents, and never in a
// snapshot. The loop knows agents only as an interface (agent.ts), so that the classes of agents can be built on it.

import {
  type RunArguments,
  type RunOf,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  type WorkflowContext,
  type WorkflowEvent,
} from "../api/index.js";
import { defineSchema } from "../schema/definition.js";
import type { Tool } from "../tools/index.js";
import { type OptionNames, checkOptions } from "../errors/check-options.js";
import { workflowOptionNames } from "../model/options.js";
import type { AgentDefinition } from "./agent.js";
import { checkInput, checkPrompt, checkRunOptions, countOf } from "./check-options.js";
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
import { type HandoffPrompt, handoffTool, targetsOf } from "./handoff.js";
import { ChatMemoryBuffer } from "./memory.js";
import { type AgentResult, type AgentRunOptions, type AgentStart, runOptionNames, synonyms } from "./run-options.js";
import { AgentSteps } from "./steps.js";
import { agentNamed, checkModel, teamOf } from "./team.js";
import { Toolbox } from "./toolbox.js";

/** Options of an {@link AgentWorkflow}. */
export interface AgentWorkflowOptions<Structured = unknown> extends AgentRunOptions<Structured> {
  /** Its name in messages. */
  readonly name?: string | undefined;
  /** The agents, each with a name of its own. */
  readonly agents: readonly AgentDefinition[];
  /** The name of the agent that a conversation begins with. Default: the first one. */
  readonly rootAgent?: string | undefined;
  /** The description of the tool for handoffs, for the model: `{agents}` is the list of the other agents. */
  readonly handoffPrompt?: HandoffPrompt | undefined;
}

const optionNames: OptionNames<AgentWorkflowOptions> = {
  agents: 1,
  rootAgent: 1,
  handoffPrompt: 1,
  ...workflowOptionNames,
  ...runOptionNames,
};

const DEFAULT_ITERATIONS = 20;

/** The last run with each store: two runs at a time would overwrite each other's turns. */
const latest = new WeakMap<object, Pick<WorkflowContext, "status">>();
const noStore = {};
const alive: ReadonlySet<string> = new Set(["created", "running", "sleeping", "waiting"]);

/** The options with some of the names. */
export function pickOptions<Options extends object>(options: object, names: OptionNames<Options>): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(names, name))) as Options;
}

/**
 * For the StreamReset of `runAgentStep`: the iteration whose AgentStream events it writes again. The other steps have
 * none, so that readers can go by the iteration alone: what a tool writes again concerns no text of the model.
 */
const resetDetails = ([setup]: readonly WorkflowEvent[]): { readonly iteration?: number } => ({
  iteration: (setup as AgentSetup).data.iteration,
});

/**
 * The workflow of one or more agents. {@link AgentWorkflow} is the class for users.
 *
 * @typeParam ContextData The type of `context.data` in tools.
 * @typeParam Structured The type of the structured output.
 */
export class AgentLoop<ContextData = unknown, Structured = unknown> extends Workflow<
  ContextData,
  AgentStart,
  AgentResult<Structured>
> {
  /** The agents, by name. */
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  /** The name of the agent that a conversation begins with. */
  readonly rootAgent: string;

  /**
   * @throws ValidationError `INVALID_AGENT`, `DUPLICATE_AGENT`, `UNKNOWN_AGENT`, `INVALID_OPTION`, `INVALID_SCHEMA`,
   * `INVALID_DURATION`, `INVALID_WORKERS`, `INVALID_RETRY`
   */
  constructor(options: AgentWorkflowOptions<Structured>) {
    checkOptions(options, optionNames, "AgentWorkflow", synonyms);
    const { agents, rootAgent, handoffPrompt, memory, maxIterations, outputSchema } = options;
    const events = [AgentStream, ToolApprovalRequest, ToolApprovalResponse, ...(options.events ?? [])];
    super({ ...pickOptions(options, workflowOptionNames), timeout: options.timeout ?? null, events });
    checkRunOptions(options);
    checkPrompt(handoffPrompt, "handoffPrompt");
    this.agents = teamOf(agents);
    this.rootAgent = rootAgent ?? agents[0]!.name;
    agentNamed(this.rootAgent, "`rootAgent`", this.agents);
    const handoffs = new Map<string, Tool>();
    for (const agent of this.agents.values()) {
      const targets = targetsOf(agent, this.agents);
      if (targets.length > 0) handoffs.set(agent.name, handoffTool(targets, handoffPrompt) as Tool);
      if (outputSchema !== undefined) checkModel(agent);
    }
    const steps = new AgentSteps({
      agents: this.agents,
      rootAgent: this.rootAgent,
      memory: memory ?? new ChatMemoryBuffer(),
      maxIterations: countOf(maxIterations, DEFAULT_ITERATIONS, "maxIterations"),
      output: outputSchema === undefined ? undefined : defineSchema(outputSchema, undefined, "`outputSchema`"),
      toolbox: new Toolbox(handoffs),
      options,
    });
    this.#addSteps(steps, options);
  }

  /**
   * Creates a run.
   *
   * @param input The message of the user, or an object with more options of the run.
   * @param data The `context.data` of tools.
   * @param options With `context: run`, the new run continues the conversation and the state of another run, with the
   * agent that answered last.
   * @throws ValidationError `INVALID_OPTION`; also while another run of that conversation has not ended.
   */
  override run<Given extends ContextData | undefined = undefined>(
    ...args: RunArguments<AgentStart, Given>
  ): RunOf<ContextData, AgentStart, AgentResult<Structured>, Given> {
    const [input, data, options] = args;
    checkInput(input instanceof StartEvent ? input.data : input);
    const before = latest.get(options?.context?.store ?? noStore);
    if (before !== undefined && alive.has(before.status)) {
      const detail =
        "The last turn of the conversation of `context` has not ended. Await that run first, or cancel it.";
      throw new ValidationError("INVALID_OPTION", detail);
    }
    const isList = typeof input === "object" && !(input instanceof StartEvent) && input.chatHistory !== undefined;
    // A copy of the list, because programs append to it before the run starts, which it does in a later microtask.
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
    const retried = retry === undefined ? {} : { retry };
    this.addStep(
      { name: "runAgentStep", inputs: [AgentSetup], outputs: [AgentOutput], resetDetails, ...retried },
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
