// Payloads by number. The engine knows an event as the number of a slot; what is in the slot stays on this side.

import type { WorkflowEvent } from "../model/events.js";

export class SlotTable {
  #payloads: unknown[] = [];
  #free: number[] = [];

  /** Puts a payload into a free slot. */
  keep(payload: unknown): number {
    const slot = this.#free.pop() ?? this.#payloads.length;
    this.#payloads[slot] = payload;
    return slot;
  }

  /** The event in a slot that the engine has named. */
  event(slot: number): WorkflowEvent {
    return this.#payloads[slot] as WorkflowEvent;
  }

  /** Empties a slot. */
  release(slot: number): void {
    this.#payloads[slot] = undefined;
    this.#free.push(slot);
  }

  /** Fills the table with the payloads of a snapshot, in the order of its slots. */
  fill(payloads: readonly unknown[]): void {
    this.#payloads = [...payloads];
  }

  /** All payloads, by slot. */
  get all(): readonly unknown[] {
    return this.#payloads;
  }

  clear(): void {
    this.#payloads = [];
    this.#free = [];
  }
}
