// What crossing into the packed wasm costs, apart from promises and user code: a call that finds nothing to do, a tick
// that is refused, a complete tick, and the same with its answer read as the package reads it.
// `node benches/boundary.mjs` prints nanoseconds per call; `--json` one line for the runner; `--wasm <file>` measures
// another build.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { median } from "./lib/stats.mjs";

const SAMPLES = 15;
const CALLS = 200_000;
/** A handle that never was. */
const UNKNOWN = 0x7fff_ffff;
const ROLE = { plain: 0, start: 1, stop: 2 };
/** The words before the commands of an answer: error, length of the reply, length of the commands. */
const HEADER = 3;
/** The commands that a chain brings about, and how many words follow each; the last word of an invocation is its slot. */
const PUBLISH = 1;
const RELEASE = 2;
const INVOKE = 3;
const ALARM = 8;
/** Publish, invoke and release in one: step, index, generation, slot, the slot that is released. */
const NEXT = 12;
/** Stands where the length of a reply would, when there is none and the commands lie in the engine's own memory. */
const OWN = 0x8000_0000;
/** No slot. */
const NONE = 0xffff_ffff;

const at = process.argv.indexOf("--wasm");
const file = at > 0 ? process.argv[at + 1] : createRequire(import.meta.url).resolve("stepstream/stepstream.wasm");

/** The one import prepares JavaScript references in wasm, which none of the functions called here uses. */
const imports = { "./stepstream_bg.js": { __wbindgen_init_externref_table() {} } };
const wasm = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), imports).exports;

let words = new Uint32Array(wasm.memory.buffer);

/** The view goes stale when wasm memory grows. */
function refresh() {
  if (words.length === 0) words = new Uint32Array(wasm.memory.buffer);
}

/** Numbers as an argument: the callee frees them. */
function list(...numbers) {
  const address = wasm.__wbindgen_malloc(numbers.length * 4, 4) >>> 0;
  refresh();
  words.set(numbers, address >>> 2);
  return [address, numbers.length];
}

/** A run of one step for any number of invocations: every completion brings the next invocation. */
class Chain {
  constructor() {
    const graph = wasm.graph_new();
    const [start, count, stop] = [ROLE.start, ROLE.plain, ROLE.stop].map((role) =>
      wasm.graph_type(graph, ...list(), role, ...list()),
    );
    const step = (input, outputs) => {
      const [ways, made] = [list(1, input), list(...outputs)];
      const rest = [1, 0, ...list(), -1, ...list(), -1, 0, 0, ...list()];
      return wasm.graph_step(graph, ...list(), 1, ...list(), ...ways, ...made, ...rest);
    };
    if (step(start, [count]) !== 0 || step(count, [count, stop]) !== 1) throw new Error("the steps were refused");
    this.engine = wasm.engine_new(graph, ...list(), 60_000, -1, 4096, 0);
    this.output = count + 1;
    this.invocation = { index: 0, generation: 0, step: -1, slot: 0 };
    this.free = [];
    this.slots = 1;
    this.read(wasm.engine_start(this.engine, start, 0, 0));
  }

  read(address) {
    refresh();
    let here = address >>> 2;
    if (words[here] !== 0) throw new Error(`the tick was refused with code ${words[here]}`);
    const reply = words[here + 1] === OWN ? 0 : words[here + 1];
    const end = here + HEADER + reply + words[here + 2];
    here += HEADER + reply;
    while (here < end) {
      switch (words[here]) {
        case PUBLISH:
        case ALARM:
          here += 2;
          break;
        case RELEASE:
          this.free.push(words[here + 1]);
          here += 2;
          break;
        case INVOKE:
          this.invocation.step = words[here + 1];
          this.invocation.index = words[here + 2];
          this.invocation.generation = words[here + 3];
          this.invocation.slot = words[here + 6];
          here += 6 + words[here + 5];
          break;
        case NEXT:
          this.invocation.step = words[here + 1];
          this.invocation.index = words[here + 2];
          this.invocation.generation = words[here + 3];
          this.invocation.slot = words[here + 4];
          if (words[here + 5] !== NONE) this.free.push(words[here + 5]);
          here += 6;
          break;
        default:
          throw new Error(`an answer held the unexpected command ${words[here]}`);
      }
    }
  }

  complete() {
    const { index, generation } = this.invocation;
    const slot = this.free.pop() ?? this.slots++;
    return wasm.engine_complete(this.engine, index, generation, this.output, slot, 1);
  }

  check() {
    if (this.invocation.step !== 1) throw new Error("the chain did not get to its second step");
    if (this.slots > 3) throw new Error(`a chain took ${this.slots} slots; three are enough`);
  }
}

function nanoseconds(work) {
  const samples = [];
  for (let sample = 0; sample <= SAMPLES; sample++) {
    const start = performance.now();
    work(CALLS);
    samples.push(((performance.now() - start) * 1e6) / CALLS);
  }
  return median(samples.slice(1));
}

const chain = new Chain();
chain.read(chain.complete());

const emptyCallNs = nanoseconds((calls) => {
  for (let i = 0; i < calls; i++) wasm.graph_free(UNKNOWN);
});
const refusedTickNs = nanoseconds((calls) => {
  for (let i = 0; i < calls; i++) wasm.engine_complete(UNKNOWN, 0, 0, 0, 0, 1);
});
const tickNs = nanoseconds((calls) => {
  for (let i = 0; i < calls; i++) chain.read(chain.complete());
});
chain.check();

const results = { emptyCallNs, refusedTickNs, tickNs };
if (process.argv.includes("--json")) console.log(JSON.stringify(results));
else for (const [name, ns] of Object.entries(results)) console.log(`${name.padEnd(14)}${ns.toFixed(1).padStart(8)} ns`);
