// What the declarations need of the platform, where the compiler's library knows it. A program may be compiled with
// neither "DOM" nor the types of Node; what is missing there has a stand-in, so that the declarations compile all the
// same.

/** What is needed of an AbortSignal. */
interface SignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
  throwIfAborted(): void;
}

/** The platform's `AbortSignal`. */
export type Signal = typeof globalThis extends { readonly AbortSignal: { readonly prototype: infer Found } }
  ? Found
  : SignalLike;

/** The platform's `CryptoKey`; nothing where there is none. */
export type Key = typeof globalThis extends { readonly CryptoKey: { readonly prototype: infer Found } } ? Found : never;

/** The platform's `fetch`. */
export type Fetch = typeof globalThis extends { readonly fetch: infer Found } ? Found : (...args: never) => unknown;

/** The platform's `URL`. */
export type Address = typeof globalThis extends { readonly URL: { readonly prototype: infer Found } }
  ? Found
  : { readonly href: string };
