// A step that returns what its outputs do not list.

import { StartEvent, StopEvent, ValidationError, Workflow, WorkflowEvent, retryPolicy, waitFixed } from "stepstream";
import { expect, test } from "vitest";
import { fails, soon, takePrinted } from "../kit/index.js";

class Item extends WorkflowEvent<number> {
  static readonly type = "item";
}
class Done extends WorkflowEvent<number> {
  static readonly type: string = "done";
}
class SpecialDone extends Done {
  static override readonly type = "special-done";
}

/** Sends so many items through a step that returns `make()`, declared as returning `Done`, and counts what arrives. */
function workflow(items: number, make: () => WorkflowEvent): Workflow<unknown, undefined, number> {
  let arrived = 0;
  return new Workflow<unknown, undefined, number>()
    .addStep({ inputs: [StartEvent<undefined>], outputs: [Item], name: "split" }, ({ sendEvent }) => {
      for (let number = 0; number < items; number += 1) sendEvent(new Item(number));
    })
    .addStep({ inputs: [Item], outputs: [Done], name: "work" }, () => make() as Done)
    .addStep({ inputs: [WorkflowEvent.or(Done, Item)], outputs: [StopEvent<number>], name: "count" }, (_, event) => {
      if (event instanceof Done) arrived += 1;
      return arrived === items ? new StopEvent(arrived) : undefined;
    });
}

class Unlisted extends WorkflowEvent<number> {
  static readonly type = "unlisted";
}

/** The same, with a step that ends the run by an undeclared event. */
const undeclaring = (items: number): Workflow<unknown, undefined, number> => {
  let arrived = 0;
  return workflow(items, () => new Unlisted(1)).addStep(
    { inputs: [Unlisted], outputs: [StopEvent<number>], name: "collect" },
    () => ((arrived += 1) === items ? new StopEvent(arrived) : undefined),
  );
};

test("warns, names step and event, and goes on", async () => {
  expect((await soon(undeclaring(1).run(undefined))).data).toBe(1);
  const [line, ...rest] = takePrinted();
  expect(rest).toEqual([]);
  expect(line).toContain('"work"');
  expect(line).toContain("unlisted");
  expect(line).toContain("outputs");
});

test("warns once for a step, however often it happens and in however many runs", async () => {
  const used = undeclaring(3);
  expect((await soon(used.run(undefined))).data).toBe(3);
  const other = used.run(undefined);
  other.start();
  other.cancel();
  expect(takePrinted()).toHaveLength(1);
});

test("warns once for each step", async () => {
  const used = new Workflow<unknown, undefined, number>()
    .addStep({ inputs: [StartEvent<undefined>], outputs: [], name: "first" }, () => new Item(1) as never)
    .addStep({ inputs: [Item], outputs: [], name: "second" }, () => new StopEvent(2) as never);
  expect((await soon(used.run(undefined))).data).toBe(2);
  expect(takePrinted().map((line) => /"(\w+)"/.exec(line)?.[1])).toEqual(["first", "second"]);
});

test("a subclass of what is declared is declared", async () => {
  expect((await soon(workflow(2, () => new SpecialDone(1)).run(undefined))).data).toBe(2);
  expect(takePrinted()).toEqual([]);
});

test("a step that declares nothing may return anything", async () => {
  const free = new Workflow().addStep({ inputs: [StartEvent] }, () => new StopEvent(1));
  expect((await soon(free.run("x"))).data).toBe(1);
  expect(takePrinted()).toEqual([]);
});

test("under strict() an undeclared output fails the run with an error that names step and event", async () => {
  const strict = new Workflow<unknown, string, string>()
    .addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<string>], name: "work" }, () => new Item(1) as never)
    .strict();
  const context = strict.run("x");
  const error = await fails(context, ValidationError, "UNDECLARED_OUTPUT");
  expect(error.message).toContain('"work"');
  expect(error.message).toContain("item");
  expect(context.failure).toMatchObject({ step: "work", attempts: 1, error });
});

test("under strict() it is not tried again: it would be the same", async () => {
  let calls = 0;
  const strict = new Workflow<unknown, string, string>()
    .addStep(
      {
        inputs: [StartEvent<string>],
        outputs: [StopEvent<string>],
        name: "work",
        retry: retryPolicy({ wait: waitFixed(0) }),
      },
      () => {
        calls += 1;
        return new Item(1) as never;
      },
    )
    .strict();
  await fails(strict.run("x"), ValidationError, "UNDECLARED_OUTPUT");
  expect(calls).toBe(1);
});
