// The lists of classes that steps collect by. A short list crosses into the engine at each call. A long one crosses
// once, and its number stands for it afterwards.

import type { EventClass } from "../model/events.js";
import { NO_PATTERN } from "../wasm/protocol.js";
import type { AttemptId, EngineRun } from "./engine-run.js";
import type { Plan } from "./plan.js";

interface KnownPattern {
  readonly number: number;
  readonly classes: readonly EventClass[];
  next: number;
}

/** Lists that are not longer than this cross at each call, and are exact by that. */
const SHORT_LIST = 32;

/** Of a long list, this many places are compared at each call. */
const PROBES = 32;

export class CollectPatterns {
  readonly #known = new WeakMap<readonly EventClass[], KnownPattern>();

  /**
   * What the engine takes for a list of classes: the number of its pattern, or its types.
   *
   * Handing over a long list, or comparing all of it, at each event would cost n² for a list of n classes. A part of
   * it is compared at each call, and all of it before a collection can be complete. So a list that was changed in place
   * is noticed after n / 32 events at the latest, and nothing is ever handed out by a list that it is not; the events
   * before count for the list as it was.
   */
  of(
    classes: readonly EventClass[],
    buffer: string | undefined,
    by: AttemptId,
    plan: Plan,
    engine: EngineRun,
  ): number | Uint32Array {
    if (classes.length <= SHORT_LIST) return plan.typeIdsOf(classes);
    const known = this.#known.get(classes);
    if (known !== undefined && known.classes.length === classes.length) {
      const mayComplete = engine.collected(by, known.number, buffer) + 1 >= classes.length;
      if (isUnchanged(known, classes, mayComplete ? classes.length : PROBES)) return known.number;
    }
    const types = plan.typeIdsOf(classes);
    const number = engine.pattern(types);
    if (number === NO_PATTERN) return types;
    this.#known.set(classes, { number, classes: [...classes], next: 0 });
    return number;
  }
}

/** Compares so many places of a list, from where the last comparison has ended. */
function isUnchanged(known: KnownPattern, classes: readonly EventClass[], places: number): boolean {
  let at = known.next;
  for (let nth = 0; nth < places; nth += 1) {
    if (at >= classes.length) at = 0;
    if (known.classes[at] !== classes[at]) return false;
    at += 1;
  }
  known.next = at;
  return true;
}
