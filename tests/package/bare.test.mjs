// Importing the package needs nothing but the language: no TextEncoder, WebAssembly, fetch, crypto, timers and the like.
// Environments for tests, such as Jest's jsdom, lack some of them, and an import must not fail there.
//
// Each entry is bundled into a script, because Node's modules in a context are experimental.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import vm from "node:vm";
import { rolldown } from "rolldown";
import { installLocked } from "../../scripts/lib/installed.mjs";
import { at, installed } from "../../scripts/lib/paths.mjs";

/** The entries for every runtime: all but the one that uses Node's modules. */
function entries() {
  const { exports } = JSON.parse(readFileSync(path.join(installed, "package.json"), "utf8"));
  const targets = Object.values(exports).filter((target) => typeof target === "object");
  const files = targets.flatMap((target) => Object.entries(target).filter(([condition]) => condition !== "types"));
  return [...new Set(files.map(([, file]) => file))].filter(
    (file) => file.endsWith(".js") && !/stores\/file/.test(file),
  );
}

/** In edge runtimes an imported .wasm is a compiled module, which is only looked at when it is used. */
const wasm = {
  name: "wasm",
  resolveId: (id) => (/\.wasm(\?module)?$/.test(id) ? "\0wasm" : undefined),
  load: (id) => (id === "\0wasm" ? "export default {}" : undefined),
};

/** A script that imports an entry, and puts its exports into the variable `entry`. */
async function scriptOf(file) {
  const build = await rolldown({ input: path.join(installed, file), plugins: [wasm] });
  const { output } = await build.generate({ format: "iife", name: "entry" });
  await build.close();
  return output[0].code;
}

test("every entry can be imported where there is nothing but the language", async () => {
  const files = entries();
  assert.ok(files.length >= 14);
  for (const file of files) {
    const context = vm.createContext({});
    // V8 adds these two to every context.
    vm.runInContext("delete globalThis.WebAssembly; delete globalThis.console;", context);
    vm.runInContext(await scriptOf(file), context, { filename: file });
    assert.ok(vm.runInContext("Object.keys(entry).length", context) > 0, `${file} exports nothing`);
  }
});

test("every entry can be imported in jsdom, and a workflow runs there", async (context) => {
  const packages = at("target/jsdom");
  const sources = path.join(import.meta.dirname, "jsdom");
  const reason = await installLocked({ name: "jsdom", sources, folder: packages });
  if (reason !== undefined) return context.skip(reason);
  const { JSDOM } = createRequire(path.join(packages, "package.json"))("jsdom");
  const dom = new JSDOM("", { runScripts: "outside-only", url: "http://localhost/" });
  const run = (script, filename) => vm.runInContext(script, dom.getInternalVMContext(), { filename });
  assert.equal(run("typeof TextEncoder + typeof fetch"), "undefinedundefined");
  for (const file of entries()) run(await scriptOf(file), file);
  run(await scriptOf("./entry/inline.js"), "./entry/inline.js");
  const result = run(`
    const workflow = new entry.Workflow();
    workflow.addStep({ inputs: [entry.StartEvent], outputs: [entry.StopEvent] }, (_, { data }) => new entry.StopEvent(data + 1));
    workflow.run(41).then(({ data }) => data);
  `);
  assert.equal(await result, 42);
  return undefined;
});
