// The program of a page.
import { perform } from "./job.js";

globalThis.performIn = async (_, jobs) => {
  const reports = [];
  for (const job of jobs) reports.push(await perform(job));
  return reports;
};
