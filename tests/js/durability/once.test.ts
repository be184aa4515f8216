// What happens once: over recoveries, retries, attempts that are too late, and calls at the same time.

import { SnapshotError, StartEvent, StopEvent, Workflow, retryPolicy, waitFixed } from "stepstream";
import type { HandlerContext, StepParameters } from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { deferred, fails, failure, pause, soon } from "../kit/index.js";
import { Answer, Item, reborn } from "./kit.js";

type Handler = (context: HandlerContext, event: StartEvent) => unknown;
const step = (handler: Handler, parameters: Partial<StepParameters> = {}): Workflow =>
  new Workflow({ events: [Item] }).addStep(
    { ...parameters, name: "s", inputs: [StartEvent], outputs: [StopEvent] },
    async (context, event) => new StopEvent(await handler(context, event)),
  );

const quickly = { retry: retryPolicy({ wait: waitFixed(0) }) };

test("over a recovery", async () => {
  let effects = 0;
  const handler: Handler = async ({ once, requireEvent }) => {
    const receipt = await once("charge", () => ({ number: ++effects }));
    await requireEvent(Answer);
    return receipt;
  };
  const context = step(handler).run(0);
  await context.idle();
  const second = reborn(context, () => step(handler));
  await second.idle();
  const third = reborn(second, () => step(handler));
  third.sendEvent(new Answer(""));
  expect((await soon(third)).data).toEqual({ number: 1 });
  expect(effects).toBe(1);
});

test("a side effect under way at the snapshot is repeated, as its outcome is unknown", async () => {
  let effects = 0;
  const gate = deferred();
  const make = (): Workflow =>
    step(({ once }) =>
      once("charge", async () => {
        effects += 1;
        if (effects === 1) await gate.promise;
        return effects;
      }),
    );
  const context = make().run(0).start();
  await pause(1);
  const again = reborn(context, make);
  expect((await soon(again)).data).toBe(2);
  gate.resolve();
});

test("over the attempts of a step", async () => {
  const effects: string[] = [];
  const handler: Handler = async ({ once, attempt }) => {
    const done = [];
    for (const key of ["a", "b", "c"].slice(0, attempt)) {
      done.push(
        await once(key, () => {
          effects.push(`${key}${attempt}`);
          return `${key}${attempt}`;
        }),
      );
    }
    if (attempt < 3) throw new Error("again");
    return done;
  };
  expect((await soon(step(handler, quickly).run(0))).data).toEqual(["a1", "b2", "c3"]);
  expect(effects).toEqual(["a1", "b2", "c3"]);
});

test("after a failure and a recovery with repaired data", async () => {
  let effects = 0;
  const handler: Handler = async ({ once, data }) => {
    const effect = await once("deed", () => ++effects);
    if (data !== "good") throw new Error("bad data");
    return effect;
  };
  const context = step(handler).run(0, "bad");
  await failure(context);
  expect((await soon(step(handler).recover(context.snapshot()).with("good"))).data).toBe(1);
  expect(effects).toBe(1);
});

test("an attempt that was too late shares its side effect with the next one", async () => {
  let effects = 0;
  const gate = deferred<string>();
  const handler: Handler = ({ once, attempt }) => {
    if (attempt === 2) setTimeout(() => gate.resolve("done"), 5);
    return once("deed", () => {
      effects += 1;
      return gate.promise;
    });
  };
  expect((await soon(step(handler, { ...quickly, timeout: 0.03 }).run(0))).data).toBe("done");
  expect(effects).toBe(1);
});

test("the same key at the same time is one side effect, another key another one", async () => {
  let effects = 0;
  const handler: Handler = async ({ once }) => {
    const act = async (): Promise<number> => {
      await pause(1);
      return ++effects;
    };
    return Promise.all([once("a", act), once("a", act), once("b", act)]);
  };
  expect((await soon(step(handler).run(0))).data).toEqual([1, 1, 2]);
});

test("each invocation has keys of its own", async () => {
  let effects = 0;
  const workflow = new Workflow()
    .addStep({ name: "fan", inputs: [StartEvent], outputs: [Item] }, ({ sendEvent }) => {
      sendEvent(new Item("a"));
      sendEvent(new Item("b"));
    })
    .addStep({ name: "do", inputs: [Item], outputs: [Answer] }, async ({ once }, item) => {
      return new Answer(`${item.data}${await once("deed", () => ++effects)}`);
    })
    .addStep({ name: "gather", inputs: [Answer], outputs: [StopEvent] }, ({ collectEvents }, event) => {
      const all = collectEvents(event, [Answer, Answer]);
      return all === null ? undefined : new StopEvent(all.map(({ data }) => data).join());
    });
  expect((await soon(workflow.run(0))).data).toBe("a1,b2");
});

test("what throws is not remembered: it is done again by the next attempt, and by the next call", async () => {
  let effects = 0;
  const handler: Handler = async ({ once }) => {
    const act = (): number => {
      effects += 1;
      if (effects < 3) throw new Error("not yet");
      return effects;
    };
    await once("deed", act).catch(() => undefined);
    return once("deed", act);
  };
  expect((await soon(step(handler, quickly).run(0))).data).toBe(3);
  expect(effects).toBe(3);
});

test("undefined is a result, and an event is one as well", async () => {
  let effects = 0;
  const handler: Handler = async ({ once, requireEvent }) => {
    const nothing = await once("nothing", () => void (effects += 1));
    const event = await once("event", () => new Item("kept"));
    const { data } = await requireEvent(Answer);
    return [nothing, event instanceof Item, event.data, data];
  };
  const context = step(handler).run(0);
  await context.idle();
  const again = reborn(context, () => step(handler));
  again.sendEvent(new Answer("yes"));
  expect((await soon(again)).data).toEqual([undefined, true, "kept", "yes"]);
  expect(effects).toBe(1);
});

test("a result that cannot be serialised harms nothing but the snapshot", async () => {
  const handler: Handler = async ({ once, requireEvent }) => {
    const effect = await once("open", () => ({ close: () => "closed" }));
    await requireEvent(Answer);
    return effect.close();
  };
  const context = step(handler).run(0);
  await context.idle();
  const error = (await fails(() => context.snapshot(), SnapshotError, "SNAPSHOT_VALUE")) as SnapshotError;
  expect(error.path).toContain("close");
  context.sendEvent(new Answer(""));
  expect((await soon(context)).data).toBe("closed");
});
