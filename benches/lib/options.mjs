// The options of `npm run bench`.
import { own, timed } from "../cases.mjs";
import { contenders } from "../contenders.mjs";
import { cases } from "../gate/cases.mjs";

/** The cases of the gate that can be slowed down. */
const slowable = cases.flatMap(({ id, measured }) => (measured === undefined ? [] : [id]));

export const HELP = `npm run bench -- [options]
  --quick          only stepstream and the bare loop, small sizes, one round; writes nothing; under a minute
  --update         write the figures into BENCHMARKS.md and its chart as well
  --render         write BENCHMARKS.md and its chart from benches/results.json, and measure nothing
  --only <case>    one case alone (${[...timed, ...own].map(({ id }) => id).join(", ")}); writes nothing
  --with <a,b>     these contenders alone (${Object.keys(contenders).join(", ")}); writes nothing
  --rounds <n>     interleaved rounds (default 5)
  --node <file>    measure in this Node; the default is the newest at hand, which every peer supports
  --cpu            count processor time, with one thread for all that V8 does: for a busy machine; writes nothing
  --no-build       measure the package that is installed, without building it first
  --gate           ratios alone, against the figures in benches/gate/figures.json; fails if one is a third above;
                   with --update it writes those figures; in the Node that runs it, or in that of --node
  --slowed <case>  with --gate: makes stepstream do half of its work again, to see the gate fail
                   (${slowable.join(", ")})`;

const flags = { "--update": "update", "--render": "render", "--cpu": "cpu", "--gate": "gate" };

/** The options, or undefined where they are not understood. */
export function options(argv) {
  const found = { quick: false, update: false, render: false, build: true, cpu: false, gate: false, rounds: 5 };
  for (let i = 0; i < argv.length; i++) {
    const flag = argv[i];
    if (flag in flags) found[flags[flag]] = true;
    else if (flag === "--quick") Object.assign(found, { quick: true, rounds: 1 });
    else if (flag === "--no-build") found.build = false;
    else if (flag === "--only") found.only = argv[++i] ?? "";
    else if (flag === "--with") found.with = (argv[++i] ?? "").split(",");
    else if (flag === "--rounds") found.rounds = Number(argv[++i]);
    else if (flag === "--node") found.node = argv[++i];
    else if (flag === "--slowed") found.slowed = argv[++i] ?? "";
    else return undefined;
  }
  const isKnown =
    (found.only === undefined || [...timed, ...own].some(({ id }) => id === found.only)) &&
    (found.slowed === undefined || (found.gate && slowable.includes(found.slowed))) &&
    (found.with ?? []).every((key) => key in contenders);
  return isKnown && Number.isInteger(found.rounds) && found.rounds > 0 ? found : undefined;
}
