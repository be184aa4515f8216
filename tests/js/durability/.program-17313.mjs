
import { readFileSync, writeFileSync } from "node:fs";
import { HumanResponseEvent, StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

class DraftEvent extends WorkflowEvent { static type = "draft"; words() { return this.data.text.split(" ").length; } }
class ApprovalEvent extends HumanResponseEvent { static type = "approval"; }
class Money { constructor(cents) { this.cents = cents; } }

const workflow = new Workflow({
  types: { Money: { encode: (value) => (value instanceof Money ? value.cents : undefined), decode: (cents) => new Money(cents) } },
});
workflow.addStep({ inputs: [StartEvent], outputs: [DraftEvent], name: "draft" }, async ({ store }, event) => {
  store.set("price", new Money(1250n));
  return new DraftEvent({ text: event.data, at: new Date(0) });
});
workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent], name: "approve" }, async (context, draft) => {
  const number = await context.once("number", () => 40 + 2);
  const approval = await context.requireEvent(ApprovalEvent);
  const price = context.store.get("price");
  return new StopEvent([
    draft instanceof DraftEvent, draft.words(), draft.data.at instanceof Date, number, approval.data,
    price instanceof Money, String(price.cents), approval instanceof ApprovalEvent,
  ]);
});

const [, , mode, path] = process.argv;
if (mode === "freeze") {
  const run = workflow.run("three short words");
  await run.idle();
  writeFileSync(path, run.snapshot());
  run.cancel();
} else {
  const run = workflow.recover(readFileSync(path));
  run.sendEvent(new ApprovalEvent("yes"));
  const { data } = await run;
  console.log(JSON.stringify(data));
}
