// Structured output: the schema that a call asks for, and the check of the answer.

import { ValidationError } from "../errors/errors.js";
import { LLMError } from "../model/llm-error.js";
import { describe } from "../util/describe.js";
import type { ChatResponse, JSONSchema, ObjectResponse, ResponseFormat } from "../model/chat.js";
import { type Check, parseAndCheck } from "../schema/check.js";
import { defineSchema } from "../schema/definition.js";
import { type StandardSchema, isStandardSchema } from "../model/standard-schema.js";
import { canBeStrict, toStrictSchema } from "../schema/strict.js";
import { type OptionNames, checkOptions } from "../errors/check-options.js";

/** The schema of a validation library as the format of an answer, with options. */
export interface StandardFormat<Schema extends StandardSchema> {
  /** A name for the schema: 1 to 64 letters, digits, `_` and `-`. Default: `"answer"`. */
  readonly name?: string | undefined;
  readonly schema: Schema;
  /**
   * The same as JSON Schema, for libraries that cannot convert it, such as Valibot without `@valibot/to-json-schema`.
   */
  readonly jsonSchema?: JSONSchema | undefined;
  /** See {@link ResponseFormat.strict}. */
  readonly strict?: boolean | undefined;
}

/** The format of an answer, in any of the ways in which it can be given. */
export type AnyFormat = ResponseFormat | StandardSchema | StandardFormat<StandardSchema>;

const formatNames: OptionNames<StandardFormat<StandardSchema>> = { name: 1, schema: 1, jsonSchema: 1, strict: 1 };

/** A format that is ready for use. */
export interface Format {
  /** The format as providers are sent it. */
  readonly request: ResponseFormat;
  /** The same for a provider that enforces every schema that allows it. */
  readonly strictRequest: ResponseFormat;
  readonly check: Check;
}

/** Preparing a schema takes a while, and programs use the same one in many calls. */
const prepared = new WeakMap<object, Format>();

/**
 * Checks and prepares the format of an answer.
 *
 * @throws ValidationError `INVALID_SCHEMA`, `INVALID_OPTION`
 */
export function formatOf(given: AnyFormat): Format {
  if ((typeof given !== "object" && typeof given !== "function") || given === null) {
    throw new ValidationError("INVALID_OPTION", `\`responseFormat\` is ${describe(given)}.`);
  }
  const known = prepared.get(given);
  if (known !== undefined) return known;
  const full: StandardFormat<StandardSchema> | ResponseFormat = isStandardSchema(given) ? { schema: given } : given;
  checkOptions(full, formatNames, "`responseFormat`", { parameters: "schema", json_schema: "schema" });
  const { name = "answer", schema, strict } = full;
  if (typeof name !== "string" || !/^[\w-]{1,64}$/.test(name)) {
    throw new ValidationError("INVALID_OPTION", `\`responseFormat.name\` is ${describe(name)}.`);
  }
  const beside = "jsonSchema" in full ? full.jsonSchema : undefined;
  const { schema: json, check } = defineSchema(schema, beside, "`responseFormat`");
  const requestWith = (isStrict: boolean | undefined): ResponseFormat =>
    isStrict === undefined
      ? { name, schema: json }
      : { name, schema: isStrict ? toStrictSchema(json) : json, strict: isStrict };
  const format: Format = {
    request: requestWith(strict),
    strictRequest: requestWith(strict ?? (canBeStrict(json) ? true : undefined)),
    check,
  };
  prepared.set(given, format);
  return format;
}

/** The text without a fence around it: models often write JSON as a block of Markdown. */
function withoutFence(text: string): string {
  return /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/i.exec(text)?.[1] ?? text;
}

/**
 * The response with its structured output. A response that calls tools has none yet.
 *
 * @throws LLMError `LLM_BAD_ANSWER` when the answer does not match the schema; `partial` is the response.
 */
export async function withObject(
  response: ChatResponse,
  format: Format,
): Promise<ChatResponse | ObjectResponse<unknown>> {
  if (response.toolCalls.length > 0) return response;
  const checked = await parseAndCheck(withoutFence(response.text), format.check, "The answer is");
  if (checked.ok) return { ...response, object: checked.value };
  const reasons = { length: "It was cut off at the limit of tokens. ", refusal: "The model declined to answer. " };
  const { finishReason } = response;
  const reason = finishReason === "length" || finishReason === "refusal" ? reasons[finishReason] : "";
  throw new LLMError("LLM_BAD_ANSWER", `${reason}${checked.message}`, { partial: response });
}
