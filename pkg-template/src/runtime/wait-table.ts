// The open waits and sleeps of a run. Those with a condition are found by the event types that they take, so that an
// event costs no more than the conditions of its own type.

import type { WorkflowEvent } from "../model/events.js";

/** The attempt that waits. */
export interface WaitOwner {
  /** The step's name. */
  readonly step: string;
}

/** A wait or sleep whose promise is open. */
export interface OpenWait {
  readonly owner: WaitOwner;
  /** What it waits for, in words; undefined for a sleep. */
  readonly what: string | undefined;
  /** The name that the step has given it. */
  readonly id?: string | undefined;
  /** The question that was published with it. */
  readonly ask?: WorkflowEvent | undefined;
  /** The event types that it takes; empty for a sleep. */
  readonly types: readonly number[];
  /** Accepts an event, or leaves it to others; undefined when every event of the types will do. */
  readonly where: ((event: WorkflowEvent) => boolean) | undefined;
  readonly resolve: (event: WorkflowEvent | undefined) => void;
  readonly reject: (error: unknown) => void;
  /** Called when the wait has its answer, before the promise is settled. */
  answered?: (() => void) | undefined;
}

interface Entry {
  readonly wait: OpenWait;
  /** How many waits of the owner had been answered when this one was opened. */
  readonly openedAt: number;
}

/** The waits of one attempt. */
interface Owned {
  readonly numbers: Set<number>;
  answered: number;
}

class Tables {
  readonly open = new Map<number, Entry>();
  readonly conditional = new Map<number, Set<number>>();
  readonly owners = new Map<WaitOwner, Owned>();
  /** The event types that a wait was ever opened for. */
  readonly known = new Set<number>();
}

export class WaitTable {
  /** How many waits have a condition. */
  conditional = 0;
  #made: Tables | undefined;

  /** Made when it is asked for: most runs have no wait, and four tables cost more than a step. */
  get #tables(): Tables {
    return (this.#made ??= new Tables());
  }

  get size(): number {
    return this.#made === undefined ? 0 : this.#made.open.size;
  }

  add(number: number, wait: OpenWait): void {
    let owned = this.#tables.owners.get(wait.owner);
    if (owned === undefined) this.#tables.owners.set(wait.owner, (owned = { numbers: new Set(), answered: 0 }));
    owned.numbers.add(number);
    this.#tables.open.set(number, { wait, openedAt: owned.answered });
    for (const type of wait.types) this.#tables.known.add(type);
    if (wait.where === undefined) return;
    this.conditional += 1;
    for (const type of wait.types) {
      let numbers = this.#tables.conditional.get(type);
      if (numbers === undefined) this.#tables.conditional.set(type, (numbers = new Set()));
      numbers.add(number);
    }
  }

  /** The open wait of a number. */
  get(number: number): OpenWait | undefined {
    return this.#tables.open.get(number)?.wait;
  }

  /** Takes a wait out that has its answer. */
  answer(number: number): OpenWait | undefined {
    const wait = this.remove(number);
    const owned = wait === undefined ? undefined : this.#tables.owners.get(wait.owner);
    if (owned !== undefined) owned.answered += 1;
    return wait;
  }

  /** Takes a wait out that gets no answer. */
  remove(number: number): OpenWait | undefined {
    const wait = this.get(number);
    if (wait === undefined) return undefined;
    this.#tables.open.delete(number);
    this.#tables.owners.get(wait.owner)?.numbers.delete(number);
    if (wait.where !== undefined) {
      this.conditional -= 1;
      for (const type of wait.types) this.#forgetCondition(type, number);
    }
    return wait;
  }

  #forgetCondition(type: number, number: number): void {
    const numbers = this.#tables.conditional.get(type);
    numbers?.delete(number);
    if (numbers?.size === 0) this.#tables.conditional.delete(type);
  }

  /** Takes all waits of an attempt out. */
  removeAllOf(owner: WaitOwner): OpenWait[] {
    const owned = this.#tables.owners.get(owner);
    if (owned === undefined) return [];
    this.#tables.owners.delete(owner);
    return [...owned.numbers].map((number) => {
      const { wait } = this.#tables.open.get(number)!;
      this.remove(number);
      return wait;
    });
  }

  /**
   * The waits with a condition that may take an event whose type has this lineage: the type, and what it is a kind of.
   */
  conditionalFor(lineage: readonly number[]): number[] {
    const found: number[] = [];
    for (const type of lineage) {
      for (const number of this.#tables.conditional.get(type) ?? []) if (!found.includes(number)) found.push(number);
    }
    return found;
  }

  /** Whether some wait takes an event. A condition that throws does not take it. */
  takes(event: WorkflowEvent, lineage: readonly number[]): boolean {
    if (!this.knows(lineage)) return false;
    for (const { wait } of this.#tables.open.values()) {
      if (!wait.types.some((type) => lineage.includes(type))) continue;
      if (wait.where === undefined) return true;
      try {
        if (wait.where(event)) return true;
      } catch {
        // The wait learns of it when an event is put to it.
      }
    }
    return false;
  }

  /** Whether some wait was ever open for events of a type with this lineage. */
  knows(lineage: readonly number[]): boolean {
    return lineage.some((type) => this.#tables.known.has(type));
  }

  /**
   * An older wait of the same attempt that takes every event of a new wait first: one without a condition, which was
   * open already when the handler went on after another answer. It has most likely lost a `Promise.race`.
   */
  shadowOf(owner: WaitOwner, lineages: readonly (readonly number[])[]): OpenWait | undefined {
    const owned = this.#tables.owners.get(owner);
    if (owned === undefined) return undefined;
    for (const number of owned.numbers) {
      const { wait, openedAt } = this.#tables.open.get(number)!;
      if (openedAt === owned.answered || wait.where !== undefined || wait.what === undefined) continue;
      if (lineages.every((lineage) => wait.types.some((type) => lineage.includes(type)))) return wait;
    }
    return undefined;
  }

  [Symbol.iterator](): Iterator<OpenWait> {
    return [...this.#tables.open.values()].map(({ wait }) => wait)[Symbol.iterator]();
  }
}
