// The second process: takes every run that waits off the disk, and gives it the answer.
//
//   node examples/approval/answer.mjs yes
import { openSnapshot } from "stepstream";
import { data, say, secret, store } from "./place.mjs";
import { Answer, workflow } from "./workflow.mjs";

const [answer = "no"] = process.argv.slice(2);

for (const runId of await store.list()) {
  const sealed = await store.load(runId);
  if (sealed === undefined) continue; // Somebody else was faster.
  const snapshot = await openSnapshot(sealed, secret, { workflow });
  const run = workflow.recover(snapshot).with(data);
  say(`recovered the run, answers "${answer}"`);
  run.sendEvent(new Answer(answer));
  const { data: result } = await run;
  say(`the run is ${run.status}: ${result}`);
  await store.delete(runId);
}
