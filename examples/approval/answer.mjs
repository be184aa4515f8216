// The second process: loads every saved run, recovers it, and sends it the answer.
//
//   node examples/approval/answer.mjs yes
import { openSnapshot } from "stepstream";
import { data, say, secret, store } from "./place.mjs";
import { Answer, workflow } from "./workflow.mjs";

const [answer = "no"] = process.argv.slice(2);

for (const runId of await store.list()) {
  const sealed = await store.load(runId);
  if (sealed === undefined) continue; // Another process has finished it.
  const snapshot = await openSnapshot(sealed, secret, { workflow });
  const run = workflow.recover(snapshot).with(data);
  say(`the run is recovered; the answer is "${answer}"`);
  run.sendEvent(new Answer(answer));
  const { data: result } = await run;
  say(`the run is ${run.status}: ${result}`);
  await store.delete(runId);
}
