// What a running step asks the engine for: events, sleep, collections, and what it remembers.

import type { EventClass, WorkflowEvent } from "../events.js";
import { Remembered } from "./document.js";
import { ask, expectNumber, memoryWords, readReply } from "./engine.js";
import type { Invocation, PendingWait } from "./invocation.js";
import type { Run } from "./run.js";
import { NO_PATTERN } from "./words.js";

/** A wait or sleep that the engine has opened. */
export interface Opened {
  readonly wait: number;
  /** Carries out what came of it; an answer that is there already is given now. */
  readonly go: () => void;
}

/** What an invocation remembers under a key, in this attempt or from an earlier one. */
export function recall(by: Invocation, key: string): Remembered | undefined {
  const { line } = by.run;
  const found = ask(() => line.engine().engine_recall(line.handle, by.index, by.generation, key));
  return found === 0 ? undefined : (line.payload(found - 1) as unknown as Remembered);
}

/** Lets an invocation remember something; what it remembers under the key already stays. */
export function remember(by: Invocation, key: string, value: unknown): void {
  const { line } = by.run;
  const slot = line.keep(new Remembered(value));
  by.run.accept(
    ask(() => line.engine().engine_once(line.handle, by.index, by.generation, key, slot, line.tickTime())),
    slot,
  );
}

/** Opens a wait for an event. */
export function openWait(
  by: Invocation,
  eventClass: EventClass,
  where: PendingWait["where"],
  timeout: number,
  id: string | undefined,
  question: WorkflowEvent | undefined,
): Opened {
  const { run } = by;
  const { line } = run;
  const type = run.plan.typeIdOf(eventClass);
  const asked = question === undefined ? 0 : 1 + run.plan.typeOf(question);
  const isConditional = where !== undefined;
  let claim = 0;
  if (isConditional) {
    const kept = ask(() => readReply(line.engine().engine_kept(line.handle, type)));
    claim = 1 + (kept.find((slot) => where(line.payload(slot))) ?? -1);
    run.predicates += 1;
  }
  const { index, generation } = by;
  const slot = question === undefined ? 0 : line.keep(question);
  const { handle } = line;
  const call = (): number =>
    line
      .engine()
      .engine_wait(handle, index, generation, type, id, timeout, isConditional, claim, asked, slot, line.alive());
  return opened(run, call, question === undefined ? undefined : slot);
}

/** Begins a sleep, of so many milliseconds. */
export function openSleep(by: Invocation, delay: number): Opened {
  const { line } = by.run;
  return opened(by.run, () => line.engine().engine_sleep(line.handle, by.index, by.generation, delay, line.alive()));
}

/** @param slot Where the payload is that the call brings, if it brings one. */
function opened(run: Run, call: () => number, slot?: number): Opened {
  const pointer = ask(call);
  const wait = memoryWords()[(pointer >>> 2) + 3]!;
  if (slot === undefined) run.line.take(pointer);
  else run.line.takeOrDrop(pointer, slot);
  return { wait, go: () => run.carryOut() };
}

/** A long list of classes that a run has collected by. */
export interface KnownPattern {
  readonly number: number;
  readonly classes: readonly EventClass[];
  next: number;
}

/** Lists that are not longer than this cross the boundary at each call, and are exact by that. */
const SHORT_LIST = 32;

/** Of a long list, this many places are compared at each call. */
const PROBES = 32;

/**
 * The number that the engine keeps a long list under, or {@link NO_PATTERN} when it keeps as many lists as it may.
 *
 * Handing over a list, or comparing all of it, costs as much as it is long, so a list of n classes would cost n² in all. It is handed over when it
 * is first seen. After that a part of it is compared at each call, and all of it before a collection can be complete. So a list that was changed
 * in place is noticed after n / 32 events at the latest, and nothing is ever handed out by a list that it is not; the events before count for the
 * list as it was.
 */
function patternOf(by: Invocation, classes: readonly EventClass[]): number {
  const { run } = by;
  const { line, plan } = run;
  const patterns = (run.patterns ??= new WeakMap());
  const known = patterns.get(classes);
  if (known !== undefined && known.classes.length === classes.length) {
    const { number } = known;
    const collected = ask(() => line.engine().engine_collected(line.handle, by.index, by.generation, number));
    const mayComplete = collected + 1 >= classes.length;
    if (isUnchanged(known, classes, mayComplete ? classes.length : PROBES)) return number;
  }
  const expected = plan.typeIdsOf(classes);
  const number = expectNumber(ask(() => line.engine().engine_pattern(line.handle, expected)));
  if (number !== NO_PATTERN) patterns.set(classes, { number, classes: [...classes], next: 0 });
  return number;
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

/** Puts an event to those that a step collects; returns them when they are complete. */
export function collect(by: Invocation, event: WorkflowEvent, classes: readonly EventClass[]): WorkflowEvent[] | null {
  const { run } = by;
  const { line, plan } = run;
  const type = plan.typeOf(event);
  const pattern = classes.length > SHORT_LIST ? patternOf(by, classes) : NO_PATTERN;
  const expected = pattern === NO_PATTERN ? plan.typeIdsOf(classes) : undefined;
  const slot = line.keep(event);
  let found: WorkflowEvent[] | null = null;
  const { index, generation } = by;
  const pointer = ask(() =>
    expected === undefined
      ? line.engine().engine_collect(line.handle, index, generation, type, slot, pattern, line.tickTime())
      : line.engine().engine_collect_list(line.handle, index, generation, type, slot, expected, line.tickTime()),
  );
  const memory = memoryWords();
  const at = pointer >>> 2;
  if (memory[at] === 0 && memory[at + 1]! > 0) {
    found = Array.from(memory.subarray(at + 3, at + 3 + memory[at + 1]!), (slot) => line.payload(slot));
  }
  run.accept(pointer, slot);
  return found;
}
