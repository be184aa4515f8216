// Answers in a form that the program gives: what the provider is told of it, and what is made of the text that comes back.

import { LLMError, ValidationError } from "../errors.js";
import { describe } from "../internal/duration.js";
import { type StandardSchema, closed, isHoldable, isStandardSchema, jsonSchemaOf } from "../tools/schema.js";
import { type Check, jsonSchemaCheck, readJson, standardCheck } from "../tools/validate.js";
import type { ChatResponse, JSONSchema, ObjectResponse, ResponseFormat } from "./types.js";

/** A schema of a validation library as the form of an answer, with more to say than the schema. */
export interface StandardFormat<Schema extends StandardSchema> {
  /** A name for the schema: letters, digits, `_` and `-`. Default: `"answer"`. */
  readonly name?: string | undefined;
  readonly schema: Schema;
  /** The same as JSON Schema, for libraries whose schemas do not know it, such as Valibot without `@valibot/to-json-schema`. */
  readonly jsonSchema?: JSONSchema | undefined;
  /** See {@link ResponseFormat.strict}. */
  readonly strict?: boolean | undefined;
}

/** The form of an answer, in any of the ways in which it can be given. */
export type AnyFormat = ResponseFormat | StandardSchema | StandardFormat<StandardSchema>;

/** A form that is ready for use. */
export interface Format {
  readonly told: ResponseFormat;
  /** The same for a provider that holds models to every schema that is fit for it. */
  readonly strictlyTold: ResponseFormat;
  readonly check: Check;
}

/** To make a check of a schema takes a while, and programs ask in the same form again and again. */
const made = new WeakMap<object, Format>();

/**
 * The form of an answer, checked.
 *
 * @throws ValidationError `INVALID_SCHEMA`, `INVALID_OPTION`
 */
export function formatOf(given: AnyFormat): Format {
  if ((typeof given !== "object" && typeof given !== "function") || given === null) {
    throw new ValidationError("INVALID_OPTION", `\`responseFormat\` is ${describe(given)}.`);
  }
  const known = made.get(given);
  if (known !== undefined) return known;
  const full: StandardFormat<StandardSchema> | ResponseFormat = isStandardSchema(given) ? { schema: given } : given;
  const { name = "answer", schema } = full;
  if (typeof name !== "string" || !/^[\w-]{1,64}$/.test(name)) {
    throw new ValidationError("INVALID_OPTION", `\`responseFormat.name\` is ${describe(name)}.`);
  }
  const json = jsonSchemaOf(schema, "jsonSchema" in full ? full.jsonSchema : undefined, "`responseFormat`");
  const { strict } = full;
  const toldAs = (isStrict: boolean | undefined): ResponseFormat =>
    isStrict === undefined
      ? { name, schema: json }
      : { name, schema: isStrict ? closed(json) : json, strict: isStrict };
  const format: Format = {
    told: toldAs(strict),
    strictlyTold: toldAs(strict ?? (isHoldable(json) ? true : undefined)),
    check: isStandardSchema(schema) ? standardCheck(schema) : jsonSchemaCheck(json),
  };
  made.set(given, format);
  return format;
}

/** Models that are held to nothing like to put JSON in a block of Markdown. */
function withoutFence(text: string): string {
  return /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/i.exec(text)?.[1] ?? text;
}

/**
 * The answer with what it holds. One that asks for tools has no object yet.
 *
 * @throws LLMError `LLM_BAD_ANSWER` when it is not as it should be; `partial` is the answer.
 */
export async function withObject(
  response: ChatResponse,
  format: Format,
): Promise<ChatResponse | ObjectResponse<unknown>> {
  if (response.toolCalls.length > 0) return response;
  const reading = await readJson(withoutFence(response.text), format.check, "The answer is");
  if (reading.ok) return { ...response, object: reading.value };
  const why = { length: "It was cut off at the limit of tokens. ", refusal: "The model declined to answer. " };
  const { finishReason } = response;
  const reason = finishReason === "length" || finishReason === "refusal" ? why[finishReason] : "";
  throw new LLMError("LLM_BAD_ANSWER", `${reason}${reading.message}`, { partial: response });
}
