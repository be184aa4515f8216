// The runtimes in which the ratios of Node are measured again. They are those of tests/runtimes, found, installed and
// started as its tests do it; only the programs inside are different.
import { cpSync, rmSync } from "node:fs";
import path from "node:path";
import { chromium, firefox } from "../../scripts/lib/browser.mjs";
import { withLock } from "../../scripts/lib/lock.mjs";
import { at } from "../../scripts/lib/paths.mjs";
import { Failure } from "../../scripts/lib/say.mjs";
import { bundle } from "../../tests/runtimes/lib/bundles.mjs";
import { hosted, program } from "../../tests/runtimes/lib/hosts.mjs";
import { compatibilityDate, packageVersion, packaged, versionOf } from "../../tests/runtimes/lib/runtimes.mjs";
import { prepare, project } from "../../tests/runtimes/lib/scratch.mjs";

/** The files of benches/ that go into the project where the runtimes find the package. */
const FILES = ["inside", "peers", "lib", "cases.mjs"];
const folder = "benches";

function copyPrograms() {
  for (const name of FILES) {
    const to = path.join(project, folder, name);
    rmSync(to, { recursive: true, force: true });
    cpSync(at(folder, name), to, { recursive: true });
  }
}

async function asProgram(file, args = []) {
  const places = { import: { args: [...args, `${folder}/inside/program.mjs`] } };
  return program({ file, places, version: await versionOf(file) });
}

async function inBrowser(kind, { file, reason }, node) {
  if (file === undefined) throw new Failure(reason);
  const made = await bundle(`${folder}/inside/browser.js`, { name: "bench-browser" });
  const places = { page: { ...made, browser: kind, executablePath: file, inside: "page" } };
  return hosted({ script: "browser.mjs", node, places, version: await versionOf(file) });
}

async function inWorkerd(node) {
  const how = { name: "bench-workerd", way: "workerd", conditions: ["workerd", "worker"] };
  const places = { isolate: { ...(await bundle(`${folder}/inside/worker.js`, how)), compatibilityDate } };
  return hosted({ script: "workerd.mjs", node, places, version: packageVersion("workerd") });
}

const found = ({ file, reason }) => {
  if (file === undefined) throw new Failure(reason);
  return file;
};

/** By name: a host with one place. The first is the Node that measures everything else. */
export async function speedRuntimes() {
  const reason = await withLock(prepare);
  if (reason !== undefined) throw new Failure(reason);
  copyPrograms();
  const newest = found(packaged("node"));
  return {
    Node: await asProgram(process.execPath),
    "newest Node": await asProgram(newest),
    Bun: await asProgram(found(packaged("bun")), ["run"]),
    workerd: await inWorkerd(newest),
    Chromium: await inBrowser("chrome", await chromium(), newest),
    Firefox: await inBrowser("firefox", await firefox(), newest),
  };
}
