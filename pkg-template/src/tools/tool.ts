// Tools: functions that a model may call, each with the description that the model is given.

import type { Signal } from "../util/platform.js";
import { ValidationError } from "../errors/errors.js";
import type { HandlerContext } from "../model/handler-context.js";
import { milliseconds } from "../model/duration.js";
import { describe } from "../util/describe.js";
import type { ImageBlock, JSONSchema, TextBlock, ToolDefinition } from "../model/chat.js";
import type { Check } from "../schema/check.js";
import { defineSchema } from "../schema/definition.js";
import type { OutputOf, StandardSchema } from "../model/standard-schema.js";
import { toStrictSchema } from "../schema/strict.js";
import { type OptionNames, checkOptions } from "../errors/check-options.js";

/** The second argument of a tool's `execute`. */
export interface ToolRun {
  /** Aborts when the tool's timeout is over, or when its caller ends. Pass it on to `fetch` and the like. */
  readonly signal: Signal;
  /** The context of the step in which the tool runs. Outside of a run, reading it throws a ValidationError. */
  readonly context: HandlerContext;
  /** The id of the model's call. */
  readonly toolCallId: string;
}

/** A result of text and images. */
export interface ToolContent {
  readonly content: readonly (TextBlock | ImageBlock)[];
  /** Whether the tool failed, for the model. Default: false. */
  readonly isError?: boolean | undefined;
}

/** Whether a call must be approved by a person first: always, never, or depending on its arguments. */
export type NeedsApproval<Args> =
  boolean | ((args: Args, run: Pick<ToolRun, "context">) => boolean | PromiseLike<boolean>);

interface CommonOptions<Args, Result> {
  /** The name by which the model calls it: 1 to 64 letters, digits, `_` and `-`. */
  readonly name: string;
  /** What it does, and when to use it. The model decides by this text whether to call the tool. Default: empty. */
  readonly description?: string | undefined;
  /**
   * Runs the tool. A string is sent to the model as it is, `{ content: […] }` as text and images, anything else as
   * JSON. The message of an error that it throws is sent to the model as well, so that the model can react to it.
   */
  readonly execute: (args: Args, run: ToolRun) => Result | PromiseLike<Result>;
  /** Whether the result of this tool is the answer of the agent, without another call of the model. Default: false. */
  readonly returnDirect?: boolean | undefined;
  /**
   * The timeout of a call in seconds. When it is over, the tool's signal aborts and the model gets an error. `null` or
   * left out: none.
   */
  readonly timeout?: number | null | undefined;
  /** Whether a person must approve a call before an agent makes it. Default: false. */
  readonly needsApproval?: NeedsApproval<Args> | undefined;
  /**
   * Whether an agent keeps the result of a call in the snapshot, and uses it when the step runs again after a recovery,
   * instead of calling the tool again. For tools with side effects. Default: false.
   */
  readonly once?: boolean | undefined;
  /**
   * Whether the provider must enforce the schema, where it can. OpenAI then supports a part of JSON Schema only, and
   * wants every member in `required`. Default: the provider's.
   */
  readonly strict?: boolean | undefined;
}

/** Options of a tool with JSON Schema. */
export interface ToolOptions<Args, Result> extends CommonOptions<Args, Result> {
  /** JSON Schema of an object with the arguments. Default: an object without members. */
  readonly parameters?: JSONSchema | undefined;
}

/** Options of a tool with a schema of a validation library. */
export interface StandardToolOptions<Schema extends StandardSchema, Result> extends CommonOptions<
  OutputOf<Schema>,
  Result
> {
  /** The arguments: a schema of an object. `execute` is given its output. */
  readonly parameters: Schema;
  /**
   * The same as JSON Schema, for libraries that cannot convert it, such as Valibot without `@valibot/to-json-schema`.
   */
  readonly jsonSchema?: JSONSchema | undefined;
}

/**
 * A tool, made by {@link tool}. It is a {@link ToolDefinition} as well, so it can be passed as one of the `tools` of
 * any call of a model.
 */
export interface Tool<Args = unknown, Result = unknown> extends ToolDefinition {
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: JSONSchema;
  readonly returnDirect: boolean;
  /** In seconds; null for none. */
  readonly timeout: number | null;
  readonly once: boolean;
  needsApproval(args: Args, run: Pick<ToolRun, "context">): Promise<boolean>;
  /** The function that was given. It checks no arguments and has no timeout. */
  execute(args: Args, run: ToolRun): Result | PromiseLike<Result>;
}

