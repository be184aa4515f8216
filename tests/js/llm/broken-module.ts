// The module of the clients with one exported function that traps, to see what a trap does. Only the body of that function is changed.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const bytes = readFileSync(createRequire(import.meta.url).resolve("stepstream/stepstream-llm.wasm"));

const UNREACHABLE = 0x00;
const NOP = 0x01;
const END = 0x0b;
const enum Section {
  Imports = 2,
  Exports = 7,
  Code = 10,
}

/** The module as it is, or with a function that traps when it is called. */
export function llmWasm(trapping?: string): WebAssembly.Module {
  return new WebAssembly.Module(trapping === undefined ? bytes : withTrap(Uint8Array.from(bytes), trapping));
}

function withTrap(wasm: Uint8Array<ArrayBuffer>, name: string): Uint8Array<ArrayBuffer> {
  let at = 8;
  const number = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = wasm[at]!;
      at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const text = (): string => {
    const length = number();
    at += length;
    return new TextDecoder().decode(wasm.subarray(at - length, at));
  };
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(wasm)).length;
  let wanted = -1;
  while (at < wasm.length) {
    const section = wasm[at]!;
    at += 1;
    const size = number();
    const end = at + size;
    if (section === Section.Exports) {
      for (let count = number(); count > 0; count -= 1) {
        const found = text() === name;
        at += 1;
        const index = number();
        if (found) wanted = index - imported;
      }
    }
    if (section === Section.Code) {
      number();
      for (let skipped = 0; skipped < wanted; skipped += 1) at = number() + at;
      const last = number() + at - 1;
      for (let groups = number(); groups > 0; groups -= 1) {
        number();
        at += 1;
      }
      wasm.fill(NOP, at, last);
      wasm[at] = UNREACHABLE;
      wasm[last] = END;
      return wasm;
    }
    at = end;
  }
  throw new Error(`The module exports no ${name}.`);
}
