// Checks of the messages that models, agents and callers give.

import { ValidationError } from "../api/index.js";
import { describe } from "../util/describe.js";
import type { ChatMessage, ContentBlock, OwnResponse, Role } from "../model/chat.js";
import { messageOf } from "./messages.js";

const roles: ReadonlySet<unknown> = new Set<Role>(["system", "user", "assistant", "tool"]);

const isContent = (value: unknown): boolean =>
  typeof value === "string" || (Array.isArray(value) && value.every(isBlock));

/** Whether a block has the members that agents read. The client of the model checks the rest. */
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

/** Whether a value is a message. */
export function isMessage(value: unknown): value is ChatMessage {
  if (typeof value !== "object" || value === null) return false;
  const { role, content } = value as Partial<ChatMessage>;
  return roles.has(role) && isContent(content);
}

/**
 * Checks the response of a model or of a user's own agent, and returns it.
 *
 * @param source Where the response comes from, as the subject of the message.
 * @throws ValidationError `INVALID_AGENT`
 */
export function checkResponse<Response extends OwnResponse>(value: Response, source: string): Response {
  const given: unknown = value;
  const { message } = (given ?? {}) as Partial<OwnResponse>;
  if (isMessage(message) && isMessage(messageOf(value))) return value;
  const shape =
    "a message has a `role`, and as `content` a text or blocks; " +
    "a call has `id`, `name` and `arguments`, which is JSON text";
  throw new ValidationError(
    "INVALID_AGENT",
    message === undefined
      ? `${source} returned ${describe(given)}, without a \`message\`.`
      : `${source} returned a \`message\` that is not valid: ${shape}.`,
  );
}

/**
 * Checks the messages of a user's own agent, and returns them.
 *
 * @param source Where the messages come from, as the subject of the message.
 * @throws ValidationError `INVALID_AGENT`
 */
export function checkMessages(value: unknown, source: string): readonly ChatMessage[] {
  if (Array.isArray(value) && value.every(isMessage)) return value;
  throw new ValidationError("INVALID_AGENT", `${source} returned ${describe(value)}, not messages.`);
}
