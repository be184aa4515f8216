// What a workflow keeps to itself: a subclass may have fields and steps of any name.

import { StartEvent, StopEvent, Workflow, WorkflowEvent, step } from "stepstream";
import { expect, test } from "vitest";
import { soon } from "../kit/index.js";

class Draft extends WorkflowEvent<string> {
  static readonly type = "draft";
}

/** Names that internals of workflows have, had, or could have. */
const names = [
  "plan",
  "planOfItsOwn",
  "completed",
  "timeout",
  "types",
  "limits",
  "verbose",
  "onStep",
  "onWarning",
  "admission",
  "isStrict",
  "definition",
  "steps",
  "events",
  "slots",
  "runNested",
  "recoverNested",
  "begin",
  "warn",
];

test("a step may be a method of any name", async () => {
  class Planner extends Workflow<unknown, string, string> {
    @step({ inputs: [StartEvent<string>], outputs: [Draft] })
    plan(_: unknown, event: StartEvent<string>): Draft {
      return new Draft(`plan of ${event.data}`);
    }

    @step({ inputs: [Draft], outputs: [StopEvent<string>] })
    completed(_: unknown, draft: Draft): StopEvent<string> {
      return new StopEvent(draft.data);
    }
  }
  const workflow = new Planner();
  expect(workflow.stepNames).toEqual(["plan", "completed"]);
  const run = workflow.run("x");
  const bytes = run.snapshot();
  expect((await soon(run)).data).toBe("plan of x");
  expect((await soon(new Planner().recover(bytes))).data).toBe("plan of x");
});

test.each(names)("a field `%s` means nothing to the workflow", async (name) => {
  class Derived extends Workflow<unknown, string, string> {
    constructor() {
      super({ timeout: 10 });
      Object.defineProperty(this, name, { value: 0.005, writable: true, enumerable: true });
      this.addStep(
        { name: "wait", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
        async ({ sleep }, event) => {
          await sleep(0.02);
          return new StopEvent(event.data);
        },
      );
    }
  }
  const outer = new Workflow<unknown, string, string>()
    .addWorkflows({ inner: new Derived() })
    .addStep(
      { name: "outer", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
      async ({ workflows }, event) => new StopEvent((await workflows.inner.run(event.data)).data as string),
    );
  expect((await soon(new Derived().run("x"))).data).toBe("x");
  expect((await soon(outer.run("x"))).data).toBe("x");
});

test("nothing of a workflow or a run can be enumerated but what is public", () => {
  const workflow = new Workflow<unknown, string, string>().addStep(
    { name: "end", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
    (_, event) => new StopEvent(event.data),
  );
  expect(Object.keys(workflow)).toEqual(["name"]);
  expect(Object.keys(workflow.run("x"))).toEqual([]);
});
