// The smallest whole program: two steps, a loop between events, the stream, the result. README.md shows the same lines.
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

class DraftEvent extends WorkflowEvent {
  static type = "draft";
}

const workflow = new Workflow();
workflow.addStep({ inputs: [StartEvent], outputs: [DraftEvent] }, (_, { data: text }) => new DraftEvent(text.trim()));
workflow.addStep({ inputs: [DraftEvent], outputs: [DraftEvent, StopEvent] }, (_, { data: text }) => {
  if (text.length <= 40) return new StopEvent(text);
  return new DraftEvent(text.replace(/,?\s+\S+$/, "")); // One word shorter, and round again.
});

const run = workflow.run("  Event-driven workflows in a browser tab, an edge function or a server");
for await (const event of run) console.log(`${event.constructor.name}: ${event.data}`);

const { data: headline } = await run;
console.log(`\nThe headline is "${headline}".`);
