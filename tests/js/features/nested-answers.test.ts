// An answer of a person to a question of a nested run: it is sent to the run that the program has, which passes it on.

import { HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { describe, expect, test } from "vitest";
import "../kit/fake-clock.js";
import { fails, soon, takePrinted } from "../kit/index.js";
import { ValidationError } from "stepstream";

class Question extends InputRequiredEvent<string> {
  static readonly type = "question";
}
class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}
class Other extends WorkflowEvent<string> {
  static readonly type = "other";
}

const asking = () =>
  new Workflow<unknown, string, string>().addStep(
    { name: "ask", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
    async ({ waitForEvent }, { data }) => {
      const answer = await waitForEvent(Answer, { ask: new Question(data) });
      return new StopEvent(`${data}: ${answer.data}`);
    },
  );

const around = (inner: Workflow<unknown, string, string> = asking()) =>
  new Workflow<unknown, string, string>()
    .addWorkflows({ inner })
    .addStep(
      { name: "outer", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
      async ({ workflows }, { data }) => {
        const { data: result } = await workflows.inner.run(data);
        return new StopEvent(result as string);
      },
    );

describe("an event that no step and no wait of the run takes", () => {
  test("goes to the nested run that waits for it", async () => {
    const run = around().run("name");
    await run.idle();
    run.sendEvent(new Answer("Ada"));
    expect((await soon(run)).data).toBe("name: Ada");
  });

  test("also two levels down", async () => {
    const run = around(around() as never).run("name");
    await run.idle();
    run.sendEvent(new Answer("Ada"));
    expect((await soon(run)).data).toBe("name: Ada");
  });

  test("also when it comes before the nested run waits", async () => {
    const run = around().run("name").start();
    run.sendEvent(new Answer("Ada"));
    expect((await soon(run)).data).toBe("name: Ada");
  });

  test("also at once after a recovery, and in a third life", async () => {
    const first = around().run("name");
    await first.idle();
    const second = around().recover(first.snapshot());
    const third = around().recover(second.snapshot());
    first.cancel();
    second.cancel();
    third.sendEvent(new Answer("Ada"));
    expect((await soon(third)).data).toBe("name: Ada");
  });

  test("is in a snapshot while it waits for the nested run to come so far", async () => {
    const first = around().run("name");
    await first.idle();
    const second = around().recover(first.snapshot());
    first.cancel();
    second.sendEvent(new Answer("Ada"));
    const third = around().recover(second.snapshot());
    second.cancel();
    expect((await soon(third)).data).toBe("name: Ada");
  });

  test("stays with the run when a step of it has waited for such an event before", async () => {
    const workflow = new Workflow<unknown, string, string>()
      .addWorkflows({ inner: asking() })
      .addStep(
        { name: "outer", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
        async ({ workflows, requireEvent }, { data }) => {
          const first = await requireEvent(Answer);
          const nested = workflows.inner.run(data);
          await nested.idle();
          const second = await requireEvent(Answer);
          nested.sendEvent(second);
          return new StopEvent(`${first.data}, ${String((await nested).data)}`);
        },
      );
    const run = workflow.run("name");
    await run.idle();
    run.sendEvent(new Answer("1"));
    run.sendEvent(new Answer("2"));
    expect((await soon(run)).data).toBe("1, name: 2");
  });

  test("is kept for the run when no nested run takes it", async () => {
    const workflow = new Workflow<unknown, string, string>()
      .addWorkflows({ inner: asking() })
      .addStep(
        { name: "outer", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
        async ({ workflows, requireEvent }, { data }) => {
          const { data: result } = await workflows.inner.run(data);
          const other = await requireEvent(Other);
          return new StopEvent(`${String(result)}, ${other.data}`);
        },
      );
    const run = workflow.run("name");
    await run.idle();
    run.sendEvent(new Other("kept"));
    run.sendEvent(new Answer("Ada"));
    expect((await soon(run)).data).toBe("name: Ada, kept");
  });
});

describe("slot", () => {
  const two = () =>
    new Workflow<unknown, string, string>()
      .addWorkflows({ left: asking(), right: asking() })
      .addStep(
        { name: "outer", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
        async ({ workflows }, { data }) => {
          const results = await Promise.all([workflows.left.run(data), workflows.right.run(data)]);
          return new StopEvent(results.map((result) => String(result.data)).join(" / "));
        },
      );

  test("addresses the nested runs of one slot", async () => {
    const run = two().run("name");
    await run.idle();
    run.sendEvent(new Answer("R"), { slot: "right" });
    run.sendEvent(new Answer("L"), { slot: "left" });
    expect((await soon(run)).data).toBe("name: L / name: R");
  });

  test("of a nested run in a nested run, as the stream names it", async () => {
    const run = around(around() as never).run("name");
    await run.idle();
    run.sendEvent(new Answer("Ada"), { slot: "inner.inner" });
    expect((await soon(run)).data).toBe("name: Ada");
  });

  test("that no nested run is in is refused, and the message names those that are", async () => {
    const run = two().run("name");
    await run.idle();
    const error = await fails(
      () => run.sendEvent(new Answer("x"), { slot: "middle" }),
      ValidationError,
      "UNKNOWN_SLOT",
    );
    expect(error.message).toContain("left, right");
    run.cancel();
    await run.catch(() => undefined);
    expect(takePrinted()).toEqual([]);
  });
});
