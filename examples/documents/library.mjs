// The workflow around: reads files, has each document processed by a nested run, and gathers what came of them.
// A file that cannot be read, or in which there is nothing to process, is part of the result and ends nothing.
import { readFile } from "node:fs/promises";
import { StartEvent, StopEvent, Workflow, retryPolicy, stopAfterAttempt, waitExponential } from "stepstream";
import { documentWorkflow } from "./document.mjs";
import { DocumentEvent, FileEvent, FinishedEvent, ProgressEvent } from "./events.mjs";

/** What may be over in a moment: too many open files, a busy disk. */
const isPassing = ({ code }) => ["EMFILE", "ENFILE", "EAGAIN", "EBUSY"].includes(code);

/** The commonest reasons, in words. */
const reasons = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder",
  EACCES: "reading it is not allowed",
  ERR_ENCODING_INVALID_ENCODED_DATA: "it is not a text in UTF-8",
};

async function readText(path, signal) {
  const bytes = await readFile(path, { signal });
  if (bytes.includes(0)) throw new Error("it is not a text");
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/**
 * @param {object} options
 * @param {number} options.workers How many sections of a document to analyse at a time.
 * @param {import("./timeline.mjs").Timeline} options.timeline
 */
export function libraryWorkflow({ workers, timeline }) {
  // Its data: `threads`, the pool. It starts with a list of `{ name, path }`, and stops with a list of what FinishedEvents carry.
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
      retry: retryPolicy({ retry: isPassing, wait: waitExponential({ initial: 0.1 }), stop: stopAfterAttempt(5) }),
    },
    watch(async ({ signal }, { data: { name, path } }) => {
      return new DocumentEvent({ name, path, text: await readText(path, signal) });
    }),
  );

  library.addStep(
    { name: "process", inputs: [DocumentEvent], outputs: [FinishedEvent], numWorkers: 4 },
    watch(async ({ workflows }, { data: { name, text } }) => {
      // The nested run gets this run's data, shows its events in this run's stream, and is cancelled with it.
      const { data: report } = await workflows.document.run({ name, text });
      return new FinishedEvent({ name, report });
    }),
  );

  // What `read` or `process` has thrown, when there is nothing more to retry.
  const giveUp = ({ writeEventToStream }, { data: { error, event } }) => {
    const { name } = event.data;
    const problem = reasons[error.code] ?? error.message;
    writeEventToStream(new ProgressEvent({ name, message: `left out: ${problem}` }));
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
