// `npm run bench -- --gate`: whether anything costs half as much again as it did, in about a minute, for every change.
// The budgets of cases.mjs say what has to be reached. The gate knows what has been reached, and keeps it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "../../scripts/lib/command.mjs";
import { Failure, green, red, say } from "../../scripts/lib/say.mjs";
import { figure as shown } from "../lib/report.mjs";
import { versionOf } from "../lib/setup.mjs";
import { median } from "../lib/stats.mjs";
import { ROOM, cases, figuresFile } from "./cases.mjs";

const script = fileURLToPath(new URL("measure.mjs", import.meta.url));
/** How often a case that exceeds its limit is measured before it fails. Noise passes; a cost does not. */
const ATTEMPTS = 4;
/** How often a case is measured for its figure. */
const SAMPLES = 3;
/** In seconds: only what hangs takes longer, however busy the machine is. */
const HANG = 300;
/** What `--slowed` multiplies the work by; and the gate's own check, by so much that no other machine hides it. */
const [HALF_AGAIN, DOUBLE] = [1.5, 2];

const majorOf = (node) => versionOf(node).split(".")[0];

const readFigures = () => (existsSync(figuresFile) ? JSON.parse(readFileSync(figuresFile, "utf8")) : {});

/**
 * The most that a case may come to in a Node: its figure and some room. Ratios differ between the versions of V8; in a
 * Node without figures of its own, the highest of any Node counts.
 */
export function limitOf({ id, least = 0 }, major, all = readFigures()) {
  const nodes = all[major] === undefined ? Object.values(all) : [all[major]];
  const found = nodes.flatMap((figures) => figures[id] ?? []);
  if (found.length === 0) throw new Failure(`The gate has no figure of "${id}": \`npm run bench -- --gate --update\`.`);
  return Math.max(least, Math.max(...found) * ROOM);
}

async function measure(node, id, factor = 1) {
  const { code, output, timedOut } = await run(node, ["--single-threaded", script, id, String(factor)], {
    limit: HANG,
  });
  if (code !== 0) throw new Failure(`${id} ${timedOut ? `was not done after ${HANG} s` : `failed:\n${output}`}`);
  return JSON.parse(output.trimEnd().split("\n").at(-1)).figure;
}

/** Measures a case until it is within its limit, or often enough; `{ found, limit, pass }` with the lowest figure. */
async function judge(node, entry, { factor = 1, attempts = ATTEMPTS } = {}) {
  const limit = limitOf(entry, majorOf(node));
  let found = Infinity;
  for (let attempt = 0; attempt < attempts && found > limit; attempt++) {
    found = Math.min(found, await measure(node, entry.id, factor));
  }
  return { found, limit, pass: found <= limit };
}

function report(isRight, { found, limit }, what) {
  say(
    `${isRight ? green("ok    ") : red("failed")} ${shown(found).padStart(6)} of ${shown(limit).padStart(6)}  ${what}`,
  );
}

/**
 * Judges all cases and prints each with its limit; resolves with the counts of a stage of `npm test`. At last it makes
 * a chain do its work twice, which must fail: a limit that lets this pass guards nothing.
 *
 * @param node The Node to measure in.
 * @param slowed The id of a case that does half of its work again, to see it fail.
 */
export async function gate({ node = process.execPath, slowed } = {}) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const entry of cases) {
    const outcome = await judge(node, entry, { factor: entry.id === slowed ? HALF_AGAIN : 1 });
    count[outcome.pass ? "passed" : "failed"] += 1;
    report(outcome.pass, outcome, entry.what);
  }
  if (count.failed > 0) say("These cost more than they did; `node benches/profile.mjs` shows where the time goes.");
  const outcome = await judge(node, cases[0], { factor: DOUBLE, attempts: 1 });
  count[outcome.pass ? "failed" : "passed"] += 1;
  report(!outcome.pass, outcome, "a chain that does everything twice is over the limit");
  if (outcome.pass) say("The figures of the gate are out of date: `npm run bench -- --gate --update` writes them.");
  return count;
}

/** Writes what is found now as the figures of the gate for this Node: the median of several measurements. */
export async function updateFigures(node) {
  const figures = {};
  for (const { id, what } of cases) {
    const measured = [];
    for (let attempt = 0; attempt < SAMPLES; attempt++) measured.push(await measure(node, id));
    const found = median(measured);
    figures[id] = Number(found.toPrecision(3));
    say(`${shown(found).padStart(6)}  ${what}`);
  }
  writeFileSync(figuresFile, `${JSON.stringify({ ...readFigures(), [majorOf(node)]: figures }, undefined, 2)}\n`);
}
