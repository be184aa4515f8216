// A run is frozen at each kind of moment, and goes on from there in another workflow object.

import {
  type RetryPolicy,
  StartEvent,
  type StepFailedEvent,
  StopEvent,
  TimeoutError,
  Workflow,
  WorkflowEvent,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, deferred, failure, fails, pause, soon, turn } from "../kit/index.js";
import { Answer, Item, Other, Progress, described, read, reborn } from "./kit.js";

const starts = [StartEvent] as const;
const stops = [StopEvent] as const;

/** A step that takes an item, and one more that waits for an answer and joins it to the item. */
const asking = (seen: string[] = []): Workflow =>
  new Workflow()
    .addStep({ name: "split", inputs: starts, outputs: [Item] }, (context, event) => {
      seen.push("split");
      context.writeEventToStream(new Progress("splitting"));
      return new Item(String(event.data));
    })
    .addStep({ name: "ask", inputs: [Item], outputs: stops }, async ({ requireEvent }, item) => {
      seen.push("ask");
      const answer = await requireEvent(Answer);
      return new StopEvent(`${item.data} ${answer.data}`);
    });

test("before it has begun: it begins in its second life, with the same input", async () => {
  const seen: string[] = [];
  const context = reborn(asking().run("x"), () => asking(seen));
  expect([context.status, seen]).toEqual(["created", []]);
  context.sendEvent(new Answer("yes"));
  expect((await soon(context)).data).toBe("x yes");
  expect(seen).toEqual(["split", "ask"]);
});

test("before it has begun, and again before its second life has begun", async () => {
  const first = asking().run("x");
  const second = reborn(first, asking);
  const third = reborn(second, asking);
  expect(third.runId).toBe(first.runId);
  third.sendEvent(new Answer("yes"));
  expect((await soon(third)).data).toBe("x yes");
});

test("an unstarted run that was recovered begins by itself", async () => {
  const seen: string[] = [];
  const context = reborn(asking().run("x"), () => asking(seen));
  await turn();
  expect([context.status, seen]).toEqual(["waiting", ["split", "ask"]]);
});

test("what was sent before the run had its turn is sent in its second life", async () => {
  const make = (): Workflow => {
    const workflow = new Workflow({ maxConcurrentRuns: 1 });
    return workflow
      .addStep({ name: "hold", inputs: starts, outputs: stops }, async (context) => {
        return new StopEvent((await context.requireEvent(Answer)).data);
      })
      .addStep({ name: "note", inputs: [Item] }, (context, item) => void context.store.set("item", item.data));
  };
  const workflow = make();
  const running = workflow.run("first").start();
  const queued = workflow.run("second").start();
  queued.sendEvent(new Item("early"), { step: "note" });
  queued.sendEvent(new Answer("early answer"));
  const bytes = queued.snapshot();
  const again = make().recover(bytes);
  expect((await soon(again)).data).toBe("early answer");
  expect(again.store.get("item")).toBe("early");
  running.cancel();
  expect((await soon(queued)).data).toBe("early answer");
});

test("steps in flight run again with their events; what they had sent is not repeated, what they had written is written anew", async () => {
  const gates = [deferred(), deferred()];
  let life = 0;
  const taken: string[] = [];
  const make = (): Workflow => {
    const gate = gates[life++]!;
    return new Workflow()
      .addStep({ name: "work", inputs: starts, outputs: stops }, async (context, event) => {
        context.sendEvent(new Item("one"));
        context.writeEventToStream(new Progress("half"));
        await gate.promise;
        context.sendEvent(new Item("two"));
        context.writeEventToStream(new Progress("whole"));
        return new StopEvent(event.data);
      })
      .addStep({ name: "take", inputs: [Item] }, (_, item) => void taken.push(item.data));
  };
  const context = make().run("x").start();
  expect(described(await soon(read(context, 3)))).toEqual(['StartEvent "x"', 'item "one"', 'progress "half"']);
  const again = reborn(context, make);
  gates[1]!.resolve();
  const { events } = await soon(collect(again));
  const reset = 'StreamReset {"step":"work","attempt":1}';
  expect(described(events)).toEqual([reset, 'progress "half"', 'item "two"', 'progress "whole"', 'StopEvent "x"']);
  expect(taken).toEqual(["one", "two"]);
});

