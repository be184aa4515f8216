// Memory: selects the messages of a conversation that a model gets. The conversation itself is in the run's store.

import { ValidationError } from "../api/index.js";
import { describe } from "../util/describe.js";
import type { ChatMessage, ContentBlock } from "../model/chat.js";
import { type OptionNames, checkOptions } from "../errors/check-options.js";
import { blocksOf, callsOf } from "./messages.js";

/** Selects the messages of a conversation that a model gets. */
export interface Memory {
  /**
   * @param messages The whole conversation without the system prompt, the current turn at the end. Do not change it.
   * @returns The messages for the model. Most providers refuse a call of a tool without its result, and a result
   * without its call.
   */
  select(messages: readonly ChatMessage[]): readonly ChatMessage[] | PromiseLike<readonly ChatMessage[]>;
}

/** Counts the tokens of a message. */
export type TokenCounter = (message: ChatMessage) => number;

/** Options of a {@link ChatMemoryBuffer}. */
export interface ChatMemoryBufferOptions {
  /** The highest number of tokens of the conversation, without the system prompt and the tools. Default: 30,000. */
  readonly tokenLimit?: number | undefined;
  /** Counts the tokens. Default: {@link estimateTokens}. */
  readonly tokenCounter?: TokenCounter | undefined;
}

const optionNames: OptionNames<ChatMemoryBufferOptions> = { tokenLimit: 1, tokenCounter: 1 };

const DEFAULT_LIMIT = 30_000;

/** The tokens of a message without content. */
const PER_MESSAGE = 4;
/** The tokens of an image of medium size. */
const PER_IMAGE = 800;
const ASCII_PER_TOKEN = 4;

/** The estimated tokens of a text: each character that is not ASCII counts as one. */
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
 * Estimates the tokens of a message without a tokenizer: one for four ASCII characters, one for any other character,
 * 800 for an image, and 4 for the message. For English the estimate is mostly within 20 %; for other languages and code
 * it is rather too high.
 */
export function estimateTokens(message: ChatMessage): number {
  return PER_MESSAGE + Math.ceil(sum(blocksOf(message).map(tokensIn)));
}

/** Messages that are selected together: one message, or one with calls of tools and their results. */
interface Unit {
  readonly messages: readonly ChatMessage[];
  readonly tokens: number;
}

/**
 * Selects the end of a conversation, as much as fits into a number of tokens.
 *
 * - A call of a tool and its result are never separated.
 * - The selection begins with a message of the user. Messages of the role "system" at the beginning are always
 *   selected.
 * - When the current turn alone is too long, its first message is selected, and the end of the rest as far as it fits;
 *   the last message is always selected.
 *
 * ```ts
 * const agent = new FunctionAgent({ llm, tools, memory: new ChatMemoryBuffer({ tokenLimit: 8_000 }) });
 * ```
 */
export class ChatMemoryBuffer implements Memory {
  /** See {@link ChatMemoryBufferOptions.tokenLimit}. */
  readonly tokenLimit: number;
  readonly #counter: TokenCounter;
  /** Messages never change, so each is counted once. */
  readonly #counts = new WeakMap<ChatMessage, number>();

  /** @throws ValidationError `INVALID_OPTION` */
  constructor(options: ChatMemoryBufferOptions = {}) {
    checkOptions(options, optionNames, "ChatMemoryBuffer", { maxTokens: "tokenLimit", limit: "tokenLimit" });
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

  /** The tokens of a message. @throws ValidationError `INVALID_OPTION` when the counter does not return a number. */
  count(message: ChatMessage): number {
    let count = this.#counts.get(message);
    if (count === undefined) {
      count = this.#counter(message);
      if (!(typeof count === "number" && count >= 0)) {
        throw new ValidationError("INVALID_OPTION", `tokenCounter returned ${describe(count)}.`);
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
    // From the end: which units fit, and which of them is the first that begins with a message of the user.
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

  /** The user's last message, and the end of what follows it as far as it fits, at least the last unit. */
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
