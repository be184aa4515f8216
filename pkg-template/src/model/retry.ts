// Retry policies: conditions, waits and stops that compose. Waits and stops are data that the engine evaluates;
// conditions look at error objects and are evaluated here.

import { type OptionNames, checkOptions } from "../errors/check-options.js";
import { ValidationError } from "../errors/errors.js";
import { milliseconds } from "./duration.js";
import { describe } from "../util/describe.js";

/** Whether an error is worth another attempt. `attempt` counts from 1. */
export type RetryCondition = (error: Error, attempt: number) => boolean;

/** The key under which the compiler tells the strategies apart; there is nothing at run time. */
declare const role: unique symbol;

/** How long to wait before the next attempt; made by the `wait…` functions. */
export class WaitStrategy {
  declare protected readonly [role]: "wait";
  /** The strategy as the engine reads it: a kind, then its arguments. */
  readonly numbers: readonly number[];

  constructor(numbers: readonly number[]) {
    this.numbers = numbers;
  }
}

/** When to stop trying; made by the `stop…` functions. */
export class StopStrategy {
  declare protected readonly [role]: "stop";
  /** The strategy as the engine reads it: a kind, then its arguments. */
  readonly numbers: readonly number[];

  constructor(numbers: readonly number[]) {
    this.numbers = numbers;
  }
}

/** A retry policy; made by {@link retryPolicy}. */
export class RetryPolicy {
  declare protected readonly [role]: "policy";
  /** The wait and the stop as the engine reads them. */
  readonly numbers: readonly number[];
  /** Whether an error is worth another attempt. */
  readonly condition: RetryCondition | undefined;

  constructor(numbers: readonly number[], condition: RetryCondition | undefined) {
    this.numbers = numbers;
    this.condition = condition;
  }
}

/**
 * A policy of your own: the seconds to wait before the next attempt, or anything else to give up.
 * It is asked once for each failed attempt; `attempt` counts from 1, `elapsed` is in seconds since the first one began.
 */
export type RetryFunction = (failure: {
  readonly error: Error;
  readonly attempt: number;
  readonly elapsed: number;
}) => number | false | null | undefined;

// Longer than any run lives, and still exact in the engine's arithmetic.
const FOREVER = 2 ** 53;

function time(seconds: number, what: string): number {
  const ms = milliseconds(seconds, what);
  return ms < 0 ? FOREVER : Math.min(ms, FOREVER);
}

function positive(value: number, what: string): number {
  if (typeof value !== "number" || !(value >= 0) || value === Infinity) {
    throw new ValidationError("INVALID_RETRY", `${what} is ${describe(value)}.`);
  }
  return value;
}

function list<Member extends WaitStrategy | StopStrategy>(
  kind: number,
  of: readonly Member[],
  made: abstract new (...args: never[]) => Member,
): number[] {
  const wrong = of.findIndex((member) => !(member instanceof made));
  if (wrong >= 0) throw new ValidationError("INVALID_RETRY", `Argument ${wrong + 1} is ${describe(of[wrong])}.`);
  return [kind, of.length, ...of.flatMap((member) => member.numbers)];
}

/** Options of waits that grow by a factor. Durations in seconds. */
export interface ExponentialOptions {
  /** Before the second attempt. Default: 1. */
  readonly initial?: number | undefined;
  /** What each further wait is multiplied by. Default: 2. */
  readonly factor?: number | undefined;
  /** The longest wait. Default: 60. */
  readonly max?: number | undefined;
}

const exponentialNames: OptionNames<ExponentialOptions> = { initial: 1, factor: 1, max: 1 };

function exponential(kind: number, options: ExponentialOptions, what: string): WaitStrategy {
  checkOptions(options, exponentialNames, what, { min: "initial", multiplier: "factor", base: "factor" });
  const { initial = 1, factor = 2, max = 60 } = options;
  return new WaitStrategy([kind, time(initial, "initial"), positive(factor, "factor"), time(max, "max")]);
}

/** Always waits this many seconds. */
export function waitFixed(seconds: number): WaitStrategy {
  return new WaitStrategy([0, time(seconds, "waitFixed")]);
}

/** Waits `initial * factor^n` seconds, at most `max`. */
export function waitExponential(options: ExponentialOptions = {}): WaitStrategy {
  return exponential(1, options, "waitExponential");
}

/** Waits `initial + step * n` seconds, at most `max`. Defaults: 0, 1, 60. */
export function waitIncrementing(
  options: { initial?: number | undefined; step?: number | undefined; max?: number | undefined } = {},
): WaitStrategy {
  checkOptions(options, { initial: 1, step: 1, max: 1 }, "waitIncrementing", { start: "initial", increment: "step" });
  const { initial = 0, step = 1, max = 60 } = options;
  return new WaitStrategy([2, time(initial, "initial"), time(step, "step"), time(max, "max")]);
}

