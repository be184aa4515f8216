// What `once` remembers, as a payload.

/** The result of `once`: wrapped, so that it is never taken for an event on its way. */
export class Remembered {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** Under which key an invocation remembers the result of a side effect. */
export const onceKey = (key: string): string => `once:${key}`;

/** Under which key an invocation remembers that a nested run has completed. */
export const nestedKey = (key: string): string => `nested:${key}`;
