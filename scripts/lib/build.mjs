// From sources to the installed package, stage by stage; each runs only when something it depends on has changed:
// for each module of wasm cargo -> glue (wasm-bindgen) -> wasm-opt; then TypeScript (tsdown) -> tarball, unpacked where
// `import "stepstream"` finds it.
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { thirdPartyNotice } from "./bundled.mjs";
import { must } from "./command.mjs";
import { withLazyEncoder } from "./lazy-glue.mjs";
import { at, cargoTarget, glue, installed, memory, pkg, root, shown, template } from "./paths.mjs";
import { stage } from "./stages.mjs";
import { nativeCargo, wasmToolchain } from "./toolchain.mjs";

const TARGET = "wasm32-unknown-unknown";
const bindgenTool = path.join(cargoTarget, "tool", "stepstream-bindgen");

/**
 * What one module is made with and where it goes. `features` are the crate's, which choose what is exported; `kind` distinguishes modules of one
 * name.
 */
function wasmModule(name, title, features, kind = "") {
  const scratch = path.join(memory, `glue-${name}${kind}`);
  return {
    name,
    title,
    features,
    kind,
    scratch,
    // Cargo has one place for it, whichever the features are.
    compiled: path.join(memory, "compiled", `${name}${kind}.wasm`),
    bound: path.join(scratch, `${name}_bg.wasm`),
    optimised: path.join(glue, `${name}.wasm`),
  };
}

/** The modules of the package: `<name>.wasm`, its glue `<name>_bg.js`, and the same wasm for inlining in `<name>_inline.js`. */
const modules = [wasmModule("stepstream", "engine", "engine"), wasmModule("stepstream-llm", "calls of models", "llm")];

/** The same with a panic on request, for tests; with names, and as the compiler made them. They fit the package's glue. */
const drills = modules.map(({ name, title, features }) =>
  wasmModule(name, `${title}, for crash drills`, `${features},crash-drill`, "-drill"),
);

/** The wasm proposals that every supported runtime has; more would make files that Node 20 refuses. */
const WASM_FEATURES = [
  "--enable-bulk-memory",
  "--enable-nontrapping-float-to-int",
  "--enable-sign-ext",
  "--enable-mutable-globals",
  "--enable-reference-types",
  "--enable-multivalue",
];

/**
 * Nothing is in the first 1,024 bytes: the stack comes first and grows towards them, so that whatever would be there is one step from a
 * trap. Addresses need no additions of their own then.
 */
const LOW_MEMORY = "--low-memory-unused";

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
const sizeOf = (file) => kilobytes(statSync(file).size);

/**
 * Only what is small or marked `#[inline]` is copied into its callers: with the usual threshold, 225, the engine is 7 %
 * larger, gzipped. What has one caller stays a function of its own in wasm-opt too: such code is more alike, and
 * compresses better.
 */
const INLINING = "-Cllvm-args=-inline-threshold=25";
const INLINING_AFTERWARDS = "--one-caller-inline-max-function-size=5";

/** Panic messages carry source paths; the mapping keeps the builder's home folder out of the published file. */
function rustFlags() {
  const cargoHome = process.env.CARGO_HOME || path.join(os.homedir(), ".cargo");
  const flags = [`--remap-path-prefix=${root}=stepstream`, `--remap-path-prefix=${cargoHome}=cargo`, INLINING];
  return ["--config", `target.${TARGET}.rustflags=${JSON.stringify(flags)}`];
}

async function compile({ name, title, features, kind, compiled }, toolchain) {
  const made = path.join(cargoTarget, TARGET, "release/stepstream.wasm");
  const args = ["build", "--release", "--locked", "--lib", "-p", "stepstream", "--target", TARGET];
  const chosen = ["--no-default-features", "--features", features];
  await stage({
    name: `cargo-${name}${kind}`,
    title: `${title} compiled to wasm`,
    inputs: [at("Cargo.toml"), at("Cargo.lock"), at("src"), at(".cargo"), at("tools/bindgen/Cargo.toml")],
    extra: JSON.stringify([toolchain.identity, toolchain.arguments, toolchain.env, chosen, INLINING]),
    outputs: [compiled],
    work: async () => {
      await must(
        toolchain.cargo,
        [...args, ...chosen, ...toolchain.arguments, ...rustFlags()],
        "Mend what the compiler reports.",
        {
          env: toolchain.env,
        },
      );
      mkdirSync(path.dirname(compiled), { recursive: true });
      copyFileSync(made, compiled);
      return sizeOf(compiled);
    },
  });
}

async function buildBindgenTool(native) {
  await stage({
    name: "bindgen-tool",
    title: "glue writer compiled",
    inputs: [at("Cargo.lock"), at("tools/bindgen")],
    extra: native.identity,
    outputs: [bindgenTool],
    work: async () => {
      const args = ["build", "--locked", "--profile", "tool", "-p", "stepstream-bindgen"];
      await must(native.cargo, args, "Mend what the compiler reports.", { env: native.env });
    },
  });
}

const glueTypes = (name) => `// Types for the generated glue: the module's exports, and how an instance is handed to it.
export * from "./${name}.js";
export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
`;

async function bind({ name, scratch, compiled }) {
  rmSync(scratch, { recursive: true, force: true });
  const hint = "This is a bug in the exports under src/wasm, or in tools/bindgen.";
  await must(bindgenTool, [compiled, scratch, name], hint);
}

