// Reading numbers out of a benchmark's results; every function gives undefined for what the run did not measure.
import { median } from "./stats.mjs";

const rounds = (results, id, size, contender) => results.timed[id]?.[contender]?.[size]?.rounds;

/** The median of a timed case, in nanoseconds per unit unless `as` converts it. */
export function ofTimed(results, id, size, contender, as = (ns) => ns) {
  const found = rounds(results, id, size, contender);
  return found && as(median(found));
}

/**
 * How many times the one takes what the other takes: the median over the rounds of each round's own ratio, because
 * what disturbs a round disturbs both sides of it.
 */
export function ratio(results, id, size, slower, faster) {
  const above = rounds(results, id, size, slower);
  const below = rounds(results, id, size, faster);
  return above && below && median(above.map((ns, round) => ns / below[round]));
}

/** The dearest of some sizes against the cheapest, per unit. */
export function flat(results, id, sizes, contender) {
  const costs = sizes.map((size) => ofTimed(results, id, size, contender));
  return costs.includes(undefined) ? undefined : Math.max(...costs) / Math.min(...costs);
}

/** One number over several sizes, if all of them were measured. */
export function overall(reduce, sizes, measure) {
  const found = sizes.map(measure);
  return found.includes(undefined) ? undefined : reduce(...found);
}

/** The figures of one runtime in the measurement `runtimes`, whose keys have the version after the name. */
export const ofRuntime = (runtimes, name) =>
  Object.entries(runtimes).find(([key]) => key.replace(/ \d[\w.]*$/, "") === name)?.[1];

/** The worst of a runtime's ratios against the same ratio of another runtime; undefined where one is missing. */
export function worstAgainst(runtimes, name, other) {
  const [own, its] = [name, other].map((each) => ofRuntime(runtimes, each));
  return own && its && Math.max(...Object.keys(its).map((id) => own[id] / its[id]));
}
