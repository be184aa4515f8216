// Builds the app with one bundler: `node build.mjs <bundler> <page | node> <folder>`, where the bundlers are installed. Each is set up
// as its manual begins: an entry, for production, for a page or for Node; and not a word about WebAssembly.
import path from "node:path";
import { fileURLToPath } from "node:url";

const app = fileURLToPath(new URL("app/", import.meta.url));
const [, , bundler, target, folder] = process.argv;
const isPage = target === "page";
const entry = path.join(app, isPage ? "page.js" : "program.js");

/** What webpack and Rspack have in common, which is all of it. */
async function runCompiler(compile) {
  const options = {
    mode: "production",
    target: isPage ? "web" : "node",
    entry,
    output: { path: folder },
    performance: { hints: false }, // They warn of any script above 244 KiB, which the inlined engine comes to.
  };
  const stats = await new Promise((resolve, reject) => {
    compile(options, (error, stats) => (error ? reject(error) : resolve(stats)));
  });
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  if (errors.length + warnings.length > 0) throw new Error([...errors, ...warnings].map((it) => it.message).join("\n"));
}

const bundlers = {
  async vite() {
    const { build } = await import("vite");
    const options = isPage
      ? { root: app, base: "./", build: { outDir: folder, emptyOutDir: true } }
      : { ssr: { noExternal: true }, build: { ssr: entry, outDir: folder, minify: true } };
    await build({ configFile: false, logLevel: "warn", ...options });
  },

  async rollup() {
    const { rollup } = await import("rollup");
    const { nodeResolve } = await import("@rollup/plugin-node-resolve");
    const { default: terser } = await import("@rollup/plugin-terser");
    const onwarn = ({ message }) => {
      throw new Error(message);
    };
    const bundle = await rollup({ input: entry, plugins: [nodeResolve({ browser: isPage })], onwarn });
    await bundle.write({ dir: folder, format: "es", entryFileNames: "main.js", plugins: [terser()] });
    await bundle.close();
  },

  async esbuild() {
    const { build } = await import("esbuild");
    const platform = isPage ? { platform: "browser", format: "iife" } : { platform: "node", format: "esm" };
    const options = { entryPoints: { main: entry }, bundle: true, minify: true, outdir: folder, logLevel: "warning" };
    const { warnings } = await build({ ...options, ...platform });
    if (warnings.length > 0) throw new Error("esbuild warns.");
  },

  webpack: async () => runCompiler((await import("webpack")).default),
  rspack: async () => runCompiler((await import("@rspack/core")).rspack),
};

await bundlers[bundler]();
