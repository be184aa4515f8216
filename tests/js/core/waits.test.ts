// requireEvent and waitForEvent: events that come before, after, or never.

import {
  CancelledError,
  HumanResponseEvent,
  InputRequiredEvent,
  StartEvent,
  StopEvent,
  TimeoutError,
  ValidationError,
  Workflow,
  WorkflowEvent,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, deferred, fails, kinds, pause, soon } from "../kit/index.js";

class Note extends WorkflowEvent<string> {}
class Loud extends Note {}
class Other extends WorkflowEvent<string> {}
class Answer extends HumanResponseEvent<string> {}
class Question extends InputRequiredEvent<string> {}

test("requireEvent gets an event that came before and that no step takes", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ sendEvent, requireEvent }) => {
    sendEvent(new Note("early"));
    await pause(2);
    return new StopEvent((await requireEvent(Note)).data);
  });
  expect((await soon(workflow.run(0))).data).toBe("early");
});

test("requireEvent gets an event that comes later", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep(
    { inputs: [StartEvent] },
    async ({ requireEvent }) => new StopEvent((await requireEvent(Answer)).data),
  );
  const context = workflow.run(0).start();
  await context.idle();
  expect(context.status).toBe("waiting");
  context.sendEvent(new Answer("late"));
  expect((await soon(context)).data).toBe("late");
});

test("requireEvent gets the same object that was sent", async () => {
  const answer = new Answer("x");
  const workflow = new Workflow<unknown, unknown, boolean>();
  workflow.addStep(
    { inputs: [StartEvent] },
    async ({ requireEvent }) => new StopEvent((await requireEvent(Answer)) === answer),
  );
  const context = workflow.run(0);
  context.sendEvent(answer);
  expect((await soon(context)).data).toBe(true);
});

test("each call consumes one event, first in, first out", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ requireEvent }) => {
    const all = [await requireEvent(Note), await requireEvent(Note), await requireEvent(Note)];
    return new StopEvent(all.map(({ data }) => data).join(""));
  });
  const context = workflow.run(0);
  for (const data of ["1", "2", "3", "4"]) context.sendEvent(new Note(data));
  expect((await soon(context)).data).toBe("123");
});

test("waits that are open at once get one event each, in the order of the calls", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ requireEvent }) => {
    const all = await Promise.all([requireEvent(Answer), requireEvent(Answer), requireEvent(Answer)]);
    return new StopEvent(all.map(({ data }) => data).join(""));
  });
  const context = workflow.run(0).start();
  for (const data of ["1", "2", "3"]) {
    await context.idle();
    context.sendEvent(new Answer(data));
  }
  expect((await soon(context)).data).toBe("123");
});

test("a wait for a class takes events of its subclasses", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep(
    { inputs: [StartEvent] },
    async ({ requireEvent }) => new StopEvent((await requireEvent(Note)).data),
  );
  const context = workflow.run(0);
  context.sendEvent(new Other("no"));
  context.sendEvent(new Loud("yes"));
  expect((await soon(context)).data).toBe("yes");
});

test("a kept event of a subclass satisfies a later wait for its ancestor", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ sendEvent, requireEvent }) => {
    sendEvent(new Loud("1"));
    sendEvent(new Note("2"));
    await pause(2);
    const [one, two] = [await requireEvent(Note), await requireEvent(Note)];
    return new StopEvent(one.data + two.data);
  });
  expect((await soon(workflow.run(0))).data).toBe("12");
});

test("a wait may be for a choice of classes", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ requireEvent, sendEvent }) => {
    sendEvent(new Other("kept"));
    const one = await requireEvent(WorkflowEvent.or(Note, Other));
    const two = await requireEvent(WorkflowEvent.or(Note, Other));
    return new StopEvent(`${one.data} ${two.data}`);
  });
  const context = workflow.run(0).start();
  await context.idle();
  context.sendEvent(new Note("sent"));
  expect((await soon(context)).data).toBe("kept sent");
});

test("an event that steps take also satisfies a wait that is open at that moment", async () => {
  let taken = 0;
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep(
    { inputs: [StartEvent] },
    async ({ requireEvent }) => new StopEvent((await requireEvent(Note)).data),
  );
  workflow.addStep({ inputs: [Note] }, () => void (taken += 1));
  const context = workflow.run(0).start();
  await pause(5);
  context.sendEvent(new Note("both"));
  expect((await soon(context)).data).toBe("both");
  expect(taken).toBe(1);
});

