// The outer workflow: reads files, processes each document in a nested run, and gathers the results. A file that cannot
// be read, or that has no text, becomes a part of the result. It does not fail the run.
import { readFile } from "node:fs/promises";
import { StartEvent, StopEvent, Workflow, retryPolicy, stopAfterAttempt, waitExponential } from "stepstream";
import { documentWorkflow } from "./document.mjs";
import { DocumentEvent, FileEvent, FinishedEvent, ProgressEvent } from "./events.mjs";

/** Errors that a retry can solve: too many open files, a busy disk. */
const isTemporary = ({ code }) => ["EMFILE", "ENFILE", "EAGAIN", "EBUSY"].includes(code);

/** The most common reasons, as text. */
const reasons = {
  ENOENT: "the file does not exist",
  EISDIR: "it is a folder",
  EACCES: "there is no permission to read it",
  ERR_ENCODING_INVALID_ENCODED_DATA: "it is not UTF-8 text",
};

async function readText(path, signal) {
  const bytes = await readFile(path, { signal });
  if (bytes.includes(0)) throw new Error("it is a binary file");
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/**
 * @param {object} options
 * @param {number} options.workers How many sections of a document to analyse at the same time.
 * @param {import("./timeline.mjs").Timeline} options.timeline
 */
export function libraryWorkflow({ workers, timeline }) {
  // `data` is `{ threads }`, the pool. A run starts with a list of `{ name, path }` and stops with the data of the
  // FinishedEvents.
  const library = new Workflow({ name: "library", timeout: 300 }).addWorkflows({
    document: documentWorkflow({ workers, timeline }),
  });
  const watch = (handler) => timeline.watch((_, { data }) => data.name, handler);

  const open = ({ store, sendEvent }, { data: files }) => {
    store.set("files", files.length);
    for (const file of files) sendEvent(new FileEvent(file));
  };
  library.addStep({ name: "open", inputs: [StartEvent], outputs: [FileEvent] }, open);

  library.addStep(
    {
      name: "read",
      inputs: [FileEvent],
      outputs: [DocumentEvent],
      numWorkers: 4,
      retry: retryPolicy({ retry: isTemporary, wait: waitExponential({ initial: 0.1 }), stop: stopAfterAttempt(5) }),
    },
    watch(async ({ signal }, { data: { name, path } }) => {
      return new DocumentEvent({ name, path, text: await readText(path, signal) });
    }),
  );

  library.addStep(
    { name: "process", inputs: [DocumentEvent], outputs: [FinishedEvent], numWorkers: 4 },
    watch(async ({ workflows }, { data: { name, text } }) => {
      // The nested run gets the data of this run. Its events appear in the stream of this run, and it is cancelled with
      // this run.
      const { data: report } = await workflows.document.run({ name, text });
      return new FinishedEvent({ name, report });
    }),
  );

  // Runs when `read` or `process` has failed after all retries.
  const giveUp = ({ writeEventToStream }, { data: { error, event } }) => {
    const { name } = event.data;
    const problem = reasons[error.code] ?? error.message;
    writeEventToStream(new ProgressEvent({ name, message: `skipped: ${problem}` }));
    return new FinishedEvent({ name, problem });
  };
  library.catchError({ name: "giveUp", steps: ["read", "process"], outputs: [FinishedEvent] }, giveUp);

  const gather = ({ store, collectEvents }, event) => {
    const all = collectEvents(event, Array(store.get("files")).fill(FinishedEvent));
    return all === null ? undefined : new StopEvent(all.map(({ data }) => data));
  };
  library.addStep({ name: "gather", inputs: [FinishedEvent], outputs: [StopEvent] }, gather);

  return library.strict();
}
