// Performs jobs in Node and Bun: `<runtime> program.mjs <file of jobs>`.
import { readFile } from "node:fs/promises";
import process from "node:process";
import { perform } from "./job.js";

for (const job of JSON.parse(await readFile(process.argv[2], "utf8"))) console.log(JSON.stringify(await perform(job)));
