// Performs jobs in Node, Deno and Bun, with `import`: `<runtime> program.mjs <file of jobs>`. It ends by itself: nothing may keep it.
import { readFile } from "node:fs/promises";
import process from "node:process";
import { means, print } from "./kit.mjs";
import { perform } from "../suite/job.js";

for (const job of JSON.parse(await readFile(process.argv[2], "utf8"))) await perform(job, print(job), means(job));
