// A store whose state has a schema: defaults, checks of every change, whole edits; and who may use a store.

import { type } from "arktype";
import {
  CancelledError,
  type HandlerContext,
  RecoverError,
  type StandardSchema,
  StartEvent,
  StopEvent,
  type Store,
  ValidationError,
  Workflow,
  type WorkflowOptions,
  retryPolicy,
  stopAfterAttempt,
  waitNone,
} from "stepstream";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { deferred, expectError, failure, fails, soon } from "../kit/index.js";
import { Answer } from "../durability/kit.js";

const schema = z.object({
  count: z.number().int().default(0),
  user: z.object({ name: z.string() }).optional(),
  tags: z.array(z.string()).default([]),
});

function withState(state: WorkflowOptions["state"] = schema): Workflow {
  return new Workflow({ state, timeout: null }).addStep(
    { name: "wait", inputs: [StartEvent], outputs: [StopEvent] },
    async ({ waitForEvent }) => new StopEvent(await waitForEvent(Answer)),
  );
}

const storeOf = (state?: WorkflowOptions["state"]): Store => withState(state).run(0).store;

describe("defaults", () => {
  const libraries: Readonly<Record<string, StandardSchema>> = {
    zod: schema,
    valibot: v.object({ count: v.optional(v.number(), 0), tags: v.optional(v.array(v.string()), []) }),
    arktype: type({ count: "number = 0", tags: type("string[]").default(() => []) }),
    "a default of the whole": z
      .object({ count: z.number(), tags: z.array(z.string()) })
      .default({ count: 0, tags: [] }),
  };
  test.each(Object.entries(libraries))("come from the schema of %s", (_, state) => {
    const store = storeOf(state);
    expect(store.toJSON()).toEqual({ count: 0, tags: [] });
    store.set("count", 2);
    expect(store.get("count")).toBe(2);
    expect(() => store.set("count", "many")).toThrow(ValidationError);
    expect(store.get("count")).toBe(2);
  });

  test("are each run's own", () => {
    const workflow = withState();
    const [one, two] = [workflow.run(0).store, workflow.run(0).store];
    one.get<string[]>("tags")!.push("mine");
    expect(two.get("tags")).toEqual([]);
    expect(workflow.run(0).store.get("tags")).toEqual([]);
  });

  test("must be there for every member", async () => {
    const state = z.object({ name: z.string() });
    const error = await fails(() => new Workflow({ state }), ValidationError, "INVALID_STATE");
    expect(error.message).toContain("default");
    expect(error.message).toContain("name");
  });

  test("come back when a member is deleted, and when all is cleared", () => {
    const store = storeOf();
    store.set("count", 5);
    store.set("user", { name: "Ada" });
    expect(store.delete("count")).toBe(true);
    expect(store.toJSON()).toEqual({ count: 0, user: { name: "Ada" }, tags: [] });
    store.clear();
    expect(store.toJSON()).toEqual({ count: 0, tags: [] });
  });
});

test.each([[7], ["text"], [{}], [null], [{ type: "object" }]])("the schema %j is none", async (state) => {
  await fails(() => new Workflow({ state: state as never }), ValidationError, "INVALID_SCHEMA");
});

test("a schema that checks asynchronously is refused", async () => {
  const state = z.object({ count: z.number().default(0) }).refine(async () => Promise.resolve(true));
  await fails(() => new Workflow({ state }), ValidationError, "ASYNC_SCHEMA");
});

test("every change is checked, and one that is refused changes nothing", async () => {
  const store = storeOf();
  store.set("user.name", "Ada");
  const before = structuredClone(store.toJSON());
  const changes: (() => unknown)[] = [
    () => store.set("count", 1.5),
    () => store.set("user", "Ada"),
    () => store.set("user.name", 7),
    () => store.set("tags.0", 7),
    () => store.delete("user.name"),
    () => store.edit("count", () => "many"),
    () => store.edit((state) => void (state["count"] = "many")),
    () => store.edit((state) => void delete state["user"].name),
  ];
  for (const change of changes) {
    const error = await fails(change, ValidationError, "INVALID_STATE");
    expect(error.message).toMatch(/count|user|tags/);
    expect(store.toJSON()).toEqual(before);
  }
});

test("what the schema makes of a value is stored", () => {
  const store = storeOf(z.object({ name: z.string().trim().default(""), size: z.coerce.number().default(1) }));
  store.set("name", "  Ada ");
  store.set("size", "7");
  expect(store.toJSON()).toEqual({ name: "Ada", size: 7 });
});

test("a message names the first issues alone", async () => {
  const store = storeOf(z.object({ list: z.array(z.number()).default([]) }));
  const list = Array.from({ length: 30 }, String);
  const { message } = await fails(() => store.set("list", list), ValidationError, "INVALID_STATE");
  expect(message).toContain("list[9]");
  expect(message).not.toContain("list[10]");
  expect(message).toContain("and 20 more");
});

