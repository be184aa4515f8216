// The second process: takes the run off the disk and goes on with it.
import { ToolCallResult } from "stepstream/agents";
import { agent, say, store } from "./agent.mjs";

const [runId] = await store.list();
const run = agent.recover(await store.load(runId));
say("recovered the run");
for await (const event of run) {
  if (event instanceof ToolCallResult) say(`${event.data.name} gave ${event.data.content}`);
}
const { data: answer } = await run;
say(`the run is ${run.status}. The model's answer: ${answer.text}`);
