// The plan: a workflow's steps and event classes as the engine knows them. Made when a workflow is first run or
// validated, and again after its steps have changed; runs keep the plan that they began with.

import { codeOf } from "../errors/code-of.js";
import type { Code } from "../errors/codes.js";
import { RecoverError, ValidationError } from "../errors/errors.js";
import {
  type EventClass,
  HumanResponseEvent,
  InputRequiredEvent,
  StartEvent,
  StepFailedEvent,
  StopEvent,
  WorkflowEvent,
  builtInNames,
  hasStableName,
  isEventClass,
  isKindOf,
  typeName,
} from "../model/events.js";
import { partsOf } from "../model/retry.js";
import { type AnyInput, type StepDefinition, checkInput, classesIn, classesOf, takes } from "../model/step.js";
import { ask, expectNumber, readReply } from "../wasm/engine-calls.js";
import { engine } from "../wasm/engine-module.js";
import { EngineResource } from "../wasm/resources.js";

let roles: ReadonlyMap<unknown, number> | undefined;

/** What the engine must know about the meaning of a class, as `graph_type` takes it; 0 for any other class. */
function roleOf(eventClass: EventClass): number {
  roles ??= new Map<unknown, number>([
    [StartEvent, 1],
    [StopEvent, 2],
    [InputRequiredEvent, 3],
    [HumanResponseEvent, 4],
    [StepFailedEvent, 5],
  ]);
  return roles.get(eventClass) ?? 0;
}

/** A step as a run meets it. */
export interface PlannedStep extends StepDefinition {
  readonly id: number;
  /** Whether the step may return events of a type, by type id; found out once for each type. */
  readonly declared: (boolean | undefined)[];
  /** It has returned something that it did not declare, and that was said. */
  warned: boolean;
  /** The class that it returned last and may return, and its id: most steps return one class. */
  lastClass: unknown;
  lastType: number;
  /** Events of that class ask a person, and no step takes them. */
  asks: boolean;
  /** A wait of it that an older one shadows was reported. */
  warnedOfShadow: boolean;
}

/** Stands for any number of events that a step gathers. */
const ALL = 2 ** 32 - 1;

const hexadecimal = (number: number): string => number.toString(16).padStart(8, "0");

/** An event type, and the type that it is a kind of. */
export interface NamedType {
  readonly name: string;
  readonly parent: string | undefined;
}

/** A class of events and its ancestors, nearest first. */
function* ancestry(eventClass: EventClass): Generator<EventClass> {
  for (let at: unknown = eventClass; isEventClass(at); at = Object.getPrototypeOf(at)) yield at;
}

/** Classes and their ancestors, by name; a class comes after its ancestors. */
export function* withAncestors(classes: Iterable<EventClass>): Generator<[string, EventClass]> {
  for (const eventClass of classes) {
    const parent = Object.getPrototypeOf(eventClass) as unknown;
    if (isEventClass(parent)) yield* withAncestors([parent]);
    yield [typeName(eventClass), eventClass];
  }
}

/** What looks wrong with a workflow, in the engine's terms. */
export interface Finding {
  readonly code: Code;
  readonly step: PlannedStep | undefined;
  readonly event: string | undefined;
}

function graphStep(graph: number, types: (classes: readonly EventClass[]) => number[], step: PlannedStep): void {
  const accepted = step.inputs.map((input) => types(classesOf(input)));
  const outputs = Uint32Array.from(types(step.outputs ?? []));
  const add = (): number =>
    engine().graph_step(
      graph,
      step.name,
      step.naming !== "position",
      // Not the handler's own toString, which may be anything.
      step.naming === "position" ? Function.prototype.toString.call(step.handler) : "",
      Uint32Array.from(accepted.flatMap((input) => [input.length, ...input])),
      outputs,
      step.outputs !== undefined,
      step.numWorkers ?? 0,
      Float64Array.from((step.retry === undefined ? undefined : partsOf(step.retry)?.numbers) ?? []),
      step.timeout,
      Uint32Array.from(step.handles?.ids ?? []),
      step.handles?.maxRecoveries ?? -1,
      step.collects === undefined ? 0 : Math.min((step.collects.take ?? ALL) + 1, ALL),
      step.fansOut,
      Uint32Array.from(types(step.waitsFor)),
    );
  expectNumber(ask(add), `Step "${step.name}".`);
}