test("unread events are delivered, and those that were read are not", async () => {
  const context = asking().run("x");
  await context.idle();
  expect(described(await soon(read(context, 1)))).toEqual(['StartEvent "x"']);
  const again = reborn(context, asking);
  again.sendEvent(new Answer("yes"));
  const { events } = await soon(collect(again));
  expect(described(events)).toEqual(['progress "splitting"', 'item "x"', 'answer "yes"', 'StopEvent "x yes"']);
});

test("a join that is half full", async () => {
  const make = (): Workflow =>
    new Workflow()
      .addStep({ name: "half", inputs: starts, outputs: [Item] }, () => new Item("left"))
      .addStep({ name: "join", inputs: [Item, Answer], outputs: stops }, (_, item, answer) => {
        return new StopEvent(`${item.data} ${answer.data}`);
      });
  const context = make().run(0);
  await context.idle();
  const again = reborn(context, make);
  again.sendEvent(new Answer("right"));
  expect((await soon(again)).data).toBe("left right");
});

test("collectEvents that is half full", async () => {
  const make = (): Workflow =>
    new Workflow()
      .addStep({ name: "fan", inputs: starts, outputs: [Item] }, (context) => {
        context.sendEvent(new Item("a"));
        return new Item("b");
      })
      .addStep({ name: "relay", inputs: [Answer], outputs: [Other] }, (_, answer) => new Other(answer.data))
      .addStep({ name: "gather", inputs: [WorkflowEvent.or(Item, Other)], outputs: stops }, (context, event) => {
        const all = context.collectEvents(event, [Other, Item, Item]);
        return all === null ? undefined : new StopEvent(all.map(({ data }) => data).join());
      });
  const context = make().run(0);
  await context.idle();
  const again = reborn(context, make);
  again.sendEvent(new Answer("c"));
  expect((await soon(again)).data).toBe("c,a,b");
});

test("a queue before numWorkers: nothing is lost, and the order stays", async () => {
  const gates = [deferred(), deferred()];
  let life = 0;
  const begun: string[] = [];
  const make = (): Workflow => {
    const gate = gates[life++]!;
    return new Workflow()
      .addStep({ name: "fan", inputs: starts, outputs: [Item] }, (context) => {
        for (const name of ["a", "b", "c", "d"]) context.sendEvent(new Item(name));
      })
      .addStep({ name: "work", inputs: [Item], outputs: [Other], numWorkers: 2 }, async (_, item) => {
        begun.push(item.data);
        await gate.promise;
        return new Other(item.data);
      })
      .addStep({ name: "gather", inputs: [Other], outputs: stops }, (context, event) => {
        const all = context.collectEvents(event, [Other, Other, Other, Other]);
        return all === null ? undefined : new StopEvent(all.map(({ data }) => data).join());
      });
  };
  const context = make().run(0).start();
  await turn();
  expect(begun.splice(0)).toEqual(["a", "b"]);
  const again = reborn(context, make).start();
  await turn();
  expect(begun).toEqual(["a", "b"]);
  gates[1]!.resolve();
  expect((await soon(again)).data).toBe("a,b,c,d");
  expect(begun).toEqual(["a", "b", "c", "d"]);
});

/** A step that fails until the data says otherwise. */
const failing = (retry?: RetryPolicy): Workflow<string> =>
  new Workflow<string>().addStep(
    { name: "try", inputs: starts, outputs: stops, ...(retry === undefined ? {} : { retry }) },
    ({ data, attempt }) => {
      if (data !== "good") throw new Error(`attempt ${attempt}`);
      return new StopEvent(attempt);
    },
  );

