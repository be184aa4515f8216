// The schema of a workflow's state: what a run's store begins with, and the check of every change.

import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { errorMessage } from "../util/error-message.js";
import { isThenable } from "../util/thenable.js";
import { issueText } from "./issue-text.js";
import { type StandardResult, type StandardSchema, isStandardSchema } from "./standard-schema.js";

/** A state: plain values by name. */
export type State = Readonly<Record<string, unknown>>;

/** A longer list would hide what is at its beginning. */
const MOST_ISSUES = 10;

const isObject = (value: unknown): value is State =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Why a state is refused. */
type Refusal = (detail: string, cause?: unknown) => Error;

const invalid: Refusal = (detail, cause) =>
  new ValidationError("INVALID_STATE", detail, cause === undefined ? {} : { cause });

export class StateSchema {
  readonly #schema: StandardSchema;

  /**
   * @throws ValidationError `INVALID_SCHEMA` when it is no Standard Schema, `ASYNC_SCHEMA` when it checks
   * asynchronously, `INVALID_STATE` when it has no defaults.
   */
  constructor(schema: unknown) {
    if (!isStandardSchema(schema)) {
      throw new ValidationError("INVALID_SCHEMA", `The option \`state\` is ${describe(schema)}, no Standard Schema.`);
    }
    this.#schema = schema;
    this.defaults();
  }

  /** What a new store has: what the schema makes of nothing, or else of an empty object. */
  defaults(): State {
    const nothing = this.#validate(undefined);
    if (nothing.issues === undefined && isObject(nothing.value)) return nothing.value;
    return this.check({}, (detail) =>
      invalid(`The schema of the state accepts no empty state, so give every member a default. ${detail}`),
    );
  }

  /**
   * The state as the schema gives it, with defaults and conversions.
   *
   * @param refusal Makes the error, of what is wrong. Default: a ValidationError `INVALID_STATE`.
   */
  check(state: State, refusal: Refusal = invalid): State {
    let result: StandardResult<unknown>;
    try {
      result = this.#validate({ ...state });
    } catch (error) {
      if (error instanceof ValidationError) throw error;
      throw refusal(`The schema has failed: ${errorMessage(error)}.`, error);
    }
    const { issues } = result;
    if (issues !== undefined) {
      const lines = issues.slice(0, MOST_ISSUES).map((issue) => `\n- ${issueText(issue)}`);
      if (issues.length > MOST_ISSUES) lines.push(`\n- and ${issues.length - MOST_ISSUES} more`);
      throw refusal(`It has these issues:${lines.join("")}\n`);
    }
    if (!isObject(result.value)) throw refusal(`The schema has made ${describe(result.value)} of it.`);
    return result.value;
  }

  #validate(state: unknown): StandardResult<unknown> {
    const result = this.#schema["~standard"].validate(state);
    if (!isThenable(result)) return result as StandardResult<unknown>;
    // Its rejection must not be reported as well.
    Promise.resolve(result).catch(() => undefined);
    throw new ValidationError("ASYNC_SCHEMA");
  }
}