/**
 * Waits anywhere between `min` and `max` seconds. Defaults: 0, 1. The draw depends on the run id alone, so a replay
 * repeats it.
 */
export function waitRandom(options: { min?: number | undefined; max?: number | undefined } = {}): WaitStrategy {
  checkOptions(options, { min: 1, max: 1 }, "waitRandom");
  const { min = 0, max = 1 } = options;
  return new WaitStrategy([3, time(min, "min"), time(max, "max")]);
}

/**
 * Waits anywhere between 0 and what {@link waitExponential} would wait ("full jitter"): the best choice against
 * overload.
 */
export function waitFullJitter(options: ExponentialOptions = {}): WaitStrategy {
  return exponential(4, options, "waitFullJitter");
}

/** One strategy for each attempt in turn; the last goes on for the rest. */
export function waitChain(...waits: WaitStrategy[]): WaitStrategy {
  return new WaitStrategy(list(5, waits, WaitStrategy));
}

/** The sum of several waits. */
export function waitSum(...waits: WaitStrategy[]): WaitStrategy {
  return new WaitStrategy(list(6, waits, WaitStrategy));
}

/** Never stops trying. */
export const stopNever: StopStrategy = /* @__PURE__ */ new StopStrategy([0]);

/** Stops after this many attempts. */
export function stopAfterAttempt(attempts: number): StopStrategy {
  return new StopStrategy([1, Math.min(positive(attempts, "stopAfterAttempt"), 2 ** 32 - 1)]);
}

/** Stops when this many seconds have gone by since the first attempt began. */
export function stopAfterDelay(seconds: number): StopStrategy {
  return new StopStrategy([2, time(seconds, "stopAfterDelay")]);
}

/** Stops when any of them says so. */
export function stopAny(...stops: StopStrategy[]): StopStrategy {
  return new StopStrategy(list(3, stops, StopStrategy));
}

/** Stops when all of them say so. */
export function stopAll(...stops: StopStrategy[]): StopStrategy {
  return new StopStrategy(list(4, stops, StopStrategy));
}

/** A class of errors. */
/** A class of errors. */
export type ErrorClass = abstract new (...args: never) => Error;

/** Retries on errors of these classes. */
export function retryIfErrorType(...classes: ErrorClass[]): RetryCondition {
  return (error) => classes.some((kind) => error instanceof kind);
}

/** Retries on errors of all classes but these. */
export function retryUnlessErrorType(...classes: ErrorClass[]): RetryCondition {
  return (error) => !classes.some((kind) => error instanceof kind);
}

/** Retries on errors whose message contains a text or matches an expression. */
export function retryIfMessage(pattern: string | RegExp): RetryCondition {
  return (error) =>
    typeof pattern === "string" ? error.message.includes(pattern) : error.message.search(pattern) !== -1;
}

/** Retries when any of the conditions holds. */
export function retryAny(...conditions: RetryCondition[]): RetryCondition {
  return (error, attempt) => conditions.some((condition) => condition(error, attempt));
}

/** Retries when all of the conditions hold. */
export function retryAll(...conditions: RetryCondition[]): RetryCondition {
  return (error, attempt) => conditions.every((condition) => condition(error, attempt));
}

/**
 * A policy for a step's `retry`. Defaults: on every error, wait 5 seconds, stop after 3 attempts.
 *
 * ```ts
 * const retry = retryPolicy({
 *   retry: retryUnlessErrorType(TypeError),
 *   wait: waitFullJitter({ initial: 0.5, max: 20 }),
 *   stop: stopAny(stopAfterAttempt(5), stopAfterDelay(60)),
 * });
 * ```
 *
 * @throws ValidationError `INVALID_RETRY` when a strategy was not made by the functions of this module.
 */
export function retryPolicy(
  options: {
    retry?: RetryCondition | undefined;
    wait?: WaitStrategy | undefined;
    stop?: StopStrategy | undefined;
  } = {},
): RetryPolicy {
  checkOptions(options, { retry: 1, wait: 1, stop: 1 }, "retryPolicy", { condition: "retry", when: "retry" });
  const { retry, wait = waitFixed(5), stop = stopAfterAttempt(3) } = options;
  if (!(wait instanceof WaitStrategy)) throw new ValidationError("INVALID_RETRY", `wait is ${describe(wait)}.`);
  if (!(stop instanceof StopStrategy)) throw new ValidationError("INVALID_RETRY", `stop is ${describe(stop)}.`);
  if (retry !== undefined && typeof retry !== "function") {
    throw new ValidationError("INVALID_RETRY", `retry is ${describe(retry)}.`);
  }
  return new RetryPolicy([...wait.numbers, ...stop.numbers], retry);
}
