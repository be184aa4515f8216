// Lists: a step returns an array of events, and another gathers what comes of it.

import {
  HumanResponseEvent,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  WorkflowEvent,
  collect,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import { deferred, soon } from "../kit/index.js";

class Doc extends WorkflowEvent<string> {
  static readonly type = "doc";
}
class Page extends WorkflowEvent<string> {
  static readonly type = "page";
}
class Text extends WorkflowEvent<string> {
  static readonly type = "text";
}
class Whole extends WorkflowEvent<string> {
  static readonly type = "whole";
}
class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}

const join = (events: readonly WorkflowEvent<string>[]): string => events.map(({ data }) => data).join();

/** Pages in, texts out; `read` is the work on a page. */
function reader(
  read: (context: never, page: Page) => unknown,
  take?: number,
  more: { readonly numWorkers?: number } = {},
): Workflow<unknown, string[], string> {
  return new Workflow<unknown, string[], string>()
    .addStep({ name: "split", inputs: [StartEvent], outputs: [Page] }, (_, { data }) =>
      data.map((name) => new Page(name)),
    )
    .addStep({ name: "read", inputs: [Page], outputs: [Text], ...more }, read as never)
    .addStep(
      { name: "sum", inputs: [collect(Text, { take })], outputs: [StopEvent] },
      (_, texts) => new StopEvent(`[${join(texts)}]`),
    );
}

const result = async (run: PromiseLike<{ readonly data: unknown }>): Promise<unknown> => (await soon(run)).data;

test("what comes of an array is gathered in the order of arrival", async () => {
  const gates = new Map(["a", "b", "c"].map((name) => [name, deferred()]));
  const run = reader(async (_, page) => {
    await gates.get(page.data)!.promise;
    return new Text(page.data);
  }).run(["a", "b", "c"]);
  run.start();
  for (const name of ["c", "a", "b"]) {
    gates.get(name)!.resolve(undefined);
    await gates.get(name)!.promise;
  }
  expect(await result(run)).toBe("[c,a,b]");
});

test("an array of none and of one", async () => {
  const workflow = reader((_, page) => new Text(page.data));
  expect(await result(workflow.run([]))).toBe("[]");
  expect(await result(workflow.run(["a"]))).toBe("[a]");
});

test("a branch that returns nothing counts as done", async () => {
  const workflow = reader((_, page) => (page.data === "skip" ? undefined : new Text(page.data)));
  expect(await result(workflow.run(["a", "skip", "b"]))).toBe("[a,b]");
  expect(await result(workflow.run(["skip", "skip"]))).toBe("[]");
});

test("an array of 100,000 is no problem", async () => {
  const names = Array.from({ length: 100_000 }, (_, nth) => String(nth));
  const run = reader((_, page) => new Text(page.data)).run(names);
  expect(await result(run)).toBe(`[${names.join()}]`);
});

test("an async generator of work with few workers", async () => {
  let most = 0;
  let now = 0;
  const workflow = reader(
    async (_, page) => {
      most = Math.max(most, (now += 1));
      await Promise.resolve();
      now -= 1;
      return new Text(page.data);
    },
    undefined,
    { numWorkers: 2 },
  );
  expect(await result(workflow.run(["a", "b", "c", "d"]))).toBe("[a,b,c,d]");
  expect(most).toBe(2);
});

test("take gives the first, once; what comes later is dropped", async () => {
  const late = deferred();
  let calls = 0;
  const workflow = new Workflow<unknown, unknown, string>()
    .addStep({ inputs: [StartEvent], outputs: [Page] }, () => ["a", "b", "c"].map((name) => new Page(name)))
    .addStep({ inputs: [Page], outputs: [Text] }, async (_, page) => {
      if (page.data === "a") await late.promise;
      return new Text(page.data);
    })
    .addStep({ inputs: [collect(Text, { take: 2 })], outputs: [Whole] }, (_, texts) => {
      calls += 1;
      late.resolve(undefined);
      return new Whole(join(texts));
    })
    .addStep({ inputs: [Whole], outputs: [StopEvent] }, async ({ requireEvent }, whole) => {
      await requireEvent(Answer);
      return new StopEvent(whole.data);
    });
  const run = workflow.run(undefined, undefined, { timeout: null });
  run.start();
  await soon(run.idle());
  expect(calls).toBe(1);
  run.sendEvent(new Answer("go on"));
  expect(await result(run)).toBe("b,c");
});

