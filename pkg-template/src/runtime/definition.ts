// A workflow as the internals work on it: its steps, limits, hooks and slots. `Workflow` holds one privately, so that a
// subclass may have steps and fields of any name.

import { type Code, codes } from "../errors/codes.js";
import { type OptionNames, checkName, checkOptions } from "../errors/check-options.js";
import { ValidationError } from "../errors/errors.js";
import { milliseconds } from "../model/duration.js";
import {
  type EventClass,
  StartEvent,
  type WorkflowEvent,
  builtInNames,
  hasStableName,
  isEventClass,
  typeName,
} from "../model/events.js";
import { type Limits, type StepHook, type WorkflowOptions, workflowOptionNames } from "../model/options.js";
import { StateSchema } from "../model/state-schema.js";
import { type StepDefinition, classesIn } from "../model/step.js";
import type { TypeHook } from "../model/type-hook.js";
import { describe } from "../util/describe.js";
import { Admission } from "./admission.js";
import { type Finding, type NamedType, Plan, withAncestors } from "./plan.js";
import type { RunParts } from "./run-parts.js";

/** What may look wrong in a workflow. */
export type ValidationCode = Extract<
  Code,
  | "NO_STEPS"
  | "NO_START_STEP"
  | "NO_STOP_STEP"
  | "STEP_TAKES_STOP"
  | "NEVER_PRODUCED"
  | "NEVER_CONSUMED"
  | "NO_FAN_OUT"
  | "UNREACHABLE_STEP"
  | "DEAD_END"
  | "UNNAMED_STEP"
  | "UNNAMED_EVENT"
>;

const validationCodes: Readonly<Record<ValidationCode, 1>> = {
  NO_STEPS: 1,
  NO_START_STEP: 1,
  NO_STOP_STEP: 1,
  STEP_TAKES_STOP: 1,
  NEVER_PRODUCED: 1,
  NEVER_CONSUMED: 1,
  NO_FAN_OUT: 1,
  UNREACHABLE_STEP: 1,
  DEAD_END: 1,
  UNNAMED_STEP: 1,
  UNNAMED_EVENT: 1,
};

/** Options of `validate` and `strict`. */
export interface ValidateOptions {
  /** What is not reported, because it is meant. Default: nothing. */
  readonly skip?: readonly ValidationCode[] | undefined;
}

/** The codes to be skipped. @throws ValidationError `INVALID_OPTION` */
export function checkSkip(options: ValidateOptions, what: string): ReadonlySet<ValidationCode> {
  checkOptions(options, { skip: 1 }, what, { ignore: "skip", except: "skip" });
  const { skip = [] } = options;
  if (!Array.isArray(skip)) throw new ValidationError("INVALID_OPTION", `skip is ${describe(skip)}, not a list.`);
  for (const code of skip as unknown[]) checkName(code, validationCodes, "The option skip", "code");
  return new Set(skip as readonly ValidationCode[]);
}

