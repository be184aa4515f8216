// The second process: loads the run, recovers it, and prints its end.
import { ToolCallResult } from "stepstream/agents";
import { agent, say, store } from "./agent.mjs";

const [runId] = await store.list();
const run = agent.recover(await store.load(runId));
say("the run is recovered");
for await (const event of run) {
  if (event instanceof ToolCallResult) say(`${event.data.name} returned ${event.data.content}`);
}
const { data: answer } = await run;
say(`the run is ${run.status}; the model's answer: ${answer.text}`);
