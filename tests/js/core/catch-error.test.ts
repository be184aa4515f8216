// catchError: steps that take the failures of other steps once their retries are used up.

import {
  StartEvent,
  StepError,
  StepFailedEvent,
  StopEvent,
  ValidationError,
  Workflow,
  WorkflowEvent,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, fails, failure, kinds, soon } from "../kit/index.js";

class Work extends WorkflowEvent<number> {}
class Again extends WorkflowEvent<number> {}

function boom(text: string): () => never {
  return () => {
    throw new Error(text);
  };
}

test("a handler gets the failure and may end the run", async () => {
  const broken = new Error("broken");
  const workflow = new Workflow<unknown, string, string>();
  workflow.addStep({ inputs: [StartEvent<string>], name: "flaky" }, async () => {
    throw broken;
  });
  workflow.catchError({ outputs: [StopEvent<string>] }, (_, { data }) => {
    expect(data.error).toBe(broken);
    expect(data.event.data).toBe("input");
    expect(data.events).toEqual([data.event]);
    return new StopEvent(`${data.step} ${data.attempts}`);
  });
  const context = workflow.run("input");
  const { events, error } = await soon(collect(context));
  expect(error).toBeUndefined();
  expect(kinds(events)).toEqual(["StartEvent", "StepFailedEvent", "StopEvent"]);
  expect(events[1]).toBeInstanceOf(StepFailedEvent);
  expect((await context).data).toBe("flaky 1");
  expect(context.failure).toBeUndefined();
});

test("a handler is called after the last attempt only", async () => {
  const workflow = new Workflow<unknown, unknown, number>();
  const retry = retryPolicy({ wait: waitFixed(0), stop: stopAfterAttempt(3) });
  workflow.addStep({ inputs: [StartEvent], retry }, boom("again"));
  let handled = 0;
  workflow.catchError({}, (_, { data }) => {
    handled += 1;
    return new StopEvent(data.attempts);
  });
  expect((await soon(workflow.run(0))).data).toBe(3);
  expect(handled).toBe(1);
});

test("a handler for a step goes before the handler for all", async () => {
  const workflow = new Workflow<unknown, number, string>();
  workflow.addStep({ inputs: [StartEvent<number>] }, (_, { data }) => (data === 1 ? new Work(1) : new Again(2)));
  workflow.addStep({ inputs: [Work], name: "one" }, boom("one"));
  workflow.addStep({ inputs: [Again], name: "two" }, boom("two"));
  workflow.catchError({ name: "all" }, (_, { data }) => new StopEvent(`all: ${data.step}`));
  workflow.catchError({ steps: ["one"], name: "for one" }, (_, { data }) => new StopEvent(`special: ${data.step}`));
  expect((await soon(workflow.run(1))).data).toBe("special: one");
  expect((await soon(workflow.run(2))).data).toBe("all: two");
});

test("a handler for one step leaves the failures of others", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "one" }, () => new Work(1));
  workflow.addStep({ inputs: [Work], name: "two" }, boom("two failed"));
  workflow.catchError({ steps: ["one"] }, () => new StopEvent("handled"));
  const context = workflow.run(0);
  await expect(soon(context)).rejects.toThrow("two failed");
  expect(context.failure).toMatchObject({ step: "two", attempts: 1 });
});

test("what a handler returns goes on like any event", async () => {
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [StartEvent], name: "flaky" }, boom("broken"));
  workflow.addStep({ inputs: [Work] }, (_, { data }) => new StopEvent(data + 1));
  workflow.catchError({ steps: ["flaky"] }, () => new Work(41));
  expect((await soon(workflow.run(0))).data).toBe(42);
});

test("a handler may return nothing when others carry the run on", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "optional" }, boom("does not matter"));
  workflow.addStep({ inputs: [StartEvent], name: "needed" }, async () => new StopEvent("done"));
  workflow.catchError({ steps: ["optional"] }, () => undefined);
  expect((await soon(workflow.run(0))).data).toBe("done");
});

test.each([
  [undefined, 2],
  [0, 1],
  [1, 2],
  [5, 6],
])("with maxRecoveries %s a step that always fails is begun %d times along one line", async (maxRecoveries, begun) => {
  let count = 0;
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [WorkflowEvent.or(StartEvent, Work)], name: "flaky" }, () => {
    count += 1;
    throw new Error(`failure ${count}`);
  });
  workflow.catchError(maxRecoveries === undefined ? {} : { maxRecoveries }, () => new Work(0));
  const context = workflow.run(0);
  expect(await failure(context)).toEqual(new Error(`failure ${begun}`));
  expect(count).toBe(begun);
});

test("recoveries are counted along a line of events, through other steps", async () => {
  let count = 0;
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [WorkflowEvent.or(StartEvent, Again)], name: "relay" }, () => new Work(0));
  workflow.addStep({ inputs: [Work], name: "flaky" }, () => {
    count += 1;
    throw new Error("always");
  });
  workflow.catchError({ maxRecoveries: 3 }, () => new Again(0));
  await expect(soon(workflow.run(0))).rejects.toThrow("always");
  expect(count).toBe(4);
});

