// The types of "stepstream/slim/llm": those of "stepstream/llm", and the function that hands the module over.
import type { WasmModule } from "../slim.js";

export * from "../llm.js";

/**
 * Hands the compiled `stepstream-llm.wasm` to the clients. Call it before the first call of a model; with "stepstream/llm" there is
 * nothing to hand over.
 */
export declare function setLLMWasmModule(module: WasmModule): void;
