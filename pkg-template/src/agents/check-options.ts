// Checks of the options and inputs of runs of agents.

import { ValidationError } from "../index.js";
import { describe } from "../internal/duration.js";
import type { ChatMessage } from "../model/chat.js";
import { type OptionNames, checkOptions } from "../util/options.js";
import { isMessage } from "./check-messages.js";
import type { AgentRunInput, AgentRunOptions } from "./run-options.js";

const invalid = (what: string, value: unknown): ValidationError =>
  new ValidationError("INVALID_OPTION", `${what} is ${describe(value)}.`);

/** A whole number from 1 on, or Infinity; the fallback when undefined. @throws ValidationError `INVALID_OPTION` */
export function countOf(value: unknown, fallback: number, what: string): number {
  if (value === undefined) return fallback;
  if (value !== Infinity && !(Number.isInteger(value) && (value as number) >= 1)) throw invalid(what, value);
  return value as number;
}

/** @throws ValidationError `INVALID_OPTION` */
export function checkPrompt(prompt: unknown, what: string): void {
  if (prompt !== undefined && typeof prompt !== "string" && typeof prompt !== "function") throw invalid(what, prompt);
}

/** Checks the values of the options that only agents have. @throws ValidationError `INVALID_OPTION` */
export function checkRunOptions(options: AgentRunOptions): void {
  const {
    earlyStopping = "force",
    memory,
    initialState,
    statePrompt,
  }: Partial<Record<keyof AgentRunOptions, unknown>> = options;
  if (earlyStopping !== "force" && earlyStopping !== "generate") throw invalid("earlyStopping", earlyStopping);
  if (memory !== undefined && typeof (memory as { select?: unknown } | null)?.select !== "function") {
    throw invalid("memory", memory);
  }
  if (initialState !== undefined) {
    if (typeof initialState !== "object" || initialState === null) throw invalid("initialState", initialState);
    try {
      structuredClone(initialState);
    } catch (cause) {
      throw new ValidationError("INVALID_OPTION", "initialState contains a value that is not plain data.", { cause });
    }
  }
  checkPrompt(statePrompt, "statePrompt");
}

/** The input of a run, checked. */
export interface CheckedInput {
  readonly message: ChatMessage;
  /** Undefined when the run continues the conversation of its store. */
  readonly history: readonly ChatMessage[] | undefined;
  readonly maxIterations: number | undefined;
}

const inputNames: OptionNames<AgentRunInput> = { message: 1, chatHistory: 1, maxIterations: 1 };

const inputSynonyms = {
  messages: "chatHistory",
  history: "chatHistory",
  input: "message",
  prompt: "message",
  text: "message",
  content: "message",
  role: "message",
  userMsg: "message",
  maxSteps: "maxIterations",
  maxTurns: "maxIterations",
};

/** Checks the input of a run. @throws ValidationError `INVALID_OPTION` */
export function checkInput(input: unknown): CheckedInput {
  const given: unknown = typeof input === "string" ? { message: input } : input;
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw invalid("The input of an agent", given);
  checkOptions(given, inputNames, "The input of an agent", inputSynonyms);
  const { message, chatHistory, maxIterations } = given as Record<string, unknown>;
  const limit = maxIterations === undefined ? undefined : countOf(maxIterations, 1, "maxIterations");
  if (chatHistory !== undefined && !(Array.isArray(chatHistory) && chatHistory.every(isMessage))) {
    throw invalid("chatHistory", chatHistory);
  }
  const history = chatHistory as readonly ChatMessage[] | undefined;
  const full: unknown = typeof message === "string" ? { role: "user", content: message } : message;
  if (full === undefined) {
    const last = history?.at(-1);
    if (last?.role !== "user") {
      const detail = "There is no `message`, and `chatHistory` does not end with a message of the user.";
      throw new ValidationError("INVALID_OPTION", detail);
    }
    return { message: last, history: history!.slice(0, -1), maxIterations: limit };
  }
  if (!isMessage(full) || full.role !== "user") throw invalid("The message, which must be one of the user,", full);
  return { message: full, history, maxIterations: limit };
}
