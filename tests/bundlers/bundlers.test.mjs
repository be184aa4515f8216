// The app through each bundler: built for Node and for a page, without a word about WebAssembly, and run there. Snapshots go from the
// source into each bundle and back.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { project } from "../../scripts/lib/bundlers.mjs";
import { measure, sizeTable } from "../../scripts/lib/size.mjs";
import * as kit from "./kit.mjs";

const BUNDLERS = ["vite", "webpack", "rollup", "esbuild", "rspack"];

let browser;
let snapshot;
const shipped = [];

before(async () => {
  ({ snapshot } = await kit.runSource());
  if (!kit.withoutPages) browser = await kit.startChromium();
});

after(async () => {
  await browser?.close();
  console.log(`What the bundlers make of the app for a page:\n${sizeTable(shipped)}`);
});

async function build(bundler, target) {
  const folder = path.join(project, "built", bundler, target);
  await kit.runNode(["build.mjs", bundler, target, folder]);
  return folder;
}

test("the app as it is written", async () => kit.checkOutcome(await kit.runSource({ snapshot })));

for (const bundler of BUNDLERS) {
  test(`${bundler}, in Node`, async () => {
    const files = kit.scriptsIn(await build(bundler, "node"));
    kit.checkEngineOnce(files);
    await kit.checkOutcome(await kit.runProgram(files[0], { snapshot }));
  });

  test(`${bundler}, in a page`, { skip: kit.withoutPages }, async () => {
    const folder = await build(bundler, "page");
    const files = kit.scriptsIn(folder);
    kit.checkEngineOnce(files);
    shipped.push({ name: bundler, ...measure(folder, files) });
    for (const file of files) assert.doesNotMatch(readFileSync(file, "utf8"), /class (DraftEvent|Question)\b/);
    const site = await kit.serve(folder);
    try {
      const { outcome } = await kit.exerciseInPage(
        browser,
        `${site.url}${bundler === "vite" ? "index" : "main"}.html`,
        {
          snapshot,
        },
      );
      await kit.checkOutcome(outcome);
    } finally {
      await site.close();
    }
  });
}