test("take may ask for more than comes", async () => {
  expect(await result(reader((_, page) => new Text(page.data), 5).run(["a", "b"]))).toBe("[a,b]");
  expect(await result(reader((_, page) => new Text(page.data), Infinity).run(["a", "b"]))).toBe("[a,b]");
});

test.each([0, -1, 1.5, NaN, "2"])("take of %s is refused", (take) => {
  expect(() => collect(Text, { take: take as number })).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", constructor: ValidationError }),
  );
});

test("what cannot be gathered is refused when it is defined", () => {
  expect(() => collect("text" as never)).toThrow(expect.objectContaining({ code: "INVALID_STEP" }));
  expect(() => collect(Text, { most: 2 } as never)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  const workflow = new Workflow();
  const add = (inputs: unknown) => () => workflow.addStep({ inputs, outputs: [] } as never, (() => undefined) as never);
  expect(add([collect(Text), Page])).toThrow(expect.objectContaining({ code: "COLLECT_NOT_ALONE" }));
  expect(add([collect(Text), collect(Page)])).toThrow(expect.objectContaining({ code: "COLLECT_NOT_ALONE" }));
  expect(add([collect(StopEvent)])).toThrow(expect.objectContaining({ code: "STEP_TAKES_STOP" }));
});

/** Documents in, each split into pages, each document one whole. */
function library(
  pagesOf: (name: string) => readonly string[],
  read: (page: Page) => unknown,
): Workflow<unknown, readonly string[], string> {
  return new Workflow<unknown, readonly string[], string>()
    .addStep({ name: "docs", inputs: [StartEvent], outputs: [[Doc]] }, (_, { data }) =>
      data.map((name) => new Doc(name)),
    )
    .addStep({ name: "pages", inputs: [Doc], outputs: [[Page]] }, (_, { data }) =>
      pagesOf(data).map((name) => new Page(name)),
    )
    .addStep({ name: "read", inputs: [Page], outputs: [Text] }, ((_: unknown, page: Page) => read(page)) as never)
    .addStep({ name: "whole", inputs: [collect(Text)], outputs: [Whole] }, (_, texts) => new Whole(`(${join(texts)})`))
    .addStep(
      { name: "all", inputs: [collect(Whole)], outputs: [StopEvent] },
      (_, wholes) =>
        new StopEvent(
          wholes
            .map(({ data }) => data)
            .sort()
            .join(""),
        ),
    );
}

test("arrays inside arrays are never mixed, whatever the order", async () => {
  // The pages of all documents in every order, by the number of microtasks that each takes.
  for (let order = 0; order < 24; order += 1) {
    const workflow = library(
      (name) => [`${name}1`, `${name}2`],
      async (page) => {
        const nth = (page.data.charCodeAt(0) - 97) * 2 + Number(page.data[1]);
        for (let turns = (nth * (order + 1) * 7) % 11; turns > 0; turns -= 1) await undefined;
        return new Text(page.data);
      },
    );
    const found = await result(workflow.run(["a", "b"]));
    expect(found).toMatch(/^\((a1,a2|a2,a1)\)\((b1,b2|b2,b1)\)$/);
  }
});

test("an empty array inside, and an empty one around", async () => {
  const workflow = library(
    (name) => (name === "none" ? [] : [`${name}1`]),
    (page) => new Text(page.data),
  );
  expect(await result(workflow.run(["a", "none"]))).toBe("()(a1)");
  expect(await result(workflow.run(["none", "none"]))).toBe("()()");
  expect(await result(workflow.run([]))).toBe("");
});

test("events that a branch sends are gathered with it", async () => {
  const workflow = reader((context: { sendEvent: (event: WorkflowEvent) => void }, page) => {
    context.sendEvent(new Text(`${page.data}!`));
    return new Text(page.data);
  });
  expect(await result(workflow.run(["a", "b"]))).toBe("[a!,a,b!,b]");
});

test("a retry and a caught failure stay in their branch", async () => {
  const workflow = new Workflow<unknown, unknown, string>()
    .addStep({ name: "split", inputs: [StartEvent], outputs: [Page] }, () =>
      ["again", "bad", "good"].map((name) => new Page(name)),
    )
    .addStep(
      {
        name: "read",
        inputs: [Page],
        outputs: [Text],
        retry: retryPolicy({ stop: stopAfterAttempt(2), wait: waitFixed(0) }),
      },
      ({ attempt }, { data }) => {
        if (data === "bad" || (data === "again" && attempt === 1)) throw new Error(data);
        return new Text(data);
      },
    )
    .catchError({ steps: ["read"], outputs: [Text] }, (_, { data }) => new Text(`${data.error.message} was caught`))
    .addStep({ inputs: [collect(Text)], outputs: [StopEvent] }, (_, texts) => new StopEvent(join(texts)));
  const found = (await result(workflow.run())) as string;
  expect(found.split(",").sort()).toEqual(["again", "bad was caught", "good"]);
});

test("a step that fails sends nothing of an array; its next attempt may return another", async () => {
  const workflow = new Workflow<unknown, unknown, string>()
    .addStep(
      { inputs: [StartEvent], outputs: [Page], retry: retryPolicy({ stop: stopAfterAttempt(2), wait: waitFixed(0) }) },
      ({ attempt, sendEvent }) => {
        if (attempt === 1) throw new Error("once more");
        sendEvent(new Text("outside the array"));
        return [new Page("a"), new Page("b")];
      },
    )
    .addStep({ inputs: [Page], outputs: [Text] }, (_, { data }) => new Text(data))
    .addStep({ name: "sum", inputs: [collect(Text)], outputs: [Whole] }, (_, texts) => new Whole(join(texts)))
    .addStep(
      { inputs: [Whole, Whole], outputs: [StopEvent] },
      (_, one, two) => new StopEvent(`${one.data};${two.data}`),
    );
  expect(await result(workflow.run())).toBe("outside the array;a,b");
});

test.each([
  ["a text", ["text"], "member 1"],
  ["nothing", [undefined], "member 1"],
  ["an array", [[new Page("c")]], "member 1"],
  ["a hole", new Array<unknown>(1), "member 1"],
])("an array with %s fails its step, and nothing of it is sent", async (_, wrong, where) => {
  const read: string[] = [];
  const workflow = new Workflow<unknown, unknown, string>()
    .addStep({ name: "split", inputs: [StartEvent], outputs: [Page] }, (() => [new Page("a"), ...wrong]) as never)
    .addStep({ inputs: [Page], outputs: [StopEvent] }, (_, { data }) => void read.push(data));
  const run = workflow.run();
  const error: unknown = await soon(run).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: "INVALID_EVENT", message: expect.stringContaining(where) as string });
  expect(read).toEqual([]);
});

