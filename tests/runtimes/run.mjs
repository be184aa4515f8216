// The packed package in every runtime: the suite, the first use, and runs that change hands between all of them.
// `node tests/runtimes/run.mjs [runtime ...]` does it by itself, after `npm run pack`.
import { pathToFileURL } from "node:url";
import { withLock } from "../../scripts/lib/lock.mjs";
import { dim, main, red, say, seconds, yellow } from "../../scripts/lib/say.mjs";
import { startModelServer } from "./lib/model-server.mjs";
import { judgeTable, writeTable } from "./lib/readme.mjs";
import { Tally, judgeSuite } from "./lib/report.mjs";
import { allRuntimes } from "./lib/runtimes.mjs";
import { prepare } from "./lib/scratch.mjs";
import { matrixTable, placesTable } from "./lib/tables.mjs";

/** How long one runtime may take for one round of jobs, in seconds. */
const LIMIT = 900;
/** As many runtimes at a time as the smallest machine has cores. */
const AT_A_TIME = 2;

/** Works through a list, a few at a time. */
async function each(list, work) {
  const rest = [...list];
  const one = async () => {
    while (rest.length > 0) await work(rest.shift());
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
}

/**
 * Lets every runtime perform its jobs; gives the reports of each place. `jobsOf(name, place)` gives the jobs of a place; a place without
 * any is left out.
 */
async function perform(tally, available, jobsOf) {
  const reports = new Map();
  await each(available, async ([name, host]) => {
    const orders = Object.entries(host.places).flatMap(([place, how]) => {
      const jobs = jobsOf(how);
      return jobs === undefined ? [] : [{ place, jobs }];
    });
    if (orders.length === 0) return;
    const begun = performance.now();
    const result = await host.perform(orders, LIMIT);
    for (const { place } of orders) {
      reports.set(
        `${name}, ${place}`,
        result.reports.filter((report) => report.place === place),
      );
    }
    if (result.failure !== undefined) tally.check(false, `${name} ${host.version}`, result.failure);
    say(dim(`${name} ${host.version}: ${seconds(begun)}`));
  });
  return reports;
}

/** The suite, the first use and the taken snapshots of every place; gives the rows of the table, and the snapshots by place. */
function judgeFirst(tally, places, reports) {
  const rows = [];
  const snapshots = {};
  for (const { name, version, how } of places) {
    const own = reports.get(name) ?? [];
    if (how.judge !== undefined) {
      how.judge((ok, what, why) => tally.check(ok, `${name}: ${what}`, why), own);
      continue;
    }
    const firstUse = own.find(({ job }) => job === "first-use")?.ms;
    rows.push({ name, version, ...judgeSuite(tally, name, own), firstUse });
    const taken = own.find(({ job }) => job === "take");
    if (tally.check(taken?.snapshots !== undefined, `${name}: no snapshots`, taken?.error)) {
      snapshots[name] = taken.snapshots;
    }
  }
  return { rows, snapshots };
}

/** Everything, or these runtimes only; resolves with `{ passed, failed, skipped, note? }`. */
export async function runtimes(only = []) {
  const reason = await withLock(prepare);
  if (reason !== undefined) return { passed: 0, failed: 0, skipped: 1, note: reason };
  const tally = new Tally();
  const all = Object.entries(await allRuntimes()).filter(([name]) => only.length === 0 || only.includes(name));
  for (const [name, { reason }] of all) if (reason !== undefined) tally.skip(name, reason);
  const available = all.filter(([, { reason }]) => reason === undefined);
  const places = available.flatMap(([host, { version, places }]) =>
    Object.entries(places).map(([place, how]) => ({ name: `${host}, ${place}`, version, how })),
  );

  const server = await startModelServer();
  const everything = [{ do: "first-use" }, { do: "suite", server: server.url }, { do: "take" }];
  const first = await perform(tally, available, ({ jobs }) => jobs ?? everything);
  await server.close();
  const { rows, snapshots } = judgeFirst(tally, places, first);

  const names = rows.map(({ name }) => name);
  const second = await perform(tally, available, ({ judge }) => (judge ? undefined : [{ do: "finish", snapshots }]));
  const finished = (from, to) => second.get(to)?.find((report) => report.from === from);
  for (const from of Object.keys(snapshots)) {
    for (const to of names) {
      const report = finished(from, to);
      tally.check(report?.ok === true, `taken in ${from}, recovered in ${to}`, report?.error ?? "no answer");
    }
  }

  const versions = Object.fromEntries(available.map(([name, { version }]) => [name, version]));
  if (process.env.UPDATE_TABLES && only.length === 0 && tally.skipped === 0) writeTable(versions);
  const wrong = judgeTable(versions);
  tally.check(wrong === undefined, "the table of versions", wrong);

  if (rows.length > 0) {
    say(`\n${placesTable(rows).join("\n")}\n`);
    say(`${matrixTable(names, (from, to) => finished(from, to)?.ok).join("\n")}\n`);
  }
  for (const line of tally.left) say(`${yellow("skipped")} ${line}`);
  for (const line of tally.complaints) say(`${red("failed")} ${line}`);
  const { passed, failed, skipped, left } = tally;
  return { passed, failed, skipped, ...(left.length > 0 && { note: left.join("; ") }) };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    const { passed, failed, skipped } = await runtimes(process.argv.slice(2));
    say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    if (failed > 0 || passed === 0) process.exitCode = 1;
  });
}
