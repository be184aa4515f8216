// Everything that `npm test` checks, in order. A new check is one entry here: `run` resolves with
// `{ passed, failed, skipped, note? }`; `needs` names the stages without which it cannot run; `quick` puts it into
// the daily subset (`npm run test:quick`).
import { buildAndPack } from "../lib/build.mjs";
import { withLock } from "../lib/lock.mjs";
import { say } from "../lib/say.mjs";
import { bench } from "./bench.mjs";
import { bundlers } from "./bundlers.mjs";
import * as js from "./javascript.mjs";
import * as rust from "./rust.mjs";

const build = async () => {
  await withLock(buildAndPack);
  say("The package in node_modules/stepstream is up to date.");
  return { passed: 1, failed: 0, skipped: 0 };
};

export const stages = [
  { name: "fmt", title: "Rust is formatted", quick: true, run: rust.formatted },
  { name: "clippy", title: "Clippy on this machine's target", quick: true, run: rust.clippyNative },
  { name: "clippy-wasm", title: "Clippy on the wasm target", quick: true, run: rust.clippyWasm },
  { name: "rust", title: "Rust tests", quick: true, run: rust.nativeTests },
  { name: "rust-doc", title: "Rust documentation examples", quick: false, run: rust.documentationTests },
  { name: "docs", title: "Rust documentation without warnings", quick: false, run: rust.documentation },
  { name: "prettier", title: "TypeScript and JavaScript are formatted", quick: true, run: js.prettier },
  { name: "build", title: "The package builds, packs and installs", quick: true, run: build },
  { name: "eslint", title: "TypeScript and JavaScript lint", quick: true, needs: ["build"], run: js.eslint },
  {
    name: "types-source",
    title: "Types of the package's sources",
    quick: true,
    needs: ["build"],
    run: js.typesOf("pkg-template"),
  },
  { name: "types", title: "Type tests", quick: true, needs: ["build"], run: js.typeTests },
  {
    name: "types-tests",
    title: "Types of the behaviour tests",
    quick: false,
    needs: ["build"],
    run: js.typesOf("tests/js"),
  },
  { name: "js", title: "Behaviour of the packed package", quick: true, needs: ["build"], run: js.vitest("js") },
  { name: "gc", title: "Memory of the packed package", quick: false, needs: ["build"], run: js.vitest("gc") },
  {
    name: "bench",
    title: "Nothing costs half as much again as it did",
    quick: false,
    needs: ["build"],
    run: bench,
  },
  {
    name: "crash",
    title: "What becomes of runs when the engine panics",
    quick: false,
    needs: ["build"],
    run: js.crashDrills,
  },
  {
    name: "browser",
    title: "The packed package in Chromium",
    quick: false,
    needs: ["build"],
    run: js.inChromium("browser"),
  },
  {
    name: "local-model",
    title: "A real language model on this machine",
    quick: false,
    needs: ["build"],
    run: js.withLocalModel("model"),
  },
  {
    name: "runtimes",
    title: "The packed package in every runtime",
    quick: false,
    needs: ["build"],
    run: js.inRuntimes,
  },
  {
    name: "package",
    title: "The package as consumers and registries see it",
    quick: false,
    needs: ["build"],
    run: js.nodeTests("tests/package"),
  },
  {
    name: "bundlers",
    title: "The packed package through bundlers, and in Next",
    quick: false,
    needs: ["build"],
    run: bundlers,
  },
  {
    name: "examples",
    title: "The examples run",
    quick: true,
    needs: ["build"],
    run: js.programs(["examples/run.mjs", "examples/calculator/scripted.mjs"], 600),
  },
];
