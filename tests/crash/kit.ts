// What the crash drills have in common: the package with modules that panic on request. Every panic is a real one, in a real instance.

import { readFileSync } from "node:fs";
import { setWasmModule } from "stepstream/slim";
import { setLLMWasmModule } from "stepstream/slim/llm";

/** Where `src/wasm/drill.rs` can panic. */
export const place = { TICK: 1, WAKE: 2, CAPTURE: 3, RESTORE: 4, REPLAY: 5, FREE: 6, CALL: 7 } as const;

interface Drill extends WebAssembly.Exports {
  /** Panics when the place is passed the next time but `spared`. */
  readonly drill_arm: (place: number, spared: number) => void;
}

type Name = "stepstream" | "stepstream-llm";

const instances: Record<Name, Drill[]> = { stepstream: [], "stepstream-llm": [] };

WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(target, args: [WebAssembly.Module, WebAssembly.Imports?]) {
    const instance = new target(...args);
    instances["call_new" in instance.exports ? "stepstream-llm" : "stepstream"].push(instance.exports as Drill);
    return instance;
  },
});

const given = process.env["STEPSTREAM_DRILLS"];
if (given === undefined) throw new Error("The stage builds what this needs: `npm test -- --only crash`.");

/** The modules that panic on request. */
const drills: Readonly<Record<Name, string>> = JSON.parse(given);
const moduleOf = (name: Name): WebAssembly.Module => new WebAssembly.Module(readFileSync(drills[name]));

/** Has the package use such modules from the next instances on. */
export function useDrills(): void {
  setWasmModule(moduleOf("stepstream"));
  setLLMWasmModule(moduleOf("stepstream-llm"));
}

/** How many instances were made so far. */
export const instanceCount = (name: Name = "stepstream"): number => instances[name].length;

/** Has the latest instance panic at a place, the next time that it is passed but `spared`. */
export function arm(at: (typeof place)[keyof typeof place], spared = 0): void {
  instances[at === place.CALL ? "stepstream-llm" : "stepstream"].at(-1)!.drill_arm(at, spared);
}
