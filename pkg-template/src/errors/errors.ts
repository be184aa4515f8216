// The errors of the package. Each has a stable `code`; the table of codes is shared with the engine.

import { type Code, codes } from "./codes.js";

export type { Code };

/** The base of all errors that the package makes. An error that a step threw stays what it was. */
export class WorkflowError extends Error {
  /** What happened, as a name that never changes. `docs/errors.md` lists them all. */
  readonly code: Code;

  /**
   * @param code What happened.
   * @param detail What it is about, in a sentence. The advice that belongs to the code follows it.
   * @param options `cause`; and `after`, a text that follows the advice.
   */
  constructor(code: Code, detail = "", options: ErrorOptions & { readonly after?: string | undefined } = {}) {
    super(`${detail}${detail === "" ? "" : " "}${codes[code].help}${options.after ?? ""}`, options);
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

/** A run was cancelled, a wait was withdrawn, or a step still works after its attempt has ended. */
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
  /**
   * Where in the run the value is that cannot be carried, such as `store.user.connection`; undefined when it is not
   * about a value.
   */
  readonly path: string | undefined;

  /** @param path See {@link SnapshotError.path}. */
  constructor(code: Code, detail = "", options: ErrorOptions & { readonly path?: string | undefined } = {}) {
    super(code, detail, options);
    this.path = options.path;
  }
}

/** A snapshot, journal or sealed snapshot cannot be recovered. Nothing has run. */
export class RecoverError extends WorkflowError {
  override readonly name = "RecoverError";
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
