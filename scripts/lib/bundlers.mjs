// The bundlers for the tests, installed in target/bundlers; and beside them a project with the tests' app and the packed package, as npm
// installs it. The bundlers are some 480 MB that hardly ever change, the project is made anew for each package.
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { tarball } from "./build.mjs";
import { must, run } from "./command.mjs";
import { at, shown } from "./paths.mjs";
import { Failure } from "./say.mjs";
import { stage } from "./stages.mjs";

const folder = at("target/bundlers");
const sources = at("tests/bundlers");

/** Where the app and the package are. */
export const project = path.join(folder, "project");

const QUIET = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

class NotInstalled extends Failure {}

async function installBundlers() {
  const manifests = ["package.json", "package-lock.json"];
  await stage({
    name: "bundlers",
    title: `bundlers installed in ${shown(folder)}`,
    inputs: manifests.map((name) => path.join(sources, name)),
    outputs: [path.join(folder, "node_modules/.package-lock.json")],
    work: async () => {
      mkdirSync(folder, { recursive: true });
      for (const name of manifests) copyFileSync(path.join(sources, name), path.join(folder, name));
      const { code, output } = await run("npm", ["ci", "--include=dev", ...QUIET], { cwd: folder, limit: 600 });
      if (code === 0) return;
      // A lock file that does not fit is our mistake; a registry that cannot be reached is not.
      const reason = output.split("\n").find((line) => line.startsWith("npm error")) ?? "no answer within ten minutes";
      if (/EUSAGE|EINTEGRITY/.test(output))
        throw new Failure(`The lock file of tests/bundlers does not fit: ${reason}`);
      throw new NotInstalled(`npm could not install the bundlers: ${reason}`);
    },
  });
}

async function makeProject() {
  const file = tarball();
  await stage({
    name: "bundlers-project",
    title: `app and package put into ${shown(project)}`,
    inputs: [sources, file],
    outputs: [path.join(project, "app"), path.join(project, "next"), path.join(project, "node_modules/stepstream")],
    work: async () => {
      rmSync(project, { recursive: true, force: true });
      mkdirSync(project, { recursive: true });
      writeFileSync(path.join(project, "package.json"), '{ "name": "app", "private": true, "type": "module" }\n');
      for (const name of ["app", "next", "build.mjs"]) {
        cpSync(path.join(sources, name), path.join(project, name), { recursive: true });
      }
      // Offline: the package has no dependency, so nothing may be fetched.
      const advice = "Mend pkg-template/package.json.";
      await must("npm", ["install", "--offline", ...QUIET, file], advice, { cwd: project, limit: 120 });
    },
  });
}

/** Makes sure that both are there; resolves with why not, where an install is impossible. */
export async function prepareBundlers() {
  try {
    await installBundlers();
  } catch (error) {
    if (!(error instanceof NotInstalled)) throw error;
    return error.message;
  }
  await makeProject();
  return undefined;
}
