// Where the time goes: runs a timed case of a contender under the sampling profiler.
// `node benches/profile.mjs chain 100000` prints the functions with the most self time (the contender is stepstream
// unless a third word says so). `node benches/profile.mjs --update` writes into BENCHMARKS.md which parts take how much
// of the chain, the fan-out and the path of a token.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { replacePart } from "./lib/document.mjs";
import { table } from "./lib/report.mjs";
import { suitableNode, versionOf } from "./lib/setup.mjs";
import { Failure, main, say } from "../scripts/lib/say.mjs";

const ROWS = 25;
/** Microseconds at the beginning that are left out: loading, and the warm-up. */
const WARM_UP_US = 800_000;

/** What `--update` profiles. */
const profiled = [
  { title: "chain of 100,000", args: ["chain", 1e5, "stepstream"] },
  { title: "fan-out of 10,000", args: ["fanOut", 1e4, "stepstream"] },
  { title: "tokens, bytes to `AgentStream`", args: ["decodeChat", 2e3, "stepstream:agent-read"] },
];

/** The parts that a function can belong to; the first that fits. */
const parts = [
  ["the garbage collector", ({ functionName }) => functionName === "(garbage collector)"],
  ["WebAssembly", ({ functionName, url }) => url.startsWith("wasm:") || /^(js-to-)?wasm/.test(functionName)],
  ["stepstream: runs (`core.js`)", ({ url }) => /stepstream\/internal\/core\.js$/.test(url)],
  ["stepstream: calls of models (`llm.js`)", ({ url }) => /stepstream\/internal\/llm\.js$/.test(url)],
  ["stepstream: agents (`agents.js`)", ({ url }) => /stepstream\/internal\/(agents|tools)\.js$/.test(url)],
  ["stepstream: the rest", ({ url }) => /\/stepstream\//.test(url) && !/\/benches\/peers\//.test(url)],
  ["the program: handlers, streams, the benchmark", ({ url }) => /\/benches\//.test(url)],
  ["Node and V8: promises, streams, text", () => true],
];

/** Each function that was sampled, with its microseconds; what the profiler calls "(program)" stays visible. */
function selfTimes({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const times = new Map();
  let at = 0;
  samples.forEach((id, i) => {
    at += timeDeltas[i];
    const frame = byId.get(id);
    if (at > WARM_UP_US && frame.functionName !== "(idle)") times.set(frame, (times.get(frame) ?? 0) + timeDeltas[i]);
  });
  return times;
}

function profile(node, args) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "stepstream-profile-"));
  try {
    const script = fileURLToPath(new URL("lib/throughput.mjs", import.meta.url));
    const flags = ["--cpu-prof", `--cpu-prof-dir=${folder}`, "--cpu-prof-interval=200"];
    const [id, size, key] = args;
    const child = spawnSync(node, [...flags, script, id, key, String(size)], { encoding: "utf8" });
    if (child.status !== 0) throw new Failure(`The profiled run failed:\n${child.stderr}`);
    const [file] = readdirSync(folder);
    return selfTimes(JSON.parse(readFileSync(path.join(folder, file), "utf8")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sums by what `nameOf` calls a frame, as shares of the whole. */
function shares(times, nameOf) {
  const sums = new Map();
  let total = 0;
  for (const [frame, time] of times) {
    const name = nameOf(frame);
    sums.set(name, (sums.get(name) ?? 0) + time);
    total += time;
  }
  return new Map([...sums].map(([name, time]) => [name, time / total]));
}

function functionName({ functionName: name, url, lineNumber }) {
  const file = url.replace(/^.*\/(node_modules\/)?/, "");
  return `${name || "(anonymous)"}${file && ` ${file}:${lineNumber + 1}`}`;
}

const partOf = (frame) => parts.find(([, fits]) => fits(frame))[0];

function update() {
  const node = suitableNode();
  const found = profiled.map(({ args }) => shares(profile(node, args), partOf));
  const rows = parts.map(([name]) => [
    name,
    ...found.map((byPart) => (byPart.has(name) ? `${Math.round(byPart.get(name) * 100)} %` : "")),
  ]);
  const head = ["part", ...profiled.map(({ title }) => title)];
  const commands = profiled.map(({ args }) => `\`node benches/profile.mjs ${args.join(" ")}\``);
  const text = [
    `Shares of the processor time in Node ${versionOf(node)}. The functions in them are printed by:`,
    commands.map((command) => `- ${command}`).join("\n"),
    table(head, rows),
  ];
  replacePart("profiles", text.join("\n\n"));
}

await main(async () => {
  const [id, size, key = "stepstream"] = process.argv.slice(2);
  if (id === "--update") return update();
  if (size === undefined) throw new Failure("Say which case and size: `node benches/profile.mjs chain 100000`.");
  const found = [...shares(profile(process.execPath, [id, size, key]), functionName)].sort(([, a], [, b]) => b - a);
  for (const [name, share] of found.slice(0, ROWS)) say(`${(share * 100).toFixed(1).padStart(5)} %  ${name}`);
});
