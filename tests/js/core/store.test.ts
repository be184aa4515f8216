// The store: a run's state under dot paths, kept across runs when it is asked for.

import { StartEvent, StopEvent, ValidationError, Workflow, type Store } from "stepstream";
import { expect, test } from "vitest";
import { fails, soon } from "../kit/index.js";

function makeStore(): Store {
  const workflow = new Workflow();
  workflow.addStep({ inputs: [StartEvent] }, () => new StopEvent());
  return workflow.run(0).store;
}

test("set and get by dot paths, through objects and arrays", () => {
  const store = makeStore();
  store.set("user.name", "Ada");
  store.set("items", [{ id: 1 }, { id: 2 }]);
  store.set("items.1.id", 20);
  expect(store.get("user.name")).toBe("Ada");
  expect(store.get("user")).toEqual({ name: "Ada" });
  expect(store.get("items.1")).toEqual({ id: 20 });
  expect(store.get("items.length")).toBe(2);
});

test("what is not there is undefined, or the fallback", () => {
  const store = makeStore();
  store.set("zero", 0);
  store.set("nothing", null);
  expect(store.get("a")).toBeUndefined();
  expect(store.get("a.b.c", "fallback")).toBe("fallback");
  expect(store.get("zero.deeper", "fallback")).toBe("fallback");
  expect(store.get("zero", 1)).toBe(0);
  expect(store.get("nothing", 1)).toBeNull();
  expect(store.has("zero")).toBe(true);
  expect(store.has("a.b")).toBe(false);
});

test("edit replaces a value by what is made of it", () => {
  const store = makeStore();
  for (let nth = 0; nth < 3; nth += 1) store.edit<number>("calls.count", (calls = 0) => calls + 1);
  expect(store.edit<number>("calls.count", (calls = 0) => calls * 10)).toBe(30);
  expect(store.get("calls.count")).toBe(30);
});

test("delete takes one value away, clear takes all", () => {
  const store = makeStore();
  store.set("a.b", 1);
  store.set("a.c", 2);
  expect(store.delete("a.b")).toBe(true);
  expect(store.delete("a.b")).toBe(false);
  expect(store.delete("x.y")).toBe(false);
  expect(store.toJSON()).toEqual({ a: { c: 2 } });
  store.clear();
  expect(store.toJSON()).toEqual({});
});

test("a path through something that is not an object is refused, and changes nothing", async () => {
  const store = makeStore();
  store.set("a", "text");
  const error = await fails(() => store.set("a.b.c", 1), ValidationError, "INVALID_STORE");
  expect(error.message).toContain('"a.b.c"');
  await fails(() => store.set("a.b", 1), ValidationError, "INVALID_STORE");
  expect(store.get("a")).toBe("text");
});

test.each([[""], ["."], ["a."], [".a"], ["a..b"], ["__proto__"], ["a.__proto__.b"], [7], [undefined], [null], [{}]])(
  "the path %s is refused",
  async (path) => {
    const store = makeStore();
    await fails(() => store.get(path as string), ValidationError, "INVALID_STORE");
    await fails(() => store.set(path as string, 1), ValidationError, "INVALID_STORE");
    await fails(() => store.has(path as string), ValidationError, "INVALID_STORE");
    await fails(() => store.delete(path as string), ValidationError, "INVALID_STORE");
  },
);

test("no path reaches into objects that are not in the store", async () => {
  const store = makeStore();
  expect(store.get("constructor")).toBeUndefined();
  expect(store.get("toString.call")).toBeUndefined();
  store.set("a", {});
  expect(store.get("a.constructor.prototype")).toBeUndefined();
  store.set("a.constructor.prototype.polluted", 1);
  store.set("constructor.prototype.polluted", 1);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(Object.prototype).not.toHaveProperty("polluted");
});

test("the store of the step's context is that of the run", async () => {
  const workflow = new Workflow<unknown, string, string>();
  workflow.addStep({ inputs: [StartEvent<string>] }, ({ store }, event) => {
    store.set("said", event.data);
    return new StopEvent("");
  });
  const context = workflow.run("hello");
  await soon(context);
  expect(context.store.get("said")).toBe("hello");
});

function turns(): Workflow<unknown, string, number> {
  const workflow = new Workflow<unknown, string, number>();
  workflow.addStep(
    { inputs: [StartEvent<string>] },
    ({ store }) => new StopEvent(store.edit<number>("turns", (n = 0) => n + 1)),
  );
  return workflow;
}

test("every run begins with an empty store", async () => {
  const workflow = turns();
  expect((await soon(workflow.run("a"))).data).toBe(1);
  expect((await soon(workflow.run("b"))).data).toBe(1);
});

test("a run that is given a previous context continues with its store", async () => {
  const workflow = turns();
  const first = workflow.run("a");
  await soon(first);
  const second = workflow.run("b", undefined, { context: first });
  expect((await soon(second)).data).toBe(2);
  const third = workflow.run("c", undefined, { context: second });
  expect((await soon(third)).data).toBe(3);
  expect(third.store.get("turns")).toBe(3);
});

test("a context may go on after a run that failed or was cancelled", async () => {
  const workflow = turns();
  workflow.addStep({ inputs: [StartEvent], name: "never" }, () => new Promise<undefined>(() => undefined));
  const first = workflow.run("a").start();
  await soon(first);
  const second = workflow.run("b", undefined, { context: first });
  second.cancel();
  await expect(soon(second)).rejects.toThrow();
  expect((await soon(workflow.run("c", undefined, { context: second }))).data).toBe(2);
});

test("something that is not a context is refused", async () => {
  const workflow = turns();
  for (const context of [{}, "id", 7, { store: {} }]) {
    await fails(() => workflow.run("a", undefined, { context: context as never }), ValidationError, "INVALID_OPTION");
  }
});

test("edit with an async function is refused, and the store stays as it was", async () => {
  const store = new Workflow<unknown, string, string>()
    .addStep({ name: "end", inputs: [StartEvent<string>], outputs: [StopEvent<string>] }, () => new StopEvent("end"))
    .run("x").store;
  store.set("count", 1);
  const edit = (): unknown => store.edit("count", async () => Promise.reject(new Error("unheard")));
  const error = await fails(edit, ValidationError, "INVALID_STORE");
  expect(error.message).toContain("async");
  expect(store.get("count")).toBe(1);
});
