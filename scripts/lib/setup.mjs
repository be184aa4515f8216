// What a bare machine lacks before anything can be built: a recent enough Node (which we can only ask for) and the
// npm packages (which we install). This file and what it imports use nothing but Node's own modules.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { must } from "./command.mjs";
import { at } from "./paths.mjs";
import { dim, Failure, say, seconds } from "./say.mjs";
import { digest } from "./stages.mjs";

// Inside node_modules, so that deleting that folder also forgets that it was filled.
const stamp = at("node_modules/.cache/stepstream/packages");

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Failure(
    `This is Node ${process.versions.node}; stepstream needs 20.19 or newer, the first that can \`require\` an ` +
      "ES module. Install a newer Node and run this again.",
  );
}

const packagesWanted = () => digest([at("package.json"), at("package-lock.json"), at(".npmrc")]);

function packagesInstalled() {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === packagesWanted();
}

async function installPackages() {
  const start = performance.now();
  say("Installing the npm packages that the lock file names.");
  const advice =
    "If the lock file and package.json disagree, run `npm install` and commit the lock file; otherwise check the connection to the npm registry.";
  await must("npm", ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], advice, { limit: 900 });
  mkdirSync(at("node_modules/.cache/stepstream"), { recursive: true });
  writeFileSync(stamp, packagesWanted());
  say(`npm packages: installed ${dim(`(${seconds(start)})`)}`);
}

/** Makes sure that the npm packages are there as the lock file says. */
export async function setUpNode() {
  checkNode();
  if (!packagesInstalled()) await installPackages();
}
