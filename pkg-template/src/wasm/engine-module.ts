// The engine's module. No other file imports its generated glue.

import * as glue from "../../wasm/stepstream_bg.js";
import { WasmModule } from "./loader.js";

/** The engine's exported functions. */
export type Engine = Omit<typeof glue, "__wbg_set_wasm">;

/** The engine. */
export const engineModule = /* @__PURE__ */ new WasmModule(
  glue,
  {
    file: "stepstream",
    setter: "setWasmModule",
    slim: "stepstream/slim",
  },
  (exports) => {
    hot.complete = exports["engine_complete"] as typeof hot.complete;
    hot.send = exports["engine_send"] as typeof hot.send;
    hot.write = exports["engine_write"] as typeof hot.write;
  },
);

/** Takes the compiled module from the program; only `stepstream/slim` exports it, and `slim.d.ts` describes it. */
export function setWasmModule(module: WebAssembly.Module): void {
  engineModule.set(module);
}

/**
 * Functions that are called for each step or each token, past the glue: exports are an object in dictionary mode, so
 * that each look at it is a look-up.
 */
export const hot = {
  complete: undefined as unknown as typeof glue.engine_complete,
  send: undefined as unknown as typeof glue.engine_send,
  write: undefined as unknown as typeof glue.engine_write,
};

/** The engine's functions; the first call makes the instance. */
export function engine(): Engine {
  return engineModule.use();
}
