// The lists of classes that steps collect by. A list crosses into the engine once; after that its number stands for it.

import type { EventClass } from "../model/events.js";
import type { EngineRun } from "./engine-run.js";
import type { Plan } from "./plan.js";

interface KnownPattern {
  /** Its number in the engine; undefined when the run has too many patterns, so that the list itself has to cross. */
  readonly number: number | undefined;
  readonly types: Uint32Array;
  readonly classes: readonly EventClass[];
  next: number;
}

/** How many places of a long list are compared at each call. */
const PROBES = 32;

export class CollectPatterns {
  readonly #known = new WeakMap<readonly EventClass[], KnownPattern>();

  /** What the engine takes for a list of classes: the number of its pattern, or its types. */
  of(classes: readonly EventClass[], plan: Plan, engine: EngineRun): number | Uint32Array {
    let known = this.#known.get(classes);
    if (known === undefined || !isUnchanged(known, classes)) {
      const types = plan.typeIdsOf(classes);
      known = { number: engine.pattern(types), types, classes: [...classes], next: 0 };
      this.#known.set(classes, known);
    }
    return known.number ?? known.types;
  }
}

/**
 * Whether a list is what it was. All of a long list at each event that is collected would make collecting quadratic: a part of it is
 * compared each time, so that a list which was changed in place is noticed within a few calls.
 */
function isUnchanged(known: KnownPattern, classes: readonly EventClass[]): boolean {
  if (known.classes.length !== classes.length) return false;
  let at = known.next;
  for (let nth = Math.min(PROBES, classes.length); nth > 0; nth -= 1) {
    if (at >= classes.length) at = 0;
    if (known.classes[at] !== classes[at]) return false;
    at += 1;
  }
  known.next = at;
  return true;
}
