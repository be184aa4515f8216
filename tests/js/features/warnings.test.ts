// Things that work and are probably not meant are reported through `onWarning`.

import { StartEvent, StopEvent, ValidationError, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import { fails, soon, takePrinted } from "../kit/index.js";

class Draft extends WorkflowEvent<string> {
  static readonly type = "draft";
}
class Answer extends WorkflowEvent<string> {
  static readonly type = "answer";
}

const undeclared = (onWarning?: (message: string) => void) =>
  new Workflow<unknown, string, string>(onWarning === undefined ? {} : { onWarning })
    .addStep(
      { name: "write", inputs: [StartEvent<string>], outputs: [StopEvent] },
      ((_: unknown, event: StartEvent) => new Draft(event.data as string)) as never,
    )
    .addStep({ name: "end", inputs: [Draft], outputs: [StopEvent<string>] }, (_, draft) => new StopEvent(draft.data));

test("an undeclared output is reported once, with the step, the event and what is declared", async () => {
  const warnings: string[] = [];
  const workflow = undeclared((message) => void warnings.push(message));
  await soon(workflow.run("a"));
  await soon(workflow.run("b"));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('"write"');
  expect(warnings[0]).toContain("draft");
  expect(warnings[0]).toContain("[stepstream.stop]");
});

test("without onWarning, the console gets it", async () => {
  await soon(undeclared().run("a"));
  const [line, ...rest] = takePrinted();
  expect(line).toContain("draft");
  expect(rest).toEqual([]);
});

const racing = (onWarning: (message: string) => void) =>
  new Workflow<unknown, string, string>({ onWarning, timeout: 5 }).addStep(
    { name: "race", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
    async ({ sleep, waitForEvent }) => {
      await Promise.race([waitForEvent(Answer), sleep(0.01)]);
      const answer = await waitForEvent(Answer, { timeout: 0.05 }).catch(() => undefined);
      return new StopEvent(answer?.data ?? "none");
    },
  );

test("a wait that an older wait of the same handler shadows is reported, with what to use instead", async () => {
  const warnings: string[] = [];
  const workflow = racing((message) => void warnings.push(message));
  await soon(workflow.run("a"));
  await soon(workflow.run("b"));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('"race"');
  expect(warnings[0]).toContain("answer");
  expect(warnings[0]).toContain("firstOf");
  expect(warnings[0]).toContain("signal");
});

test("waits that are opened together are not reported, and neither are those of other classes or with a condition", async () => {
  const warnings: string[] = [];
  const workflow = new Workflow<unknown, string, string>({ onWarning: (message) => void warnings.push(message) });
  workflow.addStep(
    { name: "gather", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
    async ({ waitForEvent, requireEvent }) => {
      const [first, second] = await Promise.all([requireEvent(Answer), requireEvent(Answer)]);
      const other = waitForEvent(Draft);
      const special = waitForEvent(Answer, { where: ({ data }) => data === "special" });
      const third = await requireEvent(Answer);
      await Promise.all([other, special]);
      return new StopEvent(first.data + second.data + third.data);
    },
  );
  const run = workflow.run("x").start();
  for (const text of ["1", "2", "3", "special"]) {
    await run.idle();
    run.sendEvent(new Answer(text));
  }
  run.sendEvent(new Draft("draft"));
  expect((await soon(run)).data).toBe("123");
  expect(warnings).toEqual([]);
});

test("onWarning must be a function", async () => {
  await fails(() => new Workflow({ onWarning: "console" as never }), ValidationError, "INVALID_OPTION");
});
