// Holds the package's download size against its budget, and prints it.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { installed } from "../../scripts/lib/paths.mjs";
import { sizes, sizeTable } from "../../scripts/lib/size.mjs";

// Kilobytes: raw, gzipped, in brotli. Raise one only together with the reason, here. BENCHMARKS.md says where the bytes are.
const CEILINGS = {
  // Wasm and generated glue. 50 kB was the engine without durability; snapshots, the journal and replay are in the same module.
  // Raised from 75 for direct ticks, withdrawn waits, questions and resets, what stalled runs lack, and two versions of the format.
  // Raised from 233 for arrays and lists: groups, lanes of joins, and a third version of the format.
  engine: [280, 106, 86],
  // The engine and the typed API with the payload codec and seals, minified. Over the budget of 110 since the second edition of the
  // core, which added the above to the engine, and to the API firstOf, checks of options, nested answers and longer messages.
  "slim + wasm": [379, 144, 120],
  workerd: [379, 144, 120], // The same content.
  "edge-light": [379, 144, 120], // The same content.
  inline: [463, 177, 146], // As slim, with the wasm as base64: a third more bytes, which compress badly.
  // What calls models, with requests and streams of four APIs; a module of its own, so that the engine alone stays small.
  "llm engine": [133, 58, 49],
  "slim/llm + wasm": [192, 79, 67], // With the typed clients and tools, which share only the errors and the loader with workflows.
  "llm/workerd": [192, 79, 67], // The same content.
  "llm/inline": [232, 96, 83], // With the wasm as base64.
  "+ slim/agents": [64, 21, 19], // Agents and tools, beside the engine; no client of a model.
  "agents/inline": [525, 197, 164], // With the engine, inlined.
  "+ checkpointer": [5, 2.5, 2.2],
  stores: [20, 7.8, 6.7], // With the errors and their help, those of agents included, which is most of it.
  "stores/file": [21, 8.1, 7], // The same, and the check of its directory.
  // Both modules and every entry, not inlined. The package is split so that only who uses it all needs it all.
  everything: [588, 230, 194],
};

/** The modules without their glue, which are of no use. */
const PARTS = ["wasm alone", "llm wasm alone"];

const rows = sizes(installed);
console.log(sizeTable(rows));

for (const [name, ceilings] of Object.entries(CEILINGS)) {
  test(`${name} stays under its ceilings`, () => {
    const row = rows.find((candidate) => candidate.name === name);
    assert.ok(row, `the package has no entry ${name}`);
    ["raw", "gzip", "brotli"].forEach((kind, at) => {
      const ceiling = ceilings[at] * 1000;
      assert.ok(row[kind] <= ceiling, `${name} weighs ${row[kind]} bytes, ${kind}; the ceiling is ${ceiling}`);
    });
  });
}

test("every entry has its ceilings", () => {
  const names = rows.map(({ name }) => name).filter((name) => !PARTS.includes(name));
  assert.deepEqual(names.sort(), Object.keys(CEILINGS).sort());
});

test("the slim entry carries no copy of the wasm", () => {
  const slim = rows.find((row) => row.name === "slim + wasm");
  const inline = rows.find((row) => row.name === "inline");
  const wasm = rows.find((row) => row.name === "wasm alone");
  assert.ok(inline.raw - (slim.raw - wasm.raw) > wasm.raw, "slim's JavaScript holds what only inline's should");
});

test("the clients of models carry nothing of the engine and of workflows", () => {
  for (const { files } of rows.filter(({ name }) => /^(slim\/)?llm\//.test(name))) {
    const shared = files.slice(1).map((file) => path.basename(file));
    const allowed = ["base.js", "common.js", "llm.js", "runtime.js", "stepstream-llm.wasm", "tools.js"];
    assert.deepEqual(
      shared.filter((file) => !allowed.includes(file)),
      [],
    );
  }
});

test("the stores carry nothing of the engine and of workflows", () => {
  for (const { files } of rows.filter(({ name }) => name.startsWith("stores"))) {
    const shared = files.slice(1).map((file) => path.basename(file));
    assert.deepEqual(shared.sort(), ["base.js", "store.js"]);
  }
});
