// Tools: functions that a model may ask for, with what it has to know of them.

import { ValidationError } from "../errors.js";
import type { HandlerContext } from "../handler-context.js";
import { describe, milliseconds } from "../internal/duration.js";
import type { ImageBlock, JSONSchema, TextBlock, ToolDefinition } from "../llm/types.js";
import type { Signal } from "../platform.js";
import { type OutputOf, type StandardSchema, closed, isStandardSchema, jsonSchemaOf } from "./schema.js";
import { type Check, jsonSchemaCheck, standardCheck } from "./validate.js";

/** What a tool is called with, beside its arguments. */
export interface ToolRun {
  /** Aborted when the tool's time is up, or when what called it ends. Pass it on to `fetch` and the like. */
  readonly signal: Signal;
  /** The context of the step in which the tool runs. In a call outside of a run, reading it throws a ValidationError. */
  readonly context: HandlerContext;
  /** The id of the model's call. */
  readonly toolCallId: string;
}

/** Text and images as what a tool gives, for results that are more than text. */
export interface ToolContent {
  readonly content: readonly (TextBlock | ImageBlock)[];
  /** Whether the model is told that the tool failed. */
  readonly isError?: boolean | undefined;
}

/** Whether a call has to be approved by somebody first, always or going by its arguments. */
export type NeedsApproval<Args> =
  boolean | ((args: Args, run: Pick<ToolRun, "context">) => boolean | PromiseLike<boolean>);

interface CommonOptions<Args, Result> {
  /** By what the model calls it: letters, digits, `_` and `-`, at most 64. */
  readonly name: string;
  /** What it does and when to use it. This is all that the model knows of it, so it is worth some care. */
  readonly description?: string | undefined;
  /**
   * Does it. A string goes to the model as it is, `{ content: […] }` as text and images, anything else as JSON. What it throws goes to the
   * model as its message, so that it may try something else.
   */
  readonly execute: (args: Args, run: ToolRun) => Result | PromiseLike<Result>;
  /** Whether an agent ends with the result of this tool as its answer, without asking the model again. Default: false. */
  readonly returnDirect?: boolean | undefined;
  /** How many seconds a call may take. Beyond, its signal aborts and the model is told. Default: as long as it takes. */
  readonly timeout?: number | null | undefined;
  /** Whether somebody has to approve a call before an agent makes it. Default: false. */
  readonly needsApproval?: NeedsApproval<Args> | undefined;
  /**
   * Whether a call that has been made is never made again: an agent keeps its result in the snapshot and uses it when the step runs again
   * after a recovery. For tools that do something in the world. Default: false.
   */
  readonly once?: boolean | undefined;
  /**
   * Whether the provider is to hold the model to the schema, where it can. OpenAI takes a part of JSON Schema then, and wants every member in
   * `required`. Default: the provider's.
   */
  readonly strict?: boolean | undefined;
}

/** Options of a tool with JSON Schema. */
export interface ToolOptions<Args, Result> extends CommonOptions<Args, Result> {
  /** JSON Schema of an object with the arguments. Default: none. */
  readonly parameters?: JSONSchema | undefined;
}

/** Options of a tool with a schema of a validation library. */
export interface StandardToolOptions<Schema extends StandardSchema, Result> extends CommonOptions<
  OutputOf<Schema>,
  Result
> {
  /** The arguments: a schema of an object. `execute` is given what it makes of them. */
  readonly parameters: Schema;
  /** The same as JSON Schema, for libraries whose schemas do not know it, such as Valibot without `@valibot/to-json-schema`. */
  readonly jsonSchema?: JSONSchema | undefined;
}

/**
 * A tool, made by {@link tool}. It is a {@link ToolDefinition} as well, so it may stand in the `tools` of any call.
 */
export interface Tool<Args = unknown, Result = unknown> extends ToolDefinition {
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: JSONSchema;
  readonly returnDirect: boolean;
  /** In seconds; null for as long as it takes. */
  readonly timeout: number | null;
  readonly once: boolean;
  needsApproval(args: Args, run: Pick<ToolRun, "context">): Promise<boolean>;
  /** What was given, for tests of it: nothing is checked, and nothing is timed. */
  execute(args: Args, run: ToolRun): Result | PromiseLike<Result>;
}

/** The checks of tools, and by that what is one: not on the tools, which users may look at. */
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

function checkFor(parameters: unknown, schema: JSONSchema, where: string): Check {
  if (isStandardSchema(parameters)) return standardCheck(parameters);
  try {
    return jsonSchemaCheck(schema);
  } catch (error) {
    throw new ValidationError("INVALID_SCHEMA", `The schema of ${where} cannot be used: ${String(error)}.`, {
      cause: error,
    });
  }
}

/**
 * A function that a model may ask for.
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
 * With JSON Schema, the type of the arguments is given: `tool<{ a: number }>({ … })`. Either way they are checked before `execute` is
 * called, and what is wrong with them goes back to the model.
 *
 * @throws ValidationError `INVALID_TOOL` for a wrong name or option, `INVALID_SCHEMA` for parameters that are not the schema of an object.
 */
export function tool<Schema extends StandardSchema, Result = unknown>(
  options: StandardToolOptions<Schema, Result>,
): Tool<OutputOf<Schema>, Result>;
export function tool<Args = Record<string, unknown>, Result = unknown>(
  options: ToolOptions<Args, Result>,
): Tool<Args, Result>;
export function tool(options: ToolOptions<unknown, unknown> & { readonly jsonSchema?: unknown }): Tool {
  if (typeof options !== "object" || options === null) {
    throw new ValidationError("INVALID_TOOL", `The options of the tool are ${describe(options)}.`);
  }
  const { name, description = "", parameters, jsonSchema, execute, needsApproval = false } = options;
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
  const schema = jsonSchemaOf(parameters ?? { type: "object", properties: {} }, jsonSchema, where);
  const { strict, timeout = null, returnDirect = false, once = false } = options;
  milliseconds(timeout, `timeout of ${where}`);
  if (typeof returnDirect !== "boolean") refuse("returnDirect", returnDirect);
  if (typeof once !== "boolean") refuse("once", once);
  const made: Tool = {
    name,
    description,
    parameters: strict === true ? closed(schema) : schema,
    ...(strict === undefined ? {} : { strict }),
    returnDirect,
    timeout,
    once,
    needsApproval: async (args, run) =>
      Boolean(typeof needsApproval === "function" ? await needsApproval(args, run) : needsApproval),
    execute,
  };
  checks.set(made, checkFor(parameters, schema, where));
  return Object.freeze(made);
}