export class Plan {
  readonly steps: readonly PlannedStep[];
  /** Whether the time of every tick counts: some step has a timeout, is retried, or is told of failures. */
  readonly isTimed: boolean;
  readonly #graph: EngineResource;
  readonly #ids = new Map<unknown, number>();
  readonly #classes: EventClass[] = [];
  readonly #names = new Map<string, EventClass>();
  /** Stand-ins for classes that a snapshot names and that the program has not used yet. */
  readonly #placeholders = new Set<unknown>();
  readonly #lineages: (readonly number[] | undefined)[] = [];
  #fingerprints: readonly [now: string, inVersion1: string] | undefined;
  /** What was asked for last is often asked for next. */
  #lastClass: unknown;
  #lastId = 0;
  #runs = 0;
  #isDisposed = false;

  /**
   * @param events Classes that occur in runs and that no step names.
   * @param names The event types that an earlier plan had, in its order: this plan gives them the same numbers.
   * @throws ValidationError when two classes have one name.
   */
  constructor(definitions: readonly StepDefinition[], events: readonly EventClass[], names: readonly NamedType[] = []) {
    const graph = ask(() => engine().graph_new());
    this.#graph = new EngineResource(graph, "graph_free").watch(this);
    const ordinary = definitions.filter((step) => step.handles === undefined);
    const handlers = definitions.filter((step) => step.handles !== undefined);
    this.steps = [...ordinary, ...handlers].map((step, id) => ({
      ...step,
      id,
      declared: [],
      warned: false,
      lastClass: undefined,
      lastType: 0,
      asks: false,
      warnedOfShadow: false,
    }));
    this.isTimed = this.steps.some(
      (step) => step.timeout >= 0 || step.retry !== undefined || step.handles !== undefined,
    );
    const named = [...this.steps.flatMap(classesIn), ...events];
    const all = [...withAncestors([...(builtInNames().keys() as Iterable<EventClass>), ...named])];
    const known = new Map(all);
    for (const { name, parent } of names) {
      const eventClass = known.get(name);
      if (eventClass === undefined)
        this.#standIn(name, parent === undefined ? WorkflowEvent : this.#names.get(parent)!);
      else this.typeIdOf(eventClass);
    }
    for (const [, eventClass] of all) this.typeIdOf(eventClass);
    for (const { name, handles } of this.steps) {
      const handled = handles?.steps.find((step) => this.step(step).handles !== undefined);
      if (handled === undefined) continue;
      throw new ValidationError("HANDLER_HANDLED", `The handler "${name}" names "${handled}" in its steps.`);
    }
    for (const step of this.steps) {
      const ids = step.handles?.steps.map((name) => this.step(name).id);
      const planned = ids === undefined ? step : { ...step, handles: { ...step.handles!, ids } };
      graphStep(this.graph, (classes) => classes.map((eventClass) => this.typeIdOf(eventClass)), planned);
    }
  }

  /** The engine's handle of the graph. @throws EngineError when the graph was in an instance that is gone. */
  get graph(): number {
    return this.#graph.handle;
  }

  /** Whether the plan's graph is in an instance that is gone. */
  get isStale(): boolean {
    return this.#graph.isStale;
  }

  /** What tells the workflow from others, in 16 hexadecimal digits. */
  get fingerprint(): string {
    return this.#known[0];
  }

  /** The fingerprint in version 1 of the format of snapshots. */
  get firstFingerprint(): string {
    return this.#known[1];
  }

