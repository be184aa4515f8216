// Every public method of a workflow, a run and a step's context is called from inside every callback: nothing traps or
// hangs, whatever is thrown is a coded error, and afterwards the next run works.

import {
  CancelledError,
  type CompletedStep,
  EngineError,
  type HandlerContext,
  HumanResponseEvent,
  StartEvent,
  StopEvent,
  Workflow,
  type WorkflowContext,
  WorkflowError,
  WorkflowEvent,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, failure, soon, turn } from "../kit/index.js";

class Work extends WorkflowEvent<number> {}
class Note extends WorkflowEvent<number> {}
class Answer extends HumanResponseEvent<number> {}
class Kept extends WorkflowEvent<number> {}
class Last extends WorkflowEvent<number> {}

/** What the callbacks can reach. */
interface Reach {
  readonly workflow: Workflow<unknown, number, string>;
  readonly run: WorkflowContext<unknown, number, string>;
  /** Of the step that is or was under way. */
  readonly step: HandlerContext | undefined;
}

type Act = (reach: Reach) => unknown;

let added = 0;

/** Every method and getter. What is thrown, at once or later, goes to the caller. */
const acts: Record<string, Act> = {
  "workflow.run": ({ workflow }) => workflow.run(-1),
  "workflow.run and start": ({ workflow }) => workflow.run(-1).start(),
  "workflow.addStep": ({ workflow }) =>
    workflow.addStep({ inputs: [Note], name: `added ${(added += 1)}` }, () => undefined),
  "workflow.removeStep": ({ workflow }) => workflow.removeStep("spare"),
  "workflow.hasStep": ({ workflow }) => workflow.hasStep("spare"),
  "workflow.catchError": ({ workflow }) => workflow.catchError({ steps: ["spare"] }, () => undefined),
  "workflow.addWorkflows": ({ workflow }) => workflow.addWorkflows({ self: workflow }),
  "workflow.workflows": ({ workflow }) => workflow.workflows,
  "workflow.stepNames": ({ workflow }) => workflow.stepNames,
  "workflow.validate": ({ workflow }) => workflow.validate(),
  "workflow.dispose": ({ workflow }) => workflow.dispose(),
  "run.with": ({ run }) => run.with("other"),
  "run.start": ({ run }) => run.start(),
  "run.status": ({ run }) => [run.status, run.result, run.failure, run.runId, run.data, run.store],
  "run.sendEvent": ({ run }) => run.sendEvent(new Note(1)),
  "run.sendEvent, taken": ({ run }) => run.sendEvent(new Work(99)),
  "run.sendEvent, many": ({ run }) => {
    for (let nth = 0; nth < 300; nth += 1) run.sendEvent(new Note(nth));
  },
  "run.sendEvent, targeted": ({ run }) => run.sendEvent(new Note(1), { step: "spare" }),
  "run.sendEvent, answer": ({ run }) => run.sendEvent(new Answer(1)),
  "run.sendEvent, stop": ({ run }) => run.sendEvent(new StopEvent("sent")),
  "run.cancel": ({ run }) => run.cancel("from a callback"),
  "run.dispose": ({ run }) => run.dispose(),
  "run.idle": ({ run }) => void run.idle(),
  "run.then": ({ run }) => void run.then(undefined, () => undefined),
  "run.catch": ({ run }) => void run.catch(() => undefined),
  "run.finally": ({ run }) => void run.finally(() => undefined).catch(() => undefined),
  "run iteration": ({ run }) =>
    void run[Symbol.asyncIterator]()
      .next()
      .catch(() => undefined),
  "run.stream": ({ run }) => void collect(run.stream()),
  "run.stepwise": ({ run }) => {
    const steps = run.stepwise();
    void steps.next().catch(() => undefined);
    void steps.return().catch(() => undefined);
  },
  "run.store": ({ run }) => run.store.edit<number>("count", (count = 0) => count + 1),
  "step.sendEvent": ({ step }) => step?.sendEvent(new Note(2)),
  "step.sendEvent, targeted": ({ step }) => step?.sendEvent(new Note(2), { step: "spare" }),
  "step.sendEvent, answer": ({ step }) => step?.sendEvent(new Answer(2)),
  "step.sendEvent, stop": ({ step }) => step?.sendEvent(new StopEvent("sent by the step")),
  "step.writeEventToStream": ({ step }) => step?.writeEventToStream(new Note(3)),
  "step.requireEvent": ({ step }) => void step?.requireEvent(Note),
  "step.waitForEvent": ({ step }) =>
    void step?.waitForEvent(Note, { where: () => true, timeout: 0.001, ask: new Note(4) }),
  "step.collectEvents": ({ step }) => step?.collectEvents(new Note(5), [Note, Note]),
  "step.sleep": ({ step }) => void step?.sleep(0),
  "step.signal": ({ step }) => step?.signal.aborted,
  "step.data and others": ({ step }) => [step?.data, step?.store, step?.runId, step?.step, step?.attempt],
  "step.workflows": ({ step }) => Object.keys(step?.workflows ?? {}),
};

