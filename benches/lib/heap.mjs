// What the process holds after a full collection: JavaScript's heap with what hangs off it, and wasm memory, which
// Node counts among the latter. Import this before the package, so that it sees the instance being made.
const memories = [];
const Instance = WebAssembly.Instance;

WebAssembly.Instance = class extends Instance {
  constructor(module, imports) {
    super(module, imports);
    if (this.exports.memory) memories.push(this.exports.memory);
  }
};

export const MB = 1e6;

/** Bytes held. Twice, because what finalizers let go of in the first collection goes in the second. */
export function held() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  const wasm = memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  return { js: heapUsed + external - wasm, wasm };
}

/** The same after timers and finalizers had their turns. */
export async function heldAtRest() {
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return held();
}

/** What was held at each tenth, and how much more the last tenth held than the first. */
export function growth(samples) {
  const total = samples.map(({ js, wasm }) => js + wasm);
  return {
    growthMB: (total.at(-1) - total[0]) / MB,
    jsMB: samples.map(({ js }) => js / MB),
    wasmMB: samples.map(({ wasm }) => wasm / MB),
  };
}
