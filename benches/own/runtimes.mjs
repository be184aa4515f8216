// The figures of Node in other runtimes: how many times the bare loop of a runtime stepstream takes in it. Ratios only,
// because these clocks are coarse, and two runtimes differ in speed. `own/runtimes.mjs [rounds]`.
import { speedRuntimes } from "../lib/runtimes.mjs";
import { median } from "../lib/stats.mjs";
import { Failure, main } from "../../scripts/lib/say.mjs";

const ROUNDS = Number(process.argv[2] ?? 7);
/** In seconds: only what hangs takes longer. */
const LIMIT = 600;

/** What is divided by what. `times` are so many that a sample takes some 50 ms or more, which every clock can tell. */
const cases = {
  chain: [
    { key: "stepstream", id: "chain", size: 1e4, times: 15 },
    { key: "bare", id: "chain", size: 1e4, times: 60 },
  ],
  fanOut: [
    { key: "stepstream", id: "fanOut", size: 1e4, times: 6 },
    { key: "bare", id: "fanOut", size: 1e4, times: 40 },
  ],
  oneStep: [
    { key: "stepstream", id: "oneStep", size: 1e3, times: 20 },
    { key: "bare", id: "oneStep", size: 1e3, times: 400 },
  ],
  "oneStep, no timeout": [
    { key: "stepstream:untimed", id: "oneStep", size: 1e3, times: 20 },
    { key: "bare", id: "oneStep", size: 1e3, times: 400 },
  ],
  collect: [
    { key: "stepstream:collect", id: "fanOut", size: 1e4, times: 3 },
    { key: "stepstream:collect", id: "fanOut", size: 1e3, times: 30 },
  ],
};

/** The share of the times for runtimes that take much longer for all of it. */
const SHARES = { Firefox: 0.25 };

/** Does nothing: how long a request takes by itself, where the clock is outside. */
const EMPTY = { key: "bare", id: "chain", size: 1, times: 0 };

/** The cases of one runtime, with its share of the times. */
const casesFor = (name) =>
  Object.entries(cases).map(([id, pair]) => {
    const share = SHARES[name] ?? 1;
    return [id, pair.map(({ times, ...job }) => ({ ...job, times: Math.ceil(times * share) }))];
  });

/** The jobs of one round, in order. */
const roundOf = (own) => [EMPTY, ...own.flatMap(([, pair]) => pair)];

const msOf = ({ ms, requestMs }) => requestMs ?? ms;

/** The ratios of one runtime, each the median of those of the rounds. The first round has warmed up. */
function ratiosOf(own, reports) {
  const perRound = roundOf(own).length;
  const rounds = Array.from({ length: ROUNDS }, (_, round) => reports.slice(perRound * (round + 1)).slice(0, perRound));
  const empty = median(rounds.map(([report]) => msOf(report)));
  const perUnit = (report, { size, times }) => (msOf(report) - empty) / (size * times);
  return Object.fromEntries(
    own.map(([id, [above, below]], nth) => {
      const at = 1 + nth * 2;
      return [id, median(rounds.map((round) => perUnit(round[at], above) / perUnit(round[at + 1], below)))];
    }),
  );
}

async function measure(name, host) {
  const own = casesFor(name);
  const jobs = Array.from({ length: ROUNDS + 1 }, () => roundOf(own)).flat();
  const [place] = Object.keys(host.places);
  const order = { place, jobs: jobs.map((job) => ({ do: "speed", ...job })) };
  const { reports, failure } = await host.perform([order], LIMIT);
  const error = failure ?? reports.find((report) => report.error !== undefined)?.error;
  if (error !== undefined) throw new Failure(`${name}: ${error}`);
  if (reports.length !== jobs.length) throw new Failure(`${name} gave ${reports.length} of ${jobs.length} reports.`);
  return ratiosOf(own, reports);
}

await main(async () => {
  const results = {};
  for (const [name, host] of Object.entries(await speedRuntimes())) {
    results[`${name} ${host.version}`] = await measure(name, host);
  }
  console.log(JSON.stringify(results));
});
