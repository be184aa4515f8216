// What the type tests compare types with; there is nothing here at run time.

/** Whether two types are the same, down to `readonly` and `?`; `any` is equal only to itself. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Whether a type is `any`, the only one that is both above and below everything. */
export type IsAny<T> = 0 extends 1 & T ? true : false;

/** Compiles only for `true`. */
export function expectType<Holds extends true>(..._proof: [holds?: Holds]): void {}

/** Compiles only for a value of exactly this type; an `any` fails. */
export function expectValue<Expected>() {
  return <Actual>(_value: Actual, ..._same: Equal<Actual, Expected> extends true ? [] : [mismatch: never]): void => {};
}

expectType<IsAny<ReturnType<typeof JSON.parse>>>();
// @ts-expect-error -- the helper itself: `unknown` is not `any`.
expectType<IsAny<unknown>>();
// @ts-expect-error -- the helper itself: an `any` is not a string.
expectValue<string>()(JSON.parse("1"));
