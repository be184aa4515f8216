// How the TypeScript of pkg-template/ becomes the JavaScript and the declarations of pkg/.
import path from "node:path";
import { defineConfig } from "tsdown";
import { bundled } from "./scripts/lib/bundled.mjs";

const shared = {
  cwd: "pkg-template",
  outDir: "../pkg",
  format: "esm",
  platform: "neutral",
  target: "es2022",
  tsconfig: "tsconfig.json",
  clean: false,
  sourcemap: false,
  hash: false,
  fixedExtension: false,
  report: false,
  failOnWarn: true,
  deps: { onlyBundle: bundled, neverBundle: /^node:/ },
};

/** The runtime's own loader takes the imported .wasm; the path is already as it must be beside the built entry. */
const wasmImports = {
  name: "wasm-imports",
  resolveId: {
    filter: { id: /\.wasm(\?module)?$/ },
    handler: (id) => ({ id, external: "absolute" }),
  },
};

/**
 * The validator makes a URL when it is imported, out of the page's address if there is one. Importing the package must need
 * nothing but the language, so it is made when a schema is used; schemas with relative references then mean the same everywhere.
 */
const lazyBaseURI = {
  name: "lazy-base-uri",
  transform: {
    filter: { id: /@cfworker\/json-schema\/.*\/dereference\.js$/ },
    handler(code) {
      const eager = /export let initialBaseURI = [^;]*;/;
      const use = "baseURI = initialBaseURI";
      if (!eager.test(code) || !code.includes(use))
        throw new Error("The validator has changed: adapt tsdown.config.mjs.");
      return code.replace(eager, "").replace(use, 'baseURI = new URL("https://github.com/cfworker")');
    },
  },
};

/** What one entry's declarations take from another entry stays there, so that there is one declaration of each name. */
const otherEntries = {
  name: "other-entries",
  resolveId: {
    filter: { id: /\/index\.js$/ },
    handler(id, importer) {
      const from = path.relative("pkg-template/src", importer).split(path.sep).join("/");
      const target = {
        "stores/file.d.ts ./index.js": "../stores.js",
        "checkpointer.d.ts ./api/index.js": "./index.js",
        "checkpointer.d.ts ./stores/index.js": "./stores.js",
        "agents/*.d.ts ../api/index.js": "./index.js",
        "agents/react/*.d.ts ../../api/index.js": "./index.js",
      }[`${from.replace(/^(agents\/(?:\w+\/)?)[\w-]+\./, "$1*.")} ${id}`];
      return target && { id: target, external: "absolute" };
    },
  },
};

/**
 * What several entries share, each thing in one chunk: a class that was there twice would be two classes. The stores get by on the base,
 * the clients of models on what is common to them and the engine; neither needs the core. What only one entry holds, such as the wasm in the
 * default ones, is in none of them.
 */
const sharedChunks = [
  {
    name: "base",
    test: new RegExp(
      "/src/(errors/[\\w-]+|util/(describe|abort|new-id|error-message)|model/(duration|llm-error|run-observer)|" +
        "snapshot/header)\\.ts$",
    ),
    priority: 5,
  },
  {
    name: "common",
    test: /\/src\/(util\/|wasm\/loader|errors\/code-of|model\/(issue-text|standard-schema))/,
    priority: 4,
  },
  { name: "store", test: /\/src\/stores\/(snapshot-store|names|memory|claim|lease|turns)\.ts$/, priority: 3 },
  { name: "tools", test: /\/(src\/(tools|schema)|@cfworker\/json-schema)\//, priority: 3 },
  { name: "llm", test: /\/(src\/llm\/|wasm\/stepstream-llm_bg)/, priority: 2 },
  { name: "core", test: /\/(src\/(?!stores\/|checkpointer\.ts|agents\/)|wasm\/stepstream_bg)/, priority: 1 },
  // Last, as what a chunk's modules import goes into it as well, unless another chunk has taken it.
  { name: "agents", test: /\/src\/agents\// },
];

export default defineConfig([
  {
    ...shared,
    name: "code",
    entry: {
      "entry/inline": "entry/inline.ts",
      "entry/edge-light": "entry/edge-light.ts",
      "entry/workerd": "entry/workerd.ts",
      "entry/slim": "entry/slim.ts",
      "entry/llm/inline": "entry/llm/inline.ts",
      "entry/llm/edge-light": "entry/llm/edge-light.ts",
      "entry/llm/workerd": "entry/llm/workerd.ts",
      "entry/slim/llm": "entry/slim/llm.ts",
      "entry/agents/inline": "entry/agents/inline.ts",
      "entry/agents/edge-light": "entry/agents/edge-light.ts",
      "entry/agents/workerd": "entry/agents/workerd.ts",
      "entry/slim/agents": "entry/slim/agents.ts",
      "entry/stores": "src/stores/index.ts",
      "entry/stores/file": "src/stores/file.ts",
      "entry/checkpointer": "src/checkpointer.ts",
    },
    dts: false,
    // devalue asks which runtime it is in; its way for all of them is the one that is taken.
    define: { Buffer: "undefined", process: "undefined" },
    // What an entry does on being loaded is to say where its wasm is; another entry may load it for nothing else.
    treeshake: { moduleSideEffects: [{ test: /\/pkg-template\/entry\//, sideEffects: true }] },
    // Names at the top level stay, so that events, errors and stack traces show the classes by their names.
    minify: { compress: true, mangle: { toplevel: true, keepNames: { class: true, function: false } } },
    outputOptions: {
      // The documentation is in the declarations; here it would only be downloaded.
      comments: { legal: false, annotation: true, jsdoc: false },
      chunkFileNames: ({ name }) => `internal/${name.replace("rolldown-", "")}.js`,
      codeSplitting: { groups: sharedChunks },
    },
    plugins: [wasmImports, lazyBaseURI],
    inputOptions: { makeAbsoluteExternalsRelative: false },
  },
  {
    ...shared,
    name: "types",
    entry: {
      index: "src/api/index.ts",
      llm: "src/llm/index.ts",
      agents: "src/agents/index.ts",
      stores: "src/stores/index.ts",
      "stores/file": "src/stores/file.ts",
      checkpointer: "src/checkpointer.ts",
    },
    dts: { emitDtsOnly: true },
    // What several declarations share is in one file; the chunks of the code beside it have nothing to do with it.
    outputOptions: {
      chunkFileNames: "internal/[name].ts",
      codeSplitting: { groups: [{ name: "shared.d", minShareCount: 2 }] },
    },
    plugins: [otherEntries],
    inputOptions: { makeAbsoluteExternalsRelative: false },
  },
]);
