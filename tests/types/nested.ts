// Nested workflows: each slot is typed by the workflow that was put in it.
import {
  type HandlerContext,
  NestedEvent,
  type NestedWorkflow,
  StartEvent,
  StopEvent,
  Workflow,
  WorkflowContext,
  WorkflowEvent,
} from "stepstream";
import { expectValue } from "./helpers.js";

class Counted extends WorkflowEvent<number> {}

const counter = new Workflow<{ step: number }, string, number>();
const shouter = new Workflow<unknown, number, string>();
const outer = new Workflow<{ step: number }, string, string>().addWorkflows({ counter, shouter });

outer.addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<string>] }, async (context, event) => {
  const run = context.workflows.counter.run(event.data);
  expectValue<WorkflowContext<{ step: number }, string, number>>()(run);
  const { data: length } = await run;
  expectValue<number>()(length);
  expectValue<string>()((await context.workflows.shouter.run(new StartEvent(length))).data);
  context.workflows.counter.run("text", { step: 2 }, { timeout: 5 });
  // @ts-expect-error -- another input.
  context.workflows.counter.run(1);
  // @ts-expect-error -- other data.
  context.workflows.counter.run("text", { step: "2" });
  // @ts-expect-error -- there is no such slot.
  context.workflows.nobody.run("text");
  // @ts-expect-error -- a slot is filled by `addWorkflows`.
  context.workflows.counter = undefined;
  return new StopEvent("done");
});

// A workflow without slots has none.
new Workflow().addStep({ inputs: [Counted] }, ({ workflows }) => {
  // @ts-expect-error -- there is no such slot.
  void workflows.counter;
});

// Slots add up.
const more = outer.addWorkflows({ third: new Workflow<unknown, Date, Date>() });
more.addStep({ inputs: [Counted] }, async ({ workflows }) => {
  expectValue<Date>()((await workflows.third.run(new Date())).data);
  expectValue<number>()((await workflows.counter.run("text")).data);
});
expectValue<typeof counter>()(more.workflows.counter);
// @ts-expect-error -- not a workflow.
outer.addWorkflows({ broken: "text" });

// A handler of its own, with the slots it needs.
type Slots = { readonly counter: typeof counter };
const count = async ({ workflows }: HandlerContext<{ step: number }, Slots>, event: Counted) => {
  expectValue<number>()((await workflows.counter.run(`${event.data}`)).data);
};
outer.addStep({ inputs: [Counted] }, count);
// @ts-expect-error -- the workflow has no slot of that name.
new Workflow<{ step: number }>().addStep({ inputs: [Counted] }, count);

const runnable: NestedWorkflow<typeof counter> = { run: (input, data = { step: 1 }) => counter.run(input, data) };

// What is seen of it in the parent's stream.
async function read(): Promise<void> {
  for await (const event of outer.run("text", { step: 1 })) {
    if (!(event instanceof NestedEvent)) continue;
    expectValue<string>()(event.data.slot);
    expectValue<WorkflowEvent>()(event.data.event);
  }
}
export { read, runnable };
