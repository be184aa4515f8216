// The first of several waits: the losers are withdrawn, so that they take no event any more.

import {
  HumanResponseEvent,
  type HandlerContext,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  WorkflowEvent,
} from "stepstream";
import { describe, expect, test } from "vitest";
import { deferred, failure, fails, soon } from "../kit/index.js";

class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}
class Other extends HumanResponseEvent<string> {
  static readonly type = "other";
}
class Note extends WorkflowEvent<string> {
  static readonly type = "note";
}

const of = (handler: (context: HandlerContext<unknown>) => Promise<string>) =>
  new Workflow<unknown, string, string>({ events: [Answer, Other, Note] }).addStep(
    { name: "ask", inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
    async (context) => new StopEvent(await handler(context)),
  );

describe("firstOf", () => {
  test("gives the key and the value of the first, and the next wait gets the next event", async () => {
    const workflow = of(async ({ firstOf, sleep, waitForEvent }) => {
      const [which] = await firstOf({ answer: waitForEvent(Answer), late: sleep(0.01) });
      const answer = await waitForEvent(Answer);
      return `${which}, ${answer.data}`;
    });
    const run = workflow.run("x").start();
    await soon(new Promise((resolve) => setTimeout(resolve, 30)));
    await run.idle();
    run.sendEvent(new Answer("mine"));
    expect((await soon(run)).data).toBe("late, mine");
  });

  test("an event wins over a sleep, whose time does not come any more", async () => {
    const workflow = of(async ({ firstOf, sleep, waitForEvent }) => {
      const [which, event] = await firstOf({ answer: waitForEvent(Answer), late: sleep(3600) });
      return which === "answer" ? event.data : which;
    });
    const run = workflow.run("x").start();
    await run.idle();
    run.sendEvent(new Answer("yes"));
    expect((await soon(run)).data).toBe("yes");
  });

  test("the losers reject with WAIT_WITHDRAWN, and cause no unhandled rejection", async () => {
    const seen = deferred<unknown>();
    const workflow = of(async ({ firstOf, waitForEvent }) => {
      const other = waitForEvent(Other);
      other.catch((error: unknown) => seen.resolve(error));
      const [which] = await firstOf({ answer: waitForEvent(Answer), other });
      return which;
    });
    const run = workflow.run("x").start();
    await run.idle();
    run.sendEvent(new Answer("yes"));
    expect((await soon(run)).data).toBe("answer");
    expect(await soon(seen.promise)).toMatchObject({ name: "CancelledError", code: "WAIT_WITHDRAWN" });
  });

  test("an event of a loser that comes afterwards is kept for a later wait", async () => {
    const workflow = of(async ({ firstOf, waitForEvent, requireEvent }) => {
      await firstOf({ answer: waitForEvent(Answer), note: requireEvent(Note) });
      const note = await requireEvent(Note);
      return note.data;
    });
    const run = workflow.run("x").start();
    await run.idle();
    run.sendEvent(new Answer("yes"));
    run.sendEvent(new Note("kept"));
    expect((await soon(run)).data).toBe("kept");
  });

  test("rejects when the first to settle rejects, such as a wait that timed out", async () => {
    const workflow = of(async ({ firstOf, waitForEvent }) => {
      await firstOf({ answer: waitForEvent(Answer, { timeout: 0.01 }), other: waitForEvent(Other) });
      return "never";
    });
    expect(await failure(workflow.run("x"))).toMatchObject({ code: "WAIT_TIMEOUT" });
  });

  test("takes other promises beside waits", async () => {
    const workflow = of(async ({ firstOf, waitForEvent }) => {
      const [which, value] = await firstOf({ answer: waitForEvent(Answer), fetched: Promise.resolve(42) });
      return `${which} ${String(value)}`;
    });
    expect((await soon(workflow.run("x"))).data).toBe("fetched 42");
  });

  test("what is no object of promises is refused", async () => {
    for (const waits of [undefined, {}, { answer: 1 }, "answer"]) {
      const workflow = of(async ({ firstOf }) => String(await firstOf(waits as never)));
      await fails(workflow.run("x"), ValidationError, "INVALID_OPTION");
    }
  });

  test("survives a snapshot at every point: before, between, and after the first answer", async () => {
    const workflow = () =>
      of(async ({ firstOf, waitForEvent }) => {
        const [first] = await firstOf({ answer: waitForEvent(Answer), other: waitForEvent(Other) });
        const [second, event] = await firstOf({ answer: waitForEvent(Answer), other: waitForEvent(Other) });
        return `${first}, ${second} ${event.data}`;
      });
    const run = workflow().run("x").start();
    await run.idle();
    const before = run.snapshot();
    run.sendEvent(new Answer("1"));
    await run.idle();
    const between = run.snapshot();
    run.cancel();

    const first = workflow().recover(before).start();
    await first.idle();
    first.sendEvent(new Answer("1"));
    await first.idle();
    const again = workflow().recover(first.snapshot()).start();
    first.cancel();
    for (const recovered of [again, workflow().recover(between).start()]) {
      await recovered.idle();
      // The wait of the first round for this event was withdrawn: it is for the second round.
      recovered.sendEvent(new Other("2"));
      expect((await soon(recovered)).data).toBe("answer, other 2");
    }
  });
});

test("the condition of a wait is asked about events of its own class only", async () => {
  const asked: string[] = [];
  const count = 300;
  const workflow = new Workflow<unknown, string, string>()
    .addStep({ name: "start", inputs: [StartEvent<string>], outputs: [] }, ({ sendEvent }) => {
      for (let nth = 0; nth < count; nth += 1) sendEvent(new Note(String(nth)));
    })
    .addStep({ name: "wait", inputs: [Note], outputs: [StopEvent<string>] }, async ({ waitForEvent }, note) => {
      const { data } = await waitForEvent(Answer, {
        where: (answer) => {
          asked.push(answer.data);
          return answer.data === note.data;
        },
      });
      return data === "end" ? new StopEvent("end") : undefined;
    });
  const run = workflow.run("x").start();
  await run.idle();
  asked.length = 0;
  for (let nth = 0; nth < 50; nth += 1) run.sendEvent(new Other("other"));
  expect(asked).toEqual([]);
  run.sendEvent(new Answer("7"));
  expect(asked).toHaveLength(count);
  run.cancel();
  expect(await failure(run)).toMatchObject({ code: "RUN_CANCELLED" });
});
