// What a step is made of, checked.

import { type OptionNames, checkOptions } from "../errors/check-options.js";
import { ValidationError } from "../errors/errors.js";
import {
  EventChoice,
  type EventClass,
  type EventInput,
  EventList,
  type WorkflowEvent,
  isEventClass,
} from "./events.js";
import type { StepParameters } from "./step-types.js";
import { type RetryFunction, RetryPolicy } from "./retry.js";
import { milliseconds } from "./duration.js";
import { describe } from "../util/describe.js";

/** What may stand in a step's inputs, whatever the events. */
export type AnyInput = EventInput | EventList;

/** A handler, whatever its events. */
export type AnyHandler = (context: never, ...events: never[]) => unknown;

/** A step after its parameters were checked. */
export interface StepDefinition {
  readonly name: string;
  /**
   * Where the name comes from: the program, the handler's own name, or the step's position. The last two a build may
   * change.
   */
  readonly naming: "given" | "handler" | "position";
  /** Empty for an error handler. */
  readonly inputs: readonly AnyInput[];
  /** Set when it gathers its one input: how many events of an array at most. */
  readonly collects: { readonly take: number | undefined } | undefined;
  /** Undefined when not declared. */
  readonly outputs: readonly EventClass[] | undefined;
  /** Whether the outputs say that it returns arrays. */
  readonly fansOut: boolean;
  readonly waitsFor: readonly EventClass[];
  readonly numWorkers: number | undefined;
  readonly retry: RetryPolicy | RetryFunction | undefined;
  /** In milliseconds, or -1 for none. */
  readonly timeout: number;
  /**
   * Set when the step handles the failures of other steps: of all that no other handler is for, when `steps` is empty.
   */
  readonly handles:
    { readonly steps: readonly string[]; readonly maxRecoveries: number; readonly ids?: readonly number[] } | undefined;
  readonly handler: AnyHandler;
  /** Details for the event that says that the step begins again. */
  readonly resetDetails: StepParameters["resetDetails"];
}

/** The parameters of a step, unchecked. */
export interface RawParameters {
  readonly name?: string | undefined;
  readonly inputs?: unknown | undefined;
  readonly outputs?: unknown | undefined;
  readonly waitsFor?: unknown | undefined;
  readonly numWorkers?: number | undefined;
  readonly retry?: RetryPolicy | RetryFunction | undefined;
  readonly timeout?: number | null | undefined;
  readonly resetDetails?: StepParameters["resetDetails"] | undefined;
}

/** The classes that an input takes. */
export function classesOf(input: AnyInput): readonly EventClass[] {
  if (input instanceof EventList) return classesOf(input.input);
  return input instanceof EventChoice ? input.classes : [input];
}

/** Every class that a step names. */
export function classesIn({ inputs, outputs = [], waitsFor }: StepDefinition): readonly EventClass[] {
  return [...inputs.flatMap(classesOf), ...outputs, ...waitsFor];
}

/** Whether an event is of one of the classes that an input takes. */
export function takes(input: AnyInput, event: WorkflowEvent): boolean {
  if (input instanceof EventList) return takes(input.input, event);
  return input instanceof EventChoice ? input.classes.some((kind) => event instanceof kind) : event instanceof input;
}

/** @throws ValidationError `INVALID_STEP` when it is not what may stand in `inputs`. */
export function checkInput(input: unknown, where: string): asserts input is EventInput {
  const classes: readonly unknown[] = input instanceof EventChoice ? input.classes : [input];
  if (classes.length === 0 || !classes.every(isEventClass)) {
    throw new ValidationError("INVALID_STEP", `${where} ${describe(input)}.`);
  }
}

const commonNames: OptionNames<Omit<StepParameters, "inputs">> = {
  outputs: 1,
  waitsFor: 1,
  name: 1,
  numWorkers: 1,
  retry: 1,
  timeout: 1,
  resetDetails: 1,
};

/** Words from other libraries that mean an option of a step. */
const synonyms = {
  input: "inputs",
  output: "outputs",
  workers: "numWorkers",
  concurrency: "numWorkers",
  retries: "retry",
  waits: "waitsFor",
};

/**
 * Refuses unknown names in the parameters of a step, or of an error handler. @throws ValidationError `INVALID_OPTION`
 */
export function checkStepNames(parameters: unknown, kind: "addStep" | "catchError"): void {
  const own = kind === "addStep" ? { inputs: 1, override: 1 } : { steps: 1, maxRecoveries: 1 };
  checkOptions(parameters, { ...own, ...commonNames }, kind, synonyms);
}

/** Checks what steps and error handlers have in common. */
export function checkStep(
  name: string,
  parameters: RawParameters,
  handler: unknown,
): Omit<StepDefinition, "naming" | "inputs" | "collects" | "handles"> {
  const { outputs, waitsFor = [], numWorkers, retry, timeout, resetDetails } = parameters;
  if (typeof handler !== "function") {
    throw new ValidationError("INVALID_STEP", `The handler of step "${name}" is ${describe(handler)}.`);
  }
  const isOutput = (output: unknown): boolean =>
    isEventClass(Array.isArray(output) && output.length === 1 ? output[0] : output);
  if (outputs !== undefined && (!Array.isArray(outputs) || !outputs.every(isOutput))) {
    throw new ValidationError("INVALID_STEP", `The outputs of step "${name}" are not a list of event classes.`);
  }
  if (!Array.isArray(waitsFor) || !waitsFor.every(isEventClass)) {
    throw new ValidationError("INVALID_STEP", `What step "${name}" waits for is not a list of event classes.`);
  }
  if (numWorkers !== undefined && !(Number.isInteger(numWorkers) && numWorkers > 0 && numWorkers < 2 ** 32)) {
    throw new ValidationError("INVALID_WORKERS", `numWorkers of step "${name}" is ${describe(numWorkers)}.`);
  }
  if (resetDetails !== undefined && typeof resetDetails !== "function") {
    throw new ValidationError("INVALID_STEP", `resetDetails of step "${name}" is ${describe(resetDetails)}.`);
  }
  if (retry !== undefined && typeof retry !== "function" && !(retry instanceof RetryPolicy)) {
    throw new ValidationError("INVALID_RETRY", `retry of step "${name}" is ${describe(retry)}.`);
  }
  return {
    name,
    outputs: (outputs as readonly (EventClass | readonly EventClass[])[] | undefined)?.flat(),
    fansOut: outputs?.some((output) => Array.isArray(output)) === true,
    waitsFor: waitsFor as readonly EventClass[],
    numWorkers,
    retry,
    timeout: milliseconds(timeout, `The timeout of step "${name}"`),
    handler: handler as AnyHandler,
    resetDetails,
  };
}

const MAX_INPUTS = 32;

/** Checks the inputs of a step. */
export function checkInputs(name: string, inputs: unknown): Pick<StepDefinition, "inputs" | "collects"> {
  if (!Array.isArray(inputs) || inputs.length === 0 || inputs.length > MAX_INPUTS) {
    throw new ValidationError("INVALID_STEP", `The inputs of step "${name}" are ${describe(inputs)}.`);
  }
  const lists = inputs.filter((input) => input instanceof EventList);
  for (const input of inputs) if (!lists.includes(input)) checkInput(input, `An input of step "${name}" is`);
  const [collects] = lists;
  if (collects !== undefined && inputs.length > 1) {
    throw new ValidationError("COLLECT_NOT_ALONE", `The step is "${name}".`);
  }
  return { inputs: inputs as readonly AnyInput[], collects };
}
