// What the benchmark needs before it can measure: the packed package, the peers, and a Node that all of them support.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { must } from "../../scripts/lib/command.mjs";
import { at, installed } from "../../scripts/lib/paths.mjs";
import { say } from "../../scripts/lib/say.mjs";

const benches = at("benches");
const modules = path.join(benches, "node_modules");
// Inside node_modules, so that deleting that folder also forgets that it was filled.
const stamp = path.join(modules, ".stepstream-peers");

/** Builds and packs what is not up to date. */
export async function ensurePackage() {
  await must(process.execPath, [at("scripts/pack.mjs")], "The benchmark measures the packed package.", { show: true });
}

/** Installs the peers that the lock file names, once. */
export async function ensurePeers() {
  const lock = readFileSync(path.join(benches, "package-lock.json"));
  const wanted = createHash("sha256").update(lock).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  say("Installing the peers to compare with (some 380 MB, once).");
  const advice = "Check the connection to the npm registry; `npm run bench -- --quick` needs no peers.";
  await must("npm", ["ci", "--loglevel=error"], advice, { cwd: benches, limit: 900 });
  writeFileSync(stamp, wanted);
}

export const versionOf = (node) => spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim().slice(1);

const atLeast = (version, [major, minor]) => {
  const [hasMajor, hasMinor] = version.split(".").map(Number);
  return hasMajor > major || (hasMajor === major && hasMinor >= minor);
};

export const supports = (nodeVersion, { needs }) => needs === undefined || atLeast(nodeVersion, needs);

/** The Node that came with the peers, unless the one at hand is as new: a peer may not support an older one. */
export function suitableNode() {
  const bundled = path.join(modules, `node-${process.platform}-${process.arch}`, "bin/node");
  if (!existsSync(bundled)) return process.execPath;
  const [major] = versionOf(bundled).split(".").map(Number);
  return atLeast(process.versions.node, [major, 0]) ? process.execPath : bundled;
}

const folderOf = (name) => (name === "stepstream" ? installed : path.join(modules, name));

export const isInstalled = ({ package: name }) => name === undefined || existsSync(folderOf(name));

/** The versions of the packages that are measured, by name. */
export function versionsOf(contenders) {
  const names = [...new Set(contenders.filter(isInstalled).flatMap(({ package: name }) => name ?? []))];
  const read = (name) => JSON.parse(readFileSync(path.join(folderOf(name), "package.json"), "utf8")).version;
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}
