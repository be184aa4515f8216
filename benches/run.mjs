// `npm run bench`: every case of every contender side by side, each measurement in a fresh process and in several
// interleaved rounds, so that a noisy machine disturbs all alike. Prints the figures and how they stand to the budgets.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { own, timed } from "./cases.mjs";
import { contenders } from "./contenders.mjs";
import {
  ensurePackage,
  ensurePeers,
  isInstalled,
  suitableNode,
  supports,
  versionOf,
  versionsOf,
} from "./lib/setup.mjs";
import { gate, updateFigures } from "./gate/run.mjs";
import { resultsFile, updateDocument } from "./lib/document.mjs";
import { HELP, options } from "./lib/options.mjs";
import { renderResults } from "./lib/report.mjs";
import { summary } from "./lib/stats.mjs";
import { main, say } from "../scripts/lib/say.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));

/** Runs one measurement; gives its line of JSON, or `{ error }`, which makes the whole benchmark fail. */
function measureIn(node, script, args, { flags = ["--expose-gc"], limit = 300 } = {}) {
  const child = spawnSync(node, [...flags, path.join(here, script), ...args.map(String)], {
    encoding: "utf8",
    timeout: limit * 1000,
    maxBuffer: 1 << 26,
  });
  try {
    if (child.status === 0) return JSON.parse(child.stdout.trimEnd().split("\n").at(-1));
  } catch {
    // Not JSON: reported below with the output of the program.
  }
  const said = (child.stderr || child.stdout || child.error?.message || "").trim().split("\n");
  return { error: said.find((line) => /Error/.test(line)) ?? said.at(-1) ?? `ended by ${child.signal}` };
}

/** All timed measurements of one round, in the order of the first; the runner turns it round every other time. */
function plan({ quick, only }, usable) {
  const jobs = [];
  for (const entry of timed) {
    if (only !== undefined && only !== entry.id) continue;
    const sizes = quick ? entry.quick : entry.contenders;
    for (const [key, wanted] of Object.entries(sizes)) {
      if (usable(key)) for (const size of wanted) jobs.push({ id: entry.id, key, size });
    }
  }
  // Equal sizes next to each other: what is compared is measured within seconds.
  return jobs.sort((a, b) => order(a.id) - order(b.id) || a.size - b.size);
}

const order = (id) => timed.findIndex((entry) => entry.id === id);

function runTimed(node, chosen, usable, errors) {
  const jobs = plan(chosen, usable);
  const results = {};
  for (let round = 0; round < chosen.rounds; round++) {
    say(`Round ${round + 1} of ${chosen.rounds}: ${jobs.length} measurements.`);
    for (const { id, key, size } of round % 2 === 0 ? jobs : [...jobs].reverse()) {
      const outcome = chosen.cpu
        ? measureIn(node, "lib/throughput.mjs", [id, key, size, "cpu"], { flags: ["--single-threaded"] })
        : measureIn(node, "lib/throughput.mjs", [id, key, size], { flags: [] });
      if (outcome.error) {
        errors.push(`${key}, ${id}, ${size}: ${outcome.error}`);
        continue;
      }
      const bySize = ((results[id] ??= {})[key] ??= {});
      const found = (bySize[size] ??= { rounds: [], disturbed: 0 });
      found.rounds.push(outcome.ns);
      if (outcome.disturbed) found.disturbed += 1;
    }
  }
  // A contender that failed in any round has nothing to show at that size.
  for (const bySize of Object.values(results).flatMap(Object.values)) {
    for (const size of Object.keys(bySize)) {
      if (bySize[size].rounds.length < chosen.rounds) delete bySize[size];
    }
  }
  return results;
}

/** The share of measurements that had to make do with samples during which other programs held the processor. */
function disturbedShare(timedResults) {
  const found = Object.values(timedResults).flatMap(Object.values).flatMap(Object.values);
  const sum = (pick) => found.reduce((total, entry) => total + pick(entry), 0);
  return (
    sum(({ disturbed }) => disturbed) /
    Math.max(
      1,
      sum(({ rounds }) => rounds.length),
    )
  );
}

/** Several processes of one measurement become one object of summaries. */
function merge(outcomes) {
  if (outcomes.length === 1) return outcomes[0];
  const names = Object.keys(outcomes[0]);
  return Object.fromEntries(names.map((name) => [name, summary(outcomes.map((outcome) => outcome[name]))]));
}

function runOwn(node, { quick, only }, errors) {
  const results = {};
  for (const { id, script, args = [], processes = 1, quick: quickArgs, limit } of own) {
    if (only !== undefined && only !== id) continue;
    if (quick && quickArgs === undefined) continue;
    const outcomes = [];
    for (let i = 0; i < (quick ? Math.min(processes, 3) : processes); i++) {
      outcomes.push(measureIn(node, script, quick ? quickArgs : args, { limit }));
    }
    const failed = outcomes.find(({ error }) => error);
    if (failed) errors.push(`${id}: ${failed.error}`);
    else results[id] = merge(outcomes);
    say(`Measured ${id}.`);
  }
  return results;
}

async function gateAlone({ update, slowed, node = process.execPath }) {
  if (update) return updateFigures(node);
  const { passed, failed } = await gate({ slowed, node });
  say(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

await main(async () => {
  const chosen = options(process.argv.slice(2));
  if (chosen === undefined) {
    say(HELP);
    process.exitCode = 2;
    return;
  }
  if (chosen.render) return updateDocument();
  if (chosen.build) await ensurePackage();
  if (chosen.gate) return gateAlone(chosen);
  if (!chosen.quick) await ensurePeers();
  const node = chosen.node ?? (chosen.quick ? process.execPath : suitableNode());
  const nodeVersion = versionOf(node);
  const left = [];
  const usable = (key) => {
    if (chosen.with !== undefined && !chosen.with.includes(key)) return false;
    const fits = supports(nodeVersion, contenders[key]) && isInstalled(contenders[key]);
    if (!fits && !left.includes(key)) left.push(key);
    return fits;
  };
  const errors = [];
  say(`Measuring in Node ${nodeVersion}.`);
  const timedResults = runTimed(node, chosen, usable, errors);
  const ownResults = usable("stepstream") ? runOwn(node, chosen, errors) : {};
  const present = new Set(["stepstream", ...Object.values(timedResults).flatMap(Object.keys)]);
  const results = {
    date: new Date().toISOString().slice(0, 10),
    node: nodeVersion,
    cpu: os.cpus()[0].model.trim(),
    cores: os.cpus().length,
    clock: chosen.cpu ? "processor time, one thread" : "time",
    rounds: chosen.rounds,
    disturbed: disturbedShare(timedResults),
    versions: versionsOf([...present].map((key) => contenders[key])),
    leftOut: left.map((key) => contenders[key].title),
    timed: timedResults,
    own: ownResults,
  };
  say(`\n${renderResults(results)}`);
  if (!chosen.quick && !chosen.cpu && chosen.only === undefined && chosen.with === undefined) {
    const all = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, "utf8")) : {};
    all[`node${nodeVersion.split(".")[0]}`] = results;
    const rounded = (_, value) => (typeof value === "number" ? Number(value.toPrecision(5)) : value);
    writeFileSync(resultsFile, `${JSON.stringify(all, rounded, 1)}\n`);
    if (chosen.update) updateDocument();
  }
  if (errors.length > 0) {
    say(`\nWrong or broken:\n${errors.map((line) => `- ${line}`).join("\n")}`);
    process.exitCode = 1;
  }
});
