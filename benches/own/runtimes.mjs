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

/** Does nothing: how long a request takes by itself, where the clock is outside. */
const EMPTY = { key: "bare", id: "chain", size: 1, times: 0 };

/** The jobs of one runtime, in order. The first round warms up. */
const jobs = Array.from({ length: ROUNDS + 1 }, () => [EMPTY, ...Object.values(cases).flat()]).flat();
const perRound = jobs.length / (ROUNDS + 1);

const msOf = ({ ms, requestMs }) => requestMs ?? ms;

/** The ratios of one runtime, each the median of those of the rounds. */
function ratiosOf(reports) {
  const rounds = Array.from({ length: ROUNDS }, (_, round) => reports.slice(perRound * (round + 1)).slice(0, perRound));
  const empty = median(rounds.map(([report]) => msOf(report)));
  const perUnit = (report, { size, times }) => (msOf(report) - empty) / (size * times);
  return Object.fromEntries(
    Object.entries(cases).map(([name, [above, below]], nth) => {
      const at = 1 + nth * 2;
      return [name, median(rounds.map((round) => perUnit(round[at], above) / perUnit(round[at + 1], below)))];
    }),
  );
}

await main(async () => {
  const results = {};
  for (const [name, host] of Object.entries(await speedRuntimes())) {
    const [place] = Object.keys(host.places);
    const { reports, failure } = await host.perform(
      [{ place, jobs: jobs.map((job) => ({ do: "speed", ...job })) }],
      LIMIT,
    );
    if (failure !== undefined) throw new Failure(`${name}: ${failure}`);
    const wrong = reports.find(({ error }) => error !== undefined);
    if (wrong !== undefined) throw new Failure(`${name}: ${wrong.error}`);
    if (reports.length !== jobs.length) throw new Failure(`${name} gave ${reports.length} of ${jobs.length} reports.`);
    results[`${name} ${host.version}`] = ratiosOf(reports);
  }
  console.log(JSON.stringify(results));
});