test("each line has its own recoveries", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  const done: number[] = [];
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    for (let nth = 0; nth < 5; nth += 1) sendEvent(new Work(nth));
  });
  workflow.addStep({ inputs: [Work], name: "flaky" }, boom("each once"));
  workflow.addStep({ inputs: [Again] }, (_, { data }) => {
    done.push(data);
    return done.length === 5 ? new StopEvent("all") : undefined;
  });
  workflow.catchError({ maxRecoveries: 1 }, (_, { data }) => new Again((data.event as Work).data));
  expect((await soon(workflow.run(0))).data).toBe("all");
  expect(done).toEqual([0, 1, 2, 3, 4]);
});

test("a handler that throws ends the run with its own error", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "flaky" }, boom("of the step"));
  workflow.catchError({ name: "handler" }, async () => {
    throw new Error("of the handler");
  });
  const context = workflow.run(0);
  await expect(soon(context)).rejects.toThrow("of the handler");
  expect(context.failure).toMatchObject({ step: "handler" });
});

test("a handler may have retries of its own", async () => {
  let attempts = 0;
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "flaky" }, boom("of the step"));
  const retry = retryPolicy({ wait: waitFixed(0), stop: stopAfterAttempt(3) });
  workflow.catchError({ retry }, () => {
    attempts += 1;
    if (attempts < 3) throw new Error("again");
    return new StopEvent("third time");
  });
  expect((await soon(workflow.run(0))).data).toBe("third time");
});

test("something that is not an Error comes as a StepError with it as the cause", async () => {
  const workflow = new Workflow<unknown, unknown, unknown>();
  workflow.addStep({ inputs: [StartEvent], name: "flaky" }, () => {
    throw { status: 503 };
  });
  workflow.catchError({}, (_, { data }) => {
    expect(data.error).toBeInstanceOf(StepError);
    return new StopEvent(data.error.cause);
  });
  expect((await soon(workflow.run(0))).data).toEqual({ status: 503 });
});

test("a failed join comes with all its events", async () => {
  const workflow = new Workflow<unknown, unknown, unknown>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    sendEvent(new Work(1));
    return new Again(2);
  });
  workflow.addStep({ inputs: [Work, Again] }, boom("join"));
  workflow.catchError({}, (_, { data }) => new StopEvent(data.events.map((event) => event.data)));
  expect((await soon(workflow.run(0))).data).toEqual([1, 2]);
});

test("a step timeout is a failure that can be handled", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], timeout: 0.01 }, () => new Promise<undefined>(() => undefined));
  workflow.catchError({}, (_, { data }) => new StopEvent((data.error as { code?: string }).code ?? ""));
  expect((await soon(workflow.run(0))).data).toBe("STEP_TIMEOUT");
});

test("unknown steps, two handlers for one step and two for all are refused by run and validate", async () => {
  const make = (add: (workflow: Workflow) => void): Workflow => {
    const workflow = new Workflow();
    workflow.addStep({ inputs: [StartEvent], name: "one" }, () => new StopEvent());
    add(workflow);
    return workflow;
  };
  const handler = (): undefined => undefined;
  const cases: [Workflow, string][] = [
    [make((workflow) => workflow.catchError({ steps: ["nobody"] }, handler)), "UNKNOWN_STEP"],
    [
      make((workflow) =>
        workflow.catchError({ steps: ["one"], name: "a" }, handler).catchError({ steps: ["one"], name: "b" }, handler),
      ),
      "DUPLICATE_HANDLER",
    ],
    [
      make((workflow) => workflow.catchError({ name: "a" }, handler).catchError({ name: "b" }, handler)),
      "DUPLICATE_HANDLER",
    ],
  ];
  for (const [workflow, code] of cases) {
    await fails(() => workflow.run(0), ValidationError, code);
    await fails(() => workflow.validate(), ValidationError, code);
  }
});

test.each([[-1], [1.5], [NaN], ["1"], [null]])("maxRecoveries %s is refused", async (maxRecoveries) => {
  const workflow = new Workflow();
  const add = (): unknown => workflow.catchError({ maxRecoveries: maxRecoveries as number }, () => undefined);
  await fails(add, ValidationError, "INVALID_OPTION");
});

test.each([["one"], [{}], [7], [null]])("steps given as %s is refused", async (steps) => {
  const workflow = new Workflow();
  await fails(() => workflow.catchError({ steps: steps as never }, () => undefined), ValidationError, "INVALID_OPTION");
});

test("a handler that is named in another's steps is refused, in whichever order they were added", async () => {
  for (const order of [
    ["inner", "outer"],
    ["outer", "inner"],
  ]) {
    const workflow = new Workflow<unknown, unknown, string>();
    workflow.addStep({ inputs: [StartEvent], name: "work" }, () => new StopEvent(""));
    for (const name of order) {
      workflow.catchError({ name, steps: name === "inner" ? ["work"] : ["inner"] }, () => undefined);
    }
    for (const use of [() => workflow.run(0), () => workflow.validate()]) {
      const { message } = await fails(use as () => never, ValidationError, "HANDLER_HANDLED");
      expect(message).toContain('"outer" names "inner"');
    }
  }
});
