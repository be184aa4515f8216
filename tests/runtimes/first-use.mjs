// What the first run of a program costs in each runtime: compiling and starting the engine, and a workflow of one step.
// `node tests/runtimes/first-use.mjs [rounds]`, on a machine that does nothing else. Each round starts each runtime
// anew. The benchmark uses `firstUses` for BENCHMARKS.md.
import { pathToFileURL } from "node:url";
import { withLock } from "../../scripts/lib/lock.mjs";
import { Failure, main, say } from "../../scripts/lib/say.mjs";
import { allRuntimes } from "./lib/runtimes.mjs";
import { prepare } from "./lib/scratch.mjs";
import { table } from "./lib/tables.mjs";

const LIMIT = 300;
const ROUNDS = 9;

/** By the names of runtimes and places: `{ version, median, min, max }`, in milliseconds. */
export async function firstUses(rounds = ROUNDS) {
  const reason = await withLock(prepare);
  if (reason !== undefined) throw new Failure(reason);
  const found = {};
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
      const median = list[Math.floor(list.length / 2)];
      found[`${name}, ${place}`] = { version: host.version, median, min: list[0], max: list.at(-1) };
    }
  }
  return found;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    const found = Object.entries(await firstUses(Number(process.argv[2] ?? ROUNDS)));
    const rows = found.map(([name, { version, min, median }]) => {
      return [name, version, ...[min, median].map((ms) => `${ms.toFixed(1)} ms`)];
    });
    say(table([["runtime", "version", "lowest", "median"], ...rows]).join("\n"));
  });
}