/** Something in a workflow that looks wrong. */
export interface ValidationIssue {
  /** What it is; `docs/errors.md` describes each. */
  readonly code: ValidationCode;
  /**
   * `error`: a run does not work, or not as it is meant; `strict()` refuses it. `warning`: it works, and something
   * about it is fragile.
   */
  readonly severity: "error" | "warning";
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
const LARGEST = 2 ** 32 - 1;

const limitNames: OptionNames<Limits> = { steps: 1, unreadEvents: 1, keptEvents: 1 };

/** Without these no run can work, so that also workflows that are not strict are refused. */
const ALWAYS_REFUSED: ReadonlySet<string> = /* @__PURE__ */ new Set(["NO_STEPS", "NO_START_STEP", "STEP_TAKES_STOP"]);

/** A count from `least`; Infinity is allowed. @throws ValidationError `INVALID_OPTION` */
export function checkCount(value: number | undefined, fallback: number, what: string, least: number): number {
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

function checkFunction<Value>(value: Value | undefined, what: string): Value | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw new ValidationError("INVALID_OPTION", `${what} is ${describe(value)}.`);
}

const definitions = /* @__PURE__ */ new WeakMap<object, WorkflowDefinition>();

/** Registers the definition of a workflow. */
export function define(workflow: object, definition: WorkflowDefinition): WorkflowDefinition {
  definitions.set(workflow, definition);
  return definition;
}

/** The definition of a workflow; undefined when the object is none. */
export function definitionOf(workflow: object): WorkflowDefinition | undefined {
  return definitions.get(workflow);
}

export class WorkflowDefinition {
  /** Its name in messages. */
  readonly name: string;
  readonly verbose: boolean;
  /** In milliseconds, or -1 for none. */
  readonly timeout: number;
  readonly limits: { readonly steps: number; readonly unreadEvents: number; readonly keptEvents: number };
  readonly onStep: StepHook | undefined;
  readonly admission: Admission;
  /** How values of users' classes are carried in snapshots. */
  readonly types: Readonly<Record<string, TypeHook>>;
  /** What the store of every run must be. */
  readonly state: StateSchema | undefined;
  /** The nested workflows, by slot. */
  readonly slots = new Map<string, WorkflowDefinition>();
  /** Makes a run as programs see it. */
  readonly makeRun: (parts: RunParts) => unknown;
  isStrict = false;
  /** What being strict does not include. */
  #skipped: ReadonlySet<ValidationCode> = new Set();

  readonly #steps = new Map<string, StepDefinition>();
  /** Classes of events that no step names. */
  readonly events: readonly EventClass[];
  readonly #onWarning: ((message: string) => void) | undefined;
  #eventNames = new Map<string, EventClass>();
  #plan: Plan | undefined;
  /** The classes of its events and their base classes, by name; made when it is first asked for. */
  #classes: ReadonlyMap<string, EventClass> | undefined;
  #isChecked = false;

  /** @throws ValidationError `INVALID_DURATION`, `INVALID_OPTION`, `INVALID_SCHEMA`, `ASYNC_SCHEMA`, `INVALID_STATE` */
  constructor(
    options: WorkflowOptions,
    className: string,
    makeRun: (definition: WorkflowDefinition, parts: RunParts) => unknown,
  ) {
    checkOptions(options, workflowOptionNames, className);
    const { name, timeout = DEFAULT_TIMEOUT, verbose = false, maxConcurrentRuns, limits = {}, onStep } = options;
    const { events = [], types = {}, onWarning, state } = options;
    checkOptions(limits, limitNames, "limits");
    if (name !== undefined && typeof name !== "string") {
      throw new ValidationError("INVALID_OPTION", `The name of a workflow is ${describe(name)}.`);
    }
    this.name = name ?? className;
    this.makeRun = (parts) => makeRun(this, parts);
    this.timeout = milliseconds(timeout, "The timeout of a workflow");
    this.verbose = verbose;
    this.admission = new Admission(checkCount(maxConcurrentRuns, Infinity, "maxConcurrentRuns", 1));
    const steps = checkCount(limits.steps, Infinity, "limits.steps", 1);
    this.limits = {
      steps: steps === Infinity ? -1 : steps,
      unreadEvents: checkCount(limits.unreadEvents, DEFAULT_UNREAD, "limits.unreadEvents", 1),
      keptEvents: Math.min(checkCount(limits.keptEvents, DEFAULT_KEPT, "limits.keptEvents", 0), LARGEST),
    };
    this.onStep = checkFunction(onStep, "onStep");
    this.#onWarning = checkFunction(onWarning, "onWarning");
    if (!Array.isArray(events) || !events.every(isEventClass)) {
      throw new ValidationError("INVALID_OPTION", "events is not a list of event classes.");
    }
    this.events = events;
    this.types = checkTypes(types);
    this.state = state === undefined ? undefined : new StateSchema(state);
  }

