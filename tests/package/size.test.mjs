// Holds the package's download size against its budget, and prints it.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { installed } from "../../scripts/lib/paths.mjs";
import { sizes, sizeTable } from "../../scripts/lib/size.mjs";

// Gzipped bytes. Raise one only together with the reason, here.
const CEILINGS = {
  // Wasm and generated glue. 50 kB was the engine without durability; freezing, recovery, the journal and replay are
  // in the same module. BENCHMARKS.md says where the bytes are.
  engine: 75_000,
  // The engine and the typed face with the payload codec and seals, minified: the budget for everything.
  "slim + wasm": 110_000,
  workerd: 110_000, // The same content.
  "edge-light": 110_000, // The same content.
  // What calls models, with requests and streams of four APIs; a module of its own, so that the engine alone stays small.
  "llm engine": 56_000,
  "slim/llm + wasm": 85_000, // With the typed clients and tools, which share only the errors and the loader with workflows.
  "llm/workerd": 85_000, // The same content.
  "llm/inline": 105_000, // With the wasm as base64.
  "+ slim/agents": 22_000, // What agents and tools add to workflows.
  stores: 7_500, // With the errors and their help, those of agents included, which is most of it.
  "stores/file": 7_500, // The same.
  inline: 135_000, // As slim, with the wasm as base64: a third more bytes, which compress badly.
};

const rows = sizes(installed);
console.log(sizeTable(rows));

for (const [name, ceiling] of Object.entries(CEILINGS)) {
  test(`${name} stays under ${ceiling / 1000} kB gzipped`, () => {
    const row = rows.find((candidate) => candidate.name === name);
    assert.ok(row, `the package has no entry ${name}`);
    assert.ok(row.gzip <= ceiling, `${name} weighs ${row.gzip} bytes gzipped; the ceiling is ${ceiling}`);
  });
}

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
