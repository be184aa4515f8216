// The types of "stepstream/slim": those of the main entry, and the function that hands the module over.
export * from "./index.js";

/**
 * Hands the compiled `stepstream.wasm` to the package. Call it before anything else; with the main entry there is
 * nothing to hand over.
 */
export declare function setWasmModule(module: WebAssembly.Module): void;
