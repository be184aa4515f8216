// The default entry, for every runtime that compiles WebAssembly from bytes: they travel inside the JavaScript.
import base64 from "../wasm/stepstream_inline.js";
import { fromBase64 } from "../src/internal/base64.js";
import { engineModule } from "../src/internal/wasm.js";

engineModule.provide(() => new WebAssembly.Module(fromBase64(base64)));

export * from "../src/index.js";
