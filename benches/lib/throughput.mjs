// One measurement of one contender on one case at one size, in a process of its own: warm up, check the answer, time.
// A process each, so that no contender inherits another's heap or optimised code. Prints one line of JSON.
import { timed } from "../cases.mjs";
import { casesOf } from "../contenders.mjs";
import { median } from "./stats.mjs";

/** Long enough for the optimising compiler to have settled. */
const WARM_UP_MS = 400;
/** Small enough that a contender whose cost grows with its history gets through. */
const WARM_UP_SIZE = 1000;
/** One sample is at least this long, so that the clock's grain weighs little on it. */
const SAMPLE_MS = 25;
const SAMPLES = 15;
/** After this no new sample begins, so that slow contenders do not hold up the rest. */
const PATIENCE_MS = 1500;
/** The share of the time that a sample must have had a processor for. */
const UNDISTURBED = 0.95;

/** `cpu` as a fourth word counts processor time instead of the time that went by. */
const [id, key, sizeText, wanted] = process.argv.slice(2);
const size = Number(sizeText);
const { answer, each = false, clock = wanted, warmUp = WARM_UP_SIZE } = timed.find((entry) => entry.id === id);
const work = (await casesOf(key))[id];

function check(found, n) {
  if (found !== answer(n)) throw new Error(`${key} answered ${id}(${n}) with ${found}; ${answer(n)} is right`);
}

async function once(n) {
  if (!each) return check(await work(n), n);
  for (let i = 0; i < n; i++) check(await work(i), i);
}

/**
 * Nanoseconds per unit, and whether the process had a processor to itself: every contender is busy all the time, so one
 * that used less processor time than went by was held up by other programs. Nothing is collected by force in between:
 * a forced full collection makes V8 throw away optimised code whose objects are all dead, which no server does between
 * two requests, so garbage is charged to whichever sample it is collected in.
 */
async function sample() {
  const before = process.cpuUsage();
  const start = performance.now();
  let runs = 0;
  let spent = 0;
  while (spent < SAMPLE_MS) {
    await once(size);
    runs += 1;
    spent = performance.now() - start;
  }
  const { user, system } = process.cpuUsage(before);
  const used = (user + system) / 1e3;
  const counted = clock === "cpu" ? used : spent;
  return { ns: (counted * 1e6) / (runs * size), undisturbed: clock === "cpu" || used > spent * UNDISTURBED };
}

const start = performance.now();
for (let runs = 0; runs < 3 || performance.now() - start < WARM_UP_MS; runs++) await once(Math.min(size, warmUp));

const good = [];
const disturbed = [];
const begun = performance.now();
while (good.length < SAMPLES && (good.length + disturbed.length === 0 || performance.now() - begun < PATIENCE_MS)) {
  const { ns, undisturbed } = await sample();
  (undisturbed ? good : disturbed).push(ns);
}
console.log(JSON.stringify({ ns: median(good.length > 0 ? good : disturbed), disturbed: good.length === 0 }));
// Some peers leave a timer behind that would keep the process alive.
process.exit(0);
