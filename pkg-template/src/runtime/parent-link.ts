// What links a nested run to the run around it: that run shows its events, learns when it waits, and ends it with
// itself.

import { type EventClass, NestedEvent, type StopEvent, type WorkflowEvent } from "../model/events.js";
import type { Activity } from "../model/run.js";
import { hold } from "../wasm/protocol.js";
import type { OpenQuestion } from "./questions.js";
import { Remembered, nestedKey } from "./remembered.js";
import type { RunWatcher } from "./run-watcher.js";

/** A nested run, as the run around it knows it. */
export interface NestedRun {
  /** What it has completed with. */
  readonly stop: StopEvent | undefined;
  cancel(reason: unknown): void;
  whenEnded(callback: () => void): void;
  /** The class of a type name, here or in a run nested in it. */
  classNamed(name: string): EventClass | undefined;
  /** Whether one of its steps or waits takes an event, or one of the runs nested in it. */
  takes(event: WorkflowEvent): boolean;
  /** Its open questions, and those of runs nested in it. */
  questions(): OpenQuestion[];
  /** When its next timer is due, if it sleeps or waits. */
  readonly wakesAt: Date | undefined;
  /** An event from outside of all runs; `slot` names a run that is nested in it. */
  receive(event: WorkflowEvent, step?: string, slot?: string): void;
  /** Lets a watcher know of everything from now on. Returns what stops that. */
  watch(watcher: RunWatcher): () => void;
}

/** The run around it. */
export interface OuterRun {
  readonly isEnded: boolean;
  readonly error: Error | undefined;
  addNested(link: ParentLink): void;
  removeNested(link: ParentLink): void;
  /** A nested run begins to work, or works no longer: it waits, or has ended. */
  countNested(atWork: 1 | -1): void;
  /** A nested run has published an event. */
  publishNested(event: NestedEvent): void;
  /** When everything so far is committed; undefined when nothing has to be. */
  committed(): Promise<void> | undefined;
  /** Does something in the engine that may fail, and lets the run fail with it. */
  guard(work: () => void): void;
}

/** The attempt that has started the nested run. */
export interface OuterAttempt {
  readonly index: number;
  /** Its place among all arrivals of the run. */
  readonly order: number;
  readonly generation: number;
  readonly step: string;
  readonly isOver: boolean;
  readonly run: OuterRun;
  /** A nested run has begun. */
  nestedBegan(key: string): void;
  /** The nested run holds the step up, or no longer does; `how` is a {@link hold}. */
  hold(how: number): void;
  remember(key: string, value: Remembered): void;
}

/** The place of a nested run in the run around it. */
export interface NestedPlace {
  readonly invocation: OuterAttempt;
  readonly slot: string;
  /** Which nested run of the invocation it is: its slot and a number. */
  readonly key: string;
}

const held = { waiting: hold.BLOCK, sleeping: hold.DOZE } as const;
const released = { waiting: hold.UNBLOCK, sleeping: hold.ROUSE } as const;

export class ParentLink {
  readonly place: NestedPlace;
  readonly nested: NestedRun;
  /** How many events the step around it has sent to it, over all its lives. */
  received: number;
  /** How many of them that step, which runs again, has not sent again. */
  #resent: number;
  /** What the run around it knows. */
  #activity: Activity = "running";

  constructor(nested: NestedRun, place: NestedPlace, received: number) {
    this.nested = nested;
    this.place = place;
    this.received = received;
    this.#resent = received;
  }

  /** The nested run begins. */
  begin(): void {
    const { nested } = this;
    const { invocation, key } = this.place;
    const outer = invocation.run;
    outer.addNested(this);
    invocation.nestedBegan(key);
    outer.countNested(1);
    if (outer.isEnded) nested.cancel(outer.error);
    nested.whenEnded(() => {
      outer.removeNested(this);
      if (this.#activity === "running") outer.countNested(-1);
      else this.#hold(released[this.#activity]);
      if (outer.isEnded || invocation.isOver) return;
      // If the step runs again after a recovery, the nested run need not.
      const { stop } = nested;
      if (stop !== undefined) outer.guard(() => invocation.remember(nestedKey(key), new Remembered(stop)));
    });
  }

  /** The step around it sends an event. Returns whether it had sent that before, in an earlier life. */
  isResent(): boolean {
    if (this.#resent === 0) return false;
    this.#resent -= 1;
    return true;
  }

  /** The nested run works, sleeps or waits now. */
  setActivity(activity: Activity): void {
    const before = this.#activity;
    this.#activity = activity;
    // The step first: otherwise the run around it might be seen waiting in between.
    if (activity !== "running") this.#hold(held[activity]);
    if (before !== "running") this.#hold(released[before]);
    const atWork = Number(activity === "running") - Number(before === "running");
    if (atWork !== 0) this.place.invocation.run.countNested(atWork as 1 | -1);
  }

  #hold(how: number): void {
    const { invocation } = this.place;
    if (invocation.run.isEnded || invocation.isOver) return;
    invocation.run.guard(() => invocation.hold(how));
  }

  /** The nested run has published an event. */
  publish(event: WorkflowEvent): void {
    const { invocation, slot } = this.place;
    const nested =
      event instanceof NestedEvent
        ? new NestedEvent({ slot: `${slot}.${event.data.slot}`, event: event.data.event })
        : new NestedEvent({ slot, event });
    if (!invocation.run.isEnded) invocation.run.publishNested(nested);
  }
}
