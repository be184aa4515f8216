// The entry of the clients for Vercel's edge runtime, whose bundler compiles the module and hands it over under `?module`.
import module from "../../stepstream-llm.wasm?module";
import { llmModule } from "../../src/llm/internal/wasm.js";

llmModule.provide(() => module);

export * from "../../src/llm/index.js";
