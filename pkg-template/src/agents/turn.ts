// The state of a run of agents: plain data in the run's store, and how it changes.
//
// A step that runs again after a recovery finds the store as its first execution left it. So a step changes the whole
// turn at once, and each change has a condition that is false when it was made already: the number of iterations, or of
// gathered results.

import { type Store, ValidationError } from "../api/index.js";
import type { ChatMessage, ToolCallRequest, Usage } from "../model/chat.js";
import type { AgentOutputData, ToolCallResultData } from "./events.js";
import { addUsage } from "./messages.js";

/** The key of the users' state in the store. */
export const STATE = "state";

/** The key of the state of agents in the store. */
const AGENTS = "agents";

/** A turn of the conversation: from a message of the user to the answer. */
export interface Turn {
  /** The conversation before this turn. */
  readonly before: readonly ChatMessage[];
  /** The messages of this turn, that of the user first. */
  readonly messages: readonly ChatMessage[];
  /** Messages for the next call of the model alone. They do not become part of the conversation. */
  readonly aside: readonly ChatMessage[];
  /** The text of the user's message. */
  readonly query: string;
  readonly maxIterations: number;
  /** The number of responses of models that are in this turn. */
  readonly iterations: number;
  /** The calls of tools in the last response. */
  readonly calls: readonly ToolCallRequest[];
  /** The last iteration whose results of tools are in this turn. */
  readonly gathered: number;
  /** All calls of tools, with their results. */
  readonly results: readonly ToolCallResultData[];
  readonly usage: Usage;
  /** How often the model was asked for the structured output. */
  readonly attempts: number;
  /** The answer, once there is one. */
  readonly answer?: ChatMessage | undefined;
  /** The structured output, once there is one. */
  readonly structured?: readonly [unknown] | undefined;
}

/** The state of agents in the store of a run. */
export interface AgentsState {
  /** The agent whose turn it is, or that answered last. */
  readonly current: string;
  /** The conversation up to the last complete turn. A turn that fails leaves nothing behind. */
  readonly history: readonly ChatMessage[];
  /** The current turn, or the last one. */
  readonly turn?: Turn | undefined;
}

export function readState(store: Store): AgentsState | undefined {
  return store.get<AgentsState>(AGENTS);
}

export function writeState(store: Store, state: AgentsState): void {
  store.set(AGENTS, state);
}

/** The state in the middle of a turn. @throws ValidationError `INVALID_STORE` when it was removed. */
export function stateOf(store: Store): AgentsState & { readonly turn: Turn } {
  const state = readState(store);
  if (state?.turn === undefined) {
    throw new ValidationError("INVALID_STORE", `The state of agents, under "${AGENTS}", was removed from the store.`);
  }
  return state as AgentsState & { readonly turn: Turn };
}

/** The turn with another response of a model. */
export function withOutput(turn: Turn, output: AgentOutputData): Turn {
  const { iteration, purpose, response, retryMessages } = output;
  const isKept = purpose !== "structured" && retryMessages === undefined;
  return {
    ...turn,
    iterations: iteration,
    usage: addUsage(turn.usage, output.usage),
    messages: isKept ? [...turn.messages, response] : turn.messages,
    aside: retryMessages === undefined ? [] : [...turn.aside, ...retryMessages],
    calls: isKept ? output.toolCalls : [],
    attempts: turn.attempts + (purpose === "structured" ? 1 : 0),
    ...("structured" in output ? { structured: [output.structured] as const } : {}),
  };
}

/** The state after a complete turn. */
export function withTurnEnded(state: AgentsState & { readonly turn: Turn }): AgentsState & { readonly turn: Turn } {
  const { before, messages } = state.turn;
  return { ...state, history: [...before, ...messages] };
}