/** The callbacks that a run comes through, in one workflow that uses them all. */
const places = [
  "handler",
  "sync handler",
  "handler after an await",
  "where",
  "where of a kept event",
  "retry function",
  "retry condition",
  "onStep",
  "error handler",
  "abort listener",
  "stream reader",
  "stream cursor",
  "then",
  "idle callback",
  "getter of an event",
  "thenable",
] as const;
type Place = (typeof places)[number];

interface Outcome {
  readonly reached: number;
  readonly thrown: unknown[];
}

/** Goes through a run that comes by every place, and does the act at one of them. */
async function goThrough(place: Place, act: Act): Promise<Outcome> {
  let reached = 0;
  const thrown: unknown[] = [];
  const at: { run?: WorkflowContext<unknown, number, string>; step?: HandlerContext } = {};
  const here = (name: Place): void => {
    // A few times at most: some acts lead to the same place again.
    if (name !== place || at.run === undefined || reached >= 3) return;
    reached += 1;
    try {
      act({ workflow, run: at.run, step: at.step });
    } catch (error) {
      thrown.push(error);
    }
  };
  const enter = (context: HandlerContext): void => void (at.step = context);

  const onStep = (_: CompletedStep): void => here("onStep");
  const workflow = new Workflow<unknown, number, string>({ timeout: 3, onStep, onWarning: () => undefined });
  workflow.addStep({ inputs: [StartEvent<number>], name: "first" }, (context, { data }) => {
    if (data < 0) return new StopEvent("of an inner run");
    enter(context);
    here("sync handler");
    return new Work(0);
  });
  const flaky = (context: HandlerContext): void => {
    enter(context);
    if (context.attempt < 2) throw new Error("again");
  };
  const byFunction = {
    retry: () => {
      here("retry function");
      return 0;
    },
  };
  workflow.addStep({ inputs: [Work], name: "second", ...byFunction }, async (context, { data }) => {
    if (data !== 0) return undefined;
    flaky(context);
    here("handler");
    await turn();
    here("handler after an await");
    context.sendEvent(new Kept(10));
    const where = (): boolean => (here("where of a kept event"), true);
    await context.waitForEvent(Kept, { where, timeout: 1 });
    const wait = context.waitForEvent(Answer, { where: () => (here("where"), true), timeout: 1 });
    setTimeout(() => trySend(at.run!), 0);
    await wait;
    context.signal.addEventListener("abort", () => here("abort listener"));
    return new Last(1);
  });
  const trySend = (run: WorkflowContext<unknown, number, string>): void => {
    try {
      run.sendEvent(new Answer(1));
    } catch (error) {
      thrown.push(error);
    }
  };
  const condition = retryPolicy({
    retry: () => (here("retry condition"), true),
    wait: waitFixed(0),
    stop: stopAfterAttempt(3),
  });
  workflow.addStep({ inputs: [Last], name: "third", retry: condition }, (context) => {
    flaky(context);
    const event = new Note(7);
    Object.defineProperty(event, "constructor", { get: () => (here("getter of an event"), Note) });
    context.sendEvent(event);
    const thenable = { then: (resolve: (value: undefined) => void) => (here("thenable"), resolve(undefined)) };
    return thenable as PromiseLike<undefined>;
  });
  workflow.addStep({ inputs: [Last], name: "fails" }, async (context) => {
    enter(context);
    context.signal.addEventListener("abort", () => here("abort listener"));
    await turn();
    throw new Error("to be handled");
  });
  workflow.addStep({ inputs: [Note], name: "spare" }, () => undefined);
  workflow.catchError({ steps: ["fails"] }, async (context) => {
    enter(context);
    here("error handler");
    await turn();
    return new StopEvent("end");
  });

  const run = workflow.run(0);
  at.run = run;
  const reader = (async () => {
    for await (const _ of run) here("stream reader");
  })().catch(() => undefined);
  const cursor = (async () => {
    for await (const _ of run.stream()) here("stream cursor");
  })().catch(() => undefined);
  const done = run.then(
    () => here("then"),
    () => here("then"),
  );
  const idle = run.idle().then(() => here("idle callback"));
  await soon(Promise.all([reader, cursor, done, idle]));
  await turn();
  return { reached, thrown };
}

