// From a snapshot to a run that can go on. Everything is checked before anything runs.

import { RecoverError, ValidationError } from "../errors/errors.js";
import { NONE, milliseconds } from "../model/duration.js";
import { WorkflowEvent } from "../model/events.js";
import type { RecoverOptions } from "../model/options.js";
import type { WorkflowDefinition } from "../runtime/definition.js";
import { EngineRun } from "../runtime/engine-run.js";
import type { NamedType, Plan } from "../runtime/plan.js";
import type { NestedRuns, PreparedRun, RestoredRun } from "../runtime/run-parts.js";
import { describe } from "../util/describe.js";
import { ask, copyBytes, engineError, memoryWords, readReply } from "../wasm/engine-calls.js";
import { engine } from "../wasm/engine-module.js";
import { condition } from "../wasm/protocol.js";
import { EngineResource } from "../wasm/resources.js";
import { type RunDocument, codecOf, readDocument, readTypes } from "./document.js";
import { type Header, asBytes, readHeader } from "./header.js";

/** Nesting deeper than this is no program's. */
const MOST_NESTED = 64;

/** A snapshot that was read and checked. */
export class PreparedSnapshot implements PreparedRun {
  readonly #definition: WorkflowDefinition;
  readonly bytes: Uint8Array;
  readonly #options: RecoverOptions;
  readonly #depth: number;
  /** What was made by the check, until it is taken. */
  #checked: RestoredRun | undefined;

  /** @throws RecoverError */
  constructor(definition: WorkflowDefinition, bytes: unknown, options: RecoverOptions, depth = 0) {
    this.#definition = definition;
    // A copy: what is in the caller's hands may change until the run is made.
    this.bytes = asBytes(bytes).slice();
    this.#options = options;
    this.#depth = depth;
    this.#checked = this.#restore(options.journal === true);
  }

  /** See {@link PreparedRun.take}. */
  take(journal: boolean): RestoredRun {
    const checked = this.#checked;
    this.#checked = undefined;
    if (checked !== undefined && journal === (this.#options.journal === true)) return checked;
    checked?.engine.close();
    return this.#restore(journal);
  }

  #restore(journal: boolean): RestoredRun {
    const { bytes } = this;
    const header = readHeader(bytes);
    const { kind } = header;
    if (kind !== "S") throw new RecoverError("SNAPSHOT_FORMAT", kind === "X" ? "It is sealed: open it first." : "");
    const opened = ask(() => readReply(engine().snapshot_open(bytes)));
    const snapshot = new EngineResource(opened[0]!, "snapshot_free").watch(this);
    try {
      return this.#restoreOpened(snapshot, opened, header, journal);
    } finally {
      snapshot.free();
    }
  }

  /** @param opened What `snapshot_open` has replied. */
  #restoreOpened(snapshot: EngineResource, opened: Uint32Array, header: Header, journal: boolean): RestoredRun {
    const { bytes } = this;
    const definition = this.#definition;
    const [, status = 0, now = 0, later = 0, slots = 0, begins = 0, length = 0] = opened;
    const shared = definition.plan();
    if (this.#options.migrate !== true && !shared.fits(header)) {
      const detail = `The workflow is "${definition.name}".`;
      throw new RecoverError("SNAPSHOT_FOREIGN", `${detail} ${shared.fragileNames()}`.trimEnd());
    }
    const { types, body } = readTypes(bytes.subarray(begins, begins + length));
    const plan = planFor(definition, shared, types);
    const document = withState(readDocument(body, codecOf(plan, definition.types)), definition);
    const run = new EngineRun(plan);
    let nested = new Map<number, NestedRuns>();
    if ((status === condition.COMPLETED) !== (document.stop !== undefined)) invalid("It is complete and it is not.");
    if ((status === condition.CREATED) !== (document.start !== undefined)) invalid("It has begun and it has not.");
    if (document.payloads.length !== slots) invalid("There is not one payload for each slot.");
    if (document.stop === undefined) {
      run.adopt(this.#restoreEngine(snapshot, plan, document, journal), document.payloads);
      nested = this.#nested(document);
    }
    const returned = new Map((document.returned ?? []).map(({ invocation, output }) => [invocation, output]));
    // The time of a run that has not begun does not count yet.
    const elapsed = status === condition.CREATED ? 0 : elapsedOf(this.#options);
    return { plan, contents: document, engine: run, alive: later * 2 ** 32 + now + elapsed, nested, returned };
  }

  #restoreEngine(snapshot: EngineResource, plan: Plan, { payloads }: RunDocument, journal: boolean): number {
    const definition = this.#definition;
    const { migrate = false, timeout } = this.#options;
    const types = Uint32Array.from(payloads, (payload) =>
      payload instanceof WorkflowEvent ? 1 + plan.typeOf(payload) : 0,
    );
    const limit = timeout === undefined ? definition.timeout : milliseconds(timeout, "The timeout of a run");
    const { steps, keptEvents } = definition.limits;
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
      const definition = this.#definition.slots.get(slot);
      if (definition === undefined) {
        throw new RecoverError("STEP_MISSING", `There is no nested workflow under the slot "${slot}".`);
      }
      const runs = found.get(invocation) ?? (new Map() as NestedRuns);
      const { migrate = false, elapsed } = this.#options;
      runs.set(key, new PreparedSnapshot(definition, snapshot, { migrate, elapsed }, this.#depth + 1));
      found.set(invocation, runs);
    }
    return found;
  }
}

/** How many milliseconds are to count that the run was not alive. */
function elapsedOf({ elapsed }: RecoverOptions): number {
  if (elapsed === undefined) return 0;
  const counted = milliseconds(elapsed, "elapsed");
  if (counted === NONE) throw new ValidationError("INVALID_DURATION", `elapsed is ${describe(elapsed)}.`);
  return counted;
}

function invalid(detail: string): never {
  throw new RecoverError("SNAPSHOT_INVALID", detail);
}

/** The document with its state as the schema of the workflow gives it. @throws RecoverError `STATE_REFUSED` */
function withState(document: RunDocument, { state, name }: WorkflowDefinition): RunDocument {
  if (state === undefined) return document;
  const store = state.check(document.store, (detail, cause) => {
    const options = cause === undefined ? {} : { cause };
    return new RecoverError("STATE_REFUSED", `The workflow is "${name}". ${detail}`, options);
  });
  return { ...document, store };
}

/**
 * The workflow's own plan, or one for this run alone when the snapshot names classes of events that the workflow has
 * not met.
 */
function planFor(definition: WorkflowDefinition, shared: Plan, types: readonly NamedType[]): Plan {
  if (types.every(({ name }) => shared.classNamed(name) !== undefined)) return shared;
  return definition.planOfItsOwn(types);
}
