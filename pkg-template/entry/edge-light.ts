// The entry for Vercel's edge runtime, whose bundler compiles the module and hands it over under `?module`.
import module from "../stepstream.wasm?module";
import { engineModule } from "../src/wasm/engine-module.js";

engineModule.provide(() => module);

export * from "../src/api/index.js";
