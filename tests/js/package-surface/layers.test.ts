// The folders of the package's sources are layers: imports go in one direction, and no files import each other in a circle. Imports of
// types count: a reader of a file has to read what it names.

import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../../../pkg-template/src");

/** What each layer may import, beside itself. ARCHITECTURE.md has the same table. */
const base = ["util", "errors", "model"];
const core = [...base, "wasm", "schema", "runtime", "snapshot", "api"];
const allowed: Readonly<Record<string, readonly string[]>> = {
  util: [],
  errors: ["util"],
  wasm: ["util", "errors"],
  model: ["util", "errors"],
  schema: base,
  runtime: [...base, "wasm"],
  snapshot: [...base, "wasm", "runtime"],
  api: [...base, "wasm", "runtime", "snapshot"],
  tools: [...base, "schema"],
  llm: [...base, "wasm", "schema", "tools"],
  agents: [...base, "schema", "api", "llm", "tools"],
  stores: [...base, "snapshot"],
  checkpointer: [...core, "stores"],
};

const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .map((file) => file.split(path.sep).join("/"))
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
  .sort();

const layerOf = (file: string): string => file.split("/")[0]!.replace(/\.ts$/, "");

/** The files of the package that a file imports, types included, and also through `import("…")`. */
function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const found = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}\/[^"]+)\.js"/g)];
  return found
    .map(([, target]) => path.posix.normalize(path.posix.join(path.posix.dirname(file), `${target}.ts`)))
    .filter((target) => !target.startsWith(".."));
}

const graph = new Map(files.map((file) => [file, importsOf(file)]));

/** Files that import each other in a circle, as the paths that lead back to their beginning. */
function circles(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const state = new Map<string, "open" | "done">();
  const trail: string[] = [];
  const visit = (file: string): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      found.push([...trail.slice(trail.indexOf(file)), file].join(" -> "));
      return;
    }
    state.set(file, "open");
    trail.push(file);
    for (const target of edges.get(file) ?? []) visit(target);
    trail.pop();
    state.set(file, "done");
  };
  for (const file of edges.keys()) visit(file);
  return found;
}

/** Tests that look at sources because the packed package does not show what they check. */
const looksAtSources = /^(?:durability\/codec[\w-]*\.|package-surface\/)/;

describe("the layers of the sources", () => {
  test("every import names a file that exists, and enough were found to mean something", () => {
    const targets = [...graph.values()].flat();
    expect(targets.filter((target) => !graph.has(target))).toEqual([]);
    expect(targets.length).toBeGreaterThan(200);
  });

  test("every file is in a layer", () => {
    expect(files.filter((file) => allowed[layerOf(file)] === undefined)).toEqual([]);
  });

  test("no import goes against the direction", () => {
    const against = [...graph].flatMap(([file, targets]) =>
      targets
        .filter((target) => layerOf(target) !== layerOf(file) && !allowed[layerOf(file)]?.includes(layerOf(target)))
        .map((target) => `${file} -> ${target}`),
    );
    expect(against).toEqual([]);
  });

  test("agents use runs through the public API only", () => {
    const used = [...graph].flatMap(([file, targets]) => (layerOf(file) === "agents" ? targets : []));
    expect([...new Set(used.filter((target) => layerOf(target) === "api"))]).toEqual(["api/index.ts"]);
  });

  test("tests of behaviour import the packed package, and no source file", () => {
    const tests = path.resolve(root, "../../tests/js");
    const importing = readdirSync(tests, { recursive: true, encoding: "utf8" })
      .map((file) => file.split(path.sep).join("/"))
      .filter((file) => file.endsWith(".ts") && !looksAtSources.test(file))
      .filter((file) => /from "[^"]*pkg-template\/src/.test(readFileSync(path.join(tests, file), "utf8")));
    expect(importing).toEqual([]);
  });

  test("no files import each other in a circle", () => {
    expect(circles(graph)).toEqual([]);
  });

  test("a circle would be found", () => {
    const edges = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["a", "d"]],
      ["d", []],
    ]);
    expect(circles(edges)).toEqual(["a -> b -> c -> a"]);
  });
});
