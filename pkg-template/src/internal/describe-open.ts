// What a run still waits for, in words: for the errors of runs that were too slow or came to a standstill.

import { HumanResponseEvent } from "../events.js";
import { ask, readReply } from "./engine.js";
import type { Invocation } from "./invocation.js";
import { type Plan, typeName } from "./plan.js";
import type { Run } from "./run.js";

/** More than these would not be read. */
const MOST_NAMED = 10;

/** The records in the reply of `engine_open`, as `src/wasm/engine/mod.rs` describes them. */
const open = { JOIN: 0, COLLECTION: 2, PAUSE: 3, QUEUE: 4, OUTSIDE: 5 } as const;

/** What a run still waits for. */
export interface Description {
  readonly text: string;
  /** The failure behind it, if there is one. */
  readonly cause: Error | undefined;
}

/** A sentence for everything that lacks something, is open, or is at work. */
export function describeOpen(run: Run): Description {
  const { plan, line, invocations, waits, unanswered } = run;
  const words = ask(() => readReply(line.engine().engine_open(line.handle, line.alive())));
  const parts: string[] = [];
  const outside: string[] = [];
  let cause: Error | undefined;
  for (let at = 0; at < words.length; at += 2 + words[at + 1]!) {
    const [kind, , stepId, ...record] = words.subarray(at, at + 2 + words[at + 1]!);
    const step = plan.steps[stepId!]!;
    const [first = 0, second = 0] = record;
    switch (kind) {
      case open.JOIN: {
        const missing = step.inputs.filter((_, nth) => (first & (1 << nth)) === 0);
        const what = missing.map((input) => plan.describeInput(input)).join(", ");
        parts.push(`Step "${step.name}" has some of its inputs and lacks ${what}.`);
        break;
      }
      case open.COLLECTION:
        parts.push(
          `Step "${step.name}" has collected ${first} of ${second} events and lacks ${counted(plan, record.slice(2))}.`,
        );
        break;
      case open.PAUSE: {
        // The failed attempt is remembered until the next one begins.
        const error = invocations[first]?.ended;
        const seconds = record[2]! / 1000;
        const what = error === undefined ? "" : `: ${error.message}`;
        parts.push(`Step "${step.name}" is tried again in ${seconds} s; attempt ${second} has failed${what}`);
        cause ??= error;
        break;
      }
      case open.QUEUE:
        parts.push(`Step "${step.name}" has ${first} invocation${first === 1 ? "" : "s"} in its queue.`);
        break;
      case open.OUTSIDE:
        outside.push(describeOutside(plan, step.name, first));
        break;
      default:
        // Waits have names on this side.
        break;
    }
  }
  const waiting = new Set<Invocation>();
  for (const { what, invocation } of waits.values()) {
    if (what === undefined) continue;
    waiting.add(invocation);
    parts.push(`Step "${invocation.step}" waits for ${what}.`);
  }
  let isAtWork = waiting.size > 0 || cause !== undefined;
  for (const invocation of invocations) {
    if (invocation === undefined || invocation.isSettled || waiting.has(invocation)) continue;
    isAtWork = true;
    parts.push(`Step "${invocation.step}" is at work.`);
  }
  // What could come from outside is of interest only when nothing else could carry the run on.
  if (!isAtWork) {
    parts.push(...outside);
    cause ??= unanswered?.data.error;
    if (unanswered !== undefined) {
      parts.unshift(`An error handler took the failure of step "${unanswered.data.step}" and returned no event.`);
    }
  }
  const more = parts.length - MOST_NAMED;
  const text = more > 0 ? `${parts.slice(0, MOST_NAMED).join(" ")} ${more} more are open.` : parts.join(" ");
  return { text, cause };
}

/** Pairs of event type and count. */
function counted(plan: Plan, pairs: readonly number[]): string {
  const missing: string[] = [];
  for (let at = 0; at < pairs.length; at += 2) {
    missing.push(`${pairs[at + 1]} ${typeName(plan.classOf(pairs[at]!)!)}`);
  }
  return missing.join(" and ");
}

function describeOutside(plan: Plan, step: string, type: number): string {
  const eventClass = plan.classOf(type)!;
  const name = typeName(eventClass);
  if (eventClass === HumanResponseEvent || eventClass.prototype instanceof HumanResponseEvent) {
    return `Step "${step}" takes ${name}, which has to come from outside, by sendEvent.`;
  }
  return (
    `Step "${step}" takes ${name}, which no step has in its outputs, so it could still come from outside. ` +
    `If a step should return it, add ${name} to the outputs of that step.`
  );
}
