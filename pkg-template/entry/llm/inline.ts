// The default entry of the clients, for every runtime that compiles WebAssembly from bytes: they travel inside the JavaScript.
import base64 from "../../wasm/stepstream-llm_inline.js";
import { fromBase64 } from "../../src/util/base64.js";
import { llmModule } from "../../src/llm/internal/wasm.js";

llmModule.provide(() => new WebAssembly.Module(fromBase64(base64)));

export * from "../../src/llm/index.js";