test("where leaves other events to others", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent, requireEvent }) => {
    const chosen = await waitForEvent(Answer, { where: ({ data }) => data.startsWith("x") });
    const [one, two] = [await requireEvent(Answer), await requireEvent(Answer)];
    return new StopEvent(`${chosen.data} ${one.data} ${two.data}`);
  });
  const context = workflow.run(0).start();
  for (const data of ["a", "b", "x1"]) context.sendEvent(new Answer(data));
  expect((await soon(context)).data).toBe("x1 a b");
});

test("where looks at events that came before", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ sendEvent, waitForEvent }) => {
    for (const data of ["a", "b", "c"]) sendEvent(new Note(data));
    await pause(2);
    const b = await waitForEvent(Note, { where: ({ data }) => data === "b" });
    const rest = [await waitForEvent(Note), await waitForEvent(Note)];
    return new StopEvent([b, ...rest].map(({ data }) => data).join(""));
  });
  expect((await soon(workflow.run(0))).data).toBe("bac");
});

test("several waits with conditions each get their event, in any order", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent }) => {
    const ids = ["1", "2", "3", "4"];
    const all = await Promise.all(ids.map((id) => waitForEvent(Answer, { id, where: ({ data }) => data === id })));
    return new StopEvent(all.map(({ data }) => data).join(""));
  });
  const context = workflow.run(0).start();
  await context.idle();
  for (const data of ["3", "1", "4", "2"]) context.sendEvent(new Answer(data));
  expect((await soon(context)).data).toBe("1234");
});

test("a condition that throws rejects its own wait, and the run goes on", async () => {
  const broken = new Error("broken condition");
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent }) => {
    const one = waitForEvent(Answer, {
      where: () => {
        throw broken;
      },
    });
    const two = waitForEvent(Answer);
    await expect(one).rejects.toBe(broken);
    return new StopEvent((await two).data);
  });
  const context = workflow.run(0).start();
  await context.idle();
  context.sendEvent(new Answer("for two"));
  expect((await soon(context)).data).toBe("for two");
});

test("a condition that throws for a kept event rejects its wait", async () => {
  const broken = new Error("broken condition");
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent, sendEvent }) => {
    sendEvent(new Note("kept"));
    const where = (): boolean => {
      throw broken;
    };
    await expect(waitForEvent(Note, { where })).rejects.toBe(broken);
    return new StopEvent((await waitForEvent(Note)).data);
  });
  expect((await soon(workflow.run(0))).data).toBe("kept");
});

test("a wait that times out rejects with WAIT_TIMEOUT, naming step and event, and the step may go on", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "asker" }, async ({ waitForEvent }) => {
    const began = performance.now();
    const error = await fails(waitForEvent(Answer, { timeout: 0.03 }), TimeoutError, "WAIT_TIMEOUT");
    expect(performance.now() - began).toBeCloseTo(30);
    expect(error.message).toContain('"asker"');
    expect(error.message).toContain("Answer");
    return new StopEvent("went on");
  });
  expect((await soon(workflow.run(0))).data).toBe("went on");
});

test("the id of a wait names it in messages", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent }) => {
    const wait = waitForEvent(Answer, { timeout: 0.005, id: "approval of the invoice" });
    const error = await fails(wait, TimeoutError, "WAIT_TIMEOUT");
    return new StopEvent(error.message);
  });
  expect((await soon(workflow.run(0))).data).toContain("approval of the invoice");
});

test("a wait that is in time is not timed out later", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent }) => {
    const answer = await waitForEvent(Answer, { timeout: 0.05 });
    await pause(80);
    return new StopEvent(answer.data);
  });
  const context = workflow.run(0).start();
  await context.idle();
  context.sendEvent(new Answer("in time"));
  expect((await soon(context)).data).toBe("in time");
});

test("ask is published once, before the wait", async () => {
  const question = new Question("name?");
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent }) => {
    const answer = await waitForEvent(Answer, { ask: question });
    return new StopEvent(answer.data);
  });
  const context = workflow.run(0);
  const seen: WorkflowEvent[] = [];
  for await (const event of context) {
    seen.push(event);
    if (event === question) context.sendEvent(new Answer("Ada"));
  }
  expect(kinds(seen)).toEqual(["StartEvent", "Question", "Answer", "StopEvent"]);
  expect((await soon(context)).data).toBe("Ada");
});

