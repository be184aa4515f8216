// Asks the two checkers that know how registries, bundlers and type checkers read a package, about the tarball itself.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { tarball } from "../../scripts/lib/build.mjs";
import { installed } from "../../scripts/lib/paths.mjs";

const packed = readFileSync(tarball());

test("publint has nothing to say", async () => {
  const bytes = packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: bytes }, level: "suggestion", strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg, { color: false })),
    [],
  );
});

// What these two say is meant so, and works:
const MEANT = new Set([
  "NoResolution node10", // Subpaths under the resolution of TypeScript 4, which knows no `exports`.
  "CJSResolvesToESM", // `require` of an ES module: Node does it from 20.19 on; tests/package/load.test.mjs shows it.
]);

test("arethetypeswrong has nothing to say", async () => {
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(packed)));
  assert.ok(analysis.types, "the tarball holds no types");
  const problems = analysis.problems
    .filter(({ kind, resolutionKind }) => !MEANT.has(kind) && !MEANT.has(`${kind} ${resolutionKind}`))
    .map(({ kind, entrypoint, resolutionKind }) => `${kind} at ${entrypoint} under ${resolutionKind}`);
  assert.deepEqual(problems, []);
});

test("package.json names a README, a licence and every entry with side effects", () => {
  const manifest = JSON.parse(readFileSync(`${installed}/package.json`, "utf8"));
  assert.equal(manifest.license, "MIT");
  for (const file of ["README.md", "LICENSE"]) assert.ok(readFileSync(`${installed}/${file}`, "utf8").length > 100);
  // Those with conditions say where the wasm is, and so does the chunk that two of them share.
  const entries = Object.values(manifest.exports).filter((entry) => entry.workerd !== undefined);
  const targets = entries.flatMap(({ types: _, ...conditions }) => Object.values(conditions));
  assert.ok(targets.length >= 9);
  assert.deepEqual(manifest.sideEffects.toSorted(), [...targets, "./internal/inline.js"].toSorted());
  assert.equal(manifest.dependencies, undefined);
});
