// Where things are: every script takes its paths from here, so that moving one is one change.
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** An absolute path inside the repository. */
export const at = (...parts) => path.join(root, ...parts);

/** Cargo's output; a developer may have moved it. */
export const cargoTarget = path.resolve(root, process.env.CARGO_TARGET_DIR || "target");

/** What the scripts remember between two runs; it goes when the build output goes. */
export const memory = path.join(cargoTarget, ".stepstream");

/** The glue and the optimised wasm, where the TypeScript sources import them from. */
export const glue = at("pkg-template/wasm");

export const template = at("pkg-template");
export const pkg = at("pkg");

/** The packed package, installed where `import "stepstream"` finds it from anywhere in the repository. */
export const installed = at("node_modules/stepstream");

/** A path as messages show it. */
export const shown = (file) => path.relative(root, file) || ".";
