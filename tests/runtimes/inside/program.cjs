// The same as program.mjs with `require`, which must give the same package as `import`.
/* eslint-disable @typescript-eslint/no-require-imports -- which is what this is about */
const { readFileSync } = require("node:fs");
const stepstream = require("stepstream");
const { perform } = require("../suite/job.js");

async function main() {
  const { means, print } = await import("./kit.mjs");
  const imported = await import("stepstream");
  if (imported.Workflow !== stepstream.Workflow) throw new Error("`require` and `import` give two packages.");
  for (const job of JSON.parse(readFileSync(process.argv[2], "utf8"))) await perform(job, print(job), means(job));
}

main();