test("a retry that is scheduled: the attempt goes on counting, and what is left of the delay is kept", async () => {
  const make = (): Workflow => failing(retryPolicy({ wait: waitFixed(0.2) })) as Workflow;
  const context = make().run(0, "bad").start();
  await pause(120);
  const bytes = context.snapshot();
  context.cancel();
  await pause(150);
  const begun = performance.now();
  const again = make().recover(bytes).with("good");
  expect((await soon(again)).data).toBe(2);
  expect(performance.now() - begun).toBeCloseTo(80);
});

test("a sleep: what is left of it is kept", async () => {
  const make = (): Workflow =>
    new Workflow().addStep({ name: "nap", inputs: starts, outputs: stops }, async ({ sleep }) => {
      await sleep(0.2);
      return new StopEvent("rested");
    });
  const context = make().run(0).start();
  await pause(120);
  const bytes = context.snapshot();
  context.cancel();
  await pause(150);
  const begun = performance.now();
  expect((await soon(make().recover(bytes))).data).toBe("rested");
  expect(performance.now() - begun).toBeCloseTo(80);
});

test("a sleep that is over is not slept again", async () => {
  const make = (): Workflow =>
    new Workflow().addStep({ name: "nap", inputs: starts, outputs: stops }, async ({ sleep, requireEvent }) => {
      await sleep(0.15);
      return new StopEvent((await requireEvent(Answer)).data);
    });
  const context = make().run(0).start();
  await pause(200);
  expect(context.status).toBe("waiting");
  const again = reborn(context, make);
  const begun = performance.now();
  again.sendEvent(new Answer("up"));
  expect((await soon(again)).data).toBe("up");
  expect(performance.now() - begun).toBe(0);
});

test("after a failure, the failed step tries again with repaired data", async () => {
  const context = failing().run(0, "bad");
  expect(((await failure(context)) as Error).message).toBe("attempt 1");
  const again = failing().recover(context.snapshot());
  expect((await soon(again.with("good"))).data).toBe(1);
  expect(((await failure(again.with("bad"))) as Error).message).toBe("attempt 1");
});

test("after a failure, answers that the step had received are handed back to it", async () => {
  let asked = 0;
  const make = (): Workflow<string> =>
    new Workflow<string>().addStep({ name: "try", inputs: starts, outputs: stops }, async (context) => {
      asked += 1;
      const { data } = await context.requireEvent(Answer);
      if (context.data !== "good") throw new Error(data);
      return new StopEvent(data);
    });
  const context = make().run(0, "bad");
  context.sendEvent(new Answer("forty-two"));
  expect(((await failure(context)) as Error).message).toBe("forty-two");
  expect((await soon(make().recover(context.snapshot()).with("good"))).data).toBe("forty-two");
  expect(asked).toBe(2);
});

test("after a failure, the retries begin anew", async () => {
  const make = (): Workflow => failing(retryPolicy({ wait: waitFixed(0), stop: stopAfterAttempt(2) })) as Workflow;
  const context = make().run(0, "bad");
  expect(((await failure(context)) as Error).message).toBe("attempt 2");
  expect(((await failure(make().recover(context.snapshot()).with("bad"))) as Error).message).toBe("attempt 2");
});

test("after it was cancelled, it goes on where it was", async () => {
  const context = asking().run("x");
  await context.idle();
  context.cancel();
  const again = asking().recover(context.snapshot());
  again.sendEvent(new Answer("yes"));
  expect((await soon(again)).data).toBe("x yes");
});

test("cancelled before it has begun, it begins in its second life", async () => {
  const context = asking().run("x");
  context.cancel();
  const again = asking().recover(context.snapshot());
  again.sendEvent(new Answer("yes"));
  expect((await soon(again)).data).toBe("x yes");
});

test("after the run has timed out, it resumes with a timeout of its own", async () => {
  const context = asking().run("x", undefined, { timeout: 0.02 });
  await fails(context, TimeoutError, "RUN_TIMEOUT");
  const again = asking().recover(context.snapshot(), { timeout: 5 });
  again.sendEvent(new Answer("yes"));
  expect((await soon(again)).data).toBe("x yes");
});

