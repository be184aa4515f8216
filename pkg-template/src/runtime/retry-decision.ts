// The host's part of a retry policy: what looks at error objects, which the engine does not have.

import { milliseconds } from "../model/duration.js";
import { partsOf } from "../model/retry.js";
import type { Invocation } from "./invocation.js";
import { verdict } from "../wasm/protocol.js";

/** What is to come of a failed attempt, as `engine_fail` takes it: a verdict, and a delay in milliseconds. */
export function decideRetry(invocation: Invocation, error: Error): [verdict: number, delay: number] {
  const { retry } = invocation.planned;
  if (typeof retry === "function") {
    const { attempt, elapsed } = invocation;
    const seconds = retry({ error, attempt, elapsed });
    if (typeof seconds !== "number") return [verdict.GIVE_UP, 0];
    return [verdict.RETRY, Math.max(0, milliseconds(seconds, "What a retry function returned"))];
  }
  const condition = retry === undefined ? undefined : partsOf(retry)?.condition;
  const isHopeless = condition !== undefined && !condition(error, invocation.attempt);
  return [isHopeless ? verdict.GIVE_UP : verdict.POLICY, 0];
}
