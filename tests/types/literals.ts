// Results that are literals: what a step is expected to return is known where the data is made. TypeScript before 5.9 takes `"yes"` for any string
// there, so that this file is not for the oldest one.
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

class DraftEvent extends WorkflowEvent<{ text: string }> {}

const answering = new Workflow<unknown, string, "yes" | "no">();
answering.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, () => new StopEvent("yes"));
answering.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async () => new StopEvent("no"));
answering.addStep({ inputs: [StartEvent], outputs: [DraftEvent, StopEvent] }, (_, event) =>
  event.data === "" ? new DraftEvent({ text: "" }) : new StopEvent("no"),
);
answering.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async (_, event) => {
  if (event.data === "") return;
  return event.data === "x" ? null : new StopEvent("yes");
});
answering.addStep({ inputs: [StartEvent] }, () => new StopEvent("yes"));
answering.catchError({ outputs: [StopEvent] }, () => new StopEvent("no"));
answering.addStep({ inputs: [StartEvent], outputs: [StopEvent<"yes">] }, () => new StopEvent("yes"));
// @ts-expect-error -- neither "yes" nor "no".
answering.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, () => new StopEvent("perhaps"));

// The same within objects.
const choosing = new Workflow<unknown, string, { readonly kind: "joke" | "poem" }>();
choosing.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async (_, { data }) => {
  return data === "" ? new StopEvent({ kind: "joke" }) : new StopEvent({ kind: "poem" });
});
// @ts-expect-error -- neither a joke nor a poem.
choosing.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async () => new StopEvent({ kind: "novel" }));
