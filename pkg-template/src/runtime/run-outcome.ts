// How a run ends when the engine says so, as the error that programs get.

import { CancelledError, LimitError, StalledError, TimeoutError } from "../errors/errors.js";
import type { StepFailedEvent, WorkflowEvent } from "../model/events.js";
import { outcome } from "../wasm/protocol.js";
import type { Description } from "./describe-open.js";

/** Of a run that is not there to be asked. */
const UNKNOWN: Description = { text: "", cause: undefined };

const withCause = ({ cause }: Description): ErrorOptions => (cause === undefined ? {} : { cause });

/**
 * The error of a run that has not completed; `how` is an {@link outcome}, `event` what came with it. The others say
 * more about the run: what is open in it, and how many steps it may invoke.
 */
export function errorOf(
  how: number,
  event: WorkflowEvent,
  describe: () => Description = () => UNKNOWN,
  stepsLimit?: number,
): Error {
  switch (how) {
    case outcome.STEP_FAILED:
      return (event as StepFailedEvent).data.error;
    case outcome.TIMED_OUT: {
      const open = describe();
      return new TimeoutError("RUN_TIMEOUT", open.text, withCause(open));
    }
    case outcome.STALLED: {
      const open = describe();
      return new StalledError("RUN_STALLED", open.text, withCause(open));
    }
    case outcome.LIMIT_REACHED:
      return new LimitError("STEPS_LIMIT", stepsLimit === undefined ? "" : `The limit is ${stepsLimit}.`);
    default:
      return new CancelledError("RUN_CANCELLED");
  }
}
