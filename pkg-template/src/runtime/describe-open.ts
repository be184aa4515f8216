// What a run still waits for, in words: for the errors of runs that were too slow or came to a standstill.

import { HumanResponseEvent, type StepFailedEvent, isKindOf, typeName } from "../model/events.js";
import type { Attempts } from "./attempts.js";
import type { EngineRun } from "./engine-run.js";
import type { Plan } from "./plan.js";
import type { WaitOwner, WaitTable } from "./wait-table.js";

/** A message with more than these would not be read. */
const MOST_NAMED = 10;

/** The records in the reply of `engine_open`, as `src/wasm/engine/mod.rs` describes them. */
const open = { JOIN: 0, COLLECTION: 2, PAUSE: 3, QUEUE: 4, OUTSIDE: 5, LIST: 6 } as const;

/** A run, as far as it is described. */
interface OpenRun {
  readonly plan: Plan;
  readonly engine: EngineRun;
  readonly attempts: Attempts;
  readonly waits: WaitTable;
}

/** What a run still waits for. */
export interface Description {
  readonly text: string;
  /** The failure behind it, if there is one. */
  readonly cause: Error | undefined;
}

/** A sentence for everything that lacks something, is open, or is running. */
export function describeOpen({ plan, engine, attempts, waits }: OpenRun): Description {
  const words = engine.openWork();
  const parts: string[] = [];
  const outside: string[] = [];
  let cause: Error | undefined;
  for (let at = 0; at < words.length; at += 2 + words[at + 1]!) {
    const [kind, , id, ...record] = words.subarray(at, at + 2 + words[at + 1]!);
    const step = plan.steps[id!]!;
    const [first = 0, second = 0] = record;
    switch (kind) {
      case open.JOIN: {
        const missing = step.inputs.filter((_, nth) => (first & (1 << nth)) === 0);
        const what = missing.map((input) => plan.describeInput(input)).join(", ");
        parts.push(`Step "${step.name}" has some of its inputs and lacks ${what}.`);
        break;
      }
      case open.COLLECTION: {
        const missing = counted(plan, record.slice(2));
        parts.push(`Step "${step.name}" has collected ${first} of ${second} events and lacks ${missing}.`);
        break;
      }
      case open.PAUSE: {
        const failure = first === 0 ? undefined : (engine.slots.event(first - 1) as StepFailedEvent);
        const error = failure?.data.error;
        const why = error === undefined ? "" : `: ${error.message}`;
        parts.push(
          `Step "${step.name}" waits for its next attempt, in ${record[2]! / 1000} s; attempt ${second} failed${why}`,
        );
        cause ??= error;
        break;
      }
      case open.QUEUE:
        parts.push(`Step "${step.name}" has ${first} invocation${first === 1 ? "" : "s"} in its queue.`);
        break;
      case open.OUTSIDE:
        outside.push(describeOutside(plan, step.name, first));
        break;
      case open.LIST:
        for (let nth = 1; nth < record.length; nth += 2) {
          const [gathering, count] = [plan.steps[record[nth]!]!.name, record[nth + 1]!];
          const events = `${count} event${count === 1 ? "" : "s"}`;
          parts.push(
            `Step "${gathering}" has gathered ${events} of an array of step "${step.name}", which is not done.`,
          );
        }
        break;
      default:
        // Waits have names on this side.
        break;
    }
  }
  const waiting = new Set<WaitOwner>();
  for (const { what, owner } of waits) {
    if (what === undefined) continue;
    waiting.add(owner);
    parts.push(`Step "${owner.step}" waits for ${what}.`);
  }
  let isRunning = waiting.size > 0 || cause !== undefined;
  for (const invocation of attempts) {
    if (invocation.isSettled || waiting.has(invocation)) continue;
    isRunning = true;
    parts.push(`Step "${invocation.step}" is running.`);
  }
  // What could come from outside is of interest only where nothing else could move the run.
  if (!isRunning) {
    parts.push(...outside);
    const { unanswered } = attempts;
    cause ??= unanswered?.error;
    if (unanswered !== undefined) {
      parts.unshift(`An error handler got the failure of step "${unanswered.step}" and returned no event.`);
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
  if (isKindOf(eventClass, HumanResponseEvent)) {
    return `Step "${step}" takes ${name}, which has to come from outside, through sendEvent.`;
  }
  return (
    `Step "${step}" takes ${name}, which no step has in its outputs, so it could still come from outside. ` +
    `If a step should return it, add ${name} to the outputs of that step.`
  );
}
