// A workflow: steps, and how to run them.

import { type ContextParts, WorkflowContext, checkOptions, startEventOf } from "./context.js";
import { ValidationError } from "./errors.js";
import { type EventClass, type EventInput, type StartEvent, StepFailedEvent, StopEvent } from "./events.js";
import type { Slots, StepHandler, StepParameters } from "./handler-context.js";
import { Admission } from "./internal/admission.js";
import { codes } from "./internal/codes.js";
import { describe, milliseconds } from "./internal/duration.js";
import type { TypeHook } from "./internal/codec.js";
import { writeCompleted } from "./internal/document.js";
import type { Parent } from "./internal/nested.js";
import { type Finding, type NamedType, Plan, isEventClass, typeName } from "./internal/plan.js";
import type { AnyWorkflow } from "./internal/run.js";
import { type RawParameters, type StepDefinition, checkInputs, checkStep, classesOf } from "./internal/step.js";
import { Shelf } from "./internal/thaw.js";
import { Replay, type ReplayOptions } from "./replay.js";
import type { RecoverOptions, RunOptions, StepHook, WorkflowOptions } from "./run-options.js";

/** Something in a workflow that looks wrong. */
export interface ValidationIssue {
  /** What it is; `docs/errors.md` lists them all. */
  readonly code: keyof typeof codes;
  /** The step it is about. */
  readonly step?: string;
  /** The type name of the event it is about. */
  readonly event?: string;
  /** All of it in words, with a hint. */
  readonly message: string;
}

const DEFAULT_TIMEOUT = 60;
const DEFAULT_UNREAD = 16_384;
const DEFAULT_KEPT = 4096;

function count(value: number | undefined, fallback: number, what: string, least: number): number {
  if (value === undefined) return fallback;
  if (value !== Infinity && !(Number.isInteger(value) && value >= least)) {
    throw new ValidationError(
      "INVALID_OPTION",
      `${what} must be a whole number from ${least}, and is ${describe(value)}.`,
    );
  }
  return value;
}

function checkTypes(types: Readonly<Record<string, TypeHook>>): Readonly<Record<string, TypeHook>> {
  for (const [name, hook] of Object.entries<Partial<TypeHook> | null>(types)) {
    if (name === "" || typeof hook?.encode !== "function" || typeof hook.decode !== "function") {
      throw new ValidationError("INVALID_OPTION", `The type ${JSON.stringify(name)} needs a name, encode and decode.`);
    }
  }
  return types;
}

/** The arguments of `run`: the input may be left out when it may be undefined. */
type RunArguments<ContextData, Start> = undefined extends Start
  ? [input?: Start | StartEvent<Start>, data?: ContextData, options?: RunOptions]
  : [input: Start | StartEvent<Start>, data?: ContextData, options?: RunOptions];

/**
 * A workflow: steps that take events and return events.
 *
 * ```ts
 * const workflow = new Workflow<{ llm: LLM }, string, string>({ timeout: 60 });
 * workflow.addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<string>] }, async ({ data }, event) =>
 *   new StopEvent(await data.llm.complete(event.data)),
 * );
 * const { data: text } = await workflow.run("a joke about pirates", { llm });
 * ```
 *
 * @typeParam ContextData What handlers find in `context.data`.
 * @typeParam Start What the start event carries.
 * @typeParam Stop What the stop event carries.
 */
export class Workflow<ContextData = unknown, Start = unknown, Stop = unknown, NestedSlots extends Slots = Slots> {
  /** Its name in messages. */
  readonly name: string;
  /** @internal */
  readonly verbose: boolean;
  /** In milliseconds, or -1 for none. @internal */
  readonly timeout: number;
  /** @internal */
  readonly limits: { readonly steps: number; readonly unreadEvents: number; readonly keptEvents: number };
  /** @internal */
  readonly onStep: StepHook | undefined;
  /** @internal */
  readonly admission: Admission;
  /** @internal */
  readonly types: Readonly<Record<string, TypeHook>>;
  /** @internal */
  isStrict = false;

  readonly #steps = new Map<string, StepDefinition>();
  readonly #events: readonly EventClass[];
  #eventNames = new Map<string, EventClass>();
  #workflows: Slots = {};
  #plan: Plan | undefined;
  #isChecked = false;

