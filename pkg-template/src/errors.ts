// The errors of the package. Each has a stable `code`; the table of codes is shared with the engine.

import { type Code, codes } from "./internal/codes.js";
import type { ChatResponse } from "./llm/types.js";

export type { Code };

/** The base of all errors that the package makes. An error that a step threw stays what it was. */
export class WorkflowError extends Error {
  /** What happened, as a name that never changes. `docs/errors.md` lists them all. */
  readonly code: Code;

  /**
   * @param code What happened.
   * @param detail What it is about, in a sentence; the advice that belongs to the code is appended.
   */
  constructor(code: Code, detail = "", options?: ErrorOptions) {
    super(`${detail}${detail === "" ? "" : " "}${codes[code].help}`, options);
    this.code = code;
  }
}

/** The workflow, an event or an option is not as it must be. */
export class ValidationError extends WorkflowError {
  override readonly name = "ValidationError";
}

/** A step threw something that is not an Error; it is the `cause`. */
export class StepError extends WorkflowError {
  override readonly name = "StepError";
}

/** A run, a step or a wait did not come to its end in time. */
export class TimeoutError extends WorkflowError {
  override readonly name = "TimeoutError";
}

/** A run was cancelled, or somebody works on in a step that is over. */
export class CancelledError extends WorkflowError {
  override readonly name = "CancelledError";
}

/** Nothing is left that could carry a run on. */
export class StalledError extends WorkflowError {
  override readonly name = "StalledError";
}

/** A limit was reached. */
export class LimitError extends WorkflowError {
  override readonly name = "LimitError";
}

/** The engine could not be loaded, or has given up. */
export class EngineError extends WorkflowError {
  override readonly name = "EngineError";
}

/** Something cannot be put into a snapshot, or a snapshot not into a store. */
export class SnapshotError extends WorkflowError {
  override readonly name = "SnapshotError";
  /** Where in the run the value is that cannot be carried, such as `store.user.connection`; undefined when it is not about a value. */
  readonly path: string | undefined;

  /** @param path See {@link SnapshotError.path}. */
  constructor(code: Code, detail = "", options: ErrorOptions & { readonly path?: string | undefined } = {}) {
    super(code, detail, options);
    this.path = options.path;
  }
}

/** A snapshot, journal or sealed snapshot cannot be taken up. Nothing has run. */
export class RecoverError extends WorkflowError {
  override readonly name = "RecoverError";
}

/** What is known of a call of a model that failed; see the fields of {@link LLMError}. */
export interface LLMErrorOptions extends ErrorOptions {
  readonly status?: number | undefined;
  readonly type?: string | undefined;
  readonly providerCode?: string | undefined;
  readonly retryAfter?: number | undefined;
  readonly partial?: ChatResponse | undefined;
}

/** A call of a model failed. Its message holds the provider's words, and no API key. */
export class LLMError extends WorkflowError {
  override readonly name = "LLMError";
  /** The HTTP status, if an answer came. */
  readonly status: number | undefined;
  /** The provider's type of the error, such as `overloaded_error`. */
  readonly type: string | undefined;
  /** The provider's code of the error, such as `model_not_found`. */
  readonly providerCode: string | undefined;
  /** How many seconds the provider asks to wait before the next request. */
  readonly retryAfter: number | undefined;
  /** What had arrived of the answer; undefined if nothing had. */
  readonly partial: ChatResponse | undefined;

  constructor(code: Code, detail = "", options: LLMErrorOptions = {}) {
    super(code, detail, options);
    this.status = options.status;
    this.type = options.type;
    this.providerCode = options.providerCode;
    this.retryAfter = options.retryAfter;
    this.partial = options.partial;
  }
}

function isError(thrown: unknown): thrown is Error {
  try {
    // Errors of another realm are not instances of this one's Error.
    return thrown instanceof Error || Object.prototype.toString.call(thrown) === "[object Error]";
  } catch {
    // A proxy that throws at every look.
    return false;
  }
}

/** What was thrown, as an Error: itself, or a StepError with it as the `cause`. */
export function asError(thrown: unknown, step: string): Error {
  if (isError(thrown)) return thrown;
  return new StepError("STEP_FAILED", `Step "${step}" failed.`, { cause: thrown });
}