test("a timeout counts the time alive, and not the time as a snapshot", async () => {
  const make = (): Workflow =>
    new Workflow({ timeout: 0.3 }).addStep({ name: "wait", inputs: starts, outputs: stops }, async (context) => {
      return new StopEvent((await context.requireEvent(Answer)).data);
    });
  const context = make().run("x").start();
  await pause(200);
  const bytes = context.snapshot();
  context.cancel();
  await pause(200);
  const begun = performance.now();
  const again = make().recover(bytes);
  await fails(again, TimeoutError, "RUN_TIMEOUT");
  expect(performance.now() - begun).toBeCloseTo(100);
});

test("after it has completed: the same StopEvent, not wrapped, and the unread events", async () => {
  const context = asking().run("x");
  context.sendEvent(new Answer("yes"));
  const stop = await soon(context);
  const again = asking().recover(context.snapshot());
  expect([again.status, again.result]).toEqual(["completed", "x yes"]);
  expect(await soon(again)).toEqual(stop);
  expect((await soon(again)).data).toBe("x yes");
  const { events } = await soon(collect(again));
  expect(described(events)).toEqual([
    'StartEvent "x"',
    'progress "splitting"',
    'item "x"',
    'answer "yes"',
    'StopEvent "x yes"',
  ]);
  // And a snapshot of that one.
  expect((await soon(asking().recover(again.snapshot()))).data).toBe("x yes");
});

test("a catchError handler in flight runs again, with the failure", async () => {
  const gates = [deferred(), deferred()];
  let life = 0;
  const make = (): Workflow => {
    const gate = gates[life++]!;
    return new Workflow()
      .addStep({ name: "bad", inputs: starts, outputs: stops }, () => {
        throw new RangeError("too far");
      })
      .catchError({ name: "mend", outputs: stops }, async (_, failed: StepFailedEvent) => {
        await gate.promise;
        const { error, step, event } = failed.data;
        return new StopEvent([error instanceof RangeError, error.message, step, event.data]);
      });
  };
  const context = make().run("x").start();
  await turn();
  const again = reborn(context, make);
  gates[1]!.resolve();
  expect((await soon(again)).data).toEqual([true, "too far", "bad", "x"]);
});

test("the store, the id and, when asked for, the data go along", async () => {
  const make = (): Workflow<Map<string, number>> =>
    new Workflow<Map<string, number>>().addStep({ name: "s", inputs: starts, outputs: stops }, async (context) => {
      context.store.edit<number>("calls", (calls = 0) => calls + 1);
      await context.requireEvent(Answer);
      return new StopEvent(context.data.get("n"));
    });
  const context = make().run(0, new Map([["n", 7]]), { runId: "run-1" });
  await context.idle();
  const [bare, whole] = [context.snapshot(), context.snapshot({ data: true })];
  context.cancel();
  const again = make().recover(whole);
  expect(again.runId).toBe("run-1");
  expect(again.data).toEqual(new Map([["n", 7]]));
  expect(again.store.toJSON()).toEqual({ calls: 1 });
  again.sendEvent(new Answer(""));
  expect((await soon(again)).data).toBe(7);
  expect(make().recover(bare).with(new Map()).data).toEqual(new Map());
  expect(make().recover(bare, { runId: "run-2" }).with(new Map()).runId).toBe("run-2");
  expect(make().recover(bare).with(new Map()).runId).toBe("run-1");
});

test("several runs from one snapshot are independent of each other", async () => {
  const context = asking().run({ toString: () => "x" } as never);
  const waiting = asking().run("x");
  await waiting.idle();
  context.cancel();
  const template = asking().recover(waiting.snapshot());
  const [one, two] = [template.with(1), template.with(2)];
  one.sendEvent(new Answer("one"));
  two.sendEvent(new Answer("two"));
  expect([(await soon(one)).data, (await soon(two)).data]).toEqual(["x one", "x two"]);
  template.sendEvent(new Answer("three"));
  waiting.sendEvent(new Answer("zero"));
  expect([(await soon(template)).data, (await soon(waiting)).data]).toEqual(["x three", "x zero"]);
});

