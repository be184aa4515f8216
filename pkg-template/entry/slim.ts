// The entry without the wasm bytes: the program compiles `stepstream/stepstream.wasm` its own way and hands it over.
export * from "../src/api/index.js";
export { setWasmModule } from "../src/wasm/engine-module.js";
