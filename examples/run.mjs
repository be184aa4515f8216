// What `npm start` runs first: the document workflow, over the given text files or over the repository's own documents.
//
//   npm start                              every Markdown file at the root
//   npm start -- notes.md report.txt       these files
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { CancelledError, NestedEvent } from "stepstream";
import { ProgressEvent } from "./documents/events.mjs";
import { libraryWorkflow } from "./documents/library.mjs";
import { bold, dim, plural, progressLine, reportText, timelineText } from "./documents/print.mjs";
import { BAR } from "./documents/summary.mjs";
import { Threads } from "./documents/threads.mjs";
import { Timeline } from "./documents/timeline.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
// npm changes the working directory to the root. Paths are relative to where the user typed the command.
const here = process.env.INIT_CWD ?? process.cwd();

function filesToRead(given) {
  if (given.length > 0) return [...new Set(given)].map((name) => ({ name, path: path.resolve(here, name) }));
  const own = readdirSync(root).filter((name) => name.endsWith(".md"));
  return own.sort().map((name) => ({ name, path: path.join(root, name) }));
}

const files = filesToRead(process.argv.slice(2));
const names = files.map(({ name }) => name);
const nameWidth = Math.max(...names.map((name) => name.length));

const workers = Math.min(4, Math.max(2, availableParallelism()));
const threads = new Threads(new URL("./documents/analyst.mjs", import.meta.url), workers);
const timeline = new Timeline();
const library = libraryWorkflow({ workers, timeline });

const run = library.run(files, { threads });
process.once("SIGINT", () => run.cancel("interrupted"));

console.log(bold(`Summaries of ${plural(files.length, "file")}`));
console.log(
  dim(
    `A workflow reads the files, analyses their sections in ${workers} threads, and revises a summary\n` +
      `of each until it names ${BAR.coverage * 100} % of the key terms in at most ${BAR.words} words.\n`,
  ),
);
try {
  // The stream has every event of the run, and the events of nested runs as NestedEvents. Only progress is printed.
  for await (const event of run) {
    const inner = event instanceof NestedEvent ? event.data.event : event;
    if (inner instanceof ProgressEvent) console.log(progressLine(timeline.now(), inner.data, nameWidth));
  }
  const { data: finished } = await run;

  const inOrder = finished.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
  for (const document of inOrder) console.log(`\n${reportText(document)}`);
  console.log(`\n${timelineText(timeline, names)}`);
  // The program has failed only if no file could be read.
  if (finished.every(({ report }) => report === undefined)) process.exitCode = 1;
} catch (error) {
  if (!(error instanceof CancelledError)) throw error;
  console.error(`\nCancelled: ${error.cause}.`);
  process.exitCode = 130;
} finally {
  await threads.close();
}
