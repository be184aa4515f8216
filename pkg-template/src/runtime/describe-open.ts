// What a run still waits for, in words: for the errors of runs that were too slow or came to a standstill.

import { ask, readReply } from "../wasm/engine-calls.js";
import type { Invocation } from "./invocation.js";
import type { Run } from "./live-run.js";

/** More than these would not be read. */
const MOST_NAMED = 10;

/** A sentence for each join that lacks something, each wait that is open and each step that is at work. */
export function describeOpen({ plan, line, invocations, waits }: Run): string {
  const words = ask(() => readReply(line.engine().engine_open(line.handle)));
  const parts: string[] = [];
  for (let at = 0; at < words.length; at += 3) {
    if (words[at] !== 0) continue;
    const step = plan.steps[words[at + 1]!]!;
    const missing = step.inputs.filter((_, nth) => (words[at + 2]! & (1 << nth)) === 0);
    const what = missing.map((input) => plan.describeInput(input)).join(", ");
    parts.push(`Step "${step.name}" has some of its inputs and lacks ${what}.`);
  }
  const waiting = new Set<Invocation>();
  for (const { what, invocation } of waits.values()) {
    if (what === undefined) continue;
    waiting.add(invocation);
    parts.push(`Step "${invocation.step}" waits for ${what}.`);
  }
  for (const invocation of invocations) {
    if (invocation === undefined || invocation.isSettled || waiting.has(invocation)) continue;
    parts.push(`Step "${invocation.step}" is at work.`);
  }
  const more = parts.length - MOST_NAMED;
  return more > 0 ? `${parts.slice(0, MOST_NAMED).join(" ")} ${more} more are open.` : parts.join(" ");
}
