// Makes lifecycle events of the records that the engine writes. Live runs and replays use the same reader, so they
// report the same.

import { type EventClass, LifecycleEvent, type StepFailure, type WorkflowEvent, typeName } from "../model/events.js";
import type { LifecycleData, LifecycleError, LifecycleKind } from "../model/lifecycle.js";
import { errorMessage } from "../util/error-message.js";
import { traceKinds } from "../wasm/protocol.js";

/** What the numbers in records stand for. */
export interface LifecycleSource {
  /** The name of a step. */
  step(step: number): string;
  /** The type name of a type id. */
  type(type: number): string;
  /** What is in a slot. */
  payload(slot: number): unknown;
}

/** How a run has ended. */
export type LifecycleOutcome = LifecycleData<"run.ended">["outcome"];

const NONE = 0xffff_ffff;

/** An error, as lifecycle events carry it. */
function describeError(error: Error): LifecycleError {
  const message = errorMessage(error);
  try {
    const { name, code } = error as Error & { readonly code?: unknown };
    return { name, message, ...(typeof code === "string" ? { code } : {}) };
  } catch {
    // An error of the user's may have members that throw.
    return { name: "Error", message };
  }
}

/** A lifecycle event; what is undefined is left out. */
function lifecycleEvent(kind: LifecycleKind, time: number, fields: Record<string, unknown>): LifecycleEvent {
  const data: Record<string, unknown> = { kind, time };
  // A loop, because there are some six of these for each step.
  for (const name of Object.keys(fields)) if (fields[name] !== undefined) data[name] = fields[name];
  return new LifecycleEvent(data as unknown as LifecycleData);
}

export class LifecycleReader {
  readonly #source: LifecycleSource;
  /** The id of the event in each slot. A slot without one has an event from before the first record. */
  readonly #ids: (string | undefined)[] = [];
  /** What has led to each invocation that is not over. */
  readonly #causes = new Map<string, string>();
  /** Which invocation runs, or ran last, at each place of the engine's table: its generation, and its id. */
  readonly #places = new Map<number, readonly [number, string]>();
  /** The last tick that sent an event, and how many it has sent. */
  #tick = 0;
  #sent = 0;
  /** When the engine has ended the run, and the id of the stop event. */
  #end: { readonly time: number; readonly cause: string | undefined } | undefined;

  constructor(source: LifecycleSource) {
    this.#source = source;
  }

  /** The invocation that runs at a place of the engine's table, if that is known. */
  invocationAt(index: number, generation: number): string | undefined {
    const [known, invocation] = this.#places.get(index) ?? [];
    return known === generation ? invocation : undefined;
  }

  /** The lifecycle event of a record, whose command is at `at`; undefined for one that makes none yet. */
  read(words: ArrayLike<number>, at: number): LifecycleEvent | undefined {
    const word = (nth: number): number => words[at + nth]! >>> 0;
    const long = (nth: number): number | undefined =>
      word(nth + 1) === NONE ? undefined : word(nth + 1) * 2 ** 32 + word(nth);
    const some = (nth: number): number | undefined => (word(nth) === NONE ? undefined : word(nth));
    const kind = traceKinds[word(2)]!;
    const [time, order, value] = [long(3)!, long(6), long(10)];
    const [stepId, attempt, slot] = [some(5), word(8), some(9)];
    const inputs = Array.from({ length: word(1) }, (_, nth) => word(12 + nth));

    const invocation = order === undefined ? undefined : String(order);
    const step = stepId === undefined ? undefined : this.#source.step(stepId);
    const of = { step, invocation, attempt: attempt === 0 ? undefined : attempt };
    const make = (fields: Record<string, unknown>): LifecycleEvent =>
      lifecycleEvent(kind as LifecycleKind, time, fields);
    const makeStep = (fields: Record<string, unknown>): LifecycleEvent =>
      make({ ...of, cause: this.#causes.get(invocation!), ...fields });

    switch (kind) {
      case "step.queued": {
        const cause = this.#ids[slot!];
        if (cause !== undefined) this.#causes.set(invocation!, cause);
        return makeStep({ causes: inputs.flatMap((input) => this.#ids[input] ?? []) });
      }
      case "step.running":
        this.#places.set(word(10), [word(11), invocation!]);
        return undefined;
      case "step.started":
        this.#places.set(word(10), [word(11), invocation!]);
        return makeStep({});
      case "step.waiting": {
        const event = inputs[0] === undefined ? undefined : this.#source.type(inputs[0]);
        return makeStep({ event, delay: inSeconds(value) });
      }
      case "step.retrying":
        return makeStep({ delay: inSeconds(value), error: this.#failure(slot!) });
      case "step.succeeded":
      case "step.failed": {
        const event = makeStep(slot === undefined ? {} : { error: this.#failure(slot) });
        this.#causes.delete(invocation!);
        return event;
      }
      case "step.timedOut":
        return makeStep({});
      case "event.sent":
        this.#ids[slot!] = this.#newId(value!);
        return make({ ...this.#event(slot!), ...of });
      case "event.delivered":
      case "event.kept":
      case "event.dropped":
        return make({ ...this.#event(slot!), ...of });
      case "run.started":
        return make({ isRecovered: value === 1 });
      case "run.ended":
        // The host knows the error.
        this.#end = { time, cause: slot === undefined ? undefined : this.#ids[slot] };
        return undefined;
      default:
        return make({});
    }
  }

  /** The end of the run; `now` is when it was, if the engine has not said so. */
  end(outcome: LifecycleOutcome, error: Error | undefined, now: number): LifecycleEvent {
    return lifecycleEvent("run.ended", this.#end?.time ?? now, {
      outcome,
      cause: outcome === "completed" ? this.#end?.cause : undefined,
      error: error === undefined ? undefined : describeError(error),
    });
  }

  /** An event is known by the tick that brought it; of several, each but the first has a number as well. */
  #newId(tick: number): string {
    this.#sent = tick === this.#tick ? this.#sent + 1 : 0;
    this.#tick = tick;
    return this.#sent === 0 ? String(tick) : `${tick}.${this.#sent}`;
  }

  #event(slot: number): Record<string, unknown> {
    const event = this.#source.payload(slot) as WorkflowEvent;
    return { event: typeName(event.constructor as EventClass), eventId: this.#ids[slot] };
  }

  #failure(slot: number): LifecycleError {
    return describeError((this.#source.payload(slot) as WorkflowEvent<StepFailure>).data.error);
  }
}

const inSeconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);