  /** @throws ValidationError `INVALID_DURATION`, `INVALID_OPTION` */
  constructor(options: WorkflowOptions = {}) {
    const { name, timeout = DEFAULT_TIMEOUT, verbose = false, maxConcurrentRuns, limits = {}, onStep } = options;
    const { events = [], types = {} } = options;
    this.name = name ?? new.target.name;
    this.timeout = milliseconds(timeout, "The timeout of a workflow");
    this.verbose = verbose;
    this.admission = new Admission(count(maxConcurrentRuns, Infinity, "maxConcurrentRuns", 1));
    const steps = count(limits.steps, Infinity, "limits.steps", 1);
    this.limits = {
      steps: steps === Infinity ? -1 : steps,
      unreadEvents: count(limits.unreadEvents, DEFAULT_UNREAD, "limits.unreadEvents", 1),
      keptEvents: Math.min(count(limits.keptEvents, DEFAULT_KEPT, "limits.keptEvents", 0), 2 ** 32 - 1),
    };
    if (onStep !== undefined && typeof onStep !== "function") {
      throw new ValidationError("INVALID_OPTION", `onStep is ${describe(onStep)}.`);
    }
    this.onStep = onStep;
    if (!Array.isArray(events) || !events.every(isEventClass)) {
      throw new ValidationError("INVALID_OPTION", "events is not a list of event classes.");
    }
    this.#events = events;
    this.types = checkTypes(types);
  }

  /**
   * Adds a step.
   *
   * ```ts
   * workflow.addStep({ inputs: [JokeEvent], outputs: [StopEvent<string>], numWorkers: 4 }, async (context, event) => …);
   * ```
   *
   * @param parameters What it takes and returns. With `override: true` it replaces the step of the same name.
   * @param handler Gets the context and an event for each input; returns an event, or nothing.
   * @throws ValidationError when the definition is wrong: `INVALID_STEP`, `DUPLICATE_STEP`, `DUPLICATE_EVENT`, `STEP_TAKES_STOP`,
   * `INVALID_WORKERS`, `INVALID_DURATION`, `INVALID_RETRY`.
   */
  addStep<
    const Inputs extends readonly [EventInput, ...EventInput[]],
    const Outputs extends readonly EventClass[] = readonly EventClass[],
  >(
    parameters: StepParameters<Inputs, Outputs> & { readonly override?: boolean },
    handler: StepHandler<ContextData, Inputs, Outputs, NestedSlots>,
  ): this {
    if (typeof parameters !== "object" || parameters === null) {
      throw new ValidationError("INVALID_STEP", `The parameters are ${describe(parameters)}.`);
    }
    const { name, isNamed } = this.#nameOf(parameters, handler, "step");
    const inputs = checkInputs(name, parameters.inputs);
    const isStop = (kind: EventClass): boolean => kind === StopEvent || kind.prototype instanceof StopEvent;
    if (inputs.flatMap(classesOf).some(isStop)) throw new ValidationError("STEP_TAKES_STOP", `The step is "${name}".`);
    const step = { ...checkStep(name, parameters as RawParameters, handler), isNamed, inputs, handles: undefined };
    this.#define(step, parameters.override === true);
    return this;
  }

  /**
   * Adds an error handler: a step that takes the failures of other steps once their retries are used up. It returns an event to go on
   * with, or nothing.
   *
   * @param parameters `steps`: whose failures; default: all that no other handler is for. `maxRecoveries`: how often failures may be
   * handled along one line of events before the run fails after all. Default: 1.
   * @throws ValidationError as `addStep`. A step that does not exist, a second handler for a step, and a handler among `steps` are found by
   * `run` and `validate`.
   */
  catchError<const Outputs extends readonly EventClass[] = readonly EventClass[]>(
    parameters: Omit<StepParameters<never, Outputs>, "inputs"> & {
      readonly steps?: readonly string[];
      readonly maxRecoveries?: number;
    },
    handler: StepHandler<ContextData, readonly [typeof StepFailedEvent], Outputs, NestedSlots>,
  ): this {
    const { steps = [], maxRecoveries } = parameters;
    const { name, isNamed } = this.#nameOf(parameters, handler, "catchError");
    const most = Math.min(count(maxRecoveries, 1, "maxRecoveries", 0), 2 ** 32 - 1);
    if (!Array.isArray(steps)) throw new ValidationError("INVALID_OPTION", `steps of "${name}" is ${describe(steps)}.`);
    const handles = { steps: steps as readonly string[], maxRecoveries: most };
    this.#define({ ...checkStep(name, parameters as RawParameters, handler), isNamed, inputs: [], handles }, false);
    return this;
  }