  get #known(): readonly [string, string] {
    if (this.#fingerprints === undefined) {
      const graph = this.graph;
      const [low = 0, high = 0, low1 = 0, high1 = 0] = ask(() => readReply(engine().graph_fingerprint(graph)));
      this.#fingerprints = [hexadecimal(high) + hexadecimal(low), hexadecimal(high1) + hexadecimal(low1)];
    }
    return this.#fingerprints;
  }

  /** Whether a snapshot was taken of the plan's workflow, by what its header says. */
  fits({ version, fingerprint }: { readonly version: number; readonly fingerprint: string }): boolean {
    return fingerprint === (version === 1 ? this.firstFingerprint : this.fingerprint);
  }

  /** Names that a build may have changed, as a reason why a snapshot does not fit; empty when there are none. */
  fragileNames(): string {
    const reasons: string[] = [];
    const quoted = (steps: readonly PlannedStep[]): string => steps.map(({ name }) => `"${name}"`).join(", ");
    const unnamed = this.steps.filter(({ naming }) => naming === "position");
    if (unnamed.length > 0) {
      reasons.push(
        `Steps without a name (${quoted(unnamed)}) are identified by their position and, ` +
          "where they take and return the same, by the source of their handlers.",
      );
    }
    const byHandler = this.steps.filter(({ naming }) => naming === "handler");
    if (byHandler.length > 0) {
      reasons.push(`Steps named by their handlers (${quoted(byHandler)}) may be renamed by a minifier.`);
    }
    const events = this.steps.flatMap(classesIn).filter((eventClass) => !hasStableName(eventClass));
    if (events.length > 0) {
      const names = [...new Set(events.map(typeName))].join(", ");
      reasons.push(`Events without a \`static type\` (${names}) may be renamed by a minifier.`);
    }
    if (reasons.length === 0) return "";
    return `${reasons.join(" ")} If only that has changed, pass { migrate: true }, and give each a name of its own.`;
  }

  /** Every class with its name, ancestors before their descendants. */
  get types(): NamedType[] {
    return this.#classes.map((eventClass) => {
      const parent = Object.getPrototypeOf(eventClass) as unknown;
      return { name: typeName(eventClass), parent: isEventClass(parent) ? typeName(parent) : undefined };
    });
  }

  /** The class of a type name. */
  classNamed(name: string): EventClass | undefined {
    return this.#names.get(name);
  }

  /** @throws ValidationError `UNKNOWN_STEP` */
  step(name: string): PlannedStep {
    const step = this.steps.find((candidate) => candidate.name === name);
    if (step === undefined) throw new ValidationError("UNKNOWN_STEP", `The step is "${name}".`);
    return step;
  }

  /** @throws ValidationError `UNKNOWN_STEP`, `EVENT_NOT_TAKEN` */
  checkTarget(name: string, event: WorkflowEvent): void {
    const { inputs, handles } = this.step(name);
    const isTaken =
      handles === undefined ? inputs.some((input) => takes(input, event)) : event instanceof StepFailedEvent;
    if (isTaken || this.targetOf(name, event) === 0) return;
    const type = typeName(event.constructor as EventClass);
    throw new ValidationError("EVENT_NOT_TAKEN", `The step is "${name}", the event ${type}.`);
  }

  /**
   * The step that an event is sent to, as the engine takes it: its id plus 1. An event that the step waits for, and
   * that no step takes, is sent to all (0), so that it comes to the wait. @throws ValidationError `UNKNOWN_STEP`
   */
  targetOf(name: string, event: WorkflowEvent): number {
    const { id, waitsFor } = this.step(name);
    return waitsFor.some((awaited) => event instanceof awaited) && !this.isTaken(event) ? 0 : id + 1;
  }

  /** The class of a type id. */
  classOf(type: number): EventClass | undefined {
    return this.#classes[type];
  }

  /** The id of a class; a class that was not known yet is added. @throws ValidationError when its name is taken. */
  typeIdOf(eventClass: EventClass): number {
    return this.#ids.get(eventClass) ?? this.#add(eventClass);
  }

  /**
   * The ids of the classes that `collectEvents` got. A long list is mostly one class over and over, and is gone through
   * at each event that is collected: what is known was checked once.
   *
   * @throws ValidationError when one is none.
   */
  typeIdsOf(classes: readonly EventClass[]): Uint32Array {
    const ids = new Uint32Array(classes.length);
    let last: EventClass | undefined;
    let id = 0;
    for (let nth = 0; nth < ids.length; nth += 1) {
      const eventClass = classes[nth]!;
      if (eventClass !== last) {
        const known = this.#ids.get(eventClass);
        if (known === undefined) checkInput(eventClass, "collectEvents got");
        id = known ?? this.#add(eventClass);
        last = eventClass;
      }
      ids[nth] = id;
    }
    return ids;
  }

  /** The id of an event's type. The caller knows that it is an event. */
  typeOf(event: WorkflowEvent): number {
    const eventClass = event.constructor as unknown as EventClass;
    if (eventClass === this.#lastClass) return this.#lastId;
    const id = this.#ids.get(eventClass) ?? this.#add(eventClass);
    this.#lastClass = eventClass;
    this.#lastId = id;
    return id;
  }

  /** A type and what it is a kind of. */
  lineageOf(type: number): readonly number[] {
    return (this.#lineages[type] ??= [...ancestry(this.#classes[type]!)].map((eventClass) =>
      this.typeIdOf(eventClass),
    ));
  }

  #add(eventClass: EventClass): number {
    if (!isEventClass(eventClass)) throw new ValidationError("INVALID_EVENT", "The event's class is not one.");
    const parents: number[] = [];
    // Ancestors first, so that the engine knows them; nearest first in the list.
    for (let at = Object.getPrototypeOf(eventClass) as unknown; isEventClass(at); at = Object.getPrototypeOf(at)) {
      parents.push(this.typeIdOf(at));
    }
    const name = typeName(eventClass);
    const taken = this.#names.get(name);
    if (taken !== undefined) {
      if (this.#placeholders.has(taken)) return this.#replace(taken, eventClass, parents);
      throw new ValidationError("DUPLICATE_EVENT", `The type name is "${name}".`);
    }
    return this.#register(eventClass, name, parents);
  }

  #register(eventClass: EventClass, name: string, parents: readonly number[]): number {
    const role = roleOf(eventClass);
    const graph = this.graph;
    const id = expectNumber(ask(() => engine().graph_type(graph, name, role, Uint32Array.from(parents))));
    this.#names.set(name, eventClass);
    this.#ids.set(eventClass, id);
    this.#classes[id] = eventClass;
    return id;
  }

  /** Whether a class is a stand-in, whose class has not been met yet. */
  isStandIn(eventClass: unknown): boolean {
    return this.#placeholders.has(eventClass);
  }

  /** A class that a snapshot names and that is not here yet: the code that brings it may run later, or not at all. */
  #standIn(name: string, parent: EventClass): void {
    const base = parent as unknown as new () => WorkflowEvent;
    const placeholder = class extends base {
      static readonly type = name;
    };
    // As whoever prints one of its events expects.
    Object.defineProperty(placeholder, "name", { value: name });
    this.#placeholders.add(placeholder);
    this.typeIdOf(placeholder);
  }

  /** The class of a stand-in has come. The events that were restored without it become its instances. */
  #replace(placeholder: EventClass, eventClass: EventClass, parents: readonly number[]): number {
    const parent = this.#ids.get(Object.getPrototypeOf(placeholder));
    if (parent !== parents[0]) {
      const detail = `The event ${typeName(eventClass)} has another base class than when the snapshot was taken.`;
      throw new RecoverError("EVENT_MISSING", detail);
    }
    const id = this.typeIdOf(placeholder);
    this.#placeholders.delete(placeholder);
    this.#names.set(typeName(eventClass), eventClass);
    this.#ids.set(eventClass, id);
    this.#classes[id] = eventClass;
    this.#lineages.length = 0;
    // One change for all of them: they inherit from the stand-in's prototype, which from now on inherits from the
    // class's.
    const prototype = placeholder.prototype as { constructor?: unknown };
    delete prototype.constructor;
    Object.setPrototypeOf(prototype, eventClass.prototype as object);
    return id;
  }

  /** Whether a step's outputs allow an event of a type. */
  isDeclared(step: PlannedStep, type: number, event: WorkflowEvent): boolean {
    return (step.declared[type] ??=
      step.outputs === undefined || step.outputs.some((output) => event instanceof output));
  }

  /** Whether any step takes events of a class. */
  isTaken(event: WorkflowEvent): boolean {
    return this.steps.some((step) =>
      step.inputs.some((input) => classesOf(input).some((kind) => event instanceof kind)),
    );
  }

  /** Whether a step has a class, or a kind of it, in its outputs. */
  isMadeInside(eventClass: EventClass): boolean {
    return this.steps.some(({ outputs = [] }) => outputs.some((made) => isKindOf(made, eventClass)));
  }

  /** Whether a step has said that it waits for events of a class. */
  isAwaited(event: WorkflowEvent): boolean {
    return this.steps.some(({ waitsFor }) => waitsFor.some((awaited) => event instanceof awaited));
  }

  /** What an input takes, in words. */
  describeInput(input: AnyInput): string {
    return classesOf(input).map(typeName).join(" or ");
  }

  /** Everything that looks wrong. */
  validate(): Finding[] {
    const graph = this.graph;
    const words = ask(() => readReply(engine().graph_validate(graph)));
    const findings: Finding[] = [];
    for (let at = 0; at < words.length; at += 3) {
      const type = words[at + 2]!;
      findings.push({
        code: codeOf(words[at]!),
        step: this.steps[words[at + 1]! - 1],
        event: type === 0 ? undefined : typeName(this.#classes[type - 1]!),
      });
    }
    return findings;
  }

  /** A run follows the plan, and may add event classes to the graph until it ends. */
  enter(): void {
    this.#runs += 1;
  }

  /** A run has ended. */
  leave(): void {
    this.#runs -= 1;
    this.#freeWhenUnused();
  }

  /** The plan is for one run that is about to follow it, and goes with it. */
  goWithRun(): this {
    this.#isDisposed = true;
    return this;
  }

  /** Frees the graph when the last run that follows it has ended. */
  dispose(): void {
    this.#isDisposed = true;
    this.#freeWhenUnused();
  }

  #freeWhenUnused(): void {
    if (!this.#isDisposed || this.#runs > 0) return;
    // Snapshots of runs that have ended need it still.
    if (!this.isStale) void this.fingerprint;
    this.#graph.free();
  }
}
