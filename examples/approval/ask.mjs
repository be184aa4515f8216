// The first process: runs the workflow until it waits for a person, saves the run in a file, and ends.
import { sealSnapshot } from "stepstream";
import { data, say, secret, store } from "./place.mjs";
import { Question, workflow } from "./workflow.mjs";

const run = workflow.run("Lisbon", data);
for await (const event of run) {
  if (!(event instanceof Question)) continue;
  say(event.data);
  break; // Leaving the loop does not end the run.
}

await run.idle(); // The run waits for the answer.
const snapshot = run.snapshot();
const sealed = await sealSnapshot(snapshot, secret, { encrypt: true });
await store.save(run.runId, sealed);
say(`the run is ${run.status}; saved as ${sealed.length} encrypted bytes`);
// The process ends here: a run that waits does not keep it alive.
