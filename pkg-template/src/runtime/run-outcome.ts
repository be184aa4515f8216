// How a run ends when the engine says so, as the error that programs get.

import { CancelledError, LimitError, StalledError, TimeoutError } from "../errors/errors.js";
import type { StepFailedEvent, WorkflowEvent } from "../model/events.js";
import { outcome } from "../wasm/protocol.js";
import { type Description, describeOpen } from "./describe-open.js";

type OpenRun = Parameters<typeof describeOpen>[0];

const withCause = ({ cause }: Description): ErrorOptions => (cause === undefined ? {} : { cause });

/** The error of a run that has not completed; `how` is an {@link outcome}, `event` what came with it. */
export function errorOf(how: number, event: WorkflowEvent, run: OpenRun, stepsLimit: number): Error {
  switch (how) {
    case outcome.STEP_FAILED:
      return (event as StepFailedEvent).data.error;
    case outcome.TIMED_OUT: {
      const open = describeOpen(run);
      return new TimeoutError("RUN_TIMEOUT", open.text, withCause(open));
    }
    case outcome.STALLED: {
      const open = describeOpen(run);
      return new StalledError("RUN_STALLED", open.text, withCause(open));
    }
    case outcome.LIMIT_REACHED:
      return new LimitError("STEPS_LIMIT", `The limit is ${stepsLimit}.`);
    default:
      return new CancelledError("RUN_CANCELLED");
  }
}
