// The scratch project: the packed package as npm installs it for a user, and the programs that run in the runtimes.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { tarball } from "../../../scripts/lib/build.mjs";
import { must } from "../../../scripts/lib/command.mjs";
import { at } from "../../../scripts/lib/paths.mjs";
import { digest } from "../../../scripts/lib/stages.mjs";

export const scratch = at("target/runtimes");
const here = at("tests/runtimes");

/** npm's packages of a folder with a lock file, installed once. */
export async function installLocked(folder) {
  const stamp = path.join(folder, "node_modules/.installed");
  const wanted = digest(["package.json", "package-lock.json", ".npmrc"].map((name) => path.join(folder, name)));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  await must(
    "npm",
    ["ci", "--no-audit", "--no-fund", "--loglevel=error"],
    "Check the connection to the npm registry.",
    {
      cwd: folder,
      limit: 600,
    },
  );
  writeFileSync(stamp, wanted);
}

/** Fills the scratch project anew. */
export async function fillScratch() {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  writeFileSync(path.join(scratch, "package.json"), '{ "name": "scratch", "private": true, "type": "module" }\n');
  const args = ["install", tarball(), "--no-audit", "--no-fund", "--loglevel=error", "--offline"];
  await must("npm", args, "The packed package cannot be installed.", { cwd: scratch, limit: 120 });
  for (const folder of ["suite", "inside"])
    cpSync(path.join(here, folder), path.join(scratch, folder), { recursive: true });
}
