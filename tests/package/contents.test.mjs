// Looks into the packed files: nothing of one runtime only, nothing of the machine they were built on, nothing too much.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { bundled, notices } from "../../scripts/lib/bundled.mjs";
import { at, installed, root } from "../../scripts/lib/paths.mjs";

const files = readdirSync(installed, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.relative(installed, path.join(entry.parentPath, entry.name)))
  .sort();
const scripts = files.filter((file) => file.endsWith(".js"));
const read = (file) => readFileSync(path.join(installed, file), "utf8");

test("the tarball holds these files and no others", () => {
  assert.deepEqual(files, [
    "LICENSE",
    "README.md",
    "THIRD-PARTY.txt",
    "agents.d.ts",
    "checkpointer.d.ts",
    "entry/agents/edge-light.js",
    "entry/agents/inline.js",
    "entry/agents/workerd.js",
    "entry/checkpointer.js",
    "entry/edge-light.js",
    "entry/inline.js",
    "entry/llm/edge-light.js",
    "entry/llm/inline.js",
    "entry/llm/workerd.js",
    "entry/slim.js",
    "entry/slim/agents.js",
    "entry/slim/llm.js",
    "entry/stores.js",
    "entry/stores/file.js",
    "entry/workerd.js",
    "index.d.ts",
    "internal/agents.js",
    "internal/base.js",
    "internal/common.js",
    "internal/core.js",
    "internal/inline.js",
    "internal/llm.js",
    "internal/runtime.js",
    "internal/shared.d.ts",
    "internal/store.js",
    "internal/tools.js",
    "llm.d.ts",
    "package.json",
    "slim.d.ts",
    "slim/agents.d.ts",
    "slim/llm.d.ts",
    "stepstream-llm.wasm",
    "stepstream-llm.wasm.d.ts",
    "stepstream.wasm",
    "stepstream.wasm.d.ts",
    "stores.d.ts",
    "stores/file.d.ts",
  ]);
});

/** The identifiers and the texts of a program; comments and what stands inside texts do not count as code. */
function tokens(source) {
  const names = new Set();
  const texts = [];
  const visit = (node) => {
    if (ts.isIdentifier(node) && !isMember(node)) names.add(node.text);
    if (ts.isStringLiteralLike(node)) texts.push(node.text);
    if (ts.isAwaitExpression(node) && !insideFunction(node)) names.add("top-level await");
    if (ts.isNewExpression(node) && node.expression.getText() === "Function") names.add("new Function");
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("file.js", source, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS));
  return { names, texts };
}

/** A member's name says nothing about globals: `queue.process` is not Node's `process`. */
function isMember(node) {
  const { parent } = node;
  return (ts.isPropertyAccessExpression(parent) && parent.name === node) || ts.isMethodDeclaration(parent);
}

function insideFunction(node) {
  for (let at = node.parent; at; at = at.parent) if (ts.isFunctionLike(at)) return true;
  return false;
}

const FORBIDDEN = [
  "AsyncLocalStorage",
  "AsyncResource",
  "Buffer",
  "process",
  "require",
  "eval",
  "new Function",
  "top-level await",
  "setImmediate",
  "__dirname",
  "XMLHttpRequest",
  "localStorage",
];

/** The one file that is for runtimes with a file system, which have these modules of Node's. */
const NODE_MODULES = { "entry/stores/file.js": ["node:fs/promises", "node:path", "node:url"] };

for (const file of scripts) {
  test(`${file} uses nothing that only some runtimes have`, () => {
    const { names, texts } = tokens(read(file));
    assert.deepEqual(
      FORBIDDEN.filter((name) => names.has(name)),
      [],
    );
    assert.deepEqual(texts.filter((text) => text.startsWith("node:")).sort(), NODE_MODULES[file] ?? []);
  });
}

test("the licences of what is bundled travel with it", () => {
  const notice = read("THIRD-PARTY.txt");
  const wanted = notices();
  assert.ok(wanted.length > bundled.length, "the modules of wasm contain crates");
  for (const one of wanted) {
    assert.ok(notice.includes(one), `THIRD-PARTY.txt lacks: ${one.split("\n")[0]}`);
    assert.match(one, /Copyright \(c\)/);
  }
});

