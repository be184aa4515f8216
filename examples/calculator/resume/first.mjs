// The first process: runs the agent, saves the run while a tool is running, and ends.
import { QUESTION } from "../agents.mjs";
import { AtWorkEvent, agent, say, store } from "./agent.mjs";

say(QUESTION);
const run = agent.run(QUESTION);
for await (const event of run) {
  if (!(event instanceof AtWorkEvent)) continue;
  const snapshot = run.snapshot();
  await store.save(run.runId, snapshot);
  say(`the run is ${run.status}; saved as ${snapshot.length} bytes; this process ends`);
  process.exit();
}

// Some servers ignore `initialToolChoice`.
say("the model answered without a tool call, so there is nothing to resume");
process.exitCode = 1;
