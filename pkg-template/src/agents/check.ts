// Checks of what agents and their runs are given, at the time when it is given.

import { ValidationError } from "../api/index.js";
import { describe } from "../util/describe.js";
import type { ChatMessage, ContentBlock, OwnResponse, Role } from "../llm/types.js";
import type { BaseAgent } from "./base-agent.js";
import { checkNames, targetsOf } from "./handoff.js";
import { messageOf } from "./messages.js";
import type { AgentRunOptions } from "./run-options.js";

const invalid = (what: string, value: unknown): ValidationError =>
  new ValidationError("INVALID_OPTION", `${what} is ${describe(value)}.`);

/** A whole number from 1, or the fallback. @throws ValidationError `INVALID_OPTION` */
export function countOf(value: unknown, fallback: number, what: string): number {
  if (value === undefined) return fallback;
  if (value !== Infinity && !(Number.isInteger(value) && (value as number) >= 1)) throw invalid(what, value);
  return value as number;
}

const methods = ["takeStep", "handleToolCallResults", "finalize"] as const;

/** The agents by name. @throws ValidationError `INVALID_AGENT`, `DUPLICATE_AGENT`, `UNKNOWN_AGENT` */
export function agentsOf(agents: unknown): ReadonlyMap<string, BaseAgent> {
  if (!Array.isArray(agents) || agents.length === 0) {
    throw new ValidationError("INVALID_AGENT", "`agents` is not a list of agents.");
  }
  const byName = new Map<string, BaseAgent>();
  for (const agent of agents as readonly BaseAgent[]) {
    // By what it does: an agent of another copy of the package is as good.
    if (typeof agent !== "object" || agent === null || methods.some((name) => typeof agent[name] !== "function")) {
      throw new ValidationError("INVALID_AGENT", `One of \`agents\` is ${describe(agent)}.`);
    }
    if (byName.has(agent.name)) throw new ValidationError("DUPLICATE_AGENT", `The name is "${agent.name}".`);
    byName.set(agent.name, agent);
  }
  for (const agent of byName.values()) {
    for (const name of agent.canHandoffTo ?? []) {
      if (!byName.has(name)) throw unknownAgent(name, `\`canHandoffTo\` of "${agent.name}"`, byName);
    }
    if (targetsOf(agent, byName).length > 0) checkNames(agent, agent.tools);
  }
  return byName;
}

export function unknownAgent(name: unknown, where: string, agents: ReadonlyMap<string, BaseAgent>): ValidationError {
  const names = [...agents.keys()].map((known) => `"${known}"`).join(", ");
  return new ValidationError("UNKNOWN_AGENT", `${where} names ${describe(name)}; there are ${names}.`);
}

/** @throws ValidationError `INVALID_OPTION` */
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
      throw new ValidationError("INVALID_OPTION", "initialState holds something that is not plain data.", { cause });
    }
  }
  checkPrompt(statePrompt, "statePrompt");
}

/** @throws ValidationError `INVALID_OPTION` */
export function checkPrompt(prompt: unknown, what: string): void {
  if (prompt !== undefined && typeof prompt !== "string" && typeof prompt !== "function") throw invalid(what, prompt);
}

const roles: ReadonlySet<unknown> = new Set<Role>(["system", "user", "assistant", "tool"]);

const isContent = (value: unknown): boolean =>
  typeof value === "string" || (Array.isArray(value) && value.every(isBlock));

/** Whether a block has what is read of it here. The client of the model looks at the rest. */
function isBlock(value: unknown): value is ContentBlock {
  if (typeof value !== "object" || value === null) return false;
  const block = value as Readonly<Record<string, unknown>>;
  switch (block["type"]) {
    case "toolCall":
      return [block["id"], block["name"], block["arguments"]].every((one) => typeof one === "string");
    case "toolResult":
      return typeof block["id"] === "string" && isContent(block["content"]);
    case "image":
      return true;
    case "text":
    case "reasoning":
    case "refusal":
      return typeof block["text"] === "string";
    default:
      return false;
  }
}

function isMessage(value: unknown): value is ChatMessage {
  if (typeof value !== "object" || value === null) return false;
  const { role, content } = value as Partial<ChatMessage>;
  return roles.has(role) && isContent(content);
}

/**
 * What a model, or an agent of somebody's own, gave as its response.
 *
 * @throws ValidationError `INVALID_AGENT`
 */
export function responseOf<Response extends OwnResponse>(value: Response, who: string): Response {
  const given: unknown = value;
  const { message } = (given ?? {}) as Partial<OwnResponse>;
  if (isMessage(message) && isMessage(messageOf(value))) return value;
  const form =
    "a message has a `role`, and as `content` a text or blocks; a call has `id`, `name` and `arguments`, which are JSON text";
  throw new ValidationError(
    "INVALID_AGENT",
    message === undefined
      ? `${who} gave ${describe(given)}, without a \`message\`.`
      : `${who} gave a message that is none: ${form}.`,
  );
}

/** Messages that an agent of somebody's own gave. @throws ValidationError `INVALID_AGENT` */
export function messagesOf(value: unknown, who: string): readonly ChatMessage[] {
  if (Array.isArray(value) && value.every(isMessage)) return value;
  throw new ValidationError("INVALID_AGENT", `${who} gave ${describe(value)}, and not messages.`);
}

/** What a run is started with. */
export interface CheckedInput {
  readonly message: ChatMessage;
  /** Undefined when the conversation that the store knows goes on. */
  readonly history: readonly ChatMessage[] | undefined;
  readonly maxIterations: number | undefined;
}

/** @throws ValidationError `INVALID_OPTION` */
export function inputOf(input: unknown): CheckedInput {
  const given: unknown = typeof input === "string" ? { message: input } : input;
  if (typeof given !== "object" || given === null) throw invalid("What an agent is run with", given);
  const { message, chatHistory, maxIterations } = given as Record<string, unknown>;
  const most = maxIterations === undefined ? undefined : countOf(maxIterations, 1, "maxIterations");
  if (chatHistory !== undefined && !(Array.isArray(chatHistory) && chatHistory.every(isMessage))) {
    throw invalid("chatHistory", chatHistory);
  }
  const history = chatHistory as readonly ChatMessage[] | undefined;
  const said: unknown = typeof message === "string" ? { role: "user", content: message } : message;
  if (said === undefined) {
    const last = history?.at(-1);
    if (last?.role !== "user") {
      throw new ValidationError(
        "INVALID_OPTION",
        "There is no message, and chatHistory does not end with one of the user.",
      );
    }
    return { message: last, history: history!.slice(0, -1), maxIterations: most };
  }
  if (!isMessage(said) || said.role !== "user") throw invalid("The message, which must be one of the user,", said);
  return { message: said, history, maxIterations: most };
}
