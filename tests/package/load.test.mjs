// Installs the tarball into an empty project, as a user would, and loads it in every way that Node has.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import ts from "typescript";
import { tarball } from "../../scripts/lib/build.mjs";

let project;

before(() => {
  project = mkdtempSync(path.join(os.tmpdir(), "stepstream-consumer-"));
  writeFileSync(path.join(project, "package.json"), '{ "name": "consumer", "private": true }\n');
  // Offline: the package has no dependency, so nothing may be fetched.
  const args = ["install", "--offline", "--no-audit", "--no-fund", "--loglevel=error", tarball()];
  execFileSync("npm", args, { cwd: project, stdio: "pipe" });
});

after(() => rmSync(project, { recursive: true, force: true }));

/** Runs a program in the project, and gives what it printed. */
function run(name, source, flags = []) {
  const file = path.join(project, name);
  writeFileSync(file, source);
  return execFileSync(process.execPath, [...flags, file], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** The names that a declaration file exports as values, not only as types. */
function declaredValues(file) {
  const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [] };
  const compiler = ts.createProgram([file], options);
  const checker = compiler.getTypeChecker();
  const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(compiler.getSourceFile(file)));
  return symbols
    .filter((symbol) => !symbol.declarations?.some((declaration) => declaration.isTypeOnly))
    .filter((symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return target.flags & ts.SymbolFlags.Value;
    })
    .map((symbol) => symbol.name)
    .sort();
}

/** A workflow of one step, so that the engine is really instantiated and used. */
const program = `
  const workflow = new stepstream.Workflow();
  workflow.addStep(
    { inputs: [stepstream.StartEvent], outputs: [stepstream.StopEvent] },
    async (_, event) => new stepstream.StopEvent(event.data + 1),
  );
  workflow.run(41).then((stop) => console.log(stop.data));
`;

test("import", () => {
  assert.equal(run("main.mjs", `import * as stepstream from "stepstream";${program}`), "42\n");
});

test("require", () => {
  assert.equal(run("main.cjs", `const stepstream = require("stepstream");${program}`), "42\n");
});

test("import() and require() give the same classes", () => {
  const source = `import("stepstream").then((a) => console.log(a.Workflow === require("stepstream").Workflow));`;
  assert.equal(run("both.cjs", source), "true\n");
});

test("the entry of the agents brings the engine along, their slim one does not", () => {
  const source = (agents) => `require("${agents}"); const stepstream = require("stepstream/slim");
    process.on("uncaughtException", (error) => console.log(error.code)); ${program}`;
  assert.equal(run("agents.cjs", source("stepstream/agents")), "42\n");
  assert.equal(run("agents-slim.cjs", source("stepstream/slim/agents")), "UNSUPPORTED_RUNTIME\n");
});

const slim = `
  const bytes = require("node:fs").readFileSync(require.resolve("stepstream/stepstream.wasm"));
  stepstream.setWasmModule(new WebAssembly.Module(bytes));
`;

test("slim takes the module from its host", () => {
  assert.equal(run("slim.cjs", `const stepstream = require("stepstream/slim");${slim}${program}`), "42\n");
});

test("slim without a module says what to do", () => {
  const source = `const stepstream = require("stepstream/slim");
    try { new stepstream.Workflow().run(1).then(null, report); } catch (error) { report(error); }
    function report(error) { console.log(error.message); }`;
  assert.match(run("slim-none.cjs", source), /setWasmModule/);
});

test("slim refuses what is not a module", () => {
  const source = `const { setWasmModule } = require("stepstream/slim");
    try { setWasmModule(new Uint8Array(8)); } catch (error) { console.log(error.message); }`;
  assert.match(run("slim-wrong.cjs", source), /WebAssembly\.Module/);
});

/** For each slim entry the one that it stands for, and what it has beyond that. */
const slims = {
  "stepstream/slim": ["stepstream", ["setWasmModule"]],
  "stepstream/slim/llm": ["stepstream/llm", ["setLLMWasmModule"]],
  "stepstream/slim/agents": ["stepstream/agents", []],
};

for (const [entry, [full, more]] of Object.entries(slims)) {
  test(`${entry} exports what ${full} does, and what hands the module over`, () => {
    const source = `const names = (id) => Object.keys(require(id)).sort();
      const [slim, full] = [names("${entry}"), names("${full}")];
      console.log(JSON.stringify(slim.filter((name) => !full.includes(name))), full.every((name) => slim.includes(name)));`;
    assert.equal(run("names.cjs", source), `${JSON.stringify(more)} true\n`);
  });
}

test("the slim clients refuse what is not a module", () => {
  const source = `const { setLLMWasmModule } = require("stepstream/slim/llm");
    try { setLLMWasmModule({}); } catch (error) { console.log(error.message); }`;
  assert.match(run("slim-llm-wrong.cjs", source), /setLLMWasmModule.*stepstream\/slim/s);
});

