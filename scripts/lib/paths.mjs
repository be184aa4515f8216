// Where things are: every script takes its paths from here, so that moving one is one change.
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** An absolute path inside the repository. */
export const at = (...parts) => path.join(root, ...parts);

/** Cargo's output; a developer may have moved it. */
export const cargoTarget = path.resolve(root, process.env.CARGO_TARGET_DIR || "target");

/** What the scripts remember between two runs; with this tree, as it is about this tree's pkg/ and node_modules/. */
export const memory = at("target/.stepstream");

/** The glue and the optimised wasm, where the TypeScript sources import them from. */
export const glue = at("pkg-template/wasm");

export const template = at("pkg-template");
export const pkg = at("pkg");

/** The packed package, installed where `import "stepstream"` finds it from anywhere in the repository. */
export const installed = at("node_modules/stepstream");

/** A path as messages show it; what is in cargo's folder has the same name wherever that folder is. */
export function shown(file) {
  const inTarget = path.relative(cargoTarget, file);
  return inTarget.startsWith("..") ? path.relative(root, file) || "." : path.join("target", inTarget);
}