/** Codes that an act may meet: the run or the attempt is over by then, or what it does is refused where it is done. */
const allowed = new Set([
  "RUN_ENDED",
  "ATTEMPT_ENDED",
  "RUN_CANCELLED",
  "UNKNOWN_STEP",
  "DUPLICATE_HANDLER",
  "EVENT_NOT_TAKEN",
]);

test.each(places)(
  "every method may be called in: %s",
  async (place) => {
    for (const [name, act] of Object.entries(acts)) {
      const { reached, thrown } = await goThrough(place, act);
      const label = `${name} in ${place}`;
      expect(reached, label).toBeGreaterThan(0);
      for (const error of thrown) {
        expect(error, label).toBeInstanceOf(WorkflowError);
        expect(error, label).not.toBeInstanceOf(EngineError);
        expect(allowed, label).toContain((error as WorkflowError).code);
      }
    }
  },
  60_000,
);

test("a nested run may be started in every handler, and cancels the run around it without harm", async () => {
  const inner = new Workflow<WorkflowContext | undefined, number, number>();
  inner.addStep({ inputs: [StartEvent<number>] }, ({ data }, event) => {
    if (event.data === 2) data?.cancel();
    return new StopEvent(event.data);
  });
  const outer = new Workflow<unknown, number, number>().addWorkflows({ inner });
  const holder: { run?: WorkflowContext } = {};
  outer.addStep({ inputs: [StartEvent<number>] }, async ({ workflows }, { data }) => {
    const stop = await workflows.inner.run(data, holder.run);
    return new StopEvent(stop.data);
  });
  expect((await soon(outer.run(1))).data).toBe(1);
  const cancelled = outer.run(2);
  holder.run = cancelled as WorkflowContext;
  expect(await failure(cancelled)).toBeInstanceOf(CancelledError);
  expect((await soon(outer.run(3))).data).toBe(3);
});

test("a handler that sends thousands of events to itself does not overflow the stack", async () => {
  const workflow = new Workflow<unknown, number, number>();
  let seen = 0;
  workflow.addStep({ inputs: [StartEvent<number>] }, ({ sendEvent }) => sendEvent(new Work(0)));
  workflow.addStep({ inputs: [Work] }, ({ sendEvent }, { data }) => {
    seen += 1;
    if (data === 50_000) return new StopEvent(seen);
    sendEvent(new Work(data + 1));
    return undefined;
  });
  expect((await soon(workflow.run(0))).data).toBe(50_001);
});

test("a waiting step that is answered while another handler is at work goes on after it", async () => {
  const order: string[] = [];
  const workflow = new Workflow<unknown, number, string>();
  workflow.addStep({ inputs: [StartEvent<number>] }, async ({ requireEvent }) => {
    await requireEvent(Answer);
    order.push("answered");
    return new StopEvent("");
  });
  workflow.addStep({ inputs: [Work] }, ({ sendEvent }) => {
    order.push("before");
    sendEvent(new Answer(1));
    order.push("after");
  });
  const run = workflow.run(0).start();
  run.sendEvent(new Work(1));
  await soon(run);
  expect(order).toEqual(["before", "after", "answered"]);
});
