// One case of the gate, in a process of its own: `measure.mjs <case> [factor]`. Prints `{ figure }`, a line of JSON.
// The measured side does its work `factor` times for once that is counted: more than 1 shows that the gate can fail.
import { cases } from "./cases.mjs";

/** Milliseconds of processor time until the optimising compiler has settled. */
const WARM_UP_MS = 500;
/** Milliseconds of processor time that a side of a pair takes at least, which is many grains of the clock. */
const SAMPLE_MS = 25;
const PAIRS = 15;

const [id, factor = "1"] = process.argv.slice(2);
const { measured, reference, figure } = cases.find((entry) => entry.id === id);

/** Milliseconds of this thread, where Node tells them; of the process else, which V8 is told to keep to one thread. */
function processorTime() {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1e3;
}

async function cost(work) {
  const begun = processorTime();
  await work();
  return processorTime() - begun;
}

async function repeat(run, times) {
  for (let i = 0; i < times; i++) await run();
}

/** Warms a side up, and finds how often it has to run for one sample. */
async function prepared({ units, run }) {
  let last = 0;
  for (const end = processorTime() + WARM_UP_MS; processorTime() < end;) last = await cost(run);
  // An even number, so that half of it can be done again.
  const times = 2 * Math.ceil(SAMPLE_MS / 2 / Math.max(last, 0.01));
  return { units, run, times };
}

/** Other programs only ever make a sample dearer, and the cheapest of all is one without a collection of garbage. */
const lowerQuartile = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 4)];

async function ratio() {
  const above = await prepared(await measured());
  const below = await prepared(await reference());
  const perUnit = async ({ units, run, times }, share) =>
    (await cost(() => repeat(run, times * share))) / (times * units);
  const samples = { above: [], below: [] };
  for (let pair = 0; pair < PAIRS; pair++) {
    samples.above.push(await perUnit(above, Number(factor)));
    samples.below.push(await perUnit(below, 1));
  }
  return lowerQuartile(samples.above) / lowerQuartile(samples.below);
}

console.log(JSON.stringify({ figure: await (figure ?? ratio)() }));
process.exit(0);