test("an ArrayBuffer and a view into a larger one are as good, and may change afterwards", async () => {
  const context = asking().run("x");
  await context.idle();
  const bytes = context.snapshot();
  context.cancel();
  const large = new Uint8Array(bytes.length + 20);
  large.set(bytes, 13);
  const view = large.subarray(13, 13 + bytes.length);
  const fromView = asking().recover(view);
  const fromBuffer = asking().recover(bytes.buffer as ArrayBuffer);
  large.fill(0);
  bytes.fill(0);
  for (const again of [fromView.with(0), fromBuffer.with(0)]) {
    again.sendEvent(new Answer("yes"));
    expect((await soon(again)).data).toBe("x yes");
  }
});

test("a snapshot disturbs nothing, and two in a row are equal", async () => {
  const gate = deferred();
  const make = (): Workflow =>
    new Workflow().addStep({ name: "s", inputs: starts, outputs: stops }, async (context, event) => {
      context.writeEventToStream(new Progress("1"));
      await gate.promise;
      return new StopEvent(event.data);
    });
  const context = make().run("x").start();
  const [one, two] = [context.snapshot(), context.snapshot()];
  // The time that the run has been alive is in them.
  expect(two.length).toBe(one.length);
  gate.resolve();
  expect(described((await soon(collect(context))).events)).toEqual(['StartEvent "x"', 'progress "1"', 'StopEvent "x"']);
});

test("inside onStep hooks: the step that has returned does not run again", async () => {
  const frozen: Uint8Array[] = [];
  const begun: string[] = [];
  const make = (keeps: boolean): Workflow =>
    new Workflow(keeps ? { onStep: (_, context) => void frozen.push(context.snapshot()) } : {})
      .addStep({ name: "a", inputs: starts, outputs: [Item] }, (_, event) => {
        begun.push("a");
        return new Item(String(event.data));
      })
      .addStep({ name: "b", inputs: [Item], outputs: [Other] }, async (_, item) => {
        begun.push("b");
        await turn();
        return new Other(item.data);
      })
      .addStep({ name: "c", inputs: [Other], outputs: stops }, (_, other) => {
        begun.push("c");
        return new StopEvent(other.data);
      });
  expect((await soon(make(true).run("x"))).data).toBe("x");
  expect(begun.splice(0)).toEqual(["a", "b", "c"]);
  expect(frozen.length).toBe(3);
  const ran: string[] = [];
  for (const bytes of frozen) {
    expect((await soon(make(false).recover(bytes))).data).toBe("x");
    ran.push(begun.splice(0).join(""));
  }
  expect(ran).toEqual(["bc", "c", ""]);
});

test("a snapshot of the last hook has all the unread events, the stop event included", async () => {
  let last = new Uint8Array();
  const workflow = new Workflow({ onStep: (_, context) => void (last = context.snapshot() as typeof last) }).addStep(
    { name: "s", inputs: starts, outputs: stops },
    () => new StopEvent("done"),
  );
  await soon(workflow.run("x"));
  const { events } = await soon(collect(workflow.recover(last)));
  expect(described(events)).toEqual(['StartEvent "x"', 'StopEvent "done"']);
});

test("a snapshot that a handler takes of its own run has the handler in flight", async () => {
  let bytes = new Uint8Array();
  let calls = 0;
  const workflow = new Workflow().addStep({ name: "s", inputs: starts, outputs: stops }, (context) => {
    calls += 1;
    context.writeEventToStream(new Progress("once"));
    if (calls === 1) bytes = run.snapshot() as typeof bytes;
    return new StopEvent(calls);
  });
  const run = workflow.run("x");
  expect((await soon(run)).data).toBe(1);
  const { events } = await soon(collect(workflow.recover(bytes)));
  const reset = 'StreamReset {"step":"s","attempt":1}';
  expect(described(events)).toEqual(['StartEvent "x"', 'progress "once"', reset, 'progress "once"', "StopEvent 2"]);
});