/** The entries that are the same in every runtime, with their declarations. */
const entries = {
  stepstream: "index.d.ts",
  "stepstream/agents": "agents.d.ts",
  "stepstream/llm": "llm.d.ts",
  "stepstream/checkpointer": "checkpointer.d.ts",
  "stepstream/stores": "stores.d.ts",
  "stepstream/stores/file": "stores/file.d.ts",
};

for (const [entry, declarations] of Object.entries(entries)) {
  test(`every value of ${entry} is declared, and nothing else is`, () => {
    const names = JSON.parse(run("values.cjs", `console.log(JSON.stringify(Object.keys(require("${entry}"))));`));
    assert.ok(names.length > 0);
    assert.deepEqual(declaredValues(path.join(project, "node_modules/stepstream", declarations)), names.sort());
  });
}

// Each entry is loaded in one way, and its errors and events judged by the classes that come in another.
const together = `
  const { SnapshotError, StartEvent, StopEvent, ValidationError, Workflow } = stepstream;
  const bytes = (sequence) => Uint8Array.from([83, 84, 69, 80, 83, 1, ...Array(10).fill(0), sequence, ...Array(7).fill(0)]);
  for (const store of [stores.memoryStore(), files.fileStore(new URL("./" + Date.now() + "/", import.meta.url))]) {
    await store.save("run", bytes(2));
    const error = await store.save("run", bytes(1)).catch((error) => error);
    console.log(error instanceof SnapshotError, error.code);
  }
  const workflow = new Workflow().addStep({ inputs: [StartEvent], name: "only" }, () => new StopEvent(1));
  const checkpointer = new checkpoints.WorkflowCheckpointer(workflow, { store: stores.memoryStore() });
  try { checkpointer.enable("none"); } catch (error) { console.log(error instanceof ValidationError); }
  const stop = await checkpointer.run();
  console.log(stop instanceof StopEvent, (await checkpointer.filter({ output: StopEvent })).length);
`;

const ENTRIES = { stores: "stores", files: "stores/file", checkpoints: "checkpointer" };
const importing = (name, entry) => `import * as ${name} from "stepstream${entry}";`;
const requiring = (name, entry) => `const ${name} = createRequire(import.meta.url)("stepstream${entry}");`;

const loading = {
  "import all": [importing, importing, ""],
  "import the main entry, require the others": [importing, requiring, ""],
  "require the main entry, import the others": [requiring, importing, ""],
  "the slim entry": [importing, importing, "/slim"],
};

for (const [how, [main, others, entry]] of Object.entries(loading)) {
  test(`the classes of all entries are the same: ${how}`, () => {
    const imports = [main("stepstream", entry), ...Object.entries(ENTRIES).map(([name, id]) => others(name, `/${id}`))];
    const wasm = `import { readFileSync } from "node:fs"; const { setWasmModule } = stepstream;
      setWasmModule?.(new WebAssembly.Module(readFileSync(createRequire(import.meta.url).resolve("stepstream/stepstream.wasm"))));`;
    const source = `import { createRequire } from "node:module"; ${imports.join(" ")} ${wasm} ${together}`;
    assert.equal(run("together.mjs", source), "true SNAPSHOT_STALE\n".repeat(2) + "true\ntrue 1\n");
  });
}

test("the manifest can be read", () => {
  assert.match(run("manifest.cjs", `console.log(require("stepstream/package.json").version)`), /^\d+\.\d+\.\d+\n$/);
});

// workerd forbids all of this outside a request, and a page should not pay for an engine that it does not use.
test("loading compiles nothing and uses no timer, randomness or network", () => {
  const source = `
    const used = [];
    const forbid = (holder, name) => {
      const real = holder[name];
      holder[name] = function (...args) { used.push(name); return Reflect.construct(real, args, new.target ?? real); };
    };
    for (const name of ["setTimeout", "setInterval", "queueMicrotask", "fetch"]) forbid(globalThis, name);
    for (const name of ["Module", "Instance", "compile", "instantiate"]) forbid(WebAssembly, name);
    forbid(Math, "random");
    for (const name of ["getRandomValues", "randomUUID"]) forbid(Crypto.prototype, name);
    for (const entry of ${JSON.stringify(Object.keys(entries))}) require(entry);
    console.log(JSON.stringify(used));
  `;
  assert.equal(run("quiet.cjs", source), "[]\n");
});

// The other runtimes' entries need their own loader; here their condition must at least choose the right file.
for (const condition of ["edge-light", "workerd"]) {
  for (const [entry, folder] of [
    ["stepstream", ""],
    ["stepstream/llm", "llm/"],
    ["stepstream/agents", "agents/"],
  ]) {
    test(`the condition ${condition} chooses the entry of ${entry}`, () => {
      const shown = run("resolve.cjs", `console.log(require.resolve("${entry}"));`, [`--conditions=${condition}`]);
      assert.match(shown, new RegExp(`entry/${folder}${condition}\\.js\\n$`));
    });
  }
}
