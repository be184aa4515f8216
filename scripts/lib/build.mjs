// From sources to the installed package, stage by stage; each runs only when something it depends on has changed:
// cargo -> glue (wasm-bindgen) -> wasm-opt -> TypeScript (tsdown) -> tarball, unpacked where `import "stepstream"` finds it.
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { thirdPartyNotice } from "./bundled.mjs";
import { must } from "./command.mjs";
import { at, cargoTarget, glue, installed, memory, pkg, root, shown, template } from "./paths.mjs";
import { stage } from "./stages.mjs";
import { nativeCargo, wasmToolchain } from "./toolchain.mjs";

const TARGET = "wasm32-unknown-unknown";
const compiled = path.join(cargoTarget, TARGET, "release/stepstream.wasm");
const bindgenTool = path.join(cargoTarget, "tool", "stepstream-bindgen");
const optimised = path.join(glue, "stepstream.wasm");

/** The wasm proposals that every supported runtime has; more would make files that Node 20 refuses. */
const WASM_FEATURES = [
  "--enable-bulk-memory",
  "--enable-nontrapping-float-to-int",
  "--enable-sign-ext",
  "--enable-mutable-globals",
  "--enable-reference-types",
  "--enable-multivalue",
];

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
const sizeOf = (file) => kilobytes(statSync(file).size);

/** Panic messages carry source paths; this keeps the builder's home folder out of the published file. */
function remapping() {
  const cargoHome = process.env.CARGO_HOME || path.join(os.homedir(), ".cargo");
  const flags = [`--remap-path-prefix=${root}=stepstream`, `--remap-path-prefix=${cargoHome}=cargo`];
  return ["--config", `target.${TARGET}.rustflags=${JSON.stringify(flags)}`];
}

async function compile(toolchain) {
  const args = ["build", "--release", "--locked", "--lib", "-p", "stepstream", "--target", TARGET];
  await stage({
    name: "cargo",
    title: "engine compiled to wasm",
    inputs: [at("Cargo.toml"), at("Cargo.lock"), at("src"), at(".cargo"), at("tools/bindgen/Cargo.toml")],
    extra: JSON.stringify([toolchain.identity, toolchain.arguments, toolchain.env]),
    outputs: [compiled],
    work: async () => {
      await must(
        toolchain.cargo,
        [...args, ...toolchain.arguments, ...remapping()],
        "Mend what the compiler reports.",
        {
          env: toolchain.env,
        },
      );
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

const glueTypes = `// Types for the generated glue: the engine's exports, and how an instance is handed to it.
export * from "./stepstream.js";
export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
`;

async function writeGlue() {
  const scratch = path.join(memory, "glue");
  await stage({
    name: "glue",
    title: "glue written",
    inputs: [compiled, bindgenTool],
    extra: glueTypes,
    outputs: [
      path.join(scratch, "stepstream_bg.wasm"),
      path.join(glue, "stepstream_bg.js"),
      path.join(glue, "stepstream_bg.d.ts"),
    ],
    work: async () => {
      rmSync(scratch, { recursive: true, force: true });
      await must(bindgenTool, [compiled, scratch], "This is a bug in the exports under src/wasm, or in tools/bindgen.");
      mkdirSync(glue, { recursive: true });
      for (const name of ["stepstream_bg.js", "stepstream.d.ts"]) {
        copyFileSync(path.join(scratch, name), path.join(glue, name));
      }
      writeFileSync(path.join(glue, "stepstream_bg.d.ts"), glueTypes);
    },
  });
}

async function optimise() {
  const input = path.join(memory, "glue", "stepstream_bg.wasm");
  const strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
  const wasmOpt = at("node_modules/binaryen/bin/wasm-opt");
  await stage({
    name: "wasm-opt",
    title: "wasm optimised",
    inputs: [input, at("node_modules/binaryen/package.json")],
    extra: [...WASM_FEATURES, ...strip].join(" "),
    outputs: [optimised, path.join(glue, "inline.js"), path.join(glue, "inline.d.ts")],
    work: async () => {
      const args = [wasmOpt, input, "-o", optimised, "-O3", ...WASM_FEATURES, ...strip];
      await must(process.execPath, args, "Run `npm ci`; if it stays, wasm-opt refuses what cargo made.");
      const base64 = readFileSync(optimised).toString("base64");
      writeFileSync(path.join(glue, "inline.js"), `export default "${base64}";\n`);
      writeFileSync(path.join(glue, "inline.d.ts"), "declare const base64: string;\nexport default base64;\n");
      return `${sizeOf(input)} -> ${sizeOf(optimised)}`;
    },
  });
}

async function bundle() {
  const copied = ["package.json", "README.md", "slim.d.ts", "stepstream.wasm.d.ts"];
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
      for (const name of copied) copyFileSync(path.join(template, name), path.join(pkg, name));
      copyFileSync(at("LICENSE"), path.join(pkg, "LICENSE"));
      writeFileSync(path.join(pkg, "THIRD-PARTY.txt"), thirdPartyNotice());
      copyFileSync(optimised, path.join(pkg, "stepstream.wasm"));
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
  await compile(toolchain);
  await buildBindgenTool(native);
  await writeGlue();
  await optimise();
  await bundle();
  return { native, toolchain };
}

/** Makes pkg/, packs it, and puts the packed package into node_modules/. */
export async function buildAndPack() {
  const result = await buildPackage();
  await packAndInstall();
  return result;
}
