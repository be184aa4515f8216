// The loader: turns the module that an entry provides into the one running engine. It is written by hand because the
// generated loaders fetch or compile at import time, which edge runtimes forbid.
//
// 1. Nothing is compiled or instantiated before the first call of `engine()`, and then synchronously.
// 2. There is at most one live instance. After a trap `discardEngine()` drops it; the next `engine()` makes a fresh one,
//    with a new `engineNumber()`, so that handles of the old one are recognised as stale.
// 3. No other file imports the generated glue.

import * as glue from "../../wasm/stepstream_bg.js";
import { EngineError } from "../errors.js";

/** The engine's exported functions. */
export type Engine = Omit<typeof glue, "__wbg_set_wasm">;

interface Exports {
  readonly memory: WebAssembly.Memory;
  /** Fills the table of JavaScript references; only there if the engine uses them. */
  readonly __wbindgen_start?: () => void;
}

let getModule: (() => WebAssembly.Module) | undefined;
let live: Exports | undefined;
let generation = 1;

/** Called by an entry at import time: says where the compiled module comes from, without getting it. */
export function provideModule(get: () => WebAssembly.Module): void {
  getModule = get;
}

/** Takes the compiled module from the program; only `stepstream/slim` exports it, and `slim.d.ts` describes it. */
export function setWasmModule(module: WebAssembly.Module): void {
  // Not `instanceof`: a module that another realm compiled (as edge runtimes do) is as good.
  if (Object.prototype.toString.call(module) !== "[object WebAssembly.Module]") {
    throw new EngineError("UNSUPPORTED_RUNTIME", "setWasmModule was given something that is not a WebAssembly.Module.");
  }
  provideModule(() => module);
}

function instantiate(): Exports {
  if (getModule === undefined) {
    const first = 'With "stepstream/slim", setWasmModule(module) must be called before anything else.';
    throw new EngineError("UNSUPPORTED_RUNTIME", first);
  }
  try {
    const imports = { "./stepstream_bg.js": glue as unknown as WebAssembly.ModuleImports };
    const exports = new WebAssembly.Instance(getModule(), imports).exports;
    glue.__wbg_set_wasm(exports);
    const started = exports as unknown as Exports;
    started.__wbindgen_start?.();
    return started;
  } catch (cause) {
    // A page's security policy that forbids WebAssembly, say, or a module of another version of the package.
    throw new EngineError("UNSUPPORTED_RUNTIME", "The engine could not be started.", { cause });
  }
}

/** The engine's functions; the first call makes the instance. */
export function engine(): Engine {
  live ??= instantiate();
  return glue;
}

/** The live engine's memory. Its `buffer` changes whenever the memory grows: never keep a view across a call. */
export function engineMemory(): WebAssembly.Memory {
  live ??= instantiate();
  return live.memory;
}

/** Which instance is live, or will be at the next use: what was in one that is gone must not be looked for in the next. */
export function engineNumber(): number {
  return generation;
}

/** Drops the instance, after a trap. Everything that lived in it is gone. */
export function discardEngine(): void {
  // The glue keeps views of the memory and renews them when their buffer is detached; growing by nothing detaches it.
  live?.memory.grow(0);
  live = undefined;
  generation += 1;
}
