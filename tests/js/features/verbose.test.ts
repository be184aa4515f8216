// What `verbose` prints, and that nothing is printed without it.

import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import { failure, soon, takePrinted } from "../kit/index.js";

class Draft extends WorkflowEvent<string> {
  static readonly type = "draft";
}
class Named extends WorkflowEvent<string> {}

const workflow = (verbose: boolean): Workflow<unknown, string, string> =>
  new Workflow<unknown, string, string>({ verbose })
    .addStep({ inputs: [StartEvent<string>], outputs: [Draft], name: "write" }, (_, event) => new Draft(event.data))
    .addStep({ inputs: [Draft], outputs: [Named], name: "polish" }, async (_, draft) => new Named(draft.data))
    .addStep({ inputs: [Named], name: "count" }, () => undefined)
    .addStep(
      { inputs: [Named], outputs: [StopEvent<string>], name: "end" },
      async (_, { data }) => new StopEvent(data),
    );

test("each step is announced, and what it produced", async () => {
  await soon(workflow(true).run("x"));
  const lines = takePrinted();
  expect(lines.slice(0, 5)).toEqual([
    "Running step write",
    "Step write produced event draft",
    "Running step polish",
    "Step polish produced event Named",
    "Running step count",
  ]);
  expect(lines).toContain("Step count produced no event");
  expect(lines).toContain("Running step end");
  expect(lines.at(-1)).toMatch(/^Step end produced event \S*stop/i);
  expect(lines).toHaveLength(8);
});

test("a step that fails is announced, and produces nothing", async () => {
  const failing = new Workflow({ verbose: true }).addStep({ inputs: [StartEvent], name: "failing" }, () => {
    throw new Error("boom");
  });
  await failure(failing.run("x"));
  expect(takePrinted()).toEqual(["Running step failing"]);
});

test("nothing is printed without it", async () => {
  await soon(workflow(false).run("x"));
  await failure(new Workflow().addStep({ inputs: [StartEvent] }, () => Promise.reject(new Error("boom"))).run("x"));
  expect(takePrinted()).toEqual([]);
});
