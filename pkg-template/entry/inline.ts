// The default entry, for every runtime that compiles WebAssembly from bytes: they travel inside the JavaScript.
import base64 from "../wasm/stepstream_inline.js";
import { fromBase64 } from "../src/util/base64.js";
import { engineModule } from "../src/wasm/engine-module.js";

engineModule.provide(() => new WebAssembly.Module(fromBase64(base64)));

export * from "../src/api/index.js";
