// The host's part of a retry policy: what looks at error objects, which the engine does not have.

import { milliseconds } from "../model/duration.js";
import type { Invocation } from "./invocation.js";
import { verdict } from "../wasm/protocol.js";

/** What is to come of a failed attempt, as `engine_fail` takes it: a verdict, and a delay in milliseconds. */
export function decideRetry(invocation: Invocation, error: Error, alive: number): [verdict: number, delay: number] {
  const { retry } = invocation.planned;
  if (typeof retry === "function") {
    const elapsed = (alive - invocation.began) / 1000;
    const seconds = retry({ error, attempt: invocation.attempt, elapsed });
    if (typeof seconds !== "number") return [verdict.GIVE_UP, 0];
    return [verdict.RETRY, Math.max(0, milliseconds(seconds, "What a retry function returned"))];
  }
  const isHopeless = retry?.condition !== undefined && !retry.condition(error, invocation.attempt);
  return [isHopeless ? verdict.GIVE_UP : verdict.POLICY, 0];
}
