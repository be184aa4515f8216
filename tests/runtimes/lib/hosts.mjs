// How a runtime is started. A host has places, each with jobs of its own, and performs what is ordered for them:
// `perform([{ place, jobs }], seconds)` resolves with `{ reports, failure }`.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { reportsOf } from "./process.mjs";
import { host as scriptOf, project } from "./scratch.mjs";

/** A folder of its own for one start of a program. */
async function withFolder(work) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "stepstream-runtimes-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * A runtime that is a program like Node: one process for each place.
 *
 * @param places By name: `{ args }`, before the list of jobs; and for a place with a test of its own what run.mjs wants to know.
 */
export const program = ({ file, places, version }) => ({
  version,
  places,
  perform: (orders, limit) =>
    withFolder(async (folder) => {
      const reports = [];
      const failures = [];
      for (const { place, jobs } of orders) {
        const list = path.join(folder, "jobs.json");
        writeFileSync(list, JSON.stringify(jobs.map((job) => ({ ...job, folder: path.join(folder, place) }))));
        const result = await reportsOf(file, [...places[place].args, list], { cwd: project, limit });
        for (const report of result.reports) reports.push({ place, ...report });
        if (result.failure !== undefined) failures.push(`${place}: ${result.failure}`);
      }
      return { reports, failure: failures.join("\n") || undefined };
    }),
});

/**
 * A runtime that a program of hosts/ starts and talks to: one start for all places.
 *
 * @param places By name: what the program must know of each.
 */
export const hosted = ({ script, node, places, version }) => ({
  version,
  places,
  perform: (orders, limit) =>
    withFolder(async (folder) => {
      const list = path.join(folder, "orders.json");
      writeFileSync(list, JSON.stringify(orders.map((order) => ({ ...order, ...places[order.place] }))));
      return reportsOf(node, [scriptOf(script), list], { cwd: project, limit });
    }),
});
