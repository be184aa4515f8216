// The types of "stepstream/slim": those of the main entry, and the function that hands the module over.
export * from "./index.js";

/** A compiled module, as `WebAssembly.compile` makes it; any object where the compiler's library does not know WebAssembly. */
export type WasmModule = typeof globalThis extends {
  readonly WebAssembly: { readonly Module: { readonly prototype: infer Found } };
}
  ? Found
  : object;

/**
 * Hands the compiled `stepstream.wasm` to the package. Call it before anything else; with the main entry there is
 * nothing to hand over.
 */
export declare function setWasmModule(module: WasmModule): void;
