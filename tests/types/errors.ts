// Errors: `code` is a closed union, so that a program can distinguish them all and the compiler finds what is forgotten.
import {
  CancelledError,
  type Code,
  EngineError,
  LLMError,
  LimitError,
  RecoverError,
  SnapshotError,
  StalledError,
  StepError,
  TimeoutError,
  ValidationError,
  WorkflowError,
} from "stepstream";
import type { ChatResponse } from "stepstream/llm";
import { type Equal, type IsAny, expectType, expectValue } from "./helpers.js";

expectType<Equal<IsAny<Code>, false>>();
expectType<Equal<WorkflowError["code"], Code>>();

/** Every code; a new one makes this function stop compiling. */
function kindOf(code: Code): string {
  switch (code) {
    case "NO_STEPS":
    case "NO_START_STEP":
    case "NO_STOP_STEP":
    case "STEP_TAKES_STOP":
    case "NEVER_PRODUCED":
    case "NEVER_CONSUMED":
    case "UNREACHABLE_STEP":
    case "NO_FAN_OUT":
    case "DEAD_END":
    case "COLLECT_NOT_ALONE":
    case "DUPLICATE_STEP":
    case "DUPLICATE_EVENT":
    case "UNKNOWN_STEP":
    case "DUPLICATE_HANDLER":
    case "INVALID_WORKERS":
    case "INVALID_STEP":
    case "INVALID_DURATION":
    case "INVALID_RETRY":
    case "INVALID_OPTION":
    case "INVALID_EVENT":
    case "UNDECLARED_OUTPUT":
    case "EVENT_NOT_TAKEN":
    case "RUN_ENDED":
    case "INVALID_STORE":
    case "INVALID_STATE":
    case "ASYNC_SCHEMA":
    case "STORE_BUSY":
    case "NESTED_EDIT":
    case "STORE_IN_USE":
    case "INVALID_TOOL":
    case "INVALID_SCHEMA":
    case "INVALID_AGENT":
    case "DUPLICATE_AGENT":
    case "UNKNOWN_AGENT":
    case "HANDLER_HANDLED":
    case "UNKNOWN_SLOT":
    case "UNNAMED_STEP":
    case "UNNAMED_EVENT":
      return "validation";
    case "STEP_FAILED":
      return "step";
    case "RUN_TIMEOUT":
    case "STEP_TIMEOUT":
    case "WAIT_TIMEOUT":
      return "timeout";
    case "RUN_CANCELLED":
    case "ATTEMPT_ENDED":
    case "WAIT_WITHDRAWN":
      return "cancelled";
    case "RUN_STALLED":
      return "stalled";
    case "STEPS_LIMIT":
    case "EVENTS_DROPPED":
    case "AGENT_ITERATIONS":
    case "ANSWER_FORM":
      return "limit";
    case "ENGINE_PANICKED":
    case "UNSUPPORTED_RUNTIME":
    case "STALE_ID":
    case "NO_WEBCRYPTO":
      return "engine";
    case "SNAPSHOT_VALUE":
    case "JOURNAL_NOT_KEPT":
    case "SNAPSHOT_STALE":
    case "CLAIM_LOST":
    case "CLAIM_RELEASED":
      return "snapshot";
    case "SNAPSHOT_FORMAT":
    case "SNAPSHOT_VERSION":
    case "SNAPSHOT_TRUNCATED":
    case "SNAPSHOT_ALTERED":
    case "SNAPSHOT_FOREIGN":
    case "STEP_MISSING":
    case "EVENT_MISSING":
    case "STEP_CHANGED":
    case "STATE_REFUSED":
    case "SNAPSHOT_INVALID":
    case "EVENT_FORMAT":
    case "EVENT_VERSION":
    case "JOURNAL_GAP":
    case "SEAL_KEY":
    case "SEAL_ALTERED":
    case "SEAL_FOREIGN":
      return "recover";
    case "NO_SUCH_QUESTION":
    case "ANSWER_REFUSED":
      return "validation";
    case "COMMIT_FAILED":
      return "snapshot";
    case "LLM_REQUEST":
    case "LLM_AUTH":
    case "LLM_NOT_FOUND":
    case "LLM_BAD_REQUEST":
    case "LLM_CONTEXT_LENGTH":
    case "LLM_CONTENT_FILTER":
    case "LLM_RATE_LIMIT":
    case "LLM_QUOTA":
    case "LLM_SERVER":
    case "LLM_HTTP":
    case "LLM_NETWORK":
    case "LLM_TIMEOUT":
    case "LLM_STREAM_CUT":
    case "LLM_STREAM_ERROR":
    case "LLM_BAD_ANSWER":
    case "LLM_ABORTED":
      return "llm";
    default:
      return code satisfies never;
  }
}

function described(error: unknown): string {
  if (error instanceof ValidationError) {
    expectValue<Code>()(error.code);
    return error.name satisfies "ValidationError";
  }
  if (error instanceof TimeoutError) return error.name satisfies "TimeoutError";
  if (error instanceof CancelledError) return error.name satisfies "CancelledError";
  if (error instanceof StalledError) return error.name satisfies "StalledError";
  if (error instanceof LimitError) return error.name satisfies "LimitError";
  if (error instanceof StepError) return error.name satisfies "StepError";
  if (error instanceof SnapshotError) {
    expectValue<string | undefined>()(error.path);
    return error.name satisfies "SnapshotError";
  }
  if (error instanceof LLMError) {
    expectValue<number | undefined>()(error.retryAfter);
    expectValue<ChatResponse | undefined>()(error.partial);
    return error.name satisfies "LLMError";
  }
  if (error instanceof RecoverError) return error.name satisfies "RecoverError";
  if (error instanceof EngineError) return error.name satisfies "EngineError";
  if (error instanceof WorkflowError) return kindOf(error.code);
  return "foreign";
}

const error: Error = new ValidationError("NO_STEPS");
// @ts-expect-error -- there is no such code.
const misspelt: Code = "NO_STEP";
// @ts-expect-error -- one kind of error is not another: their names differ.
const timeout: TimeoutError = new CancelledError("RUN_CANCELLED");
// @ts-expect-error -- a code does not change.
new ValidationError("NO_STEPS").code = "DEAD_END";
export { error, misspelt, timeout, described };
