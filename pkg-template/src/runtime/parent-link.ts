// What ties a nested run to the run around it: that one shows its events, learns when it waits, and ends it with itself.

import { NestedEvent, type WorkflowEvent } from "../model/events.js";
import { ask } from "../wasm/engine-calls.js";
import type { Invocation } from "./invocation.js";
import { remember } from "./requests.js";
import type { Run } from "./live-run.js";
import { nestedKey } from "../snapshot/restore.js";

/** The place of a nested run in the run around it. */
export interface Parent {
  readonly invocation: Invocation;
  readonly slot: string;
  /** Which nested run of the invocation it is: its slot and a number. */
  readonly key: string;
}

export class Tie {
  readonly parent: Parent;
  /** How many events the step around it has sent to it, over all its lives. */
  received: number;
  readonly #child: Run;
  /** How many of them that step, which runs again, has not sent again. */
  #resent: number;
  /** It waits for the outside, and the run around it knows. */
  #isWaiting = false;

  constructor(child: Run, parent: Parent, received: number) {
    this.#child = child;
    this.parent = parent;
    this.received = received;
    this.#resent = received;
  }

  /** The nested run begins. */
  begin(): void {
    const child = this.#child;
    const { invocation: by, key } = this.parent;
    const { run } = by;
    run.children ??= new Set();
    run.children.add(child);
    run.countNested(1);
    if (run.isEnded) child.cancel(run.error);
    child.whenEnded(() => {
      run.children?.delete(child);
      if (this.#isWaiting) this.#block(false);
      else run.countNested(-1);
      if (run.isEnded || by.isSettled || by.ended !== undefined) return;
      // If the step runs again after a recovery, the nested run need not.
      const { stop } = child;
      if (stop !== undefined) run.guard(() => remember(by, nestedKey(key), stop));
    });
  }

  /** The step around it sends an event. Returns whether it has sent that before, in an earlier life. */
  isResent(): boolean {
    if (this.#resent === 0) return false;
    this.#resent -= 1;
    return true;
  }

  /** The nested run begins to wait for the outside, or waits no longer. */
  setWaiting(isWaiting: boolean): void {
    this.#isWaiting = isWaiting;
    // The step first: else the run around it might be seen waiting in between.
    this.#block(isWaiting);
    this.parent.invocation.run.countNested(isWaiting ? -1 : 1);
  }

  #block(blocked: boolean): void {
    const { invocation: by } = this.parent;
    const { run } = by;
    if (run.isEnded || by.isSettled || by.ended !== undefined) return;
    const { line } = run;
    run.guard(() =>
      line.take(ask(() => line.engine().engine_block(line.handle, by.index, by.generation, blocked, line.tickTime()))),
    );
  }

  /** An event of the nested run goes by. */
  publish(event: WorkflowEvent): void {
    const { invocation, slot } = this.parent;
    const nested =
      event instanceof NestedEvent
        ? new NestedEvent({ slot: `${slot}.${event.data.slot}`, event: event.data.event })
        : new NestedEvent({ slot, event });
    if (!invocation.run.isEnded) invocation.run.publish(nested, true);
  }
}
