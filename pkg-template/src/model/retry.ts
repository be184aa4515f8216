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
}

/** When to stop trying; made by the `stop…` functions. */
export class StopStrategy {
  declare protected readonly [role]: "stop";
}

/** A retry policy; made by {@link retryPolicy}. */
export class RetryPolicy {
  declare protected readonly [role]: "policy";
}

/** What a strategy or a policy is made of. */
export interface RetryParts {
  /** As the engine reads it: kinds, each followed by its arguments. Of a policy: the wait, then the stop. */
  readonly numbers: readonly number[];
  /** Whether an error is worth another attempt. */
  readonly condition: RetryCondition | undefined;
}

/** Beside the objects, and not in them: users see nothing of it. */
const parts = /* @__PURE__ */ new WeakMap<object, RetryParts>();

/** What a strategy or a policy is made of; undefined for anything that the functions of this module did not make. */
export function partsOf(made: object): RetryParts | undefined {
  return parts.get(made);
}

function make<Made extends object>(made: Made, numbers: readonly number[], condition?: RetryCondition): Made {
  parts.set(made, { numbers, condition });
  return made;
}

const wait = (numbers: readonly number[]): WaitStrategy => make(new WaitStrategy(), numbers);
const stop = (numbers: readonly number[]): StopStrategy => make(new StopStrategy(), numbers);

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
export const FOREVER = 2 ** 53;

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
  const members = of.flatMap((member, nth) => {
    const known = member instanceof made ? partsOf(member) : undefined;
    if (known === undefined) throw new ValidationError("INVALID_RETRY", `Argument ${nth + 1} is ${describe(member)}.`);
    return known.numbers;
  });
  return [kind, of.length, ...members];
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

/** Does not wait. */
export const waitNone: WaitStrategy = /* @__PURE__ */ wait([0, 0]);

/** Always waits this many seconds. */
export function waitFixed(seconds: number): WaitStrategy {
  return wait([0, time(seconds, "waitFixed")]);
}

/** Waits `initial * factor^n` seconds, at most `max`. */
export function waitExponential(options: ExponentialOptions = {}): WaitStrategy {
  const synonyms = { min: "initial", multiplier: "factor", base: "factor" };
  checkOptions(options, exponentialNames, "waitExponential", synonyms);
  const { initial = 1, factor = 2, max = 60 } = options;
  return wait([1, time(initial, "initial"), positive(factor, "factor"), time(max, "max")]);
}

/** Waits `initial + step * n` seconds, at most `max`. Defaults: 0, 1, 60. */
export function waitIncrementing(
  options: { initial?: number | undefined; step?: number | undefined; max?: number | undefined } = {},
): WaitStrategy {
  checkOptions(options, { initial: 1, step: 1, max: 1 }, "waitIncrementing", { start: "initial", increment: "step" });
  const { initial = 0, step = 1, max = 60 } = options;
  return wait([2, time(initial, "initial"), time(step, "step"), time(max, "max")]);
}

/**
 * Waits anywhere between `min` and `max` seconds. Defaults: 0, 1. The draw depends on the run id alone, so a replay
 * repeats it.
 */
export function waitRandom(options: { min?: number | undefined; max?: number | undefined } = {}): WaitStrategy {
  checkOptions(options, { min: 1, max: 1 }, "waitRandom");
  const { min = 0, max = 1 } = options;
  return wait([3, time(min, "min"), time(max, "max")]);
}

/** Options of {@link waitFullJitter}. Durations in seconds. */
export interface FullJitterOptions extends ExponentialOptions {
  /** The shortest wait. Default: 0. */
  readonly min?: number | undefined;
}

/**
 * Waits anywhere between `min` and what {@link waitExponential} would wait ("full jitter"): the best choice against
 * overload.
 */
export function waitFullJitter(options: FullJitterOptions = {}): WaitStrategy {
  checkOptions(options, { ...exponentialNames, min: 1 }, "waitFullJitter", { multiplier: "factor", base: "factor" });
  const { initial = 1, factor = 2, max = 60, min = 0 } = options;
  const [first, growth, longest] = [time(initial, "initial"), positive(factor, "factor"), time(max, "max")];
  const shortest = time(min, "min");
  return wait(shortest === 0 ? [4, first, growth, longest] : [7, first, growth, shortest, longest]);
}

