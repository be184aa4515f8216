// Where the time goes: runs one timed case of one contender under the sampling profiler and prints the functions with
// the most self time. `node benches/profile.mjs chain 100000` (the contender is stepstream unless a third word says so).
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Failure, main, say } from "../scripts/lib/say.mjs";

const ROWS = 25;

/** Self time by function, in microseconds; what the profiler calls "(program)" and "(idle)" stays visible. */
function selfTimes({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const times = new Map();
  samples.forEach((id, i) => {
    const { functionName, url, lineNumber } = byId.get(id).callFrame;
    const file = url.replace(/^.*\/(node_modules\/)?/, "");
    const name = `${functionName || "(anonymous)"}${file && ` ${file}:${lineNumber + 1}`}`;
    times.set(name, (times.get(name) ?? 0) + timeDeltas[i]);
  });
  return [...times].sort(([, a], [, b]) => b - a);
}

await main(async () => {
  const [id, size, key = "stepstream"] = process.argv.slice(2);
  if (size === undefined) throw new Failure("Say which case and size: `node benches/profile.mjs chain 100000`.");
  const folder = mkdtempSync(path.join(os.tmpdir(), "stepstream-profile-"));
  try {
    const script = fileURLToPath(new URL("lib/throughput.mjs", import.meta.url));
    const flags = ["--cpu-prof", `--cpu-prof-dir=${folder}`, "--cpu-prof-interval=200"];
    const child = spawnSync(process.execPath, [...flags, script, id, key, size], { encoding: "utf8" });
    if (child.status !== 0) throw new Failure(`The profiled run failed:\n${child.stderr}`);
    const [file] = readdirSync(folder);
    const times = selfTimes(JSON.parse(readFileSync(path.join(folder, file), "utf8")));
    const total = times.reduce((sum, [, time]) => sum + time, 0);
    for (const [name, time] of times.slice(0, ROWS)) say(`${((time / total) * 100).toFixed(1).padStart(5)} %  ${name}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
