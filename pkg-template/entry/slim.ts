// The entry without the wasm bytes: the program compiles `stepstream/stepstream.wasm` its own way and hands it over.
export * from "../src/index.js";
export { setWasmModule } from "../src/internal/wasm.js";
