// The engine's module. No other file imports its generated glue.

import * as glue from "../../wasm/stepstream_bg.js";
import { WasmModule } from "./wasm-module.js";

/** The engine's exported functions. */
export type Engine = Omit<typeof glue, "__wbg_set_wasm">;

/** The engine. */
export const engineModule = /* @__PURE__ */ new WasmModule(glue, {
  file: "stepstream",
  setter: "setWasmModule",
  slim: "stepstream/slim",
});

/** Takes the compiled module from the program; only `stepstream/slim` exports it, and `slim.d.ts` describes it. */
export function setWasmModule(module: WebAssembly.Module): void {
  engineModule.set(module);
}

/** The engine's functions; the first call makes the instance. */
export function engine(): Engine {
  return engineModule.use();
}
