// The wasm module for calls of models. No other file imports its generated glue.

import * as glue from "../../../wasm/stepstream-llm_bg.js";
import { WasmModule } from "../../wasm/loader.js";

/** The module. */
export const llmModule = /* @__PURE__ */ new WasmModule(glue, {
  file: "stepstream-llm",
  setter: "setLLMWasmModule",
  slim: "stepstream/slim/llm",
});

/** Sets the compiled module. Only `stepstream/slim/llm` exports this; `slim/llm.d.ts` describes it for users. */
export function setLLMWasmModule(module: WebAssembly.Module): void {
  llmModule.set(module);
}
