// What an event carries travels by reference, whatever it is.

import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import { collect, soon } from "../kit/index.js";

class Carrier extends WorkflowEvent<unknown> {}
class Kept extends WorkflowEvent<unknown> {}

/** As a UI library makes it: frozen, with a symbol for its type and functions among its properties. */
const element: unknown = Object.freeze({
  $$typeof: Symbol.for("react.transitional.element"),
  type: () => null,
  props: Object.freeze({ onClick: () => undefined, children: [Object.freeze({ [Symbol("key")]: 1 })] }),
  _owner: null,
});
const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

const payloads: [string, unknown][] = [
  ["an element of a UI library", element],
  ["a cyclic object", cyclic],
  ["a function", () => 1],
  ["a symbol", Symbol("s")],
  ["a bigint", 10n ** 30n],
  ["a Map with object keys", new Map([[{}, new Set([1])]])],
  ["an object without prototype", Object.create(null)],
  ["a proxy", new Proxy({}, {})],
  ["a proxy that allows nothing", Proxy.revocable({}, {}).proxy],
  ["a typed array", new Float64Array([1.5])],
  ["an error", new Error("as data")],
  ["a class", class Inner {}],
  ["an event", new Kept(1)],
  ["NaN", NaN],
  ["negative zero", -0],
  ["null", null],
  ["undefined", undefined],
  ["a string with a lone surrogate", "\ud800"],
];

test.each(payloads)("%s travels by reference through steps, waits, the stream and the result", async (_, payload) => {
  const seen: unknown[] = [];
  const workflow = new Workflow<unknown, unknown, unknown>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ sendEvent, requireEvent }, event) => {
    seen.push(event.data);
    sendEvent(new Kept(payload));
    seen.push((await requireEvent(Kept)).data);
    return new Carrier(payload);
  });
  workflow.addStep({ inputs: [Carrier] }, ({ collectEvents }, event) => {
    seen.push(event.data, collectEvents(event, [Carrier])![0].data);
    return new StopEvent(payload);
  });
  const context = workflow.run(payload);
  const { events } = await soon(collect(context));
  seen.push(...events.map(({ data }) => data), (await context).data, context.result);
  expect(seen).toHaveLength(10);
  for (const value of seen) expect(Object.is(value, payload)).toBe(true);
});

test("a promise or thenable as data is data, and is not awaited", async () => {
  let asked = 0;
  const thenable = {
    then() {
      asked += 1;
    },
  };
  const workflow = new Workflow<unknown, unknown, unknown>();
  workflow.addStep({ inputs: [StartEvent] }, (_, event) => new StopEvent(event.data));
  const stop = await soon(workflow.run(thenable));
  expect(stop.data === thenable).toBe(true);
  expect(asked).toBe(0);
});

test("a frozen event goes through", async () => {
  const frozen = new Carrier("x");
  Object.freeze(frozen);
  const workflow = new Workflow<unknown, unknown, unknown>();
  workflow.addStep({ inputs: [StartEvent] }, () => frozen);
  workflow.addStep({ inputs: [Carrier] }, (_, event) => {
    const stop = new StopEvent(event === frozen && Object.isFrozen(event));
    Object.freeze(stop);
    return stop;
  });
  expect((await soon(workflow.run(0))).data).toBe(true);
});

test("one event may be sent many times, and be in several runs", async () => {
  const event = new Carrier(0);
  const workflow = new Workflow<unknown, unknown, number>();
  let seen = 0;
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    for (let nth = 0; nth < 10; nth += 1) sendEvent(event);
  });
  workflow.addStep({ inputs: [Carrier] }, async (_, given) => {
    expect(given).toBe(event);
    return ++seen === 20 ? new StopEvent(seen) : undefined;
  });
  const never = workflow.run(0);
  const stop = workflow.run(0);
  never.start();
  expect((await soon(stop)).data).toBe(20);
  never.cancel();
});

test("subclasses with their own constructors and fields work as events", async () => {
  class Point extends WorkflowEvent<{ x: number }> {
    readonly label: string;
    constructor(
      x: number,
      readonly y: number,
    ) {
      super({ x });
      this.label = `${x}/${y}`;
    }
  }
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, () => new Point(1, 2));
  workflow.addStep({ inputs: [Point] }, (_, { data, y, label }) => new StopEvent(`${data.x} ${y} ${label}`));
  expect((await soon(workflow.run(0))).data).toBe("1 2 1/2");
});
