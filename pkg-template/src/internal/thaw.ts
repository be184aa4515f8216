// From a snapshot to a run that can go on. Everything is checked before anything runs.

import { RecoverError } from "../errors.js";
import type { RecoverOptions } from "../run-options.js";
import { EngineResource, ask, copyBytes, engineError, memoryWords, readReply } from "./engine.js";
import { type RunDocument, codecOf, readDocument, readTypes } from "./document.js";
import { milliseconds } from "./duration.js";
import { type Header, asBytes, readHeader } from "./header.js";
import { Line } from "./line.js";
import { type NamedType, Plan } from "./plan.js";
import type { AnyWorkflow } from "./run.js";
import { engine } from "./wasm.js";
import { condition } from "./words.js";
import { WorkflowEvent } from "../events.js";

/** A run on the shelf, complete and checked. */
export interface Thawed {
  readonly plan: Plan;
  readonly document: RunDocument;
  /** The line to the engine's part of the run; not open when the run has completed. */
  readonly line: Line;
  /** How long the run had been alive, in milliseconds. */
  readonly alive: number;
  /** Nested runs that were under way, by the place of the invocation that started them. */
  readonly nested: ReadonlyMap<number, NestedRuns>;
}

/** The nested runs of an invocation, by key. */
export type NestedRuns = Map<string, Shelf>;

/** Under which key an invocation remembers that a nested run has completed. */
export const nestedKey = (key: string): string => `nested:${key}`;

/** Nesting deeper than this is no program's. */
const MOST_NESTED = 64;

/** A snapshot that was checked. */
export class Shelf {
  readonly workflow: AnyWorkflow;
  readonly bytes: Uint8Array;
  readonly #options: RecoverOptions;
  readonly #depth: number;
  /** What was made by the check, until somebody takes it. */
  #checked: Thawed | undefined;

  /** @throws RecoverError */
  constructor(workflow: AnyWorkflow, bytes: unknown, options: RecoverOptions, depth = 0) {
    this.workflow = workflow;
    // A copy: what is in the caller's hands may change until the run is made.
    this.bytes = asBytes(bytes).slice();
    this.#options = options;
    this.#depth = depth;
    this.#checked = this.#thaw(options.journal === true);
  }

  /**
   * A run; each call gives another one.
   *
   * @param journal Whether it keeps one: of forks and nested runs that is not known before.
   */
  take(journal: boolean): Thawed {
    const checked = this.#checked;
    this.#checked = undefined;
    if (checked !== undefined && journal === (this.#options.journal === true)) return checked;
    checked?.line.close();
    return this.#thaw(journal);
  }

  #thaw(journal: boolean): Thawed {
    const { bytes } = this;
    const header = readHeader(bytes);
    const { kind } = header;
    if (kind !== "S") throw new RecoverError("SNAPSHOT_FORMAT", kind === "X" ? "It is sealed: open it first." : "");
    const opened = ask(() => readReply(engine().snapshot_open(bytes)));
    const snapshot = new EngineResource(this, opened[0]!, "snapshot_free");
    try {
      return this.#restore(snapshot, opened, header, journal);
    } finally {
      snapshot.free();
    }
  }

  /** @param opened What `snapshot_open` has replied. */
  #restore(snapshot: EngineResource, opened: Uint32Array, header: Header, journal: boolean): Thawed {
    const { bytes, workflow } = this;
    const [, status = 0, now = 0, later = 0, slots = 0, begins = 0, length = 0] = opened;
    const shared = workflow.plan();
    if (this.#options.migrate !== true) shared.checkFits(header, workflow.name);
    const { types, body } = readTypes(bytes.subarray(begins, begins + length));
    const plan = planFor(workflow, shared, types);
    const document = readDocument(body, codecOf(plan, workflow.types));
    const line = new Line(plan);
    let nested = new Map<number, NestedRuns>();
    if ((status === condition.COMPLETED) !== (document.stop !== undefined)) invalid("It is complete and it is not.");
    if ((status === condition.CREATED) !== (document.start !== undefined)) invalid("It has begun and it has not.");
    if (document.payloads.length !== slots) invalid("There is not one payload for each slot.");
    if (document.stop === undefined) {
      line.adopt(this.#engineRestore(snapshot, plan, document, journal), document.payloads);
      nested = this.#nested(document);
    }
    return { plan, document, line, alive: later * 2 ** 32 + now, nested };
  }

  #engineRestore(snapshot: EngineResource, plan: Plan, { payloads }: RunDocument, journal: boolean): number {
    const { workflow } = this;
    const { migrate = false, timeout } = this.#options;
    const types = Uint32Array.from(payloads, (payload) =>
      payload instanceof WorkflowEvent ? 1 + plan.typeOf(payload) : 0,
    );
    const limit = timeout === undefined ? workflow.timeout : milliseconds(timeout, "The timeout of a run");
    const { steps, keptEvents } = workflow.limits;
    const isFresh = timeout !== undefined;
    const pointer = ask(() =>
      engine().engine_restore(snapshot.handle, plan.graph, types, migrate, limit, isFresh, steps, keptEvents, journal),
    );
    const memory = memoryWords();
    const at = pointer >>> 2;
    if (memory[at] === 0) return memory[at + 3]!;
    const code = memory[at]!;
    const subject = new TextDecoder().decode(copyBytes(memory[at + 3]!, memory[at + 4]!));
    throw engineError(code, subject === "" ? "" : `It is about "${subject}".`);
  }

  #nested({ nested = [] }: RunDocument): Map<number, NestedRuns> {
    if (this.#depth >= MOST_NESTED) invalid("It is nested too deeply.");
    const found = new Map<number, NestedRuns>();
    for (const { invocation, key, snapshot } of nested) {
      const slot = key.slice(0, key.lastIndexOf("#"));
      const workflows = this.workflow.workflows as Readonly<Record<string, AnyWorkflow>>;
      const workflow = Object.hasOwn(workflows, slot) ? workflows[slot] : undefined;
      if (workflow === undefined) {
        throw new RecoverError("STEP_MISSING", `There is no nested workflow under the slot "${slot}".`);
      }
      const runs = found.get(invocation) ?? (new Map() as NestedRuns);
      runs.set(key, new Shelf(workflow, snapshot, { migrate: this.#options.migrate === true }, this.#depth + 1));
      found.set(invocation, runs);
    }
    return found;
  }
}

function invalid(detail: string): never {
  throw new RecoverError("SNAPSHOT_INVALID", detail);
}

/** The workflow's own plan, or one for this run alone when the snapshot names classes of events that the workflow has not met. */
function planFor(workflow: AnyWorkflow, shared: Plan, types: readonly NamedType[]): Plan {
  if (types.every(({ name }) => shared.classNamed(name) !== undefined)) return shared;
  return workflow.planOfItsOwn(types);
}
