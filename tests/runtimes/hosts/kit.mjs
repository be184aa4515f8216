// What the hosts have in common: programs that start a runtime which is not a program like Node. Each is given a file
// with places and the jobs for each, `[{ place, jobs, ... }]`, and prints a line of JSON for each report.
import { readFile } from "node:fs/promises";

/** What is to be done. */
export const orders = async () => JSON.parse(await readFile(process.argv[2], "utf8"));

/** Prints one report. */
export const print = (place, report) => console.log(JSON.stringify({ place, ...report }));

/**
 * Performs jobs by requests to a server in the runtime. `send` sends one and resolves with the response. A report tells
 * how long its request took, because clocks inside may stand still.
 */
export async function performOver(send, { place, jobs }) {
  for (const job of jobs) {
    const begun = performance.now();
    const response = await send(JSON.stringify(job));
    const body = await response.text();
    const requestMs = performance.now() - begun;
    if (response.status !== 200)
      throw new Error(`${place}: ${job.do}: status ${response.status}: ${body.slice(0, 1000)}`);
    for (const report of JSON.parse(body)) print(place, { job: job.do, requestMs, ...report });
  }
}
