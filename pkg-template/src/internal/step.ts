// What a step is made of, checked.

import { ValidationError } from "../errors.js";
import { EventChoice, type EventClass, type EventInput, type WorkflowEvent } from "../events.js";
import { type RetryFunction, RetryPolicy } from "../retry.js";
import { describe, milliseconds } from "./duration.js";
import { isEventClass } from "./plan.js";

/** A handler, whatever its events. */
export type AnyHandler = (context: never, ...events: never[]) => unknown;

/** A step after its parameters were checked. */
export interface StepDefinition {
  readonly name: string;
  /** Whether the name is the user's, or that of the handler. Otherwise it comes from the step's place among the others. */
  readonly isNamed: boolean;
  /** Empty for an error handler. */
  readonly inputs: readonly EventInput[];
  /** Undefined when not declared. */
  readonly outputs: readonly EventClass[] | undefined;
  readonly numWorkers: number | undefined;
  readonly retry: RetryPolicy | RetryFunction | undefined;
  /** In milliseconds, or -1 for none. */
  readonly timeout: number;
  /** Set when the step handles the failures of other steps: of all that no other handler is for, when `steps` is empty. */
  readonly handles:
    { readonly steps: readonly string[]; readonly maxRecoveries: number; readonly ids?: readonly number[] } | undefined;
  readonly handler: AnyHandler;
}

/** The parameters of a step, unchecked. */
export interface RawParameters {
  readonly name?: string | undefined;
  readonly inputs?: unknown;
  readonly outputs?: unknown;
  readonly numWorkers?: number | undefined;
  readonly retry?: RetryPolicy | RetryFunction | undefined;
  readonly timeout?: number | null | undefined;
}

/** The classes that an input takes. */
export function classesOf(input: EventInput): readonly EventClass[] {
  return input instanceof EventChoice ? input.classes : [input];
}

/** Whether an event is of one of the classes that an input takes. */
export function takes(input: EventInput, event: WorkflowEvent): boolean {
  return input instanceof EventChoice ? input.classes.some((kind) => event instanceof kind) : event instanceof input;
}

/** @throws ValidationError `INVALID_STEP` when it is not what may stand in `inputs`. */
export function checkInput(input: unknown, where: string): asserts input is EventInput {
  const classes: readonly unknown[] = input instanceof EventChoice ? input.classes : [input];
  if (classes.length === 0 || !classes.every(isEventClass)) {
    throw new ValidationError("INVALID_STEP", `${where} ${describe(input)}.`);
  }
}

/** Checks what steps and error handlers have in common. */
export function checkStep(
  name: string,
  parameters: RawParameters,
  handler: unknown,
): Omit<StepDefinition, "inputs" | "handles" | "isNamed"> {
  const { outputs, numWorkers, retry, timeout } = parameters;
  if (typeof handler !== "function") {
    throw new ValidationError("INVALID_STEP", `The handler of step "${name}" is ${describe(handler)}.`);
  }
  if (outputs !== undefined && (!Array.isArray(outputs) || !outputs.every(isEventClass))) {
    throw new ValidationError("INVALID_STEP", `The outputs of step "${name}" are not a list of event classes.`);
  }
  if (numWorkers !== undefined && !(Number.isInteger(numWorkers) && numWorkers > 0 && numWorkers < 2 ** 32)) {
    throw new ValidationError("INVALID_WORKERS", `numWorkers of step "${name}" is ${describe(numWorkers)}.`);
  }
  if (retry !== undefined && typeof retry !== "function" && !(retry instanceof RetryPolicy)) {
    throw new ValidationError("INVALID_RETRY", `retry of step "${name}" is ${describe(retry)}.`);
  }
  return {
    name,
    outputs: outputs as readonly EventClass[] | undefined,
    numWorkers,
    retry,
    timeout: milliseconds(timeout, `The timeout of step "${name}"`),
    handler: handler as AnyHandler,
  };
}

const MAX_INPUTS = 32;

/** Checks the inputs of a step. */
export function checkInputs(name: string, inputs: unknown): readonly EventInput[] {
  if (!Array.isArray(inputs) || inputs.length === 0 || inputs.length > MAX_INPUTS) {
    throw new ValidationError("INVALID_STEP", `The inputs of step "${name}" are ${describe(inputs)}.`);
  }
  for (const input of inputs) checkInput(input, `An input of step "${name}" is`);
  return inputs as readonly EventInput[];
}
