// The smallest whole program: two steps, a loop, the stream and the result. README.md shows the same lines.
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

class DraftEvent extends WorkflowEvent {
  static type = "draft";
}

const workflow = new Workflow();

// A step takes events and returns an event. The data of an event is whatever you put in.
workflow.addStep({ inputs: [StartEvent], outputs: [DraftEvent] }, async (context, { data: text }) => {
  return new DraftEvent(text.trim());
});

// This step returns a DraftEvent, which it takes itself, until the text is short enough.
workflow.addStep({ inputs: [DraftEvent], outputs: [DraftEvent, StopEvent] }, async (context, { data: text }) => {
  if (text.length <= 32) return new StopEvent(text);
  return new DraftEvent(text.replace(/,?\s+\S+$/, "")); // Without the last word.
});

const run = workflow.run("  Event-driven workflows in a tab, an edge function or a server");

for await (const event of run) console.log(event.constructor.name, event.data);

const { data: headline } = await run;
console.log(`The headline is "${headline}".`);