describe("an edit of the whole state", () => {
  test("changes a copy, which becomes the state when it is done", async () => {
    const store = storeOf();
    const gate = deferred();
    const edit = store.edit(async (state) => {
      state["count"] = 1;
      state["tags"].push("a");
      await gate.promise;
      return "done";
    });
    expect(store.toJSON()).toEqual({ count: 0, tags: [] });
    gate.resolve();
    expect(await soon(edit)).toBe("done");
    expect(store.toJSON()).toEqual({ count: 1, tags: ["a"] });
  });

  test("happens at once when it is not async and no other is under way", () => {
    const store = storeOf();
    void store.edit((state) => (state["count"] = 3));
    expect(store.get("count")).toBe(3);
  });

  test.each([[false], [true]])("that throws changes nothing (async: %s)", async (isAsync) => {
    const store = storeOf();
    const own = new Error("own");
    const edit = store.edit((state): unknown => {
      state["count"] = 9;
      state["tags"].push("b");
      if (isAsync) return Promise.reject(own);
      throw own;
    });
    expect(await failure(edit)).toBe(own);
    expect(store.toJSON()).toEqual({ count: 0, tags: [] });
    store.set("count", 1);
  });

  test("needs no schema", async () => {
    const store = new Workflow().addStep({ inputs: [StartEvent] }, () => new StopEvent()).run(0).store;
    store.set("list", [new Map([["a", { b: [1] }]]), new Date(5), new Set([1])]);
    await fails(
      store.edit((state) => {
        (state["list"][0] as Map<string, { b: number[] }>).get("a")!.b.push(2);
        (state["list"][1] as Date).setTime(9);
        (state["list"][2] as Set<number>).add(2);
        throw new ValidationError("INVALID_EVENT");
      }),
      ValidationError,
      "INVALID_EVENT",
    );
    expect(store.get("list")).toEqual([new Map([["a", { b: [1] }]]), new Date(5), new Set([1])]);
  });

  test("keeps values that are in it twice, cycles, and objects of classes", async () => {
    class Own {
      value = 1;
    }
    const store = new Workflow().addStep({ inputs: [StartEvent] }, () => new StopEvent()).run(0).store;
    const [shared, own] = [{ n: 1 }, new Own()];
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const [key, value] of Object.entries({ a: shared, b: shared, own, cycle })) store.set(key, value);
    await store.edit((state) => void (state["a"].n = 2));
    expect(store.get("b.n")).toBe(2);
    expect(shared.n).toBe(1);
    expect(store.get("own")).toBe(own);
    expect(store.get("cycle.self.self")).toBe(store.get("cycle"));
  });
});

/** Runs handlers side by side in one run, and gives the store when all have returned. */
async function sideBySide(...handlers: readonly ((context: HandlerContext) => unknown)[]): Promise<Store> {
  const workflow = new Workflow<unknown, unknown, unknown>({ state: schema });
  let left = handlers.length;
  handlers.forEach((handler, nth) =>
    workflow.addStep({ name: `h${nth}`, inputs: [StartEvent] }, async (context) => {
      await handler(context);
      left -= 1;
      return left === 0 ? new StopEvent() : undefined;
    }),
  );
  const run = workflow.run(0);
  await soon(run);
  return run.store;
}

test("a second edit waits for the first", async () => {
  const order: string[] = [];
  const add = (name: string) => (context: HandlerContext) =>
    context.store.edit(async (state) => {
      const count = state["count"] as number;
      order.push(`${name} begins with ${count}`);
      await Promise.resolve().then(() => new Promise((resolve) => setTimeout(resolve, 1)));
      state["count"] = count + 1;
      order.push(`${name} ends`);
    });
  const store = await sideBySide(add("a"), add("b"), add("c"));
  expect(store.get("count")).toBe(3);
  expect(order).toEqual(["a begins with 0", "a ends", "b begins with 1", "b ends", "c begins with 2", "c ends"]);
});

test("an edit that fails lets the next one begin", async () => {
  const store = await sideBySide(
    ({ store }) => store.edit(async () => Promise.reject(new Error("no"))).catch(() => undefined),
    ({ store }) => store.edit((state) => void (state["count"] = 4)),
  );
  expect(store.get("count")).toBe(4);
});

test("other changes are refused while an edit is under way, and reading is not", async () => {
  const [begun, gate] = [deferred(), deferred()];
  const store = await sideBySide(
    ({ store }) =>
      store.edit(async (state) => {
        begun.resolve();
        await gate.promise;
        state["count"] = 1;
      }),
    async ({ store }) => {
      await begun.promise;
      expect(store.get("count")).toBe(0);
      for (const change of [
        () => store.set("count", 2),
        () => store.delete("tags"),
        () => store.clear(),
        () => store.edit("count", () => 2),
      ]) {
        await fails(change, ValidationError, "STORE_BUSY");
      }
      gate.resolve();
      await store.edit((state) => (state["count"] += 10));
    },
  );
  expect(store.get("count")).toBe(11);
});

