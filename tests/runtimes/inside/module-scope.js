// A Worker that does at module scope what is allowed there, and what is not. It is asked what came of it.

import { StartEvent, StopEvent, Workflow } from "stepstream";

const workflow = new Workflow().addStep({ name: "only", inputs: [StartEvent] }, (_, { data }) => new StopEvent(data));
const issues = workflow.validate();
const { fingerprint } = workflow;
// A run that outlives its first turn has a timer, for its timeout.
const slow = new Workflow().addStep({ name: "only", inputs: [StartEvent] }, async (_, { data }) => {
  for (let turns = 0; turns < 5; turns += 1) await Promise.resolve();
  return new StopEvent(data);
});
const tooEarly = slow.run("too early").catch(({ message }) => message);

export default {
  async fetch() {
    const refusal = String(await tooEarly);
    const { data } = await workflow.run("in time");
    return Response.json([{ issues: issues.length, fingerprint, refusal, data }]);
  },
};
