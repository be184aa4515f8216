// The steps of a workflow of agents.
//
// Each may run again after a recovery, with the store as it left it. So a step changes the store last, all at once, and in a way that
// changes nothing the second time (turn.ts); and what it returns follows from its event and the changed store.

import { type HandlerContext, LimitError, StopEvent, ValidationError } from "../api/index.js";
import { describe } from "../util/describe.js";
import type { ChatMessage } from "../llm/types.js";
import { parseArguments } from "../tools/internal.js";
import type { Tool } from "../tools/index.js";
import { isTool } from "../tools/tool.js";
import type { AgentStep, BaseAgent } from "./base-agent.js";
import { inputOf, messagesOf, responseOf, unknownAgent } from "./check.js";
import {
  AgentInput,
  AgentOutput,
  type AgentOutputData,
  AgentSetup,
  type Purpose,
  ToolCall,
  type ToolCallData,
  ToolCallResult,
  type ToolCallResultData,
} from "./events.js";
import { HANDOFF, type HandoffArguments, isLate } from "./handoff.js";
import type { Memory } from "./memory.js";
import { callsOf, messageOf, textOf, withOwnIds, withoutCalls } from "./messages.js";
import { ANSWER_NOW, NOT_MADE, withState, withSystem } from "./prompts.js";
import type { AgentResult, AgentRunOptions, AgentStart } from "./run-options.js";
import { runTool } from "./run-tool.js";
import { type OutputForm, STRUCTURED_ATTEMPTS, takeForm } from "./structured.js";
import { STATE, type Turn, finished, readState, stateOf, withOutput, writeState } from "./turn.js";

/** What the steps are made with. */
export interface StepParts {
  readonly agents: ReadonlyMap<string, BaseAgent>;
  readonly rootAgent: string;
  readonly memory: Memory;
  readonly maxIterations: number;
  readonly form: OutputForm | undefined;
  /** What agents hand off with, by the agent's name. */
  readonly handoffs: ReadonlyMap<string, Tool>;
  readonly options: Pick<AgentRunOptions, "earlyStopping" | "initialState" | "statePrompt">;
}

type Stop = StopEvent<AgentResult<never>>;

export class AgentSteps {
  readonly #parts: StepParts;
  /** What retrievers have found, for runs that are alive here: a search may be costly, and every call of a tool needs its result. */
  readonly #retrieved = new WeakMap<object, { readonly key: string; readonly tools: Promise<readonly Tool[]> }>();

  constructor(parts: StepParts) {
    this.#parts = parts;
  }

  /** A turn begins. */
  async initRun(context: HandlerContext, start: AgentStart): Promise<AgentInput> {
    const { store } = context;
    const { rootAgent, agents, maxIterations, options } = this.#parts;
    const { message, history, maxIterations: most = maxIterations } = inputOf(start);
    const known = readState(store);
    const before = history ?? known?.history ?? [];
    // The store may be that of a run of other agents.
    const current = known !== undefined && agents.has(known.current) ? known.current : rootAgent;
    const turn: Turn = {
      before,
      messages: [message],
      aside: [],
      query: textOf(message),
      maxIterations: most,
      iterations: 0,
      calls: [],
      gathered: 0,
      results: [],
      usage: {},
      attempts: 0,
    };
    const input = await this.#input(current, turn, "step");
    if (options.initialState !== undefined && !store.has(STATE))
      store.set(STATE, structuredClone(options.initialState));
    writeState(store, { current, history: known?.history ?? [], turn });
    return input;
  }