test("a proxy that throws at every look is no array", async () => {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  const workflow = new Workflow().addStep({ inputs: [StartEvent] }, (() => proxy) as never);
  await expect(soon(workflow.run())).rejects.toThrow();
});

test("an undeclared event of an array is reported like any other", async () => {
  const warnings: string[] = [];
  const make = () =>
    new Workflow<unknown, unknown, string>({ onWarning: (message) => warnings.push(message) })
      .addStep({ inputs: [StartEvent], outputs: [Page] }, (() => [new Page("a"), new Text("b")]) as never)
      .addStep({ inputs: [collect(Text)], outputs: [StopEvent] }, (_, texts) => new StopEvent(join(texts)))
      .addStep({ inputs: [Page], outputs: [Text] }, () => undefined);
  expect(await result(make().run())).toBe("b");
  expect(warnings.join()).toContain("returned text, but its outputs are [page]");
  await expect(soon(make().strict().run())).rejects.toMatchObject({ code: "UNDECLARED_OUTPUT" });
});

test("an event that descends from no array is a list of its own", async () => {
  const workflow = new Workflow<unknown, unknown, string>()
    .addStep({ inputs: [StartEvent], outputs: [Text] }, async () => Promise.resolve(new Text("alone")))
    .addStep({ name: "sum", inputs: [collect(Text)], outputs: [Whole] }, (_, texts) => new Whole(`[${join(texts)}]`))
    .addStep({ inputs: [Whole, Whole], outputs: [StopEvent] }, (_, one, two) => new StopEvent(one.data + two.data));
  const run = workflow.run();
  run.sendEvent(new Text("from outside"), { step: "sum" });
  expect(await result(run)).toBe("[from outside][alone]");
});

