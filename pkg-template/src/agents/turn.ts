// What a run of agents knows, as plain data in the run's store, and how it changes.
//
// A step that runs again after a recovery finds the store as it left it. So every change is made of a whole turn at once, counted by the
// model's messages and gathered results, and made only by the first to come: making it again changes nothing.

import { type Store, ValidationError } from "../api/index.js";
import type { ChatMessage, ToolCallRequest, Usage } from "../llm/types.js";
import type { AgentOutputData, ToolCallResultData } from "./events.js";
import { addUsage } from "./messages.js";

/** Where in the store the users' state is. */
export const STATE = "state";

/** Where in the store the rest is. */
const AGENTS = "agents";

/** From one message of the user to the answer. */
export interface Turn {
  /** Everything that was said before. */
  readonly before: readonly ChatMessage[];
  /** What this turn adds, the user's message first. */
  readonly messages: readonly ChatMessage[];
  /** What only the next call of the model is told, and nobody remembers. */
  readonly aside: readonly ChatMessage[];
  /** What the user wants, as text. */
  readonly query: string;
  readonly maxIterations: number;
  /** How many messages of models are in. */
  readonly iterations: number;
  /** The calls of the last of them. */
  readonly calls: readonly ToolCallRequest[];
  /** Of which iteration the results are in. */
  readonly gathered: number;
  /** All calls, with what came of them. */
  readonly results: readonly ToolCallResultData[];
  readonly usage: Usage;
  /** How often the answer was asked for in the form of `outputSchema`. */
  readonly attempts: number;
  /** The answer, once there is one. */
  readonly answer?: ChatMessage;
  /** The same in the form of `outputSchema`. */
  readonly structured?: readonly [unknown];
}

/** All of it. */
export interface AgentsState {
  /** The agent that is at work, or was last. */
  readonly current: string;
  /** The conversation of the turns that have come to their end. A turn that fails leaves nothing behind. */
  readonly history: readonly ChatMessage[];
  /** The turn under way, or the last one. */
  readonly turn?: Turn;
}

export function readState(store: Store): AgentsState | undefined {
  return store.get<AgentsState>(AGENTS);
}

export function writeState(store: Store, state: AgentsState): void {
  store.set(AGENTS, state);
}

/** The state in the middle of a turn. */
export function stateOf(store: Store): AgentsState & { readonly turn: Turn } {
  const state = readState(store);
  if (state?.turn === undefined) {
    throw new ValidationError(
      "INVALID_STORE",
      `Agents keep what they know under "${AGENTS}", where nothing is any more.`,
    );
  }
  return state as AgentsState & { readonly turn: Turn };
}

/** The turn with a message of a model. */
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

/** The state when a turn has come to its end. */
export function finished(state: AgentsState & { readonly turn: Turn }): AgentsState {
  const { before, messages } = state.turn;
  return { ...state, history: [...before, ...messages] };
}
