// What a run still waits for, in words: for the errors of runs that were too slow or came to a standstill.

import type { Attempts } from "./attempts.js";
import type { EngineRun } from "./engine-run.js";
import type { Plan } from "./plan.js";
import type { WaitOwner, WaitTable } from "./wait-table.js";

/** A message with more than these would not be read. */
const MOST_NAMED = 10;

/** A run, as far as it is described. */
interface OpenRun {
  readonly plan: Plan;
  readonly engine: EngineRun;
  readonly attempts: Attempts;
  readonly waits: WaitTable;
}

/** A sentence for each join that lacks something, each wait that is open and each step that is running. */
export function describeOpen({ plan, engine, attempts, waits }: OpenRun): {
  readonly text: string;
  /** Why the step that waits for its next attempt has failed. */
  readonly cause: Error | undefined;
} {
  const words = engine.openWork();
  const parts: string[] = [];
  for (let at = 0; at < words.length; at += 3) {
    if (words[at] !== 0) continue;
    const step = plan.steps[words[at + 1]!]!;
    const missing = step.inputs.filter((_, nth) => (words[at + 2]! & (1 << nth)) === 0);
    const what = missing.map((input) => plan.describeInput(input)).join(", ");
    parts.push(`Step "${step.name}" has some of its inputs and lacks ${what}.`);
  }
  const waiting = new Set<WaitOwner>();
  for (const { what, owner } of waits) {
    if (what === undefined) continue;
    waiting.add(owner);
    parts.push(`Step "${owner.step}" waits for ${what}.`);
  }
  for (const invocation of attempts) {
    if (invocation.isSettled || waiting.has(invocation)) continue;
    parts.push(`Step "${invocation.step}" is running.`);
  }
  const more = parts.length - MOST_NAMED;
  const text = more > 0 ? `${parts.slice(0, MOST_NAMED).join(" ")} ${more} more are open.` : parts.join(" ");
  return { text, cause: undefined };
}
