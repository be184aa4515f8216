// The steps of a workflow of agents.
//
// Each may run again after a recovery, with the store as its first execution left it. So a step changes the store last,
// all at once, and in a way that changes nothing the second time (turn.ts). What it returns follows from its event and
// the store.

import { type HandlerContext, LimitError, StopEvent, ValidationError } from "../api/index.js";
import { describe } from "../util/describe.js";
import type { ChatMessage } from "../model/chat.js";
import type { SchemaDefinition } from "../schema/definition.js";
import { parseArguments } from "../tools/execute.js";
import type { Tool } from "../tools/index.js";
import type { AgentDefinition } from "./agent.js";
import { checkMessages, checkResponse } from "./check-messages.js";
import { checkInput } from "./check-options.js";
import {
  AgentInput,
  type AgentOutput,
  type AgentOutputData,
  AgentSetup,
  type Purpose,
  ToolCall,
  type ToolCallData,
  ToolCallResult,
  type ToolCallResultData,
} from "./events.js";
import { HANDOFF, type HandoffArguments, isLateHandoff } from "./handoff.js";
import type { Memory } from "./memory.js";
import { textOf } from "./messages.js";
import { ANSWER_NOW, NOT_MADE, withState, withSystem } from "./prompts.js";
import type { AgentResult, AgentRunOptions, AgentStart } from "./run-options.js";
import { runTool } from "./run-tool.js";
import { directOutput, outputOf } from "./step-output.js";
import { STRUCTURED_ATTEMPTS, askForStructuredOutput } from "./structured.js";
import { agentNamed } from "./team.js";
import type { Toolbox } from "./toolbox.js";
import { STATE, type Turn, readState, stateOf, withOutput, withTurnEnded, writeState } from "./turn.js";

/** The parts that the steps work with. */
export interface StepParts {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly rootAgent: string;
  readonly memory: Memory;
  readonly maxIterations: number;
  /** The schema of the structured output, if one is wanted. */
  readonly output: SchemaDefinition | undefined;
  readonly toolbox: Toolbox;
  readonly options: Pick<AgentRunOptions, "earlyStopping" | "initialState" | "statePrompt">;
}

type Stop = StopEvent<AgentResult<never>>;

/** The handlers of the steps. */
export class AgentSteps {
  readonly #parts: StepParts;

  constructor(parts: StepParts) {
    this.#parts = parts;
  }

