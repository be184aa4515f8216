// The bundlers for the tests, installed in target/bundlers; and beside them a project with the tests' app and the packed package, as npm
// installs it. The bundlers are some 480 MB that hardly ever change, the project is made anew for each package.
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { tarball } from "./build.mjs";
import { must } from "./command.mjs";
import { QUIET, installLocked } from "./installed.mjs";
import { at, shown } from "./paths.mjs";
import { stage } from "./stages.mjs";

const folder = at("target/bundlers");
const sources = at("tests/bundlers");

/** Where the app and the package are. */
export const project = path.join(folder, "project");

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
      await must("npm", ["install", "--offline", ...QUIET, file], advice, { cwd: project, limit: 600 });
    },
  });
}

/** Makes sure that both are there; resolves with why not, where an install is impossible. */
export async function prepareBundlers() {
  const reason = await installLocked({ name: "bundlers", sources, folder });
  if (reason === undefined) await makeProject();
  return reason;
}