  /** Reports something that works and is probably not meant. */
  warn(message: string): void {
    if (this.#onWarning === undefined) console.warn(message);
    else this.#onWarning(message);
  }

  // ---- steps ----

  /** The steps, in the order in which they were added. */
  get steps(): Iterable<StepDefinition> {
    return this.#steps.values();
  }

  /** The names of the steps, in the order in which they were added. */
  get stepNames(): readonly string[] {
    return [...this.#steps.keys()];
  }

  /** The name of a step to be added: the one it was given, else its handler's, else a number. */
  nameOf(given: string | undefined, handler: unknown, stem: string): Pick<StepDefinition, "name" | "naming"> {
    if (given !== undefined) {
      if (typeof given === "string" && given !== "") return { name: given, naming: "given" };
      throw new ValidationError("INVALID_STEP", `The name is ${describe(given)}.`);
    }
    const own = typeof handler === "function" ? handler.name : "";
    if (own !== "" && !this.#steps.has(own)) return { name: own, naming: "handler" };
    let number = this.#steps.size + 1;
    while (this.#steps.has(`${stem}${number}`)) number += 1;
    return { name: `${stem}${number}`, naming: "position" };
  }

  /** @throws ValidationError `DUPLICATE_STEP`, `DUPLICATE_EVENT` */
  add(step: StepDefinition, override: boolean): void {
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

  /** A step, by its name or its handler. */
  find(step: unknown): StepDefinition | undefined {
    if (typeof step === "string") return this.#steps.get(step);
    return [...this.#steps.values()].find(({ handler }) => handler === step);
  }

  /** @throws ValidationError `UNKNOWN_STEP` */
  remove(step: unknown): void {
    const found = this.find(step);
    if (found === undefined) throw new ValidationError("UNKNOWN_STEP", `The step is ${describe(step)}.`);
    this.#steps.delete(found.name);
    this.#eventNames = eventNames([...this.#steps.values()]);
    this.#changed();
  }

  #changed(): void {
    this.#plan = undefined;
    this.#classes = undefined;
    this.#isChecked = false;
  }

  // ---- plans ----

  /** The plan of the steps as they are now. */
  plan(): Plan {
    if (this.#plan === undefined || this.#plan.isStale) this.#plan = new Plan([...this.#steps.values()], this.events);
    return this.#plan;
  }

  /**
   * A plan for one run, with event types that the workflow may not know. It is freed with the run.
   *
   * @param steps In which order, when that matters.
   */
  planOfItsOwn(types: readonly NamedType[], steps?: readonly string[]): Plan {
    const known = this.plan();
    const met = types.flatMap(({ name }) => known.classNamed(name) ?? []);
    const definitions = [...this.#steps.values()];
    const ordered = steps?.flatMap((name) => this.#steps.get(name) ?? []);
    const inOrder = ordered?.length === definitions.length ? ordered : definitions;
    return new Plan(inOrder, [...this.events, ...met], types).goWithRun();
  }

  /**
   * The class of a type name, without the engine: of this workflow, or of one nested in it.
   *
   * @param met Definitions that were asked before: workflows may be nested in each other.
   */
  classNamed(name: string, met = new Set<WorkflowDefinition>()): EventClass | undefined {
    const builtIn = builtInNames().keys() as Iterable<EventClass>;
    this.#classes ??= new Map(withAncestors([...builtIn, ...this.#eventNames.values(), ...this.events]));
    const own = this.#classes.get(name) ?? this.#plan?.classNamed(name);
    if (own !== undefined) return own;
    met.add(this);
    for (const nested of this.slots.values()) {
      const found = met.has(nested) ? undefined : nested.classNamed(name, met);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** From now on `begin` refuses every issue that is an error, but those that are skipped. */
  beStrict(skipped: ReadonlySet<ValidationCode>): void {
    this.isStrict = true;
    this.#skipped = skipped;
    this.#isChecked = false;
  }

  /** Everything that looks wrong. @throws ValidationError when a definition is wrong in itself. */
  validate(skipped: ReadonlySet<ValidationCode>): ValidationIssue[] {
    const issues = this.plan().validate().map(issueOf);
    for (const step of this.#steps.values()) {
      if (step.naming !== "given") issues.push(warning("UNNAMED_STEP", { step: step.name }));
    }
    for (const [event, eventClass] of this.#eventNames) {
      if (!hasStableName(eventClass)) issues.push(warning("UNNAMED_EVENT", { event }));
    }
    return issues.filter(({ code }) => !skipped.has(code));
  }

  /**
   * The plan, when a run can follow it. @throws ValidationError the first thing that is wrong; the others are in its
   * message.
   */
  checked(): Plan {
    const plan = this.plan();
    if (this.#isChecked) return plan;
    const issues = plan.validate().map(issueOf);
    const isRefused = (code: ValidationCode): boolean => this.isStrict && !this.#skipped.has(code);
    const refused = issues.filter(({ code }) => isRefused(code) || ALWAYS_REFUSED.has(code));
    const [first, ...rest] = refused;
    if (first !== undefined) {
      const also =
        rest.length === 0
          ? ""
          : `\nAlso wrong:\n${rest.map((issue) => `- ${issue.code}: ${issue.message}`).join("\n")}`;
      throw new ValidationError(first.code, subjectOf(first), { after: also });
    }
    this.#isChecked = true;
    return plan;
  }

  /**
   * What a run begins with. @throws ValidationError as {@link checked}, and `NO_START_STEP` when no step takes the
   * start event.
   */
  begin(input: unknown): { readonly plan: Plan; readonly start: WorkflowEvent } {
    const plan = this.checked();
    const start: WorkflowEvent = input instanceof StartEvent ? input : new StartEvent(input);
    if (!plan.isTaken(start)) {
      throw new ValidationError("NO_START_STEP", `The event is ${typeName(start.constructor as EventClass)}.`);
    }
    return { plan, start };
  }

  /** Frees what the workflow holds in the engine; it may be used again, and its runs go on. */
  dispose(): void {
    this.#plan?.dispose();
    this.#changed();
  }
}

/**
 * The event classes of steps, by name. @throws ValidationError when a name is that of another class, here or among
 * those known.
 */
function eventNames(
  steps: readonly StepDefinition[],
  known?: ReadonlyMap<string, EventClass>,
): Map<string, EventClass> {
  const names = new Map<string, EventClass>();
  for (const eventClass of steps.flatMap(classesIn)) {
    const name = typeName(eventClass);
    if ((known?.get(name) ?? names.get(name) ?? eventClass) !== eventClass) {
      throw new ValidationError("DUPLICATE_EVENT", `The type name is "${name}".`);
    }
    names.set(name, eventClass);
  }
  return names;
}

/** What an issue is about, as the beginning of a message. */
function subjectOf({ step, event }: { readonly step?: string; readonly event?: string }): string {
  const parts = [step === undefined ? [] : [`Step "${step}"`], event === undefined ? [] : [`event ${event}`]].flat();
  return parts.length === 0 ? "" : `${parts.join(", ")}:`;
}

function messageOf(subject: string, code: Code): string {
  return subject === "" ? codes[code].help : `${subject} ${codes[code].help}`;
}

function issueOf({ code: found, step, event }: Finding): ValidationIssue {
  const code = found as ValidationCode;
  const subject = { ...(step === undefined ? {} : { step: step.name }), ...(event === undefined ? {} : { event }) };
  return { code, severity: "error", ...subject, message: messageOf(subjectOf(subject), code) };
}

function warning(code: ValidationCode, subject: { readonly step?: string; readonly event?: string }): ValidationIssue {
  return { code, severity: "warning", ...subject, message: messageOf(subjectOf(subject), code) };
}