  /** Begins a turn. */
  async initRun(context: HandlerContext, start: AgentStart): Promise<AgentInput> {
    const { store } = context;
    const { rootAgent, agents, maxIterations, options } = this.#parts;
    const { message, history, maxIterations: limit = maxIterations } = checkInput(start);
    const known = readState(store);
    const before = history ?? known?.history ?? [];
    // The store may be that of a run with other agents.
    const current = known !== undefined && agents.has(known.current) ? known.current : rootAgent;
    const turn: Turn = {
      before,
      messages: [message],
      aside: [],
      query: textOf(message),
      maxIterations: limit,
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

  /** Prepares the messages for the model. */
  async setupAgent(context: HandlerContext, { data }: AgentInput): Promise<AgentSetup> {
    const { store } = context;
    const { systemPrompt } = this.#agent(data.agent);
    const prompt = typeof systemPrompt === "function" ? await systemPrompt(context) : systemPrompt;
    const conversation = withState(data.messages, store.get(STATE), this.#parts.options.statePrompt);
    const messages = withSystem([...conversation, ...stateOf(store).turn.aside], prompt);
    return new AgentSetup({ ...data, messages });
  }

  /** Lets the agent take its step, which calls the model. */
  async runAgentStep(context: HandlerContext, { data }: AgentSetup): Promise<AgentOutput> {
    const { purpose, messages, iteration } = data;
    const agent = this.#agent(data.agent);
    if (purpose === "structured") {
      const { llm, chatOptions } = agent;
      return outputOf(data, await askForStructuredOutput(context, llm!, chatOptions, messages, this.#parts.output!));
    }
    const tools = await this.#parts.toolbox.toolsOf(context, agent);
    const source = `takeStep of the agent "${data.agent}"`;
    const step = checkResponse(await agent.takeStep(context, { messages, tools, purpose, iteration }), source);
    if (step.retryMessages !== undefined) checkMessages(step.retryMessages, source);
    // The whole conversation: the memory may have left out messages whose ids are taken.
    const { before, messages: current } = stateOf(context.store).turn;
    return outputOf(data, step, [...before, ...current]);
  }

  /** Decides what follows a response: calls of tools, the end, or another call of the model. */
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
      if (purpose === "structured" && turn.attempts >= STRUCTURED_ATTEMPTS) throw noStructuredOutput(retryMessages);
      return this.#input(data.agent, turn, purpose);
    }
    for (const call of toolCalls) context.sendEvent(new ToolCall({ agent: data.agent, iteration, ...call }));
    return undefined;
  }

  /** The turn when no more tools may be called: each call gets a result that says so, and the model must answer. */
  async #cutShort(context: HandlerContext, turn: Turn, { agent, iteration }: AgentOutputData): Promise<Turn> {
    const results = turn.calls.map((call) => {
      const about = { agent, iteration, ...call };
      return { ...about, content: NOT_MADE, isError: true, returnDirect: false } satisfies ToolCallResultData;
    });
    const messages = results.length === 0 ? [] : await this.#messagesFor(context, agent, results);
    return {
      ...turn,
      messages: [...turn.messages, ...messages],
      results: [...turn.results, ...results],
      gathered: iteration,
      aside: [...turn.aside, { role: "user", content: ANSWER_NOW }],
    };
  }

  /** Makes one call of a tool. */
  async callTool(context: HandlerContext, { data }: ToolCall): Promise<ToolCallResult> {
    const { toolbox } = this.#parts;
    const handoff = toolbox.handoffs.get(data.agent);
    if (data.name === HANDOFF && handoff !== undefined) return this.#callHandoff(context, handoff, data);
    const tools = await toolbox.toolsOf(context, this.#agent(data.agent));
    const { content, isError, tool } = await runTool(context, tools, data);
    return new ToolCallResult({ ...data, content, isError, returnDirect: tool?.returnDirect === true && !isError });
  }

  async #callHandoff(context: HandlerContext, handoff: Tool, call: ToolCallData): Promise<ToolCallResult> {
    if (isLateHandoff(stateOf(context.store).turn.calls, call.id)) {
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

  /**
   * Gathers the results of an iteration. Then the model gets them, or another agent takes over, or one is the answer.
   */
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
      const messages = [...state.turn.messages, ...(await this.#messagesFor(context, name, results))];
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

  /** The messages with the results of tools, as the agent makes them. */
  async #messagesFor(
    context: HandlerContext,
    name: string,
    results: readonly ToolCallResultData[],
  ): Promise<readonly ChatMessage[]> {
    const messages = await this.#agent(name).handleToolCallResults(context, results);
    return checkMessages(messages, `handleToolCallResults of the agent "${name}"`);
  }

  /** The answer after the agent's `finalize`. */
  async #finalize(context: HandlerContext, output: AgentOutputData): Promise<AgentOutputData> {
    const final: unknown = await this.#agent(output.agent).finalize(context, output);
    const { response } = (final ?? {}) as Partial<AgentOutputData>;
    checkMessages([response], `finalize of the agent "${output.agent}"`);
    return final as AgentOutputData;
  }

  /** After the answer: the end, or the call for the structured output. */
  #end(context: HandlerContext, agent = stateOf(context.store).current): Promise<AgentInput> | Stop {
    if (this.#parts.output === undefined) return this.#stop(context);
    return this.#input(agent, stateOf(context.store).turn, "structured");
  }

  #stop({ store }: HandlerContext): Stop {
    const state = withTurnEnded(stateOf(store));
    writeState(store, state);
    const { turn, current, history } = state;
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
      throw new ValidationError("INVALID_OPTION", `\`memory\` returned ${describe(messages)}, not messages.`);
    }
    return new AgentInput({ agent, iteration: turn.iterations + 1, purpose, messages });
  }

  #agent(name: string): AgentDefinition {
    return agentNamed(name, "The run", this.#parts.agents);
  }
}

function iterationsUsedUp({ maxIterations }: Turn): LimitError {
  return new LimitError("AGENT_ITERATIONS", `The limit is ${maxIterations}.`);
}

function noStructuredOutput(messages: readonly ChatMessage[]): LimitError {
  const last = messages.at(-1);
  return new LimitError("ANSWER_FORM", last === undefined ? "" : textOf(last));
}
