// How the TypeScript of pkg-template/ becomes the JavaScript and the declarations of pkg/.
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
  deps: { onlyBundle: bundled },
};

/** The runtime's own loader takes the imported .wasm; the path is already as it must be beside the built entry. */
const wasmImports = {
  name: "wasm-imports",
  resolveId: {
    filter: { id: /\.wasm(\?module)?$/ },
    handler: (id) => ({ id, external: "absolute" }),
  },
};

export default defineConfig([
  {
    ...shared,
    name: "code",
    entry: {
      "entry/inline": "entry/inline.ts",
      "entry/edge-light": "entry/edge-light.ts",
      "entry/workerd": "entry/workerd.ts",
      "entry/slim": "entry/slim.ts",
    },
    dts: false,
    // devalue asks which runtime it is in; its way for all of them is the one that is taken.
    define: { Buffer: "undefined", process: "undefined" },
    // Names at the top level stay, so that events, errors and stack traces show the classes by their names.
    minify: { compress: true, mangle: { toplevel: true, keepNames: { class: true, function: false } } },
    outputOptions: {
      // The documentation is in the declarations; here it would only be downloaded.
      comments: { legal: false, annotation: true, jsdoc: false },
      // One chunk for what the entries share, so that the slim entry carries no copy of the wasm.
      chunkFileNames: () => "internal/core.js",
    },
    plugins: [wasmImports],
    inputOptions: { makeAbsoluteExternalsRelative: false },
  },
  {
    ...shared,
    name: "types",
    entry: { index: "src/index.ts" },
    dts: { emitDtsOnly: true },
  },
]);
