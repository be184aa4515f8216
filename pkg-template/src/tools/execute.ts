// Executes calls of tools, for agents and for `callTool`: arguments in, a result for the model out.

import { ValidationError } from "../errors/errors.js";
import type { HandlerContext } from "../model/handler-context.js";
import type { ImageBlock, TextBlock } from "../model/chat.js";
import { parseAndCheck } from "../schema/check.js";
import { onAbort, throwIfAborted } from "../util/abort.js";
import { errorMessage } from "../util/error-message.js";
import { type Tool, type ToolContent, type ToolRun, checkOf } from "./tool.js";

/** The result of a call, as it is sent to the model. */
export interface ToolOutcome {
  readonly content: string | readonly (TextBlock | ImageBlock)[];
  readonly isError: boolean;
}

/** Arguments that have been checked, or a message for the model. */
export type ParsedArguments =
  { readonly ok: true; readonly args: unknown } | { readonly ok: false; readonly message: string };

/** Options of {@link executeTool}. */
export interface ExecuteOptions {
  /** Aborts the call, which then rejects. */
  readonly signal?: AbortSignal | undefined;
  /** The context of the step. Without one, a tool that reads it fails, and `once` has no effect. */
  readonly context?: HandlerContext | undefined;
  readonly toolCallId: string;
}

/** The message for a model that called a tool that does not exist. */
export function unknownTool(name: string, tools: readonly Tool[]): string {
  const names = tools.map((one) => `"${one.name}"`).join(", ");
  return `There is no tool "${name}". ${names === "" ? "There are no tools." : `There are ${names}.`}`;
}

/** Parses and checks the arguments that a model wrote. */
export async function parseArguments(tool: Tool, jsonText: string): Promise<ParsedArguments> {
  // For a tool without arguments, models write nothing.
  const text = jsonText.trim() === "" ? "{}" : jsonText;
  const checked = await parseAndCheck(text, checkOf(tool), `The arguments of "${tool.name}" are`);
  return checked.ok ? { ok: true, args: checked.value } : checked;
}

const isBlock = (block: unknown): block is TextBlock | ImageBlock => {
  const { type, text, url, data, mediaType } = (block ?? {}) as Readonly<Record<string, unknown>>;
  if (type === "text") return typeof text === "string";
  return type === "image" && (typeof url === "string" || (typeof data === "string" && typeof mediaType === "string"));
};

function isContent(result: object): result is ToolContent {
  const { content } = result as Partial<ToolContent>;
  return Array.isArray(content) && content.length > 0 && content.every(isBlock);
}

function outcomeOf(result: unknown): ToolOutcome {
  if (typeof result === "string") return { content: result, isError: false };
  if (typeof result === "object" && result !== null && isContent(result)) {
    return { content: result.content, isError: result.isError === true };
  }
  // What JSON cannot express, such as undefined, is null for the model.
  return { content: JSON.stringify(result) ?? "null", isError: false };
}

/** An error as a result for the model: its message, without the stack, which may contain secrets of the program. */
export function failureOf(error: unknown): ToolOutcome {
  return { content: `Error: ${errorMessage(error)}`, isError: true };
}

/** The second argument of `execute`. Without a context, reading `context` throws an error that says so. */
function toolRun(signal: AbortSignal, context: HandlerContext | undefined, toolCallId: string): ToolRun {
  if (context !== undefined) return { signal, context, toolCallId };
  return {
    signal,
    toolCallId,
    get context(): HandlerContext {
      throw new ValidationError("INVALID_TOOL", "The tool reads `context`, but it was called without one.");
    },
  };
}

/** The longest delay of a timer, in milliseconds. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Runs a tool within its timeout. Rejects with what the tool throws, and with the signal's reason when that aborts. */
async function runTool(tool: Tool, args: unknown, { signal, context, toolCallId }: ExecuteOptions): Promise<unknown> {
  throwIfAborted(signal);
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let leave: (() => void) | undefined;
  try {
    return await new Promise<unknown>((resolve, reject) => {
      const end = (reason: unknown): void => {
        controller.abort(reason);
        reject(reason as Error);
      };
      leave = onAbort(signal, () => end(signal!.reason));
      // A timeout that is longer than any timer counts as none.
      if (tool.timeout !== null && tool.timeout * 1000 <= LONGEST_DELAY) {
        const late = new Error(`The tool did not finish in ${tool.timeout} seconds.`);
        timer = setTimeout(end, tool.timeout * 1000, late);
      }
      // In a promise, so that a tool that throws synchronously rejects too.
      new Promise((run) => run(tool.execute(args, toolRun(controller.signal, context, toolCallId)))).then(
        resolve,
        reject,
      );
    });
  } finally {
    clearTimeout(timer);
    leave?.();
  }
}

/**
 * Executes a tool with arguments from {@link parseArguments}. What the tool throws is an outcome; the promise rejects
 * only when `signal` aborts, with the signal's reason.
 */
export async function executeTool(tool: Tool, args: unknown, options: ExecuteOptions): Promise<ToolOutcome> {
  const { signal, context, toolCallId } = options;
  const act = async (): Promise<ToolOutcome> => {
    try {
      return outcomeOf(await runTool(tool, args, options));
    } catch (error) {
      throwIfAborted(signal);
      return failureOf(error);
    }
  };
  // A failure is remembered too: the tool may have had a part of its side effects.
  return tool.once && context !== undefined ? context.once(`tool:${toolCallId}`, act) : act();
}