test("a StopEvent in an array ends the run", async () => {
  let read = 0;
  const workflow = new Workflow<unknown, unknown, string>()
    .addStep({ inputs: [StartEvent], outputs: [Page, StopEvent] }, () => [
      new Page("a"),
      new StopEvent("done"),
      new Page("b"),
    ])
    .addStep({ inputs: [Page], outputs: [Text] }, () => void (read += 1))
    .addStep({ inputs: [collect(Text)], outputs: [StopEvent] }, () => new StopEvent("never"));
  const run = workflow.run();
  const events: string[] = [];
  for await (const event of run) events.push(String(event));
  expect(await result(run)).toBe("done");
  expect(events).toEqual(["stepstream.start", "page", "stepstream.stop"]);
  expect(read).toBe(0);
});

test("a nested run inside a branch belongs to the branch", async () => {
  const inner = new Workflow<unknown, string, string>().addStep(
    { inputs: [StartEvent], outputs: [StopEvent] },
    async ({ requireEvent }, { data }) => new StopEvent(`${data}${(await requireEvent(Answer)).data}`),
  );
  const workflow = new Workflow<unknown, unknown, string>({ timeout: null })
    .addWorkflows({ inner })
    .addStep({ inputs: [StartEvent], outputs: [Page] }, () => [new Page("a"), new Page("b")])
    .addStep(
      { inputs: [Page], outputs: [Text] },
      async ({ workflows }, { data }) => new Text((await workflows.inner.run(data)).data),
    )
    .addStep({ inputs: [collect(Text)], outputs: [StopEvent] }, (_, texts) => new StopEvent(join(texts)));
  const run = workflow.run();
  run.start();
  await soon(run.idle());
  // Both wait for it.
  run.sendEvent(new Answer("1"));
  expect(await result(run)).toBe("a1,b1");
});

test("waits inside branches survive a snapshot, and so does what was gathered", async () => {
  const make = () =>
    reader(async (context: { requireEvent: (type: typeof Answer) => Promise<Answer> }, page) =>
      page.data === "asks" ? new Text((await context.requireEvent(Answer)).data) : new Text(page.data),
    );
  const run = make().run(["a", "asks", "b"], undefined, { timeout: null });
  run.start();
  await soon(run.idle());
  const later = make().recover(run.snapshot());
  run.cancel();
  later.sendEvent(new Answer("c"));
  expect(await result(later)).toBe("[a,b,c]");
});

test("a journal of lists is replayed", async () => {
  const workflow = library(
    (name) => [`${name}1`, `${name}2`],
    (page) => new Text(page.data),
  );
  const run = workflow.run(["a", "b"], undefined, { journal: true });
  expect(await result(run)).toBe("(a1,a2)(b1,b2)");
  const journal = run.journal();
  expect(workflow.replay(journal).result).toBe("(a1,a2)(b1,b2)");
  // A past moment in which something is gathered, continued.
  const past = workflow.replay(journal, { until: ({ joins }) => joins.some(({ step }) => step === "whole") });
  expect(past.joins).toEqual([{ step: "whole", events: [expect.any(Text)] }]);
  expect(await result(workflow.recover(past.snapshot()))).toBe("(a1,a2)(b1,b2)");
});

test("cancelling in the midst of an array ends the run", async () => {
  const started = deferred();
  const run = reader(async ({ signal }: { signal: AbortSignal }, page) => {
    if (page.data === "b") started.resolve(undefined);
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  }).run(["a", "b"]);
  run.start();
  await soon(started.promise);
  run.cancel();
  await expect(soon(run)).rejects.toMatchObject({ code: "RUN_CANCELLED" });
});