test("a returned InputRequiredEvent is in the stream, and its answer starts the next step", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], outputs: [Question] }, () => new Question("go?"));
  workflow.addStep({ inputs: [Answer], outputs: [StopEvent<string>] }, (_, { data }) => new StopEvent(data));
  const context = workflow.run(0);
  for await (const event of context) if (event instanceof Question) context.sendEvent(new Answer("go"));
  expect((await soon(context)).data).toBe("go");
});

test("a wait that is not awaited disturbs nothing, whatever becomes of it", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent, requireEvent, sleep }) => {
    void waitForEvent(Answer, { timeout: 0.005 });
    void requireEvent(Note);
    void sleep(10);
    await pause(15);
    return new StopEvent("");
  });
  await soon(workflow.run(0));
});

test("waits that are open when the handler returns are rejected", async () => {
  let open: Promise<unknown> | undefined;
  const gate = deferred();
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ requireEvent }) => {
    open = requireEvent(Note);
    return new Other("");
  });
  workflow.addStep({ inputs: [Other] }, async () => {
    await gate.promise;
    return new StopEvent("");
  });
  const context = workflow.run(0).start();
  await fails(open!, CancelledError, "ATTEMPT_ENDED");
  gate.resolve();
  await soon(context);
});

test("a wait after the handler has returned is refused", async () => {
  const later = deferred<() => Promise<unknown>>();
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ requireEvent }) => {
    later.resolve(() => requireEvent(Note));
    return new Other("");
  });
  workflow.addStep({ inputs: [Other] }, async () => void (await pause(30)));
  workflow.addStep({ inputs: [Answer] }, () => new StopEvent(""));
  const context = workflow.run(0).start();
  await fails((await later.promise)(), CancelledError, "ATTEMPT_ENDED");
  context.sendEvent(new Answer(""));
  await soon(context);
});

test("waits that are open when the run ends are rejected", async () => {
  const ended = deferred<unknown>();
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "waiter" }, async ({ requireEvent }) => {
    await requireEvent(Answer).catch(ended.resolve);
  });
  workflow.addStep({ inputs: [StartEvent] }, async () => new StopEvent(""));
  await soon(workflow.run(0));
  const error = (await soon(ended.promise)) as CancelledError;
  expect(error).toBeInstanceOf(CancelledError);
  expect(error.code).toBe("ATTEMPT_ENDED");
  expect(error.message).toContain('"waiter"');
});

test.each([["a string"], [class {}], [undefined], [null], [42], [{}]])("a wait for %s is refused", async (input) => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ requireEvent }) => {
    await fails(requireEvent(input as never), ValidationError, "INVALID_STEP");
    return new StopEvent("");
  });
  await soon(workflow.run(0));
});

test("sleep waits, and does not hold up other steps", async () => {
  const order: string[] = [];
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ sleep }) => {
    const began = performance.now();
    await sleep(0.03);
    expect(performance.now() - began).toBeCloseTo(30);
    order.push("slept");
    return new StopEvent("");
  });
  workflow.addStep({ inputs: [StartEvent] }, async () => void order.push("other"));
  await soon(workflow.run(0));
  expect(order).toEqual(["other", "slept"]);
});

test("only the latest limits.keptEvents of a type are kept", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ limits: { keptEvents: 3 } });
  workflow.addStep({ inputs: [StartEvent] }, async ({ sendEvent, requireEvent }) => {
    for (let nth = 0; nth < 10; nth += 1) sendEvent(new Note(String(nth)));
    sendEvent(new Other("x"));
    const notes = [await requireEvent(Note), await requireEvent(Note), await requireEvent(Note)];
    return new StopEvent([...notes, await requireEvent(Other)].map(({ data }) => data).join(""));
  });
  expect((await soon(workflow.run(0))).data).toBe("789x");
});

test("events that came and were read stay in the stream once", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ sendEvent, requireEvent }) => {
    sendEvent(new Note("n"));
    return new StopEvent((await requireEvent(Note)).data);
  });
  expect(kinds((await soon(collect(workflow.run(0)))).events)).toEqual(["StartEvent", "Note", "StopEvent"]);
});
