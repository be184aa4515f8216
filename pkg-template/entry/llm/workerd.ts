// The entry of the clients for workerd, which forbids compiling bytes: an imported .wasm is a compiled module.
import module from "../../stepstream-llm.wasm";
import { llmModule } from "../../src/llm/internal/wasm.js";

llmModule.provide(() => module);

export * from "../../src/llm/index.js";