test("an edit within an edit is refused, and does not wait for itself", async () => {
  const store = await sideBySide(async ({ store }) => {
    await store.edit(async (state) => {
      await fails(
        store.edit(() => undefined),
        ValidationError,
        "NESTED_EDIT",
      );
      await fails(() => store.set("count", 7), ValidationError, "STORE_BUSY");
      state["count"] = 1;
    });
    await store.edit((state) => (state["count"] += 1));
  });
  expect(store.get("count")).toBe(2);
});

test("the edit of an attempt that has timed out does not happen, and lets others begin", async () => {
  const errors: unknown[] = [];
  const hangs = deferred();
  const retry = retryPolicy({ wait: waitNone, stop: stopAfterAttempt(2) });
  const workflow = new Workflow({ state: schema }).addStep(
    { name: "slow", inputs: [StartEvent], outputs: [StopEvent], timeout: 0.01, retry },
    async ({ attempt, store }) => {
      if (attempt === 1) {
        const edit = store.edit(async (state) => {
          state["count"] = 100;
          await hangs.promise;
        });
        edit.catch((error: unknown) => errors.push(error));
        await edit;
      }
      await store.edit((state) => (state["count"] += 1));
      return new StopEvent();
    },
  );
  const run = workflow.run(0);
  await soon(run);
  expect(run.store.get("count")).toBe(1);
  hangs.resolve();
  await soon(Promise.resolve());
  expect(run.store.get("count")).toBe(1);
  expectError(errors[0], CancelledError, "ATTEMPT_ENDED");
});

describe("a store in use", () => {
  test("cannot be given to a second run", async () => {
    const workflow = withState();
    const first = workflow.run(0).start();
    await fails(() => workflow.run(0, undefined, { context: first }), ValidationError, "STORE_IN_USE");
    first.sendEvent(new Answer("yes"));
    await soon(first);
    const second = workflow.run(0, undefined, { context: first });
    const third = workflow.run(0, undefined, { context: first });
    second.start();
    await fails(soon(third), ValidationError, "STORE_IN_USE");
    second.sendEvent(new Answer("yes"));
    await soon(second);
    expect(second.store).toBe(first.store);
  });

  test("is free again however its run ends", async () => {
    const workflow = withState();
    const first = workflow.run(0).start();
    first.cancel();
    const second = workflow.run(0, undefined, { context: first }).start();
    second.sendEvent(new Answer("yes"));
    await soon(second);
  });

  test("must fit the schema of the workflow that goes on with it", async () => {
    const loose = new Workflow().addStep({ inputs: [StartEvent] }, ({ store }) => {
      store.set("count", "many");
      return new StopEvent();
    });
    const first = loose.run(0);
    await soon(first);
    await fails(() => withState().run(0, undefined, { context: first }), ValidationError, "INVALID_STATE");
    first.store.set("count", 4);
    const second = withState().run(0, undefined, { context: first }).start();
    expect(second.store.toJSON()).toEqual({ count: 4, tags: [] });
    await fails(() => second.store.set("count", "many"), ValidationError, "INVALID_STATE");
    second.cancel();
  });
});

describe("a snapshot", () => {
  test("has the state, and a recovered run checks it", async () => {
    const run = withState().run(0).start();
    run.store.set("count", 3);
    const again = withState().recover(run.snapshot());
    expect(again.store.toJSON()).toEqual({ count: 3, tags: [] });
    await fails(() => again.store.set("count", "many"), ValidationError, "INVALID_STATE");
    run.cancel();
    again.cancel();
  });

  test("gets the defaults of a schema that has grown", () => {
    const run = withState().run(0).start();
    run.store.set("count", 3);
    const grown = schema.extend({ mode: z.string().default("fast") });
    const again = withState(grown).recover(run.snapshot());
    expect(again.store.toJSON()).toEqual({ count: 3, tags: [], mode: "fast" });
    run.cancel();
    again.cancel();
  });

  test.each([[false], [true]])("whose state the schema refuses is refused (migrate: %s)", async (migrate) => {
    const run = withState().run(0).start();
    run.store.set("count", 3);
    const other = z.object({ count: z.string().default("none") });
    const recover = (): unknown => withState(other).recover(run.snapshot(), { migrate });
    const error = await fails(recover, RecoverError, "STATE_REFUSED");
    expect(error.message).toContain("count");
    const lenient = z.object({ count: z.preprocess((count) => String(count ?? "none"), z.string()).default("none") });
    const again = withState(lenient).recover(run.snapshot(), { migrate });
    expect(again.store.get("count")).toBe("3");
    run.cancel();
    again.cancel();
  });

  test("has nothing of an edit that is not done", async () => {
    const gate = deferred();
    const run = withState().run(0).start();
    const edit = run.store.edit(async (state) => {
      state["count"] = 9;
      await gate.promise;
    });
    expect(withState().recover(run.snapshot()).store.get("count")).toBe(0);
    gate.resolve();
    await soon(edit);
    const again = withState().recover(run.snapshot());
    expect(again.store.get("count")).toBe(9);
    again.store.set("count", 10);
    run.cancel();
    again.cancel();
  });
});