/** The checks of all tools. Not on the tools themselves, which users look at; what is in here is a tool. */
const checks = new WeakMap<object, Check>();

/** Whether a value was made by {@link tool}. */
export function isTool(value: unknown): value is Tool {
  return typeof value === "object" && value !== null && checks.has(value);
}

/** The check of a tool's arguments. */
export function checkOf(tool: Tool): Check {
  const check = checks.get(tool);
  if (check === undefined) {
    throw new ValidationError("INVALID_TOOL", `${describe(tool)} was not made by tool().`);
  }
  return check;
}

type AnyToolOptions = ToolOptions<unknown, unknown> & { readonly jsonSchema?: unknown };

const optionNames: OptionNames<AnyToolOptions> = {
  name: 1,
  description: 1,
  parameters: 1,
  jsonSchema: 1,
  execute: 1,
  returnDirect: 1,
  timeout: 1,
  needsApproval: 1,
  once: 1,
  strict: 1,
};

const synonyms = {
  handler: "execute",
  run: "execute",
  fn: "execute",
  func: "execute",
  function: "execute",
  schema: "parameters",
  inputSchema: "parameters",
  args: "parameters",
  arguments: "parameters",
  requiresApproval: "needsApproval",
};

/**
 * Makes a tool: a function that a model may call.
 *
 * ```ts
 * const add = tool({
 *   name: "add",
 *   description: "Adds two numbers.",
 *   parameters: z.object({ a: z.number(), b: z.number() }),
 *   execute: ({ a, b }) => a + b,
 * });
 * ```
 *
 * With JSON Schema, give the type of the arguments: `tool<{ a: number }>({ … })`. The arguments are always checked
 * before `execute` is called; the model gets a message about wrong ones.
 *
 * @throws ValidationError `INVALID_TOOL` for a wrong value, `INVALID_OPTION` for an unknown option, `INVALID_DURATION`
 * for a wrong timeout, `INVALID_SCHEMA` for parameters that are not the schema of an object.
 */
export function tool<Schema extends StandardSchema, Result = unknown>(
  options: StandardToolOptions<Schema, Result>,
): Tool<OutputOf<Schema>, Result>;
export function tool<Args = Record<string, unknown>, Result = unknown>(
  options: ToolOptions<Args, Result>,
): Tool<Args, Result>;
export function tool(options: AnyToolOptions): Tool {
  if (typeof options !== "object" || options === null) {
    throw new ValidationError("INVALID_TOOL", `The options of the tool are ${describe(options)}.`);
  }
  const { name, description = "", parameters, jsonSchema, execute, needsApproval = false } = options;
  checkOptions(options, optionNames, typeof name === "string" ? `The tool "${name}"` : "A tool", synonyms);
  if (typeof name !== "string" || !/^[\w-]{1,64}$/.test(name)) {
    throw new ValidationError("INVALID_TOOL", `The name of the tool is ${describe(name)}.`);
  }
  const refuse = (option: string, value: unknown): never => {
    throw new ValidationError("INVALID_TOOL", `\`${option}\` of the tool "${name}" is ${describe(value)}.`);
  };
  if (typeof description !== "string") refuse("description", description);
  if (typeof execute !== "function") refuse("execute", execute);
  if (typeof needsApproval !== "boolean" && typeof needsApproval !== "function") refuse("needsApproval", needsApproval);
  const where = `the tool "${name}"`;
  const { schema, check } = defineSchema(parameters ?? { type: "object", properties: {} }, jsonSchema, where);
  const { strict, timeout = null, returnDirect = false, once = false } = options;
  milliseconds(timeout, `timeout of ${where}`);
  if (typeof returnDirect !== "boolean") refuse("returnDirect", returnDirect);
  if (typeof once !== "boolean") refuse("once", once);
  if (strict !== undefined && typeof strict !== "boolean") refuse("strict", strict);
  const made: Tool = {
    name,
    description,
    parameters: strict === true ? toStrictSchema(schema) : schema,
    ...(strict === undefined ? {} : { strict }),
    returnDirect,
    timeout,
    once,
    needsApproval: async (args, run) =>
      Boolean(typeof needsApproval === "function" ? await needsApproval(args, run) : needsApproval),
    execute,
  };
  checks.set(made, check);
  return Object.freeze(made);
}
