// The app through each bundler: built for Node and for a page, without a word about WebAssembly, and run there. Snapshots go from the
// source into each bundle and back.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { project } from "../../scripts/lib/bundlers.mjs";
import { measure, sizeTable } from "../../scripts/lib/size.mjs";
import * as kit from "./kit.mjs";
import { startModel } from "./model.mjs";

const BUNDLERS = ["vite", "webpack", "rollup", "esbuild", "rspack"];

let browser;
let model;
let input;
const shipped = [];

before(async () => {
  model = await startModel();
  const { snapshot } = await kit.runSource();
  input = { snapshot, baseURL: model.baseURL };
  if (!kit.withoutPages) browser = await kit.startChromium();
});

after(async () => {
  await browser?.close();
  await model.close();
  console.log(`What the bundlers make of the app for a page:\n${sizeTable(shipped)}`);
});

async function build(bundler, target) {
  const folder = path.join(project, "built", bundler, target);
  await kit.runNode(["build.mjs", bundler, target, folder]);
  return folder;
}

test("the README names the versions", () => {
  const { devDependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const words = {
    Vite: "vite",
    webpack: "webpack",
    Rollup: "rollup",
    esbuild: "esbuild",
    Rspack: "@rspack/core",
    Next: "next",
  };
  for (const [word, name] of Object.entries(words))
    assert.ok(readme.includes(`${word} ${devDependencies[name]}`), word);
});

test("the app as it is written", async () => kit.checkOutcome(await kit.runSource(input)));

for (const bundler of BUNDLERS) {
  test(`${bundler}, in Node`, async () => {
    const files = kit.scriptsIn(await build(bundler, "node"));
    kit.checkModulesOnce(files);
    await kit.checkOutcome(await kit.runProgram(files[0], input));
  });

  test(`${bundler}, in a page`, { skip: kit.withoutPages }, async () => {
    const folder = await build(bundler, "page");
    const files = kit.scriptsIn(folder);
    kit.checkModulesOnce(files);
    shipped.push({ name: bundler, ...measure(folder, files) });
    for (const file of files) assert.doesNotMatch(readFileSync(file, "utf8"), /class (DraftEvent|Question)\b/);
    const site = await kit.serve(folder);
    try {
      const page = `${site.url}${bundler === "vite" ? "index" : "main"}.html`;
      const { outcome } = await kit.exerciseInPage(browser, page, input);
      await kit.checkOutcome(outcome);
    } finally {
      await site.close();
    }
  });
}
