// Calls of tools, for whoever makes them: agents, and `callTool` for programs of one's own.

import { ValidationError } from "../errors/errors.js";
import type { HandlerContext } from "../model/handler-context.js";
import type { ImageBlock, TextBlock, ToolDefinition } from "../llm/types.js";
import { type Tool, type ToolContent, type ToolRun, checkOf } from "./tool.js";
import { readJson, wordsOf } from "./validate.js";

/** What came of a call, in the form in which a model is told. */
export interface ToolOutcome {
  readonly content: string | readonly (TextBlock | ImageBlock)[];
  readonly isError: boolean;
}

/** Arguments that may be given to the tool, or a message for the model. */
export type ParsedArguments =
  { readonly ok: true; readonly args: unknown } | { readonly ok: false; readonly message: string };

/** What a call of a tool is made with. */
export interface ExecuteOptions {
  /** Aborts the call, which rejects then. */
  readonly signal?: AbortSignal | undefined;
  /** The context of the step. Without one, a tool that reads it fails, and `once` has no memory. */
  readonly context?: HandlerContext | undefined;
  readonly toolCallId: string;
}

/** The tool as a model is told of it. */
export function definitionOf({ name, description, parameters, strict }: ToolDefinition): ToolDefinition {
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(strict === undefined ? {} : { strict }),
  };
}

/** Reads and checks the arguments that a model wrote. */
export async function parseArguments(tool: Tool, jsonText: string): Promise<ParsedArguments> {
  // Models leave the arguments of a tool that has none empty.
  const text = jsonText.trim() === "" ? "{}" : jsonText;
  const reading = await readJson(text, checkOf(tool), `The arguments of "${tool.name}" are`);
  return reading.ok ? { ok: true, args: reading.value } : reading;
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
  // What JSON has no form for, such as undefined, is nothing to the model.
  return { content: JSON.stringify(result) ?? "null", isError: false };
}

/** What a model is told of an error. It gets no stack: that is about the program, and may hold what is not for others. */
export function failureOf(error: unknown): ToolOutcome {
  return { content: `Error: ${wordsOf(error)}`, isError: true };
}

/** What a tool is run with; without a context, reading that says what is missing. */
function runOf(signal: AbortSignal, context: HandlerContext | undefined, toolCallId: string): ToolRun {
  if (context !== undefined) return { signal, context, toolCallId };
  return {
    signal,
    toolCallId,
    get context(): HandlerContext {
      throw new ValidationError("INVALID_TOOL", "The tool uses `context`, and was called without one.");
    },
  };
}

/** Runs a tool within its time. Rejects with what the tool throws, and with the outer signal's reason as soon as that aborts. */
async function runTool(tool: Tool, args: unknown, { signal, context, toolCallId }: ExecuteOptions): Promise<unknown> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<unknown>((resolve, reject) => {
      const end = (reason: unknown): void => {
        controller.abort(reason);
        reject(reason as Error);
      };
      onAbort = () => end(signal!.reason);
      if (signal?.aborted === true) return onAbort();
      signal?.addEventListener("abort", onAbort);
      if (tool.timeout !== null && tool.timeout !== Infinity) {
        const late = new Error(`The tool did not finish in ${tool.timeout} seconds.`);
        // Longer than a timer can be is as long as it takes, for a call.
        if (tool.timeout * 1000 < 2 ** 31) timer = setTimeout(end, tool.timeout * 1000, late);
      }
      // A tool that throws at once rejects like any other.
      new Promise((run) => run(tool.execute(args, runOf(controller.signal, context, toolCallId)))).then(
        resolve,
        reject,
      );
    });
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * Makes a call of a tool with arguments from {@link parseArguments}. What the tool throws is an outcome; only when `signal` is aborted does it
 * reject, with the signal's reason.
 */
export async function executeTool(tool: Tool, args: unknown, options: ExecuteOptions): Promise<ToolOutcome> {
  const { signal, context, toolCallId } = options;
  const act = async (): Promise<ToolOutcome> => {
    try {
      return outcomeOf(await runTool(tool, args, options));
    } catch (error) {
      signal?.throwIfAborted();
      return failureOf(error);
    }
  };
  // A failure is remembered as well: half of the deed may be done.
  return tool.once && context !== undefined ? context.once(`tool:${toolCallId}`, act) : act();
}