/** Options of {@link waitExponentialJitter}. Durations in seconds. */
export interface ExponentialJitterOptions extends ExponentialOptions {
  /** The most that is added. Default: 1. */
  readonly jitter?: number | undefined;
}

/** Waits what {@link waitExponential} would wait and up to `jitter` seconds more, together at most `max`. */
export function waitExponentialJitter(options: ExponentialJitterOptions = {}): WaitStrategy {
  const names: OptionNames<ExponentialJitterOptions> = { ...exponentialNames, jitter: 1 };
  checkOptions(options, names, "waitExponentialJitter", { multiplier: "factor", base: "factor" });
  const { initial = 1, factor = 2, max = 60, jitter = 1 } = options;
  const grown = [time(initial, "initial"), positive(factor, "factor"), time(max, "max")];
  return wait([8, ...grown, time(jitter, "jitter")]);
}

/** One strategy for each attempt in turn; the last goes on for the rest. */
export function waitChain(...waits: WaitStrategy[]): WaitStrategy {
  return wait(list(5, waits, WaitStrategy));
}

/** The sum of several waits. */
export function waitSum(...waits: WaitStrategy[]): WaitStrategy {
  return wait(list(6, waits, WaitStrategy));
}

/** Never stops trying. */
export const stopNever: StopStrategy = /* @__PURE__ */ stop([0]);

/** Stops after this many attempts. */
export function stopAfterAttempt(attempts: number): StopStrategy {
  return stop([1, Math.min(positive(attempts, "stopAfterAttempt"), 2 ** 32 - 1)]);
}

/** Stops when this many seconds have gone by since the first attempt began. */
export function stopAfterDelay(seconds: number): StopStrategy {
  return stop([2, time(seconds, "stopAfterDelay")]);
}

/**
 * Stops when this many seconds would have gone by since the first attempt began, once the next wait is over. So no wait
 * is begun that ends too late. {@link stopAfterDelay} would wait, and let one more attempt begin.
 */
export function stopBeforeDelay(seconds: number): StopStrategy {
  return stop([5, time(seconds, "stopBeforeDelay")]);
}

/** Stops when any of them says so. */
export function stopAny(...stops: StopStrategy[]): StopStrategy {
  return stop(list(3, stops, StopStrategy));
}

/** Stops when all of them say so. */
export function stopAll(...stops: StopStrategy[]): StopStrategy {
  return stop(list(4, stops, StopStrategy));
}

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

/**
 * Retries on errors that were caused by one of these classes: the error's `cause`, the cause of that, and so on. The
 * class of the error itself does not count.
 */
export function retryIfCauseType(...classes: ErrorClass[]): RetryCondition {
  return (error) => {
    const seen = new Set<unknown>([error]);
    for (let at: unknown = error.cause; at instanceof Error && !seen.has(at); at = at.cause) {
      if (classes.some((kind) => at instanceof kind)) return true;
      seen.add(at);
    }
    return false;
  };
}

/** Retries on every error. */
export const retryAlways: RetryCondition = () => true;

/** Never retries. */
export const retryNever: RetryCondition = () => false;

/** Retries when the condition does not hold. */
export function retryNot(condition: RetryCondition): RetryCondition {
  return (error, attempt) => !condition(error, attempt);
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
  const { retry, wait: pause = waitFixed(5), stop: end = stopAfterAttempt(3) } = options;
  const waits = pause instanceof WaitStrategy ? partsOf(pause) : undefined;
  const stops = end instanceof StopStrategy ? partsOf(end) : undefined;
  if (waits === undefined) throw new ValidationError("INVALID_RETRY", `wait is ${describe(pause)}.`);
  if (stops === undefined) throw new ValidationError("INVALID_RETRY", `stop is ${describe(end)}.`);
  if (retry !== undefined && typeof retry !== "function") {
    throw new ValidationError("INVALID_RETRY", `retry is ${describe(retry)}.`);
  }
  return make(new RetryPolicy(), [...waits.numbers, ...stops.numbers], retry);
}
