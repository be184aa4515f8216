// The module that carries out calls of models. No other file imports its generated glue.

import * as glue from "../../../wasm/stepstream-llm_bg.js";
import { WasmModule } from "../../wasm/loader.js";

/** The module. */
export const llmModule = /* @__PURE__ */ new WasmModule(glue, {
  file: "stepstream-llm",
  setter: "setLLMWasmModule",
  slim: "stepstream/slim/llm",
});

/** Takes the compiled module from the program; only `stepstream/slim/llm` exports it, and `slim/llm.d.ts` describes it. */
export function setLLMWasmModule(module: WebAssembly.Module): void {
  llmModule.set(module);
}
