// What a running step asks the engine for: events, sleep, collections, and what it remembers.

import type { EventClass, WorkflowEvent } from "../events.js";
import { Remembered } from "./document.js";
import { ask, expectNumber, memoryWords, readReply } from "./engine.js";
import type { Invocation, PendingWait } from "./invocation.js";
import type { Run } from "./run.js";

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

/** A list of classes that a run has collected by. */
export interface KnownPattern {
  readonly number: number;
  readonly classes: readonly EventClass[];
  next: number;
}

const PROBES = 32;

/**
 * The number of a list of classes. A list is gone through when it is first seen; after that a part of it is looked at each time, so that one that was
 * changed is noticed.
 */
function patternOf(run: Run, classes: readonly EventClass[]): number {
  const { line, plan } = run;
  const patterns = (run.patterns ??= new WeakMap());
  const known = patterns.get(classes);
  if (known !== undefined && known.classes.length === classes.length) {
    let at = known.next;
    let isSame = true;
    for (let nth = 0; nth < PROBES; nth += 1) {
      if (at >= classes.length) at = 0;
      if (known.classes[at] !== classes[at]) isSame = false;
      at += 1;
    }
    known.next = at;
    if (isSame) return known.number;
  }
  const expected = plan.typeIdsOf(classes);
  const number = expectNumber(ask(() => line.engine().engine_pattern(line.handle, expected)));
  patterns.set(classes, { number, classes: [...classes], next: 0 });
  return number;
}

/** Puts an event to those that a step collects; returns them when they are complete. */
export function collect(by: Invocation, event: WorkflowEvent, classes: readonly EventClass[]): WorkflowEvent[] | null {
  const { run } = by;
  const { line, plan } = run;
  const type = plan.typeOf(event);
  const pattern = patternOf(run, classes);
  const slot = line.keep(event);
  let found: WorkflowEvent[] | null = null;
  const pointer = ask(() =>
    line.engine().engine_collect(line.handle, by.index, by.generation, type, slot, pattern, line.tickTime()),
  );
  const memory = memoryWords();
  const at = pointer >>> 2;
  if (memory[at] === 0 && memory[at + 1]! > 0) {
    found = Array.from(memory.subarray(at + 3, at + 3 + memory[at + 1]!), (slot) => line.payload(slot));
  }
  run.accept(pointer, slot);
  return found;
}
