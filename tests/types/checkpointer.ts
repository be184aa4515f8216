// Checkpoints: the types of a workflow go through the checkpointer.
import {
  type CompletedStep,
  type RunWithoutData,
  StartEvent,
  StopEvent,
  Workflow,
  type WorkflowContext,
} from "stepstream";
import { type Checkpoint, type CheckpointFilter, WorkflowCheckpointer } from "stepstream/checkpointer";
import { memoryStore } from "stepstream/stores";
import { expectValue } from "./helpers.js";

interface Data {
  readonly user: string;
}
declare const workflow: Workflow<Data, number, string>;

const checkpointer = new WorkflowCheckpointer(workflow);
expectValue<WorkflowCheckpointer<Data, number, string>>()(checkpointer);
expectValue<WorkflowContext<Data, number, string>>()(checkpointer.run(1, { user: "x" }));
expectValue<RunWithoutData<Data, number, string>>()(checkpointer.run(1));
expectValue<string>()((await checkpointer.run(new StartEvent(1), { user: "x" }, { runId: "one" })).data);

expectValue<Promise<Checkpoint[]>>()(checkpointer.checkpoints());
expectValue<Promise<Checkpoint[]>>()(checkpointer.checkpoints("one"));
expectValue<Promise<Checkpoint[]>>()(checkpointer.filter({ step: "a", input: StartEvent, output: "b", runId: "one" }));
expectValue<Promise<void>>()(checkpointer.flush());

declare const checkpoint: Checkpoint;
expectValue<bigint>()(checkpoint.sequence);
expectValue<string | undefined>()(checkpoint.output);
expectValue<WorkflowContext<Data, number, string>>()(checkpointer.runFrom(checkpoint));
expectValue<StopEvent<string>>()(
  await checkpointer.runFrom(checkpoint, { user: "x" }, { migrate: true, timeout: null }),
);
checkpointer.runFrom({ snapshot: new Uint8Array() });
checkpointer.enable("a").disable("b");

// A workflow whose slots are filled, and one of which nothing is known.
class Nesting extends Workflow<Data, number, string, { readonly inner: typeof workflow }> {}
new WorkflowCheckpointer(new Nesting());
new WorkflowCheckpointer(new Workflow()).run();

new WorkflowCheckpointer(workflow, {
  store: memoryStore(),
  steps: ["a"],
  onError: (error, completed, context) => {
    expectValue<unknown>()(error);
    expectValue<CompletedStep>()(completed);
    expectValue<WorkflowContext>()(context);
  },
});

// @ts-expect-error the input is a number
checkpointer.run("text");
// @ts-expect-error an input is needed
checkpointer.run();
// @ts-expect-error the data is of the workflow's type
checkpointer.runFrom(checkpoint, { user: 1 });
// @ts-expect-error a recovery takes no other run's store
checkpointer.runFrom(checkpoint, { user: "x" }, { context: checkpointer.run(1) });
// @ts-expect-error the list is a promise's
void checkpointer.checkpoints()[0];
// @ts-expect-error not an option
const filter: CheckpointFilter = { steps: ["a"] };
void filter;