  #nameOf(
    parameters: { readonly name?: string },
    handler: unknown,
    stem: string,
  ): Pick<StepDefinition, "name" | "isNamed"> {
    const { name } = parameters;
    if (name !== undefined) {
      if (typeof name === "string" && name !== "") return { name, isNamed: true };
      throw new ValidationError("INVALID_STEP", `The name is ${describe(name)}.`);
    }
    const own = typeof handler === "function" ? handler.name : "";
    if (own !== "" && !this.#steps.has(own)) return { name: own, isNamed: true };
    let number = this.#steps.size + 1;
    while (this.#steps.has(`${stem}${number}`)) number += 1;
    return { name: `${stem}${number}`, isNamed: false };
  }

  #define(step: StepDefinition, override: boolean): void {
    if (this.#steps.has(step.name) && !override) {
      throw new ValidationError("DUPLICATE_STEP", `The name is "${step.name}".`);
    }
    let known = this.#eventNames;
    if (this.#steps.has(step.name)) {
      known = eventNames([...this.#steps.values()].filter(({ name }) => name !== step.name));
    }
    for (const [name, eventClass] of eventNames([step], known)) known.set(name, eventClass);
    this.#eventNames = known;
    this.#steps.set(step.name, step);
    this.#changed();
  }

  #changed(): void {
    this.#plan = undefined;
    this.#isChecked = false;
  }

  /** Whether there is a step of this name, or with this handler. */
  hasStep(step: string | ((...args: never[]) => unknown)): boolean {
    return this.#find(step) !== undefined;
  }

  #find(step: string | ((...args: never[]) => unknown)): StepDefinition | undefined {
    if (typeof step === "string") return this.#steps.get(step);
    return [...this.#steps.values()].find(({ handler }) => handler === step);
  }

  /**
   * Takes a step away, by its name or its handler. Runs that are under way keep it.
   *
   * @throws ValidationError `UNKNOWN_STEP`
   */
  removeStep(step: string | ((...args: never[]) => unknown)): this {
    const found = this.#find(step);
    if (found === undefined) throw new ValidationError("UNKNOWN_STEP", `The step is ${describe(step)}.`);
    this.#steps.delete(found.name);
    this.#eventNames = eventNames([...this.#steps.values()]);
    this.#changed();
    return this;
  }

  /**
   * Adds nested workflows, each under a slot. A step runs one with `context.workflows.slot.run(…)`.
   *
   * @throws ValidationError `INVALID_OPTION`
   */
  addWorkflows<const Added extends Slots>(workflows: Added): Workflow<ContextData, Start, Stop, NestedSlots & Added> {
    for (const [slot, workflow] of Object.entries(workflows)) {
      if (!(workflow instanceof Workflow)) {
        throw new ValidationError("INVALID_OPTION", `What was given for the slot "${slot}" is ${describe(workflow)}.`);
      }
    }
    this.#workflows = { ...this.#workflows, ...workflows };
    return this as never;
  }

  /** The nested workflows, by slot. */
  get workflows(): NestedSlots {
    return this.#workflows as NestedSlots;
  }

  /** The names of the steps, in the order in which they were added. */
  get stepNames(): readonly string[] {
    return [...this.#steps.keys()];
  }

  /** From now on everything that `validate` finds is refused by `run`, and an undeclared output fails the step. */
  strict(): this {
    this.isStrict = true;
    this.#isChecked = false;
    return this;
  }

  /**
   * Everything in the workflow that looks wrong; empty when nothing does. Steps that do not declare their outputs may return
   * anything, so nothing that depends on them is reported.
   *
   * @throws ValidationError when a definition is wrong in itself: `UNKNOWN_STEP`, `DUPLICATE_HANDLER` or `HANDLER_HANDLED` in `catchError`.
   */
  validate(): ValidationIssue[] {
    return this.plan().validate().map(issueOf);
  }

  /** The plan of the steps as they are now. @internal */
  plan(): Plan {
    if (this.#plan === undefined || this.#plan.isStale) this.#plan = new Plan([...this.#steps.values()], this.#events);
    return this.#plan;
  }

  /**
   * A plan for one run, with event types that the workflow may not know. It is freed with the run.
   *
   * @param steps In which order, when that matters.
   * @internal
   */
  planOfItsOwn(types: readonly NamedType[], steps?: readonly string[]): Plan {
    const known = this.plan();
    const met = types.flatMap(({ name }) => known.classNamed(name) ?? []);
    const definitions = [...this.#steps.values()];
    const ordered = steps?.flatMap((name) => this.#steps.get(name) ?? []);
    const inOrder = ordered?.length === definitions.length ? ordered : definitions;
    return new Plan(inOrder, [...this.#events, ...met], types).goWithRun();
  }

  /** What tells this workflow from others: its steps and what they take and return, in 16 hexadecimal digits. Snapshots carry it. */
  get fingerprint(): string {
    return this.plan().fingerprint;
  }

  /** The same, as it was in version 1 of the format of snapshots. @internal */
  get firstFingerprint(): string {
    return this.plan().firstFingerprint;
  }

  #checked(): Plan {
    const plan = this.plan();
    if (this.#isChecked) return plan;
    const definite = new Set(["NO_STEPS", "NO_START_STEP", "STEP_TAKES_STOP"]);
    const issues = plan.validate().map(issueOf);
    const refused = issues.filter(({ code }) => this.isStrict || definite.has(code));
    if (refused.length > 0) {
      const [first, ...rest] = refused as [ValidationIssue, ...ValidationIssue[]];
      const more = rest.map(({ code, message }) => `${code}: ${message}`).join("\n");
      throw new ValidationError(first.code, `${about(first)}${rest.length > 0 ? `Also:\n${more}\n` : ""}`);
    }
    this.#isChecked = true;
    return plan;
  }

  /**
   * Makes a run. It begins when it is first used, at the latest in the next microtask.
   *
   * @param input What the start event carries, or a start event.
   * @param data What handlers find in `context.data`; see also `with`.
   * @throws ValidationError when the workflow cannot work: `NO_STEPS`, `NO_START_STEP`, `UNKNOWN_STEP`, `DUPLICATE_HANDLER`,
   * `HANDLER_HANDLED`; under `strict()` for everything that `validate` finds. EngineError `UNSUPPORTED_RUNTIME` when there is no WebAssembly.
   */
  run(...[input, data, options = {}]: RunArguments<ContextData, Start>): WorkflowContext<ContextData, Start, Stop> {
    return this.runNested(input, data, options, undefined);
  }

  /** As `run`, within another run. @internal */
  runNested(
    input: unknown,
    data: unknown,
    options: RunOptions,
    parent: Parent | undefined,
  ): WorkflowContext<ContextData, Start, Stop> {
    const plan = this.#checked();
    const start = startEventOf(input);
    if (!plan.isTaken(start)) {
      throw new ValidationError("NO_START_STEP", `The event is ${typeName(start.constructor as EventClass)}.`);
    }
    const parts: ContextParts = { workflow: this as AnyWorkflow, plan, start, shelf: undefined, data, options, parent };
    checkOptions(options);
    return new WorkflowContext(parts);
  }

  /**
   * A run that goes on from a snapshot, here or in another process or kind of runtime. Everything in the snapshot is checked now; the run begins
   * when it is first used, as one that `run` gives, and mostly gets its data from `with`.
   *
   * Steps that were in flight run again from their beginning: what they had received is handed back in the same order, what they had sent is
   * not sent twice, and what they did under `once` is not done again. Events that were not read yet are still delivered. A run that had failed
   * tries the failed step again; one that had completed resolves with its StopEvent.
   *
   * ```ts
   * const bytes = context.snapshot();
   * const { data } = await workflow.recover(bytes).with({ llm });
   * ```
   *
   * @param snapshot What `context.snapshot()` gave, as a Uint8Array or an ArrayBuffer.
   * @throws RecoverError `SNAPSHOT_FORMAT`, `SNAPSHOT_VERSION`, `SNAPSHOT_TRUNCATED`, `SNAPSHOT_ALTERED`, `SNAPSHOT_FOREIGN`, `SNAPSHOT_INVALID`;
   * under `migrate` also `STEP_MISSING`, `EVENT_MISSING`, `STEP_CHANGED`.
   */
  recover(snapshot: Uint8Array | ArrayBuffer, options: RecoverOptions = {}): WorkflowContext<ContextData, Start, Stop> {
    this.#checked();
    checkOptions(options);
    return this.recoverNested(new Shelf(this as AnyWorkflow, snapshot, options), undefined, options, undefined);
  }

  /** As `recover`, from a snapshot that was checked, within another run or not. @internal */
  recoverNested(
    shelf: Shelf,
    data: unknown,
    options: RunOptions,
    parent: Parent | undefined,
  ): WorkflowContext<ContextData, Start, Stop> {
    return new WorkflowContext({
      workflow: this as AnyWorkflow,
      plan: undefined,
      start: undefined,
      shelf,
      data,
      options,
      parent,
    });
  }

  /** A nested run that had completed in an earlier life of the run around it. @internal */
  completed(
    stop: StopEvent,
    data: unknown,
    options: RunOptions,
    parent: Parent,
  ): WorkflowContext<ContextData, Start, Stop> {
    const bytes = writeCompleted(this.plan(), stop, this.types);
    return this.recoverNested(new Shelf(this as AnyWorkflow, bytes, {}), data, options, parent);
  }

  /**
   * Rebuilds the past of a run from its journal, without running any step.
   *
   * ```ts
   * const context = workflow.run(input, data, { journal: true });
   * await context;
   * const past = workflow.replay(context.journal(), { until: 12 });
   * console.log(past.inFlight, past.store.toJSON());
   * const again = workflow.recover(past.snapshot()).with(data);
   * ```
   *
   * @param journal What `context.journal()` gave, or its increments joined.
   * @throws RecoverError `SNAPSHOT_FORMAT`, `SNAPSHOT_VERSION`, `SNAPSHOT_TRUNCATED`, `SNAPSHOT_ALTERED`, `SNAPSHOT_FOREIGN`, `SNAPSHOT_INVALID`,
   * `JOURNAL_GAP`.
   */
  replay(journal: Uint8Array | ArrayBuffer, options: ReplayOptions = {}): Replay {
    this.#checked();
    return new Replay(this as AnyWorkflow, journal, options);
  }

  /** Frees what the workflow holds in the engine; it may be used again, and its runs go on. */
  dispose(): void {
    this.#plan?.dispose();
    this.#changed();
  }
}

/** The event classes of steps, by name. @throws ValidationError when a name is that of another class, here or among those known. */
function eventNames(
  steps: readonly StepDefinition[],
  known?: ReadonlyMap<string, EventClass>,
): Map<string, EventClass> {
  const names = new Map<string, EventClass>();
  for (const eventClass of steps.flatMap(({ inputs, outputs = [] }) => [...inputs.flatMap(classesOf), ...outputs])) {
    const name = typeName(eventClass);
    if ((known?.get(name) ?? names.get(name) ?? eventClass) !== eventClass) {
      throw new ValidationError("DUPLICATE_EVENT", `The type name is "${name}".`);
    }
    names.set(name, eventClass);
  }
  return names;
}

function about({ step, event }: { readonly step?: string; readonly event?: string }): string {
  const parts = [step === undefined ? [] : [`Step "${step}"`], event === undefined ? [] : [`event ${event}`]].flat();
  return parts.length === 0 ? "" : `${parts.join(", ")}: `;
}

function issueOf({ code, step, event }: Finding): ValidationIssue {
  const subject = { ...(step === undefined ? {} : { step: step.name }), ...(event === undefined ? {} : { event }) };
  return { code, ...subject, message: about(subject) + codes[code].help };
}
