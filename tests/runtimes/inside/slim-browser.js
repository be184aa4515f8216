// The program of a page with the entries that hold no wasm: the page loads it beside the script, and compiles it while it comes.

import { setWasmModule } from "stepstream/slim";
import { setLLMWasmModule } from "stepstream/slim/llm";

const load = (name) => WebAssembly.compileStreaming(fetch(`/${name}`));

setWasmModule(await load("stepstream.wasm"));
setLLMWasmModule(await load("stepstream-llm.wasm"));

// It takes jobs from the moment it is there, so it comes last.
await import("./browser.js");
