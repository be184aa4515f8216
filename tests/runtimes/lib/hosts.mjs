// The runtimes: where each program is, how it is started, and which places in it perform jobs.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium, firefox } from "../../../scripts/lib/browser.mjs";
import { run } from "../../../scripts/lib/command.mjs";
import { bundle } from "./bundles.mjs";
import { reportsOf } from "./process.mjs";
import { host, packages, project } from "./scratch.mjs";

/** What workerd is told to behave like. */
const COMPATIBILITY_DATE = "2026-07-01";

/** The names that packages of programs give this system. */
const { platform, arch } = process;
const programs = {
  node: [`node-${platform}-${arch}/bin/node`, `node-bin-${platform}-${arch}/bin/node`, `node-win-${arch}/bin/node.exe`],
  deno: [
    `@deno/${platform}-${arch}-glibc/deno`,
    `@deno/${platform}-${arch}/deno`,
    `@deno/${platform}-${arch}/deno.exe`,
  ],
  bun: [`bun-${platform}-${arch}`, `bun-${platform}-${arch === "arm64" ? "aarch64" : arch}`].map(
    (name) => `@oven/${name}/bin/bun`,
  ),
};

/** `{ file }`, a program that came with the packages; or `{ reason }` why there is none for this system. */
function packaged(name) {
  const file = programs[name].map((each) => path.join(packages, each)).find((each) => existsSync(each));
  return file === undefined ? { reason: `npm has no ${name} for ${platform} on ${arch}` } : { file };
}

const versionOf = (name) => JSON.parse(readFileSync(path.join(packages, name, "package.json"), "utf8")).version;

/** A folder of its own for one start of a program. */
async function withFolder(work) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "stepstream-runtimes-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A runtime that is a program like Node: one process for each place. */
const program = ({ file, places, version }) => ({
  version,
  places: Object.keys(places),
  /** @param orders The jobs of each place. */
  perform: (orders, limit) =>
    withFolder(async (folder) => {
      const reports = [];
      const failures = [];
      for (const { place, jobs } of orders) {
        const list = path.join(folder, `${place}.json`);
        writeFileSync(list, JSON.stringify(jobs.map((job) => ({ ...job, folder: path.join(folder, place) }))));
        const result = await reportsOf(file, [...places[place], list], { cwd: project, limit });
        for (const report of result.reports) reports.push({ place, ...report });
        if (result.failure !== undefined) failures.push(`${place}: ${result.failure}`);
      }
      return { reports, failure: failures.join("\n") || undefined };
    }),
});

/** A runtime that a program of hosts/ starts and talks to: one start for all places. */
const hosted = ({ script, node, places, version, env }) => ({
  version,
  places: Object.keys(places),
  perform: (orders, limit) =>
    withFolder(async (folder) => {
      const list = path.join(folder, "orders.json");
      writeFileSync(list, JSON.stringify(orders.map((order) => ({ ...order, ...places[order.place] }))));
      return reportsOf(node, [host(script), list], { cwd: project, limit, env });
    }),
});

async function browser(kind, found, node, places) {
  if (found.file === undefined) return { reason: found.reason };
  if (node === undefined) return { reason: "its driver needs a newer Node" };
  const { output } = await run(found.file, ["--version"], { limit: 60 });
  const bundled = await bundle("inside/browser.js", { name: "browser" });
  const all = Object.entries(places).map(([place, how]) => [
    place,
    { browser: kind, executablePath: found.file, ...bundled, ...how },
  ]);
  return hosted({
    script: "browser.mjs",
    node,
    places: Object.fromEntries(all),
    version: /\d+\.[\w.]+/.exec(output)?.[0],
  });
}

/** Every runtime by its name: what `program` and `hosted` make, or `{ reason }` why it cannot be had here. */
export async function hosts() {
  const newest = packaged("node");
  const asProgram = async (found, places) => {
    if (found.file === undefined) return found;
    const { output } = await run(found.file, ["--version"], { limit: 60 });
    return program({ file: found.file, places, version: /\d+\.[\w.]+/.exec(output)?.[0] });
  };
  const node = { import: ["inside/program.mjs"], require: ["inside/program.cjs"] };
  const permissions = [
    "run",
    "--quiet",
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-net=127.0.0.1",
    "--allow-env",
  ];
  const workerd = async () => {
    if (newest.file === undefined) return { reason: "miniflare needs a newer Node" };
    const made = await bundle("inside/worker.js", {
      name: "workerd",
      way: "workerd",
      conditions: ["workerd", "worker"],
    });
    const isolate = { ...made, compatibilityDate: COMPATIBILITY_DATE };
    return hosted({ script: "workerd.mjs", node: newest.file, places: { isolate }, version: versionOf("workerd") });
  };
  const edge = async () => {
    const isolate = await bundle("inside/edge.js", {
      name: "edge",
      way: "edge",
      conditions: ["edge-light"],
      format: "iife",
    });
    return hosted({
      script: "edge.mjs",
      node: process.execPath,
      places: { isolate },
      version: versionOf("edge-runtime"),
    });
  };
  return {
    Node: await asProgram({ file: process.execPath }, node),
    "newest Node": await asProgram(newest, node),
    Deno: await asProgram(packaged("deno"), { import: [...permissions, "inside/program.mjs"] }),
    Bun: await asProgram(packaged("bun"), { import: ["run", "inside/program.mjs"] }),
    workerd: await workerd(),
    "edge-runtime": await edge(),
    Chromium: await browser("chrome", await chromium(), newest.file, {
      page: { inside: "page" },
      worker: { inside: "worker" },
      "service worker": { inside: "serviceWorker" },
    }),
    Firefox: await browser("firefox", await firefox(), newest.file, {
      page: { inside: "page" },
      worker: { inside: "worker" },
    }),
  };
}
