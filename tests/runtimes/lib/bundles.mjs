// Programs as one script each, for the runtimes that do not look for packages themselves: as a user's bundler makes them, with the
// conditions of the runtime and no other configuration.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { rolldown } from "rolldown";
import { project } from "./scratch.mjs";

/** A file of the package. */
export const inPackage = (name) => path.join(project, "node_modules/stepstream", name);

/** How the compiled modules get into the program; the package says for which runtime each import is. */
const waysOfWasm = {
  /** As wrangler does it: the import stays, and the module is beside the program. */
  workerd: (found) => ({
    name: "wasm-beside",
    resolveId: {
      filter: { id: /\.wasm$/ },
      handler(id, importer) {
        const file = id.startsWith(".")
          ? path.resolve(path.dirname(importer), id)
          : inPackage(id.replace(/^stepstream\//, ""));
        found[path.basename(file)] = file;
        return { id: `./${path.basename(file)}`, external: "absolute" };
      },
    },
  }),
  /** As a bundler does it that knows nothing of wasm: the import becomes an address. */
  address: () => ({
    name: "wasm-address",
    resolveId: {
      filter: { id: /\.wasm\?module$/ },
      handler: (id) => id,
    },
    load: {
      filter: { id: /\.wasm\?module$/ },
      handler: (id) => ({ code: `export default "/assets/${path.basename(id, "?module")}";`, moduleType: "js" }),
    },
  }),
  /** As Next does it: the module is a global of the runtime. */
  edge: (found) => ({
    name: "wasm-global",
    resolveId: {
      filter: { id: /\.wasm\?module$/ },
      handler: (id, importer) => path.resolve(path.dirname(importer), id),
    },
    load: {
      filter: { id: /\.wasm\?module$/ },
      handler(id) {
        const file = id.replace("?module", "");
        const name = `wasm_${path.basename(file, ".wasm").replaceAll("-", "_")}`;
        found[name] = file;
        return { code: `export default globalThis.${name};`, moduleType: "js" };
      },
    },
  }),
};

/**
 * Bundles a program of the project. Resolves with `{ code, wasm }`: the script's path, and the paths of the modules that it wants, by name.
 *
 * @param way How compiled modules come in; undefined where none does.
 * @param conditions The conditions of the runtime. Without any it is bundled as for browsers.
 */
export async function bundle(input, { name, way, conditions = [], format = "esm", alias }) {
  const wasm = {};
  const bundled = await rolldown({
    input: path.join(project, input),
    cwd: project,
    platform: "browser",
    resolve: { conditionNames: [...conditions, "import", "default"], ...(alias && { alias }) },
    plugins: way === undefined ? [] : [waysOfWasm[way](wasm)],
    makeAbsoluteExternalsRelative: false,
  });
  const { output } = await bundled.generate({ format, codeSplitting: false });
  await bundled.close();
  const code = path.join(project, "bundles", `${name}.js`);
  mkdirSync(path.dirname(code), { recursive: true });
  writeFileSync(code, output[0].code);
  return { code, wasm };
}
