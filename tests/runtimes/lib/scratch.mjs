// Where the runtimes are: under target/runtimes, installed from the lock file here, with the programs that start them. And the project
// beside them: the packed package as npm installs it for a user, with the programs that run inside.
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { tarball } from "../../../scripts/lib/build.mjs";
import { must } from "../../../scripts/lib/command.mjs";
import { QUIET, installLocked } from "../../../scripts/lib/installed.mjs";
import { at } from "../../../scripts/lib/paths.mjs";

const sources = at("tests/runtimes");
const folder = at("target/runtimes");

/** The packages of the runtimes. */
export const packages = path.join(folder, "node_modules");

/** The project with the packed package. */
export const project = path.join(folder, "project");

/** A program that starts a runtime; it is beside the packages, so that it finds them. */
export const host = (script) => path.join(folder, "hosts", script);

const copy = (name, to) => {
  rmSync(path.join(to, name), { recursive: true, force: true });
  cpSync(path.join(sources, name), path.join(to, name), { recursive: true });
};

/** Makes sure that all of it is there, the project anew; resolves with why not, where an install is impossible. */
export async function prepare() {
  const reason = await installLocked({ name: "runtimes", sources, folder });
  if (reason !== undefined) return reason;
  copy("hosts", folder);
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  writeFileSync(path.join(project, "package.json"), '{ "name": "scratch", "private": true, "type": "module" }\n');
  // Offline: the package has no dependency, so nothing may be fetched.
  const advice = "The packed package cannot be installed.";
  await must("npm", ["install", "--offline", ...QUIET, tarball()], advice, { cwd: project, limit: 600 });
  for (const name of ["suite", "inside"]) copy(name, project);
  return undefined;
}
