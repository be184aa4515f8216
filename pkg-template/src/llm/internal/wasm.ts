// The wasm module for calls of models. No other file imports its generated glue.

import * as glue from "../../../wasm/stepstream-llm_bg.js";
import { WasmModule } from "../../wasm/loader.js";

/** The module. */
export const llmModule = /* @__PURE__ */ new WasmModule(
  glue,
  {
    file: "stepstream-llm",
    setter: "setLLMWasmModule",
    slim: "stepstream/slim/llm",
  },
  (exports) => {
    hot.chunk = exports["call_chunk"] as typeof hot.chunk;
  },
);

/** A function that is called for each chunk of the network, past the glue, as in `wasm/engine-module.ts`. */
export const hot = {
  chunk: undefined as unknown as typeof glue.call_chunk,
};

/** Sets the compiled module. Only `stepstream/slim/llm` exports this; `slim/llm.d.ts` describes it for users. */
export function setLLMWasmModule(module: WebAssembly.Module): void {
  llmModule.set(module);
}
