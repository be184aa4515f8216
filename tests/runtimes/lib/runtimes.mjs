// The runtimes: where each program is, and which places in it perform jobs. A place that is for one question only has
// `jobs` and a `judge`: `judge(check, reports)` is given its reports; the others perform everything.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { chromium, firefox } from "../../../scripts/lib/browser.mjs";
import { run } from "../../../scripts/lib/command.mjs";
import { bundle, inPackage } from "./bundles.mjs";
import { hosted, program } from "./hosts.mjs";
import { packages } from "./scratch.mjs";

/** The compatibility date of workerd. */
export const compatibilityDate = "2026-07-01";

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
export function packaged(name) {
  const file = programs[name].map((each) => path.join(packages, each)).find((each) => existsSync(each));
  return file === undefined ? { reason: `npm has no ${name} for ${platform} on ${arch}` } : { file };
}

/** The version of a package of the runtimes. */
export const packageVersion = (name) =>
  JSON.parse(readFileSync(path.join(packages, name, "package.json"), "utf8")).version;

/** What a program says of its version. */
export async function versionOf(file) {
  const { output } = await run(file, ["--version"], { limit: 300 });
  return /\d+\.[\w.]+/.exec(output)?.[0];
}

/** A place where no run can begin: the error must say why, in these words, and what the way out is. */
const refuses = (...words) => ({
  jobs: [{ do: "refused" }],
  judge(check, [report]) {
    const { name, code, message = "" } = report ?? {};
    const missing = [...words, "stepstream/slim"].filter((word) => !message.includes(word));
    const right = name === "EngineError" && code === "UNSUPPORTED_RUNTIME" && missing.length === 0;
    check(right, "a run is refused", `without "${missing.join('", "')}": ${JSON.stringify(report)}`);
  },
});

const FROM_BYTES = ["does not compile WebAssembly from bytes", "wasm-unsafe-eval", "workerd", "edge-light"];

/** Has a program take the entries that hold no wasm. */
const toSlim = Object.fromEntries(
  ["", "/llm", "/agents"].map((entry) => [`stepstream${entry}$`, `stepstream/slim${entry}`]),
);

async function asProgram({ file, reason }, places) {
  return file === undefined ? { reason } : program({ file, places, version: await versionOf(file) });
}

const nodePlaces = {
  import: { args: ["inside/program.mjs"] },
  require: { args: ["inside/program.cjs"] },
  "without WebAssembly": { args: ["--jitless", "inside/program.mjs"], ...refuses("no WebAssembly") },
};

const denoArguments = ["run", "--quiet", "--no-prompt", "--allow-read", "--allow-write", "--allow-env"];

/** The classes of worker.js. */
const durableObjects = {
  WITH_SQLITE: { className: "WithSqlite", useSQLite: true },
  WITHOUT_SQLITE: { className: "WithoutSqlite" },
};

async function inWorkerd(node) {
  if (node === undefined) return { reason: "miniflare needs a newer Node" };
  const asWrangler = { way: "workerd", conditions: ["workerd", "worker"] };
  const made = async (name, input, how = asWrangler) => ({
    ...(await bundle(`inside/${input}`, { name, ...how })),
    compatibilityDate,
  });
  const places = {
    isolate: { ...(await made("workerd", "worker.js")), durableObjects },
    "isolate, slim": await made("workerd-slim", "slim-worker.js", {
      ...asWrangler,
      alias: toSlim,
    }),
    "without its condition": { ...(await made("workerd-plain", "worker.js", {})), ...refuses(...FROM_BYTES) },
    "module scope": {
      ...(await made("workerd-module-scope", "module-scope.js")),
      jobs: [{ do: "nothing" }],
      judge(check, [report]) {
        const { issues, refusal = "", data } = report ?? {};
        check(issues === 0 && data === "in time", "workflows are made at module scope", JSON.stringify(report));
        check(/global scope.*within a handler/s.test(refusal), "runs are not", JSON.stringify(report));
      },
    },
  };
  return hosted({ script: "workerd.mjs", node, places, version: packageVersion("workerd") });
}

async function requestsToWorkerd(node) {
  if (node === undefined) return { reason: "miniflare needs a newer Node" };
  const made = await bundle("inside/requests.js", {
    name: "requests",
    way: "workerd",
    conditions: ["workerd", "worker"],
  });
  const requests = {
    ...made,
    compatibilityDate,
    jobs: [],
    judge(check, reports) {
      const tests = reports.filter(({ ok }) => ok !== undefined);
      for (const { name, ok, error } of tests) check(ok, name, error);
      check(tests.length > 0 && tests.length === reports[0]?.tests, "all tests have run");
    },
  };
  return hosted({ script: "requests.mjs", node, places: { requests }, version: packageVersion("workerd") });
}

async function inEdgeRuntime() {
  const made = (name, how) => bundle("inside/edge.js", { name, format: "iife", ...how });
  const places = {
    isolate: await made("edge", { way: "edge", conditions: ["edge-light"] }),
    "without its condition": { ...(await made("edge-plain", {})), ...refuses(...FROM_BYTES) },
    "wasm as an address": {
      ...(await made("edge-address", { way: "address", conditions: ["edge-light"] })),
      ...refuses("stepstream.wasm gave no WebAssembly.Module", "bundler"),
    },
  };
  return hosted({ script: "edge.mjs", node: process.execPath, places, version: packageVersion("edge-runtime") });
}

async function inBrowser(kind, { file, reason }, node, workers) {
  if (file === undefined) return { reason };
  if (node === undefined) return { reason: "its driver needs a newer Node" };
  const common = { browser: kind, executablePath: file, ...(await bundle("inside/browser.js", { name: "browser" })) };
  const slim = await bundle("inside/slim-browser.js", { name: "browser-slim", alias: toSlim });
  // The page serves them under these names.
  slim.wasm = Object.fromEntries(["stepstream.wasm", "stepstream-llm.wasm"].map((name) => [name, inPackage(name)]));
  const places = { page: { ...common, inside: "page" } };
  for (const [name, inside] of Object.entries(workers)) places[name] = { ...common, inside };
  places["page, slim"] = { ...common, ...slim, inside: "page" };
  const policy = { policy: "script-src 'self'", ...refuses(...FROM_BYTES) };
  places["page with a policy"] = { ...common, inside: "page", ...policy };
  return hosted({ script: "browser.mjs", node, places, version: await versionOf(file) });
}

/** Every runtime by its name, as hosts.mjs makes them; or `{ reason }` why it cannot be had here. */
export async function allRuntimes() {
  const newest = packaged("node");
  // What drives workerd and the browsers needs a Node that is newer than the oldest that the package supports.
  const driver = newest.file ?? (Number(process.versions.node.split(".")[0]) >= 22 ? process.execPath : undefined);
  return {
    Node: await asProgram({ file: process.execPath }, nodePlaces),
    "newest Node": await asProgram(newest, nodePlaces),
    Deno: await asProgram(packaged("deno"), {
      import: { args: [...denoArguments, "--allow-net=127.0.0.1", "inside/program.mjs"] },
    }),
    Bun: await asProgram(packaged("bun"), { import: { args: ["run", "inside/program.mjs"] } }),
    workerd: await inWorkerd(driver),
    "workerd, many requests": await requestsToWorkerd(driver),
    "edge-runtime": await inEdgeRuntime(),
    Chromium: await inBrowser("chrome", await chromium(), driver, {
      worker: "worker",
      "service worker": "serviceWorker",
    }),
    Firefox: await inBrowser("firefox", await firefox(), driver, { worker: "worker" }),
  };
}
