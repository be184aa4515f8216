// Retry policies as plain data, for whoever shows a workflow.

import { FOREVER, type RetryFunction, type RetryPolicy, partsOf } from "./retry.js";

/** How long a step waits before its next attempt. Durations in seconds; null stands for any time. */
export type WaitDescription =
  | { readonly kind: "fixed"; readonly seconds: number | null }
  | {
      readonly kind: "exponential";
      readonly initial: number | null;
      readonly factor: number;
      readonly max: number | null;
    }
  | {
      readonly kind: "incrementing";
      readonly initial: number | null;
      readonly step: number | null;
      readonly max: number | null;
    }
  | { readonly kind: "random"; readonly min: number | null; readonly max: number | null }
  | {
      readonly kind: "fullJitter";
      readonly initial: number | null;
      readonly factor: number;
      readonly min: number | null;
      readonly max: number | null;
    }
  | {
      readonly kind: "exponentialJitter";
      readonly initial: number | null;
      readonly factor: number;
      readonly max: number | null;
      readonly jitter: number | null;
    }
  | { readonly kind: "chain" | "sum"; readonly waits: readonly WaitDescription[] };

/** When a step stops trying. Durations in seconds; null stands for any time. */
export type StopDescription =
  | { readonly kind: "never" }
  | { readonly kind: "afterAttempt"; readonly attempts: number }
  | { readonly kind: "afterDelay" | "beforeDelay"; readonly seconds: number | null }
  | { readonly kind: "any" | "all"; readonly stops: readonly StopDescription[] };

/** Whether and how a failed attempt is repeated. */
export type RetryDescription =
  | {
      readonly kind: "policy";
      readonly wait: WaitDescription;
      readonly stop: StopDescription;
      /** Whether a condition decides which errors are worth another attempt. */
      readonly isConditional: boolean;
    }
  | {
      /** A function of the program decides. */
      readonly kind: "function";
    };

/** Reads the numbers of a policy, as `RetryPolicy::decode` in `src/engine/retry.rs` does. */
class Reader {
  #at = 0;
  readonly #numbers: readonly number[];

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  #number(): number {
    return this.#numbers[this.#at++]!;
  }

  #seconds(): number | null {
    const ms = this.#number();
    return ms >= FOREVER ? null : ms / 1000;
  }

  #list<Member>(member: () => Member): Member[] {
    return Array.from({ length: this.#number() }, member);
  }

  wait(): WaitDescription {
    const kind = this.#number();
    switch (kind) {
      case 0:
        return { kind: "fixed", seconds: this.#seconds() };
      case 1:
        return { kind: "exponential", initial: this.#seconds(), factor: this.#number(), max: this.#seconds() };
      case 2:
        return { kind: "incrementing", initial: this.#seconds(), step: this.#seconds(), max: this.#seconds() };
      case 3:
        return { kind: "random", min: this.#seconds(), max: this.#seconds() };
      case 4:
        return { kind: "fullJitter", initial: this.#seconds(), factor: this.#number(), min: 0, max: this.#seconds() };
      case 7: {
        const [initial, factor] = [this.#seconds(), this.#number()];
        return { kind: "fullJitter", initial, factor, min: this.#seconds(), max: this.#seconds() };
      }
      case 8: {
        const [initial, factor, max] = [this.#seconds(), this.#number(), this.#seconds()];
        return { kind: "exponentialJitter", initial, factor, max, jitter: this.#seconds() };
      }
      default:
        return { kind: kind === 5 ? "chain" : "sum", waits: this.#list(() => this.wait()) };
    }
  }

  stop(): StopDescription {
    const kind = this.#number();
    switch (kind) {
      case 0:
        return { kind: "never" };
      case 1:
        return { kind: "afterAttempt", attempts: this.#number() };
      case 2:
      case 5:
        return { kind: kind === 2 ? "afterDelay" : "beforeDelay", seconds: this.#seconds() };
      default:
        return { kind: kind === 3 ? "any" : "all", stops: this.#list(() => this.stop()) };
    }
  }
}

/** A policy as data. */
export function describeRetry(retry: RetryPolicy | RetryFunction): RetryDescription {
  const parts = partsOf(retry);
  if (parts === undefined) return { kind: "function" };
  const reader = new Reader(parts.numbers);
  return { kind: "policy", wait: reader.wait(), stop: reader.stop(), isConditional: parts.condition !== undefined };
}
