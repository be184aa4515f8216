// The first process: runs the workflow until it waits for a person, puts the run into a file, and is gone.
import { sealSnapshot } from "stepstream";
import { data, say, secret, store } from "./place.mjs";
import { Question, workflow } from "./workflow.mjs";

const run = workflow.run("Lisbon", data);
for await (const event of run) {
  if (!(event instanceof Question)) continue;
  say(event.data);
  break; // Leaving the loop does not end the run.
}

await run.idle(); // Nothing goes on until the answer comes.
const snapshot = run.snapshot();
const sealed = await sealSnapshot(snapshot, secret, { encrypt: true });
await store.save(run.runId, sealed);
say(`the run is ${run.status}; ${sealed.length} bytes are on the disk, encrypted`);
// The process ends here by itself: a run that waits keeps nothing alive.
