// What a page needs of a run that asks: which questions are open, and how one of them is answered.

import {
  HumanResponseEvent,
  InputRequiredEvent,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  WorkflowEvent,
} from "stepstream";
import { expect, test } from "vitest";
import { soon } from "../kit/index.js";

class Ask extends InputRequiredEvent<string> {
  static readonly type = "ask";
}
class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}
class Item extends WorkflowEvent<number> {
  static readonly type = "item";
}

const codeOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error instanceof ValidationError ? error.code : error;
  }
  return undefined;
};

/** Two invocations of one step ask the same, and a last one joins the answers. */
function asking(where?: (answer: Answer) => boolean): Workflow<unknown, undefined, string> {
  const workflow = new Workflow<unknown, undefined, string>({ events: [Ask, Answer] });
  const answers: string[] = [];
  workflow.addStep({ name: "begin", inputs: [StartEvent] }, (context) => {
    context.sendEvent(new Item(1));
    context.sendEvent(new Item(2));
  });
  workflow.addStep({ name: "review", inputs: [Item], outputs: [StopEvent] }, async (context, { data }) => {
    const { data: answer } = await context.waitForEvent(Answer, { ask: new Ask(`item ${data}?`), where });
    answers.push(`${data}: ${answer}`);
    return answers.length === 2 ? new StopEvent(answers.join(", ")) : undefined;
  });
  return workflow;
}

test("the open questions are listed, the oldest first, and each is answered by its id", async () => {
  const run = asking().run();
  await run.idle();
  const open = run.pending;
  expect(open.map(({ step, question, expects }) => [step, question?.data, expects])).toEqual([
    ["review", "item 1?", Answer],
    ["review", "item 2?", Answer],
  ]);
  expect(new Set(open.map(({ id }) => id)).size).toBe(2);
  run.respond(open[1]!.id, "second");
  expect(run.pending.map(({ id }) => id)).toEqual([open[0]!.id]);
  run.respond(open[0]!.id, new Answer("first"));
  expect((await soon(run)).data).toBe("2: second, 1: first");
  expect(run.pending).toEqual([]);
});

test("ids and questions are the same after a recovery, also before the step has asked again", async () => {
  const workflow = asking();
  const run = workflow.run();
  await run.idle();
  const again = workflow.recover(run.snapshot());
  expect(again.pending).toEqual(run.pending);
  await again.idle();
  expect(again.pending).toEqual(run.pending);
  again.respond(run.pending[1]!.id, "after");
  expect(again.pending).toHaveLength(1);
  expect(run.pending).toHaveLength(2);
  run.cancel();
});

test("a wrong, an answered and a withdrawn id are refused, and nothing changes", async () => {
  const run = asking().run();
  await run.idle();
  const [first] = run.pending;
  expect(codeOf(() => run.respond("nothing", "yes"))).toBe("NO_SUCH_QUESTION");
  expect(codeOf(() => run.respond(undefined as never, "yes"))).toBe("NO_SUCH_QUESTION");
  run.respond(first!.id, "yes");
  expect(codeOf(() => run.respond(first!.id, "yes"))).toBe("NO_SUCH_QUESTION");
  expect(run.pending).toHaveLength(1);
  run.cancel();
  expect(codeOf(() => run.respond(first!.id, "yes"))).toBe("NO_SUCH_QUESTION");
});

test("an answer of another class, or one that the wait does not accept, is refused and leaves the question", async () => {
  const run = asking(({ data }) => data === "yes").run();
  await run.idle();
  const [{ id } = { id: "" }] = run.pending;
  expect(codeOf(() => run.respond(id, new Item(1)))).toBe("ANSWER_REFUSED");
  expect(codeOf(() => run.respond(id, "no"))).toBe("ANSWER_REFUSED");
  expect(run.pending).toHaveLength(2);
  run.respond(id, "yes");
  expect(run.pending).toHaveLength(1);
  run.cancel();
});

test("a step that returns its question is answered by a step that takes the answer", async () => {
  const workflow = new Workflow<unknown, undefined, string>();
  workflow.addStep({ name: "ask", inputs: [StartEvent], outputs: [Ask] }, () => new Ask("Shall we?"));
  workflow.addStep({ inputs: [Answer], outputs: [StopEvent] }, (_, { data }) => new StopEvent(data));
  const run = workflow.run();
  await run.idle();
  const [question] = run.pending;
  expect(question).toMatchObject({ step: "ask", question: new Ask("Shall we?"), expects: Answer });
  const again = workflow.recover(run.snapshot());
  expect(again.pending).toEqual(run.pending);
  again.respond(question!.id, "yes");
  expect((await soon(again)).data).toBe("yes");
  run.sendEvent(new Answer("by event"));
  expect(run.pending).toEqual([]);
  expect((await soon(run)).data).toBe("by event");
});

test("the name that a step gives a wait is the id of the question", async () => {
  const workflow = new Workflow<unknown, undefined, string>();
  workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async (context) => {
    const { data } = await context.waitForEvent(Answer, { id: "approval" });
    return new StopEvent(data);
  });
  const run = workflow.run();
  await run.idle();
  run.respond("approval", "yes");
  expect((await soon(run)).data).toBe("yes");
});

test("a wait for what another step makes is no question", async () => {
  const workflow = new Workflow<unknown, undefined, number>();
  workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async (context) => {
    const { data } = await context.waitForEvent(Item);
    return new StopEvent(data);
  });
  workflow.addStep({ inputs: [StartEvent], outputs: [Item] }, async (context) => {
    await context.waitForEvent(Answer);
    return new Item(7);
  });
  const run = workflow.run();
  await run.idle();
  expect(run.pending.map(({ expects }) => expects)).toEqual([Answer]);
  run.respond(run.pending[0]!.id, "go");
  expect((await soon(run)).data).toBe(7);
});

test("questions of nested runs have their slot, and ids of their own", async () => {
  const inner = new Workflow<unknown, string, string>();
  inner.addStep({ name: "inner", inputs: [StartEvent<string>], outputs: [StopEvent] }, async (context, { data }) => {
    const answer = await context.waitForEvent(Answer, { ask: new Ask(data) });
    return new StopEvent(`${data} ${answer.data}`);
  });
  const outer = new Workflow<unknown, undefined, string>().addWorkflows({ review: inner });
  outer.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async (context) => {
    const { review } = context.workflows;
    const [one, two] = await Promise.all([review.run("one"), review.run("two")]);
    return new StopEvent(`${one.data}, ${two.data}`);
  });
  const run = outer.run();
  await run.idle();
  expect(run.pending.map(({ slot, question }) => [slot, question?.data])).toEqual([
    ["review", "one"],
    ["review", "two"],
  ]);
  const [one, two] = run.pending;
  run.respond(two!.id, "b");
  run.respond(one!.id, "a");
  expect((await soon(run)).data).toBe("one a, two b");
});
