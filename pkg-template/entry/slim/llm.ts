// The entry of the clients without the wasm bytes: the program compiles `stepstream/stepstream-llm.wasm` its own way.
export * from "../../src/llm/index.js";
export { setLLMWasmModule } from "../../src/llm/internal/wasm.js";
