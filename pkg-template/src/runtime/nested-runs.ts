// The runs that are nested in a run: those under way, and events from outside that are meant for them.

import { ValidationError } from "../errors/errors.js";
import type { EventClass, WorkflowEvent } from "../model/events.js";
import type { NestedRun, ParentLink } from "./parent-link.js";
import type { OpenQuestion } from "./questions.js";

/** A nested run that belongs into the snapshot of the run around it. */
export interface NestedSource {
  /** The place of the invocation that started it. */
  readonly index: number;
  readonly key: string;
  /** The run, or its snapshot, when its step has not asked for it again. */
  readonly source: NestedRun | Uint8Array;
}

/** The earlier of two points in time, of which one may be none. */
export function earlier(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b < a ? b : a;
}

export class NestedRunTable {
  readonly #links = new Set<ParentLink>();
  /** How many of them go on by themselves, or are about to begin. */
  #atWork = 0;
  /** Events that a nested run may take that has not come so far yet. */
  #held: WorkflowEvent[] = [];

  get isAtWork(): boolean {
    return this.#atWork > 0;
  }

  get isEmpty(): boolean {
    return this.#atWork === 0 && this.#links.size === 0;
  }

  /** The runs that are under way. */
  get links(): Iterable<ParentLink> {
    return this.#links;
  }

  get #runs(): NestedRun[] {
    return [...this.#links].map(({ nested }) => nested);
  }

  add(link: ParentLink): void {
    this.#links.add(link);
  }

  remove(link: ParentLink): void {
    this.#links.delete(link);
  }

  count(atWork: 1 | -1): void {
    this.#atWork += atWork;
  }

  /** The open questions of all. Their ids and slots say whose they are. */
  questions(): OpenQuestion[] {
    return [...this.#links].flatMap(({ nested, place: { invocation, slot, key } }) => {
      if (invocation.isOver) return [];
      const place = `${invocation.order}.${key}/`;
      return nested.questions().map((question) => {
        const path = question.slot === undefined ? slot : `${slot}.${question.slot}`;
        return { ...question, id: place + question.id, slot: path };
      });
    });
  }

  /** When the first timer of those that sleep or wait is due. */
  get wakesAt(): Date | undefined {
    return this.#runs.map(({ wakesAt }) => wakesAt).reduce(earlier, undefined);
  }

  // ---- events from outside ----

  /** The class of a type name that one of them knows. */
  classNamed(name: string): EventClass | undefined {
    return this.#runs.flatMap((nested) => nested.classNamed(name) ?? [])[0];
  }

  /** Whether one of them takes an event. */
  takes(event: WorkflowEvent): boolean {
    return this.#runs.some((nested) => nested.takes(event));
  }

  /** Gives an event to those that take it. Returns whether there was one. */
  deliver(event: WorkflowEvent): boolean {
    const takers = this.#runs.filter((nested) => nested.takes(event));
    for (const nested of takers) nested.receive(event);
    return takers.length > 0;
  }

  /** Gives an event to those of a slot. @throws ValidationError `UNKNOWN_SLOT` */
  deliverTo(path: string, event: WorkflowEvent): void {
    const [slot, ...inner] = path.split(".");
    const links = [...this.#links].filter(({ place }) => place.slot === slot);
    if (links.length === 0) {
      const running = [...new Set([...this.#links].map(({ place }) => place.slot))].join(", ");
      const known = running === "" ? "No nested run is under way." : `Nested runs are under way in: ${running}.`;
      throw new ValidationError("UNKNOWN_SLOT", `The slot is "${path}". ${known}`);
    }
    const rest = inner.length === 0 ? undefined : inner.join(".");
    for (const { nested } of links) nested.receive(event, undefined, rest);
  }

  hold(event: WorkflowEvent): void {
    this.#held.push(event);
  }

  /** Events that are held. */
  get held(): readonly WorkflowEvent[] {
    return this.#held;
  }

  /** Holds none any longer. */
  clearHeld(): void {
    this.#held = [];
  }

  // ---- snapshots and the end ----

  /** Those that belong into a snapshot: one that goes on when the step that started it has returned does not. */
  sources(): NestedSource[] {
    return [...this.#links]
      .filter(({ place }) => !place.invocation.isOver)
      .map(({ place: { invocation, key }, nested }) => ({ index: invocation.index, key, source: nested }));
  }

  cancelAll(reason: () => Error): void {
    for (const nested of this.#runs) nested.cancel(reason());
  }
}
