// A process of its own with a store of checkpoints that it shares with others: `checkpointer-process.mjs <directory> begin` makes a run;
// `… <directory> <step>` lists all checkpoints, and runs from the one after that step. Prints one line of JSON.
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { WorkflowCheckpointer } from "stepstream/checkpointer";
import { fileStore } from "stepstream/stores/file";

class Draft extends WorkflowEvent {
  static type = "draft";
}

const [directory, what] = process.argv.slice(2);
const ran = [];

const workflow = new Workflow({ timeout: null });
workflow.addStep({ inputs: [StartEvent], outputs: [Draft], name: "write" }, (_, event) => {
  ran.push("write");
  return new Draft(`${event.data}, drafted`);
});
workflow.addStep({ inputs: [Draft], outputs: [StopEvent], name: "publish" }, async ({ data, sleep }, event) => {
  await sleep(0.001);
  ran.push("publish");
  return new StopEvent(`${event.data}, published ${data}`);
});

const checkpointer = new WorkflowCheckpointer(workflow, { store: fileStore(directory) });
const found = await checkpointer.checkpoints();
const context =
  what === "begin"
    ? checkpointer.run("x", "here")
    : checkpointer.runFrom(
        found.find(({ step }) => step === what),
        "elsewhere",
      );
const { data: result } = await context;
await checkpointer.flush();
const steps = found.map(({ step, input, output }) => [step, input, output]);
console.log(
  JSON.stringify({ steps, runIds: [...new Set(found.map(({ runId }) => runId))], ran, result, runId: context.runId }),
);
