// Bundles programs that use one thing of the package, as a user's bundler would, and looks at what came along.
import assert from "node:assert/strict";
import { test } from "node:test";
import { rolldown } from "rolldown";
import { root } from "../../scripts/lib/paths.mjs";

const PROGRAM = "the program";

/** The program as one script, minified. */
async function bundled(source) {
  const virtual = {
    name: "program",
    resolveId: (id) => (id === PROGRAM ? id : undefined),
    load: (id) => (id === PROGRAM ? source : undefined),
  };
  const bundle = await rolldown({
    input: PROGRAM,
    cwd: root,
    plugins: [virtual],
    platform: "browser",
    external: /^node:/,
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  assert.equal(output.length, 1);
  return output[0].code;
}

const ENGINE = /new WebAssembly|engine_start|class StartEvent/;

test("a program with a workflow has the engine in it", async () => {
  assert.ok(ENGINE.test(await bundled(`import { Workflow } from "stepstream"; console.log(new Workflow());`)));
});

const stores = {
  memoryStore: "stepstream/stores",
  indexedDBStore: "stepstream/stores",
  unstorageStore: "stepstream/stores",
  fileStore: "stepstream/stores/file",
};

for (const [name, entry] of Object.entries(stores)) {
  test(`a program with ${name} has neither the engine nor another store in it`, async () => {
    const code = await bundled(`import { ${name} } from "${entry}"; console.log(${name}("x"));`);
    assert.ok(code.includes("SNAPSHOT_STALE"));
    assert.ok(!ENGINE.test(code), "the engine is in the bundle");
    const marks = { indexedDBStore: /indexedDB/, unstorageStore: /getItemRaw/, fileStore: /node:fs/ };
    for (const [other, mark] of Object.entries(marks))
      assert.equal(mark.test(code), other === name, `${other} in the bundle`);
  });
}