  /** What the model is to be given. */
  async setupAgent(context: HandlerContext, { data }: AgentInput): Promise<AgentSetup> {
    const { store } = context;
    const { systemPrompt } = this.#agent(data.agent);
    const prompt = typeof systemPrompt === "function" ? await systemPrompt(context) : systemPrompt;
    const told = withState(data.messages, store.get(STATE), this.#parts.options.statePrompt);
    const messages = withSystem([...told, ...stateOf(store).turn.aside], prompt);
    return new AgentSetup({ ...data, messages });
  }

  /** The model is called. */
  async runAgentStep(context: HandlerContext, { data }: AgentSetup): Promise<AgentOutput> {
    const { purpose, messages, iteration } = data;
    const agent = this.#agent(data.agent);
    if (purpose === "structured") {
      const step = await takeForm(context, agent.llm!, agent.chatOptions, messages, this.#parts.form!);
      return outputOf(data, step);
    }
    const tools = await this.#toolsOf(context, agent);
    const who = `takeStep of the agent "${data.agent}"`;
    const step = responseOf(await agent.takeStep(context, { messages, tools, purpose, iteration }), who);
    if (step.retryMessages !== undefined) messagesOf(step.retryMessages, who);
    // Also of what the memory leaves out.
    const { before, messages: said } = stateOf(context.store).turn;
    return outputOf(data, step, [...before, ...said]);
  }

  /** What the model has written is looked at: calls of tools, the answer, or nothing of use. */
  async parseAgentOutput(context: HandlerContext, { data }: AgentOutput): Promise<AgentInput | Stop | undefined> {
    const { store } = context;
    const { iteration, purpose, toolCalls, retryMessages } = data;
    const isUseless = retryMessages !== undefined;
    const isAnswer = !isUseless && toolCalls.length === 0 && purpose !== "structured";
    const state = stateOf(store);
    let { turn } = state;
    const isLimit = iteration >= turn.maxIterations && purpose === "step" && !isAnswer;
    if (isLimit && this.#parts.options.earlyStopping !== "generate") throw iterationsUsedUp(turn);
    if (isUseless && purpose === "answer") throw iterationsUsedUp(turn);
    if (turn.iterations < iteration) {
      const output = isAnswer ? await this.#finalize(context, data) : data;
      turn = withOutput(turn, output);
      if (isAnswer) turn = { ...turn, answer: output.response };
      if (isLimit) turn = await this.#cutShort(context, turn, data);
      writeState(store, { ...state, turn });
    }
    if (isLimit) return this.#input(data.agent, turn, "answer");
    if (isAnswer) return this.#end(context);
    if (!isUseless && purpose === "structured") return this.#stop(context);
    if (isUseless) {
      if (purpose === "structured" && turn.attempts >= STRUCTURED_ATTEMPTS) throw noForm(retryMessages);
      return this.#input(data.agent, turn, purpose);
    }
    for (const call of toolCalls) context.sendEvent(new ToolCall({ agent: data.agent, iteration, ...call }));
    return undefined;
  }

  /** The calls that cannot be made any more are answered, as each needs a result, and the model is told to come to an end. */
  async #cutShort(context: HandlerContext, turn: Turn, { agent, iteration }: AgentOutputData): Promise<Turn> {
    const results = turn.calls.map((call) => {
      const about = { agent, iteration, ...call };
      return { ...about, content: NOT_MADE, isError: true, returnDirect: false } satisfies ToolCallResultData;
    });
    const told = results.length === 0 ? [] : await this.#tell(context, agent, results);
    return {
      ...turn,
      messages: [...turn.messages, ...told],
      results: [...turn.results, ...results],
      gathered: iteration,
      aside: [...turn.aside, { role: "user", content: ANSWER_NOW }],
    };
  }

  /** One call of a tool. */
  async callTool(context: HandlerContext, { data }: ToolCall): Promise<ToolCallResult> {
    const handoff = this.#parts.handoffs.get(data.agent);
    if (data.name === HANDOFF && handoff !== undefined) return this.#callHandoff(context, handoff, data);
    const tools = await this.#toolsOf(context, this.#agent(data.agent));
    const { content, isError, tool } = await runTool(context, tools, data);
    return new ToolCallResult({ ...data, content, isError, returnDirect: tool?.returnDirect === true && !isError });
  }

  async #callHandoff(context: HandlerContext, handoff: Tool, call: ToolCallData): Promise<ToolCallResult> {
    if (isLate(stateOf(context.store).turn.calls, call.id)) {
      const content = "Only one agent can take over at a time. This handoff was not made.";
      return new ToolCallResult({ ...call, content, isError: true, returnDirect: false });
    }
    const { content, isError } = await runTool(context, [handoff], call);
    const result: ToolCallResultData = { ...call, content, isError, returnDirect: false };
    if (isError) return new ToolCallResult(result);
    const parsed = await parseArguments(handoff, call.arguments);
    const { toAgent } = (parsed.ok ? parsed.args : {}) as HandoffArguments;
    return new ToolCallResult({ ...result, handoffTo: toAgent });
  }

  /** When all results are there, the model is told of them, or another agent takes over, or a result is the answer. */
  async aggregateToolResults(context: HandlerContext, event: ToolCallResult): Promise<AgentInput | Stop | undefined> {
    const { store, collectEvents } = context;
    const { calls } = stateOf(store).turn;
    const events = collectEvents(event, Array<typeof ToolCallResult>(calls.length).fill(ToolCallResult));
    if (events === null) return undefined;
    const results = calls.flatMap(({ id }) => events.find(({ data }) => data.id === id)?.data ?? []);
    const { agent: name, iteration } = event.data;
    const direct = results.find(({ returnDirect }) => returnDirect);
    let state = stateOf(store);
    if (state.turn.gathered < iteration) {
      const told = await this.#tell(context, name, results);
      const messages = [...state.turn.messages, ...told];
      const turn = { ...state.turn, messages, gathered: iteration, results: [...state.turn.results, ...results] };
      const current = results.find(({ handoffTo }) => handoffTo !== undefined)?.handoffTo ?? state.current;
      state = { ...state, current, turn };
      if (direct !== undefined) {
        const { response } = await this.#finalize(context, directOutput(direct));
        state = { ...state, turn: { ...turn, messages: [...messages, response], answer: response } };
      }
      writeState(store, state);
    }
    return direct === undefined ? this.#input(state.current, state.turn, "step") : this.#end(context, name);
  }

  /** How the agent tells the model of results. */
  async #tell(
    context: HandlerContext,
    name: string,
    results: readonly ToolCallResultData[],
  ): Promise<readonly ChatMessage[]> {
    const told = await this.#agent(name).handleToolCallResults(context, results);
    return messagesOf(told, `handleToolCallResults of the agent "${name}"`);
  }

