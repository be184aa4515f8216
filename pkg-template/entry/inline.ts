// The default entry, for every runtime that compiles WebAssembly from bytes: they travel inside the JavaScript.
import base64 from "../wasm/inline.js";
import { fromBase64 } from "../src/internal/base64.js";
import { provideModule } from "../src/internal/wasm.js";

provideModule(() => new WebAssembly.Module(fromBase64(base64)));

export * from "../src/index.js";
