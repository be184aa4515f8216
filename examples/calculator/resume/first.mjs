// The first process: asks the agent, and while a tool is at work puts the run into a file and is gone.
import { QUESTION } from "../agents.mjs";
import { AtWorkEvent, agent, say, store } from "./agent.mjs";

say(QUESTION);
const run = agent.run(QUESTION);
for await (const event of run) {
  if (!(event instanceof AtWorkEvent)) continue;
  const snapshot = run.snapshot();
  await store.save(run.runId, snapshot);
  say(`the run is ${run.status}; ${snapshot.length} bytes are on the disk, and this process ends`);
  process.exit();
}

// A server may take no notice of `initialToolChoice`.
say("the model has answered without calling a tool, so there is nothing to be taken up");
process.exitCode = 1;
