// The entry for workerd (Cloudflare Workers), which forbids compiling bytes: an imported .wasm is a compiled module.
import module from "../stepstream.wasm";
import { engineModule } from "../src/wasm/engine-module.js";

engineModule.provide(() => module);

export * from "../src/api/index.js";