  /** The answer, as the agent wants it. */
  async #finalize(context: HandlerContext, output: AgentOutputData): Promise<AgentOutputData> {
    const final: unknown = await this.#agent(output.agent).finalize(context, output);
    const { response } = (final ?? {}) as Partial<AgentOutputData>;
    messagesOf([response], `finalize of the agent "${output.agent}"`);
    return final as AgentOutputData;
  }

  /** There is an answer: the end, or the answer once more in the form that is wanted. */
  #end(context: HandlerContext, agent = stateOf(context.store).current): Promise<AgentInput> | Stop {
    if (this.#parts.form === undefined) return this.#stop(context);
    return this.#input(agent, stateOf(context.store).turn, "structured");
  }

  #stop({ store }: HandlerContext): Stop {
    const state = finished(stateOf(store));
    writeState(store, state);
    const { turn, current, history } = state as ReturnType<typeof stateOf>;
    const { answer, results, usage, structured } = turn;
    return new StopEvent({
      response: answer!,
      text: textOf(answer!),
      structured: structured?.[0] as never,
      toolCalls: results,
      currentAgent: current,
      usage,
      chatHistory: history,
    });
  }

  async #input(agent: string, turn: Turn, purpose: Purpose): Promise<AgentInput> {
    const messages: readonly ChatMessage[] | undefined = await this.#parts.memory.select([
      ...turn.before,
      ...turn.messages,
    ]);
    if (!Array.isArray(messages)) {
      throw new ValidationError("INVALID_OPTION", `\`memory\` gave ${describe(messages)}, and not messages.`);
    }
    return new AgentInput({ agent, iteration: turn.iterations + 1, purpose, messages });
  }

  #agent(name: string): BaseAgent {
    const { agents } = this.#parts;
    const agent = agents.get(name);
    if (agent === undefined) throw unknownAgent(name, "The run", agents);
    return agent;
  }

  /** Everything that an agent may use now. */
  async #toolsOf(context: HandlerContext, agent: BaseAgent): Promise<readonly Tool[]> {
    const handoff = this.#parts.handoffs.get(agent.name);
    const more = handoff === undefined ? [] : [handoff];
    if (agent.toolRetriever === undefined) return more.length === 0 ? agent.tools : [...agent.tools, ...more];
    const own = [...agent.tools, ...more];
    const names = new Set(own.map(({ name }) => name));
    const found = await this.#retrieve(context, agent);
    return [...own, ...found.filter(({ name }) => !names.has(name) && names.add(name))];
  }

  #retrieve(context: HandlerContext, agent: BaseAgent): Promise<readonly Tool[]> {
    const { store } = context;
    const { query, before } = stateOf(store).turn;
    const key = JSON.stringify([agent.name, before.length, query]);
    const known = this.#retrieved.get(store);
    if (known?.key === key) return known.tools;
    const tools = retrieve(context, agent, query);
    this.#retrieved.set(store, { key, tools });
    // What has failed may be tried again.
    tools.catch(() => this.#retrieved.delete(store));
    return tools;
  }
}

async function retrieve(context: HandlerContext, agent: BaseAgent, query: string): Promise<readonly Tool[]> {
  const found: unknown = await agent.toolRetriever!(query, { context });
  if (Array.isArray(found) && found.every(isTool)) return found;
  throw new ValidationError("INVALID_AGENT", `\`toolRetriever\` of the agent "${agent.name}" gave ${describe(found)}.`);
}

/** The event for what an agent gave for a step. */
function outputOf(
  { agent, iteration, purpose }: Omit<AgentInput["data"], "messages">,
  step: AgentStep & { readonly structured?: unknown },
  messages: readonly ChatMessage[] = [],
): AgentOutput {
  const { usage, finishReason, retryMessages } = step;
  const isTaken = new Set(messages.flatMap((message) => callsOf(message).map(({ id }) => id)));
  const message = withOwnIds(messageOf(step), isTaken, iteration);
  // What is called although no tool can be is no call.
  const response = purpose === "step" ? message : withoutCalls(message);
  return new AgentOutput({
    agent,
    iteration,
    purpose,
    response,
    text: textOf(response),
    toolCalls: callsOf(response),
    ...(usage === undefined ? {} : { usage }),
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(retryMessages === undefined ? {} : { retryMessages }),
    ...("structured" in step ? { structured: step.structured } : {}),
  });
}

/** A result of a tool as an answer. */
function directOutput({ agent, iteration, content }: ToolCallResultData): AgentOutputData {
  const response: ChatMessage = { role: "assistant", content };
  return { agent, iteration, purpose: "answer", response, text: textOf(response), toolCalls: [] };
}

function iterationsUsedUp({ maxIterations }: Turn): LimitError {
  return new LimitError("AGENT_ITERATIONS", `The limit is ${maxIterations}.`);
}

function noForm(messages: readonly ChatMessage[]): LimitError {
  const last = messages.at(-1);
  return new LimitError("ANSWER_FORM", last === undefined ? "" : textOf(last));
}
