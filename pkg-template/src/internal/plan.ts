// The plan: a workflow's steps and event classes as the engine knows them. Made when a workflow is first run or
// validated, and again after its steps have changed; runs keep the plan that they began with.

import { RecoverError, ValidationError } from "../errors.js";
import {
  type EventClass,
  type EventInput,
  HumanResponseEvent,
  InputRequiredEvent,
  NestedEvent,
  StartEvent,
  StepFailedEvent,
  StopEvent,
  StreamReset,
  WorkflowEvent,
} from "../events.js";
import { EngineResource, ask, expectNumber, readReply } from "./engine.js";
import { type StepDefinition, checkInput, classesOf, takes } from "./step.js";
import { engine } from "./wasm.js";
import type { Code } from "./codes.js";
import type { Header } from "./header.js";
import { codeOf } from "./code-of.js";

interface BuiltIn {
  readonly name: string;
  /** As `graph_type` takes it. */
  readonly role: number;
}

/** The package's own events. Their names must survive a minifier, and subclasses must not inherit them. */
const builtIns: ReadonlyMap<unknown, BuiltIn> = /* @__PURE__ */ new Map<unknown, BuiltIn>([
  [WorkflowEvent, { name: "stepstream.event", role: 0 }],
  [StartEvent, { name: "stepstream.start", role: 1 }],
  [StopEvent, { name: "stepstream.stop", role: 2 }],
  [InputRequiredEvent, { name: "stepstream.input-required", role: 3 }],
  [HumanResponseEvent, { name: "stepstream.human-response", role: 4 }],
  [StepFailedEvent, { name: "stepstream.step-failed", role: 5 }],
  [NestedEvent, { name: "stepstream.nested", role: 0 }],
  [StreamReset, { name: "stepstream.stream-reset", role: 0 }],
]);

/** The name of a class of events: its own `static type`, else the class's name. */
export function typeName(eventClass: EventClass): string {
  const builtIn = builtIns.get(eventClass);
  if (builtIn !== undefined) return builtIn.name;
  const own: unknown = Object.hasOwn(eventClass, "type") ? (eventClass as { type?: unknown }).type : undefined;
  if (typeof own === "string" && own !== "") return own;
  if (eventClass.name !== "") return eventClass.name;
  throw new ValidationError("INVALID_EVENT", "A class of events has no name: give it a `static readonly type`.");
}

/** Whether a value is a class derived from WorkflowEvent, or that class itself. */
export function isEventClass(value: unknown): value is EventClass {
  return typeof value === "function" && (value === WorkflowEvent || value.prototype instanceof WorkflowEvent);
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
}

const hexadecimal = (number: number): string => number.toString(16).padStart(8, "0");

/** An event type, and the type that it is a kind of. */
export interface NamedType {
  readonly name: string;
  readonly parent: string | undefined;
}

/** Classes and their ancestors, by name; a class comes after its ancestors. */
function* withAncestors(classes: Iterable<EventClass>): Generator<[string, EventClass]> {
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
      step.isNamed,
      // Not the handler's own toString, which may be anything.
      step.isNamed ? "" : Function.prototype.toString.call(step.handler),
      Uint32Array.from(accepted.flatMap((input) => [input.length, ...input])),
      outputs,
      step.outputs !== undefined,
      step.numWorkers ?? 0,
      Float64Array.from(step.retry !== undefined && "numbers" in step.retry ? step.retry.numbers : []),
      step.timeout,
      Uint32Array.from(step.handles?.ids ?? []),
      step.handles?.maxRecoveries ?? -1,
    );
  expectNumber(ask(add), `Step "${step.name}".`);
}

export class Plan {
  readonly steps: readonly PlannedStep[];
  /** Whether the time of every tick counts: some step has a timeout or is retried. */
  readonly isTimed: boolean;
  readonly #graph: EngineResource;
  readonly #ids = new Map<unknown, number>();
  readonly #classes: EventClass[] = [];
  readonly #names = new Map<string, EventClass>();
  /** Stand-ins for classes that a snapshot names and that nobody has shown yet. */
  readonly #placeholders = new Set<unknown>();
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
    this.#graph = new EngineResource(
      this,
      ask(() => engine().graph_new()),
      "graph_free",
    );
    const ordinary = definitions.filter((step) => step.handles === undefined);
    const handlers = definitions.filter((step) => step.handles !== undefined);
    this.steps = [...ordinary, ...handlers].map((step, id) => ({
      ...step,
      id,
      declared: [],
      warned: false,
      lastClass: undefined,
      lastType: 0,
    }));
    this.isTimed = this.steps.some((step) => step.timeout >= 0 || step.retry !== undefined);
    const named = [
      ...this.steps.flatMap(({ inputs, outputs = [] }) => [...inputs.flatMap(classesOf), ...outputs]),
      ...events,
    ];
    const all = [...withAncestors([...(builtIns.keys() as Iterable<EventClass>), ...named])];
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

  /** What told the workflow from others in version 1 of the format of snapshots. */
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

  /** @throws RecoverError `SNAPSHOT_FOREIGN` when what has this header was taken of another workflow than the plan's. */
  checkFits({ version, fingerprint }: Header, workflow: string): void {
    if (fingerprint === (version === 1 ? this.firstFingerprint : this.fingerprint)) return;
    const unnamed = this.steps.filter((step) => !step.isNamed).map((step) => `"${step.name}"`);
    const reason =
      unnamed.length === 0
        ? ""
        : ` Steps without a name (${unnamed.join(", ")}) are told apart by their place among the steps and, where they take and return ` +
          "the same, by the code of their handlers. If only those have changed, pass { migrate: true }, and give each step a name.";
    throw new RecoverError("SNAPSHOT_FOREIGN", `The workflow is "${workflow}".${reason}`);
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
    if (isTaken) return;
    const type = typeName(event.constructor as EventClass);
    throw new ValidationError("EVENT_NOT_TAKEN", `The step is "${name}", the event ${type}.`);
  }

  /** What the stream is told when an attempt begins again that has written to it. */
  streamReset(step: number, attempt: number): StreamReset {
    return new StreamReset({ step: this.steps[step]!.name, attempt });
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
   * The ids of the classes that `collectEvents` got. A long list is mostly one class over and over, and is gone through at each event
   * that is collected: what is known was checked once.
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
    const role = builtIns.get(eventClass)?.role ?? 0;
    const graph = this.graph;
    const id = expectNumber(ask(() => engine().graph_type(graph, name, role, Uint32Array.from(parents))));
    this.#names.set(name, eventClass);
    this.#ids.set(eventClass, id);
    this.#classes[id] = eventClass;
    return id;
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
    // One change for all of them: they inherit from the stand-in's prototype, which from now on inherits from the class's.
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

  /** What an input takes, in words. */
  describeInput(input: EventInput): string {
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
