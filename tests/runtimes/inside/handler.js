// Jobs over HTTP, for the runtimes that are servers: each request brings a job, each response the reports of it.

import { perform } from "../suite/job.js";

export async function handle(request, means) {
  const reports = [];
  await perform(await request.json(), (report) => void reports.push(report), means);
  return Response.json(reports);
}