async function writeGlue(module) {
  const { name, title, scratch, compiled, bound } = module;
  await stage({
    name: `glue-${name}`,
    title: `${title}: glue written`,
    inputs: [compiled, bindgenTool, at("scripts/lib/lazy-glue.mjs")],
    extra: glueTypes(name),
    outputs: [bound, path.join(glue, `${name}_bg.js`), path.join(glue, `${name}_bg.d.ts`)],
    work: async () => {
      await bind(module);
      mkdirSync(glue, { recursive: true });
      const source = readFileSync(path.join(scratch, `${name}_bg.js`), "utf8");
      writeFileSync(path.join(glue, `${name}_bg.js`), withLazyEncoder(source));
      copyFileSync(path.join(scratch, `${name}.d.ts`), path.join(glue, `${name}.d.ts`));
      writeFileSync(path.join(glue, `${name}_bg.d.ts`), glueTypes(name));
    },
  });
}

async function optimise({ name, title, bound, optimised }) {
  const strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
  const wasmOpt = at("node_modules/binaryen/bin/wasm-opt");
  const inline = path.join(glue, `${name}_inline`);
  await stage({
    name: `wasm-opt-${name}`,
    title: `${title}: wasm optimised`,
    inputs: [bound, at("node_modules/binaryen/package.json")],
    extra: [INLINING_AFTERWARDS, LOW_MEMORY, ...WASM_FEATURES, ...strip].join(" "),
    outputs: [optimised, `${inline}.js`, `${inline}.d.ts`],
    work: async () => {
      const options = ["-O3", INLINING_AFTERWARDS, LOW_MEMORY, ...WASM_FEATURES, ...strip];
      const args = [wasmOpt, bound, "-o", optimised, ...options];
      await must(process.execPath, args, "Run `npm ci`; if it stays, wasm-opt refuses what cargo made.");
      const base64 = readFileSync(optimised).toString("base64");
      writeFileSync(`${inline}.js`, `export default "${base64}";\n`);
      writeFileSync(`${inline}.d.ts`, "declare const base64: string;\nexport default base64;\n");
      return `${sizeOf(bound)} -> ${sizeOf(optimised)}`;
    },
  });
}

async function bundle() {
  const copied = [
    "package.json",
    "README.md",
    "slim.d.ts",
    "slim/llm.d.ts",
    "slim/agents.d.ts",
    ...modules.map(({ name }) => `${name}.wasm.d.ts`),
  ];
  await stage({
    name: "bundle",
    title: `package built in ${shown(pkg)}/`,
    inputs: [template, at("LICENSE"), at("tsdown.config.mjs"), at("package-lock.json"), at("scripts/lib/bundled.mjs")],
    outputs: [pkg],
    work: async () => {
      rmSync(pkg, { recursive: true, force: true });
      await must(
        process.execPath,
        [at("node_modules/tsdown/dist/run.mjs"), "--config", "tsdown.config.mjs"],
        "Mend what tsdown reports.",
      );
      mkdirSync(path.join(pkg, "slim"), { recursive: true });
      for (const name of copied) copyFileSync(path.join(template, name), path.join(pkg, name));
      copyFileSync(at("LICENSE"), path.join(pkg, "LICENSE"));
      writeFileSync(path.join(pkg, "THIRD-PARTY.txt"), thirdPartyNotice());
      for (const { name, optimised } of modules) copyFileSync(optimised, path.join(pkg, `${name}.wasm`));
    },
  });
}

/** Where the tarball of the current version is. */
export function tarball() {
  const { name, version } = JSON.parse(readFileSync(path.join(template, "package.json"), "utf8"));
  return at("target", `${name}-${version}.tgz`);
}

async function packAndInstall() {
  const file = tarball();
  await stage({
    name: "pack",
    title: `package packed and unpacked into ${shown(installed)}`,
    inputs: [pkg],
    extra: file,
    outputs: [file, installed],
    work: async () => {
      await must(
        "npm",
        ["pack", pkg, "--pack-destination", at("target"), "--loglevel=error"],
        "Mend pkg-template/package.json.",
      );
      const fresh = `${installed}.new`;
      rmSync(fresh, { recursive: true, force: true });
      mkdirSync(fresh, { recursive: true });
      await must("tar", ["-xzf", file, "-C", fresh, "--strip-components=1"], "Install tar (every Debian has it).");
      rmSync(installed, { recursive: true, force: true });
      renameSync(fresh, installed);
      return sizeOf(file);
    },
  });
}

/** Makes pkg/; resolves with the compilers that it used. */
export async function buildPackage() {
  const native = await nativeCargo();
  const toolchain = await wasmToolchain();
  await buildBindgenTool(native);
  for (const module of modules) {
    await compile(module, toolchain);
    await writeGlue(module);
    await optimise(module);
  }
  await bundle();
  return { native, toolchain };
}

/** The modules as wasm-bindgen leaves them, with names: `name`, and `bound`, the file. */
export const boundModules = () => modules.map(({ name, bound }) => ({ name, bound }));

/** Makes the modules for crash drills; resolves with their files by name. */
export async function buildDrills() {
  const toolchain = await wasmToolchain();
  await buildBindgenTool(await nativeCargo());
  for (const module of drills) {
    await compile(module, toolchain);
    const { name, title, compiled, bound } = module;
    const inputs = [compiled, bindgenTool];
    await stage({ name: `glue-${name}-drill`, title, inputs, outputs: [bound], work: () => bind(module) });
  }
  return Object.fromEntries(drills.map(({ name, bound }) => [name, bound]));
}

/** Makes pkg/, packs it, and puts the packed package into node_modules/. */
export async function buildAndPack() {
  const result = await buildPackage();
  await packAndInstall();
  return result;
}
