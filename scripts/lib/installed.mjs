// Packages that only one stage needs, and that are large: they have a package.json and a lock file of their own, and are installed under
// target/ when the stage first runs.
import { copyFileSync, mkdirSync } from "node:fs";
import path from "node:path";
import { run } from "./command.mjs";
import { shown } from "./paths.mjs";
import { Failure } from "./say.mjs";
import { stage } from "./stages.mjs";

/** No scripts: what the packages hold is used as it is. */
export const QUIET = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

/** How long npm may take, in seconds. */
const LIMIT = 600;

/**
 * Installs in `folder` what the lock file in `sources` names; does nothing where it is there already. Resolves with why not, where an
 * install is impossible.
 *
 * @param name What the packages are called in messages.
 */
export async function installLocked({ name, sources, folder }) {
  const manifests = ["package.json", "package-lock.json"];
  let reason;
  await stage({
    name,
    title: `${name} installed in ${shown(folder)}`,
    inputs: manifests.map((file) => path.join(sources, file)),
    outputs: [path.join(folder, "node_modules/.package-lock.json")],
    work: async () => {
      mkdirSync(folder, { recursive: true });
      for (const file of manifests) copyFileSync(path.join(sources, file), path.join(folder, file));
      const { code, output } = await run("npm", ["ci", "--include=dev", ...QUIET], { cwd: folder, limit: LIMIT });
      if (code === 0) return;
      const why = output.split("\n").find((line) => line.startsWith("npm error")) ?? `no answer after ${LIMIT} s`;
      // A lock file that does not fit is our mistake; a registry that cannot be reached is not.
      if (/EUSAGE|EINTEGRITY/.test(output))
        throw new Failure(`The lock file in ${shown(sources)} does not fit: ${why}`);
      reason = `npm could not install the ${name}: ${why}`;
      throw new NotInstalled();
    },
  }).catch((error) => {
    if (!(error instanceof NotInstalled)) throw error;
  });
  return reason;
}

/** Keeps the stage from being remembered as done. */
class NotInstalled extends Error {}
