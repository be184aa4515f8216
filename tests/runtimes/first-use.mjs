// What the first run of a program costs in each runtime: compiling and starting the engine, and a workflow of one step. For BENCHMARKS.md:
// `node tests/runtimes/first-use.mjs [rounds]`, on a machine that does nothing else. Each round starts each runtime anew.
import { withLock } from "../../scripts/lib/lock.mjs";
import { Failure, main, say } from "../../scripts/lib/say.mjs";
import { allRuntimes } from "./lib/runtimes.mjs";
import { prepare } from "./lib/scratch.mjs";
import { table } from "./lib/tables.mjs";

const LIMIT = 300;

await main(async () => {
  const rounds = Number(process.argv[2] ?? 9);
  const reason = await withLock(prepare);
  if (reason !== undefined) throw new Failure(reason);
  const rows = [["runtime", "version", "lowest", "median"]];
  for (const [name, host] of Object.entries(await allRuntimes())) {
    const places = Object.entries(host.places ?? {}).flatMap(([place, { judge }]) => (judge ? [] : [place]));
    const times = new Map(places.map((place) => [place, []]));
    for (let round = 0; round < rounds && places.length > 0; round += 1) {
      const orders = places.map((place) => ({ place, jobs: [{ do: "first-use" }] }));
      const { reports, failure } = await host.perform(orders, LIMIT);
      if (failure !== undefined) throw new Failure(`${name}: ${failure}`);
      for (const { place, ms } of reports) times.get(place).push(ms);
    }
    for (const [place, list] of times) {
      list.sort((a, b) => a - b);
      const [lowest, median] = [list[0], list[Math.floor(list.length / 2)]].map((ms) => `${ms.toFixed(1)} ms`);
      rows.push([`${name}, ${place}`, host.version, lowest, median]);
    }
  }
  say(table(rows).join("\n"));
});