test("of devalue, only what is used is in it", () => {
  const core = read("internal/core.js");
  assert.doesNotMatch(core, /\(function\(a\)\{a\[/, "devalue's uneval is in the package");
});

test("imports stay inside the package", () => {
  for (const file of scripts) {
    for (const { fileName } of ts.preProcessFile(read(file), true, true).importedFiles) {
      if (NODE_MODULES[file]?.includes(fileName)) continue;
      assert.match(fileName, /^\.\.?\//, `${file} imports ${fileName}`);
      const target = path.join(path.dirname(file), fileName.replace(/\?module$/, ""));
      assert.ok(files.includes(target), `${file} imports ${fileName}, which is not in the package`);
    }
  }
});

test("the entries of edge runtimes import the wasm the way each of them understands", () => {
  assert.match(read("entry/edge-light.js"), /from\s*"\.\.\/stepstream\.wasm\?module"/);
  assert.match(read("entry/workerd.js"), /from\s*"\.\.\/stepstream\.wasm"/);
  assert.match(read("entry/llm/edge-light.js"), /from\s*"\.\.\/\.\.\/stepstream-llm\.wasm\?module"/);
  assert.match(read("entry/llm/workerd.js"), /from\s*"\.\.\/\.\.\/stepstream-llm\.wasm"/);
});

test("the entries are thin", () => {
  const names = readdirSync(at("pkg-template/entry"), { recursive: true });
  for (const name of names.filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))) {
    const lines = readFileSync(at("pkg-template/entry", name), "utf8").trimEnd().split("\n").length;
    assert.ok(lines < 10, `${name} has ${lines} lines`);
  }
});

test("no source maps, and no path of the building machine", () => {
  for (const file of files) {
    const content = readFileSync(path.join(installed, file), "latin1");
    assert.ok(!content.includes("sourceMappingURL"), `${file} points to a source map`);
    for (const folder of [root, os.homedir(), "/.cargo/registry"]) {
      assert.ok(folder === "/" || !content.includes(`${folder}/`), `${file} contains the path ${folder}`);
    }
  }
});

/** For each module the file that has it inlined. */
const MODULES = { stepstream: "internal/inline.js", "stepstream-llm": "entry/llm/inline.js" };

for (const [name, inline] of Object.entries(MODULES)) {
  test(`what is inlined of ${name}.wasm is that file, and is there once`, () => {
    const base64 = readFileSync(path.join(installed, `${name}.wasm`)).toString("base64");
    assert.deepEqual(
      scripts.filter((file) => read(file).includes(base64)),
      [inline],
    );
  });

  test(`${name}.wasm needs nothing but its own glue, of which it needs little`, () => {
    const module = new WebAssembly.Module(readFileSync(path.join(installed, `${name}.wasm`)));
    const wanted = WebAssembly.Module.imports(module);
    for (const entry of wanted) {
      assert.equal(entry.module, `./${name}_bg.js`);
      // Nothing that could call back in: the table of references, and the message of a panic.
      assert.match(entry.name, /^__wbindgen_init_externref_table$|^__wbg___wbindgen_throw_/);
    }
  });
}

test("each module exports its own functions alone", () => {
  const exported = (name) =>
    WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(path.join(installed, name))))
      .filter(({ kind, name }) => kind === "function" && !name.startsWith("__"))
      .map(({ name }) => name);
  const own = { "stepstream.wasm": /^(graph|engine|snapshot|journal|replay)_/, "stepstream-llm.wasm": /^call_/ };
  for (const [name, form] of Object.entries(own)) {
    const names = exported(name);
    assert.ok(names.length >= 10, `${name} exports only ${names.length} functions`);
    // Only the build for crash drills panics on request.
    assert.ok(!names.includes("drill_arm"), `${name} is of the feature crash-drill`);
    assert.deepEqual(
      names.filter((name) => !form.test(name)),
      [],
    );
  }
});
