// Memory: how much of a conversation a model is given. The conversation itself is in the run's store; here is only the choice.

import { ValidationError } from "../index.js";
import { describe } from "../internal/duration.js";
import type { ChatMessage, ContentBlock } from "../llm/types.js";
import { blocksOf, callsOf } from "./messages.js";

/** Chooses what of a conversation a model is given. */
export interface Memory {
  /**
   * @param messages The whole conversation without the system prompt, the current turn at the end. It must not be changed.
   * @returns What is sent to the model. A result of a tool without its call, and the other way round, is refused by most providers.
   */
  select(messages: readonly ChatMessage[]): readonly ChatMessage[] | PromiseLike<readonly ChatMessage[]>;
}

/** Counts the tokens of a message. */
export type TokenCounter = (message: ChatMessage) => number;

/** Options of a {@link ChatMemoryBuffer}. */
export interface ChatMemoryBufferOptions {
  /** How many tokens of conversation a model is given. The system prompt and the tools come on top. Default: 30,000. */
  readonly tokenLimit?: number | undefined;
  /** Default: {@link estimateTokens}. */
  readonly tokenCounter?: TokenCounter | undefined;
}

const DEFAULT_LIMIT = 30_000;

/** What a message costs by itself. */
const PER_MESSAGE = 4;
/** What providers count for an image of middling size. */
const PER_IMAGE = 800;
const ASCII_PER_TOKEN = 4;

/** Everything in a text that is not ASCII counts as a token. */
function tokensOf(text: string): number {
  let others = 0;
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 127) others += 1;
  return others + (text.length - others) / ASCII_PER_TOKEN;
}

function tokensIn(block: ContentBlock): number {
  switch (block.type) {
    case "image":
      return PER_IMAGE;
    case "toolCall":
      return tokensOf(block.name) + tokensOf(block.arguments);
    case "toolResult":
      return typeof block.content === "string" ? tokensOf(block.content) : sum(block.content.map(tokensIn));
    default:
      return tokensOf(block.text);
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/**
 * An estimate of a message's tokens that needs no tokenizer: a token for four ASCII characters, one for any other character, 800 for an image, and 4
 * for the message. For English it is mostly within a fifth of the truth, for other languages and code rather too high.
 */
export function estimateTokens(message: ChatMessage): number {
  return PER_MESSAGE + Math.ceil(sum(blocksOf(message).map(tokensIn)));
}

/** Messages that belong together: one, or one with calls and the results of those. */
interface Unit {
  readonly messages: readonly ChatMessage[];
  readonly tokens: number;
}

/**
 * Keeps the end of a conversation, as much as fits into a number of tokens.
 *
 * - A call of a tool and its result are never parted.
 * - What is kept begins with a message of the user, and messages of the role "system" before the first of them are always kept.
 * - When the current turn alone is too long, its first message is kept, and of the rest as much of the end as fits; the last message is kept in any case.
 *
 * ```ts
 * const agent = new FunctionAgent({ llm, tools, memory: new ChatMemoryBuffer({ tokenLimit: 8_000 }) });
 * ```
 */
export class ChatMemoryBuffer implements Memory {
  /** See {@link ChatMemoryBufferOptions.tokenLimit}. */
  readonly tokenLimit: number;
  readonly #counter: TokenCounter;
  /** Messages do not change, so each is counted once. */
  readonly #counts = new WeakMap<ChatMessage, number>();

  /** @throws ValidationError `INVALID_OPTION` */
  constructor(options: ChatMemoryBufferOptions = {}) {
    const { tokenLimit = DEFAULT_LIMIT, tokenCounter = estimateTokens } = options;
    if (!(typeof tokenLimit === "number" && tokenLimit > 0)) {
      throw new ValidationError("INVALID_OPTION", `tokenLimit is ${describe(tokenLimit)}.`);
    }
    if (typeof tokenCounter !== "function") {
      throw new ValidationError("INVALID_OPTION", `tokenCounter is ${describe(tokenCounter)}.`);
    }
    this.tokenLimit = tokenLimit;
    this.#counter = tokenCounter;
  }

  /** How many tokens a message counts for. @throws ValidationError `INVALID_OPTION` when the counter gives no number. */
  count(message: ChatMessage): number {
    let count = this.#counts.get(message);
    if (count === undefined) {
      count = this.#counter(message);
      if (!(typeof count === "number" && count >= 0)) {
        throw new ValidationError("INVALID_OPTION", `tokenCounter gave ${describe(count)}.`);
      }
      this.#counts.set(message, count);
    }
    return count;
  }

  select(messages: readonly ChatMessage[]): readonly ChatMessage[] {
    const first = messages.findIndex(({ role }) => role !== "system");
    const system = first === -1 ? messages : messages.slice(0, first);
    const units = this.#units(messages.slice(system.length));
    let left = this.tokenLimit - this.#total(system);
    // From the end: how many units fit, and where the last user message among them is.
    let from = units.length;
    let begin: number | undefined;
    while (from > 0 && units[from - 1]!.tokens <= left) {
      from -= 1;
      left -= units[from]!.tokens;
      if (isOfUser(units[from]!)) begin = from;
    }
    if (begin === undefined) return [...system, ...this.#lastTurn(units, this.#total(system))];
    return begin === 0 ? messages : [...system, ...units.slice(begin).flatMap((unit) => unit.messages)];
  }

  /** The user's last message, and as much of the end of what follows it as fits; at least the last of it. */
  #lastTurn(units: readonly Unit[], used: number): ChatMessage[] {
    let asked = units.length - 1;
    while (asked >= 0 && !isOfUser(units[asked]!)) asked -= 1;
    const head = asked === -1 ? [] : [units[asked]!];
    let left = this.tokenLimit - used - sum(head.map(({ tokens }) => tokens));
    const tail: Unit[] = [];
    for (let at = units.length - 1; at > asked; at -= 1) {
      const unit = units[at]!;
      left -= unit.tokens;
      if (left < 0 && tail.length > 0) break;
      tail.unshift(unit);
    }
    return [...head, ...tail].flatMap((unit) => unit.messages);
  }

  #total(messages: readonly ChatMessage[]): number {
    return sum(messages.map((message) => this.count(message)));
  }

  #units(messages: readonly ChatMessage[]): Unit[] {
    const units: Unit[] = [];
    for (let at = 0; at < messages.length;) {
      const begin = at;
      at += 1;
      if (callsOf(messages[begin]!).length > 0) while (messages[at]?.role === "tool") at += 1;
      const together = messages.slice(begin, at);
      units.push({ messages: together, tokens: this.#total(together) });
    }
    return units;
  }
}

const isOfUser = ({ messages }: Unit): boolean => messages[0]!.role === "user";