test("a run that stalls says what was gathered", async () => {
  class Never extends WorkflowEvent {
    static readonly type = "never";
  }
  const workflow = new Workflow<unknown, unknown, string>()
    .addStep({ name: "split", inputs: [StartEvent], outputs: [Page, Text] }, () => [new Text("a"), new Page("b")])
    .addStep({ name: "both", inputs: [Page, Never], outputs: [Text] }, () => undefined)
    .addStep({ name: "never", inputs: [Whole], outputs: [Never, Whole] }, () => undefined)
    .addStep({ name: "sum", inputs: [collect(Text)], outputs: [StopEvent] }, () => new StopEvent("never"));
  const message = 'Step "sum" has gathered 1 event of an array of step "split", which is not done.';
  await expect(soon(workflow.run())).rejects.toMatchObject({
    code: "RUN_STALLED",
    message: expect.stringContaining(message) as string,
  });
});

test("stepwise shows an array, and may put another in its place", async () => {
  const run = reader((_, page) => new Text(page.data)).run(["a", "b"]);
  const seen: string[] = [];
  for await (const paused of run.stepwise()) {
    seen.push(`${paused.step}: ${join(paused.outputs as Text[])}`);
    if (paused.step === "split") {
      expect(paused.output).toBe(paused.outputs[0]);
      expect(() => paused.replace([new Page("x"), "y" as never])).toThrow(
        expect.objectContaining({ code: "INVALID_EVENT" }),
      );
      paused.replace([...(paused.outputs as Page[]), new Page("c")]);
    }
  }
  expect(seen).toEqual(["split: a,b", "read: a", "read: b", "read: c", "sum: [a,b,c]"]);
  expect(await result(run)).toBe("[a,b,c]");
});

test("a snapshot of a step that is held has the array that it returned", async () => {
  const make = () => reader((_, page) => new Text(page.data));
  const run = make().run(["a", "b"]);
  let bytes: Uint8Array | undefined;
  for await (const paused of run.stepwise()) {
    if (paused.step === "split") paused.replace([new Page("x")]);
    bytes ??= run.snapshot();
  }
  expect(await result(make().recover(bytes!))).toBe("[x]");
});

test("onStep gets all events of an array", async () => {
  const seen: unknown[] = [];
  const workflow = reader((_, page) => new Text(page.data));
  const onStep = ({ step, input, inputs, output, outputs }: never | Record<string, unknown>) =>
    void seen.push([
      step,
      (inputs as unknown[]).length,
      input === (inputs as unknown[])[0],
      (outputs as unknown[]).length,
      output === (outputs as unknown[])[0],
    ]);
  await soon(workflow.run(["a", "b"], undefined, { onStep: onStep as never }));
  expect(seen).toEqual([
    ["split", 1, true, 2, true],
    ["read", 1, true, 1, true],
    ["read", 1, true, 1, true],
    ["sum", 2, true, 1, true],
  ]);
});

test("a condition of a wait sees each event of an array", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: null })
    .addStep({ inputs: [StartEvent], outputs: [StopEvent, Doc] }, async ({ waitForEvent, sendEvent }) => {
      sendEvent(new Doc("d"));
      const page = await waitForEvent(Page, { where: ({ data }) => data === "b" });
      return new StopEvent(page.data);
    })
    .addStep({ inputs: [Doc], outputs: [Page] }, async () => {
      await Promise.resolve();
      return [new Page("a"), new Page("b"), new Page("c")];
    });
  expect(await result(workflow.run())).toBe("b");
});

test("a step that gathers what no step returns is found by validate", () => {
  const workflow = new Workflow()
    .addStep({ name: "first", inputs: [StartEvent], outputs: [StopEvent] }, () => new StopEvent())
    .addStep({ name: "sum", inputs: [collect(Answer)], outputs: [StopEvent] }, () => new StopEvent());
  const issues = workflow.validate().filter(({ severity }) => severity === "error");
  expect(issues).toMatchObject([{ code: "NO_FAN_OUT", step: "sum", event: "answer" }]);
  expect(() => workflow.strict().run()).toThrow(expect.objectContaining({ code: "NO_FAN_OUT" }));
});

test("what a step gathers is part of the fingerprint", () => {
  const make = (input: unknown) =>
    new Workflow().addStep({ name: "one", inputs: [input], outputs: [StopEvent] } as never, (() => undefined) as never)
      .fingerprint;
  const prints = [make(Text), make(collect(Text)), make(collect(Text, { take: 2 }))];
  expect(new Set(prints).size).toBe(3);
});
