// Steps without a name: what distinguishes a workflow from one in which they changed places.

import { RecoverError, StartEvent, StopEvent, Workflow } from "stepstream";
import { expect, test } from "vitest";
import { fails, soon } from "../kit/index.js";
import { Answer, Item } from "./kit.js";

type Step = (workflow: Workflow) => unknown;

const answering: Step = (workflow) =>
  workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async ({ requireEvent }) => {
    return new StopEvent(`answering ${(await requireEvent(Answer)).data}`);
  });
const silent: Step = (workflow) => workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, () => undefined);
const open: Step = (workflow) => workflow.addStep({ inputs: [StartEvent] }, async () => Promise.resolve(undefined));
const openAnswering: Step = (workflow) =>
  workflow.addStep(
    { inputs: [StartEvent] },
    async ({ requireEvent }) => new StopEvent((await requireEvent(Answer)).data),
  );
const making: Step = (workflow) => workflow.addStep({ inputs: [StartEvent], outputs: [Item] }, () => new Item("x"));
const taking: Step = (workflow) =>
  workflow.addStep({ inputs: [Item], outputs: [StopEvent] }, async ({ requireEvent }) => {
    return new StopEvent((await requireEvent(Answer)).data);
  });

function made(...steps: readonly Step[]): Workflow {
  const workflow = new Workflow({ name: "made", timeout: null });
  for (const step of steps) step(workflow);
  return workflow;
}

async function snapshotOf(workflow: Workflow): Promise<Uint8Array> {
  const run = workflow.run("hi");
  await soon(run.idle());
  const bytes = run.snapshot();
  run.cancel();
  return bytes;
}

test.each([
  ["that are alike", answering, silent],
  ["that are alike and declare no outputs", open, openAnswering],
  ["that differ", making, taking],
])("two %s and changed places are refused, with the reason", async (_, one, other) => {
  const bytes = await snapshotOf(made(one, other));
  const error = await fails(() => made(other, one).recover(bytes), RecoverError, "SNAPSHOT_FOREIGN");
  expect(error.message).toContain('Steps without a name ("step1", "step2")');
  const run = made(one, other).recover(bytes);
  run.sendEvent(new Answer("yes"));
  await soon(run);
});

test("a handler may be mended: where no other unnamed step is alike its code does not count", async () => {
  const bytes = await snapshotOf(made(making, taking));
  const mended: Step = (workflow) =>
    workflow.addStep({ inputs: [Item], outputs: [StopEvent] }, async ({ requireEvent }) => {
      return new StopEvent(`mended ${(await requireEvent(Answer)).data}`);
    });
  const run = made(making, mended).recover(bytes);
  run.sendEvent(new Answer("yes"));
  expect((await soon(run)).data).toBe("mended yes");
});

test("migrate lets in what has another code only", async () => {
  const bytes = await snapshotOf(made(answering, silent));
  const other: Step = (workflow) =>
    workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async () => Promise.resolve(null));
  await fails(() => made(answering, other).recover(bytes), RecoverError, "SNAPSHOT_FOREIGN");
  const run = made(answering, other).recover(bytes, { migrate: true });
  run.sendEvent(new Answer("yes"));
  expect((await soon(run)).data).toBe("answering yes");
});

test("steps that have names may change places", async () => {
  const named = (name: string, isFirst: boolean): Step => {
    return (workflow) =>
      workflow.addStep({ name, inputs: [StartEvent], outputs: [StopEvent] }, async ({ requireEvent }) => {
        return isFirst ? new StopEvent((await requireEvent(Answer)).data) : undefined;
      });
  };
  const [one, other] = [named("one", true), named("other", false)];
  const bytes = await snapshotOf(made(one, other));
  const run = made(other, one).recover(bytes);
  run.sendEvent(new Answer("yes"));
  expect((await soon(run)).data).toBe("yes");
});

test("a handler whose toString is its own is distinguished all the same", async () => {
  const strange: Step = (workflow) => {
    const handler = async (): Promise<undefined> => Promise.resolve(undefined);
    Object.defineProperty(handler, "name", { value: "" });
    handler.toString = (): string => {
      throw new Error("not for you");
    };
    return workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, handler);
  };
  const bytes = await snapshotOf(made(strange, answering));
  await fails(() => made(answering, strange).recover(bytes), RecoverError, "SNAPSHOT_FOREIGN");
});
