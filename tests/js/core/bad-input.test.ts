// Whatever is given to the package gets a coded error or defined behaviour: no hang, no trap, no line on the console.

import {
  EngineError,
  HumanResponseEvent,
  StartEvent,
  StepError,
  StopEvent,
  TimeoutError,
  ValidationError,
  Workflow,
  WorkflowEvent,
} from "stepstream";
import { afterEach, expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, deferred, expectError, fails, failure, kinds, pause, soon, turn } from "../kit/index.js";

class Note extends WorkflowEvent<unknown> {}
class Answer extends HumanResponseEvent<unknown> {}

// Whatever a test did, the engine must still work.
afterEach(async () => {
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>] }, async (_, { data }) => new Note(data));
  workflow.addStep({ inputs: [Note] }, async (_, { data }) => new StopEvent((data as number) + 1));
  expect((await soon(workflow.run(1))).data).toBe(2);
});

/** A run of one step that does this. */
function runOf(handler: (context: never, event: never) => unknown): ReturnType<Workflow["run"]> {
  const workflow = new Workflow({ timeout: 5 });
  workflow.addStep({ inputs: [StartEvent], name: "bad" }, handler as never);
  return workflow.run(0);
}

const foreign = Object.create(null) as object;

test.each<[string, unknown]>([
  ["an Error", new Error("x")],
  ["an Error of another class", new RangeError("x")],
  ["a frozen Error", Object.freeze(new Error("x"))],
  ["a DOMException", new DOMException("x", "AbortError")],
])("a handler that throws or rejects with %s fails the run with that very object", async (_, thrown) => {
  const thrower = runOf(() => {
    throw thrown;
  });
  expect(await failure(thrower)).toBe(thrown);
  expect(thrower.failure).toMatchObject({ step: "bad", attempts: 1 });
  expect(thrower.failure?.error).toBe(thrown);
  expect(await failure(runOf(() => Promise.reject(thrown as Error)))).toBe(thrown);
  expect((await soon(collect(runOf(() => Promise.reject(thrown as Error))))).error).toBe(thrown);
});

test.each<[string, unknown]>([
  ["undefined", undefined],
  ["null", null],
  ["a string", "text"],
  ["a number", 0],
  ["a symbol", Symbol("s")],
  ["an object", { a: 1 }],
  ["an object without prototype", foreign],
  ["a function", () => 1],
  ["an event", new Note(1)],
  [
    "a proxy that throws",
    new Proxy(
      {},
      {
        get: () => {
          throw new Error("trap");
        },
        getPrototypeOf: () => {
          throw new Error("trap");
        },
      },
    ),
  ],
])(
  "a handler that throws or rejects with %s fails the run with a StepError that has it as the cause",
  async (_, thrown) => {
    const thrower = runOf(() => {
      throw thrown;
    });
    const error = await fails(thrower, StepError, "STEP_FAILED");
    expect(Object.is(error.cause, thrown)).toBe(true);
    expect(error.message).toContain('"bad"');
    const rejected = await fails(
      runOf(() => Promise.reject(thrown as Error)),
      StepError,
      "STEP_FAILED",
    );
    expect(Object.is(rejected.cause, thrown)).toBe(true);
  },
);

test.each<[string, unknown]>([
  ["a string", "stop"],
  ["a number", 1],
  ["false", false],
  ["an empty string", ""],
  ["a plain object", { data: 1 }],
  ["an array of something else", [1]],
  ["a class of events", Note],
  ["a symbol", Symbol("s")],
  ["a bigint", 1n],
  ["an object that claims a class", { constructor: Note, data: 1 }],
  ["an object without prototype", foreign],
  ["a function", () => new StopEvent()],
  ["a generator", (function* () {})()],
])("a handler that returns or resolves with %s fails the run with INVALID_EVENT", async (_, returned) => {
  const error = await fails(
    runOf(() => returned),
    ValidationError,
    "INVALID_EVENT",
  );
  expect(error.message).toContain('"bad"');
  await fails(
    runOf(() => Promise.resolve(returned)),
    ValidationError,
    "INVALID_EVENT",
  );
});

test("a handler that returns or resolves with a proxy that throws when it is looked at fails the run", async () => {
  const proxy = new Proxy(
    {},
    {
      getPrototypeOf: () => {
        throw new Error("trap");
      },
    },
  );
  expect(await failure(runOf(() => proxy))).toEqual(new Error("trap"));
  await fails(
    runOf(() => Promise.resolve(proxy)),
    ValidationError,
    "INVALID_EVENT",
  );
});

test("a returned non-event is not retried", async () => {
  let attempts = 0;
  const workflow = new Workflow();
  workflow.addStep({ inputs: [StartEvent], retry: () => 0 }, () => {
    attempts += 1;
    return "text" as never;
  });
  await fails(workflow.run(0), ValidationError, "INVALID_EVENT");
  expect(attempts).toBe(1);
});

test("a handler that never settles ends with the timeout of the run", async () => {
  const workflow = new Workflow({ timeout: 0.03 });
  workflow.addStep({ inputs: [StartEvent], name: "never" }, () => new Promise<undefined>(() => undefined));
  expect((await fails(workflow.run(0), TimeoutError, "RUN_TIMEOUT")).message).toContain('"never"');
});

interface Then {
  then(resolve: (value: unknown) => void, reject: (reason: unknown) => void): void;
}

test.each<[string, Then, "stop" | "error"]>([
  ["resolves", { then: (resolve) => resolve(new StopEvent("ok")) }, "stop"],
  ["resolves later", { then: (resolve) => void setTimeout(() => resolve(new StopEvent("ok")), 2) }, "stop"],
  ["resolves twice", { then: (resolve) => (resolve(new StopEvent("ok")), resolve(new StopEvent("second"))) }, "stop"],
  [
    "resolves, then rejects",
    { then: (resolve, reject) => (resolve(new StopEvent("ok")), reject(new Error("late"))) },
    "stop",
  ],
  [
    "rejects, then resolves",
    { then: (resolve, reject) => (reject(new Error("first")), resolve(new StopEvent("late"))) },
    "error",
  ],
  ["rejects twice", { then: (_, reject) => (reject(new Error("first")), reject(new Error("second"))) }, "error"],
  [
    "resolves, then throws",
    {
      then: (resolve) => {
        resolve(new StopEvent("ok"));
        throw new Error("late");
      },
    },
    "stop",
  ],
  [
    "throws",
    {
      then: () => {
        throw new Error("first");
      },
    },
    "error",
  ],
  [
    "resolves with another thenable",
    { then: (resolve) => resolve({ then: (inner: (value: unknown) => void) => inner(new StopEvent("ok")) }) },
    "stop",
  ],
  [
    "resolves twice, later",
    {
      then: (resolve) => {
        setTimeout(() => resolve(new StopEvent("ok")), 1);
        setTimeout(() => resolve(new StopEvent("second")), 2);
      },
    },
    "stop",
  ],
])("a handler that returns a foreign thenable which %s is settled once", async (_, thenable, expected) => {
  const context = runOf(() => thenable);
  const { events, error } = await soon(collect(context));
  await pause(5);
  if (expected === "stop") {
    expect(error).toBeUndefined();
    expect(kinds(events)).toEqual(["StartEvent", "StopEvent"]);
    expect(context.result).toBe("ok");
  } else {
    expect(error).toEqual(new Error("first"));
  }
});

test("a thenable whose `then` is a getter that throws fails the step", async () => {
  const thenable = {
    get then(): never {
      throw new Error("getter");
    },
  };
  expect(await failure(runOf(() => thenable))).toEqual(new Error("getter"));
});

test("a thenable whose `then` changes between two looks does not hang the run", async () => {
  let looks = 0;
  const thenable = {
    get then() {
      looks += 1;
      return looks === 1 ? (resolve: (value: unknown) => void) => resolve(new StopEvent("ok")) : undefined;
    },
  };
  await soon(collect(runOf(() => thenable)));
});

test("a thenable that never settles ends with the timeout of the step", async () => {
  const workflow = new Workflow();
  workflow.addStep({ inputs: [StartEvent], timeout: 0.02 }, () => ({ then: () => undefined }) as never);
  await fails(workflow.run(0), TimeoutError, "STEP_TIMEOUT");
});

test.each<[string, unknown]>([
  ["undefined", undefined],
  ["null", null],
  ["a string", "text"],
  ["a plain object", { data: 1 }],
  ["an object that claims a class", { constructor: Note }],
  ["a class", Note],
  ["a promise of an event", Promise.resolve(new Note(1))],
  ["an object without prototype", foreign],
  ["an array", [new Note(1)]],
  [
    "a proxy that throws",
    new Proxy(
      {},
      {
        getPrototypeOf: () => {
          throw new RangeError("trap");
        },
      },
    ),
  ],
])("sendEvent and writeEventToStream refuse %s", async (name, event) => {
  const isTrap = name === "a proxy that throws";
  const refused = async (act: () => unknown): Promise<void> => {
    if (isTrap) expect(await failure(act)).toBeInstanceOf(Error);
    else await fails(act, ValidationError, "INVALID_EVENT");
  };
  const workflow = new Workflow<unknown, unknown, string>();
  const gate = deferred();
  workflow.addStep({ inputs: [StartEvent] }, async ({ sendEvent, writeEventToStream }) => {
    await refused(() => sendEvent(event as never));
    await refused(() => writeEventToStream(event as never));
    await gate.promise;
    return new StopEvent("fine");
  });
  const context = workflow.run(0);
  await refused(() => context.sendEvent(event as never));
  gate.resolve();
  const { events } = await soon(collect(context));
  expect(kinds(events)).toEqual(["StartEvent", "StopEvent"]);
});

test.each<[string, (event: Note) => unknown, string]>([
  ["another class as its constructor", (event) => Object.assign(event, { constructor: Answer }), "Answer"],
  ["a text as its constructor", (event) => Object.assign(event, { constructor: "Note" }), "INVALID_EVENT"],
  ["no constructor", (event) => Object.assign(event, { constructor: undefined }), "INVALID_EVENT"],
  ["a class that is not one of events", (event) => Object.assign(event, { constructor: Map }), "INVALID_EVENT"],
  [
    "a constructor that throws",
    (event) =>
      Object.defineProperty(event, "constructor", {
        get: () => {
          throw new RangeError("getter");
        },
      }),
    "RangeError",
  ],
])(
  "an event that was forged to have %s is refused or taken for that class, and traps nothing",
  async (_, forge, expected) => {
    const context = runOf(() => new Promise(() => undefined));
    try {
      context.sendEvent(forge(new Note(1)) as Note);
      expect(expected).toBe("Answer");
    } catch (error) {
      if (expected === "RangeError") expect(error).toBeInstanceOf(RangeError);
      else expectError(error, ValidationError, expected);
    }
    context.cancel();
    const returned = runOf(() => forge(new Note(1)));
    const error = await failure(returned.then(() => undefined));
    expect(error).toBeInstanceOf(Error);
  },
);

test("an event made without its constructor is an event of its class", async () => {
  const bare = Object.create(Note.prototype) as Note;
  const workflow = new Workflow<unknown, unknown, unknown>();
  workflow.addStep({ inputs: [StartEvent] }, () => bare);
  workflow.addStep({ inputs: [Note] }, (_, event) => new StopEvent(event === bare));
  expect((await soon(workflow.run(0))).data).toBe(true);
});

test("events whose class has the name of another are refused: at addStep, sendEvent, and when a step returns one", async () => {
  const Twin = (() => {
    class Note extends WorkflowEvent<unknown> {}
    return Note;
  })();
  const workflow = new Workflow<unknown, string, unknown>();
  workflow.addStep({ inputs: [StartEvent<string>] }, async (_, { data }) =>
    data === "twin" ? new Twin(1) : new Note(1),
  );
  workflow.addStep({ inputs: [Note] }, async () => new StopEvent(""));
  const add = (): unknown => workflow.addStep({ inputs: [Twin] }, () => undefined);
  const error = await fails(add, ValidationError, "DUPLICATE_EVENT");
  expect(error.message).toContain('"Note"');
  const context = workflow.run("");
  await fails(() => context.sendEvent(new Twin(1)), ValidationError, "DUPLICATE_EVENT");
  await soon(context);
  await fails(workflow.run("twin"), ValidationError, "DUPLICATE_EVENT");
  await soon(workflow.run(""));
});

test("a class without a name is refused", async () => {
  const nameless = (() => class extends WorkflowEvent {})();
  Object.defineProperty(nameless, "name", { value: "" });
  const workflow = new Workflow();
  await fails(() => workflow.addStep({ inputs: [nameless] }, () => undefined), ValidationError, "INVALID_EVENT");
  workflow.addStep({ inputs: [StartEvent] }, () => new nameless());
  await fails(workflow.run(0), ValidationError, "INVALID_EVENT");
});

test.each<[string, unknown, unknown, string]>([
  ["no parameters", undefined, () => undefined, "INVALID_STEP"],
  ["null", null, () => undefined, "INVALID_STEP"],
  ["no inputs", {}, () => undefined, "INVALID_STEP"],
  ["empty inputs", { inputs: [] }, () => undefined, "INVALID_STEP"],
  ["inputs that are no list", { inputs: StartEvent }, () => undefined, "INVALID_STEP"],
  ["an input that is no class", { inputs: ["StartEvent"] }, () => undefined, "INVALID_STEP"],
  ["an input that is another class", { inputs: [Map] }, () => undefined, "INVALID_STEP"],
  ["an input that is undefined", { inputs: [undefined] }, () => undefined, "INVALID_STEP"],
  ["33 inputs", { inputs: Array.from({ length: 33 }, () => Note) }, () => undefined, "INVALID_STEP"],
  [
    "an empty choice",
    { inputs: [WorkflowEvent.or(...([] as never as [typeof Note]))] },
    () => undefined,
    "INVALID_STEP",
  ],
  ["a choice of something else", { inputs: [WorkflowEvent.or("x" as never)] }, () => undefined, "INVALID_STEP"],
  ["outputs that are no list", { inputs: [Note], outputs: StopEvent }, () => undefined, "INVALID_STEP"],
  ["an output that is no class", { inputs: [Note], outputs: [{}] }, () => undefined, "INVALID_STEP"],
  ["no handler", { inputs: [Note] }, undefined, "INVALID_STEP"],
  ["a handler that is no function", { inputs: [Note] }, {}, "INVALID_STEP"],
  ["an empty name", { inputs: [Note], name: "" }, () => undefined, "INVALID_STEP"],
  ["a name that is no text", { inputs: [Note], name: 7 }, () => undefined, "INVALID_STEP"],
  ["StopEvent as input", { inputs: [StopEvent] }, () => undefined, "STEP_TAKES_STOP"],
  ["StopEvent in a choice", { inputs: [WorkflowEvent.or(Note, StopEvent)] }, () => undefined, "STEP_TAKES_STOP"],
  ["0 workers", { inputs: [Note], numWorkers: 0 }, () => undefined, "INVALID_WORKERS"],
  ["half a worker", { inputs: [Note], numWorkers: 1.5 }, () => undefined, "INVALID_WORKERS"],
  ["NaN workers", { inputs: [Note], numWorkers: NaN }, () => undefined, "INVALID_WORKERS"],
  ["1e300 workers", { inputs: [Note], numWorkers: 1e300 }, () => undefined, "INVALID_WORKERS"],
  ["a number as retry", { inputs: [Note], retry: 3 }, () => undefined, "INVALID_RETRY"],
])("addStep refuses %s and adds nothing", async (_, parameters, handler, code) => {
  const workflow = new Workflow();
  await fails(() => workflow.addStep(parameters as never, handler as never), ValidationError, code);
  expect(workflow.stepNames).toEqual([]);
});

test("two steps of one name are refused", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent], name: "same" }, () => new StopEvent("first"));
  const add = (): unknown => workflow.addStep({ inputs: [Note], name: "same" }, () => undefined);
  expect((await fails(add, ValidationError, "DUPLICATE_STEP")).message).toContain('"same"');
  expect((await soon(workflow.run(0))).data).toBe("first");
});

test.each([["__proto__"], ["constructor"], ["toString"], ["a\0b"], ["\ud800"], ["x".repeat(100_000)], ["emoji 🧭"]])(
  "a step may have the name %s",
  async (name) => {
    const workflow = new Workflow<unknown, unknown, string>();
    workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => sendEvent(new Note(1), { step: name }));
    workflow.addStep({ inputs: [Note], name }, (context) => new StopEvent(context.step));
    expect((await soon(workflow.run(0))).data).toBe(name);
  },
);

test.each<[string, object]>([
  ["a number as runId", { runId: 7 }],
  ["an empty runId", { runId: "" }],
  ["an object as signal", { signal: {} }],
  ["null as signal", { signal: null }],
  ["a number as onStep", { onStep: 1 }],
])("run refuses %s", async (_, options) => {
  const workflow = new Workflow();
  workflow.addStep({ inputs: [StartEvent] }, () => new StopEvent());
  await fails(() => workflow.run(0, undefined, options), ValidationError, "INVALID_OPTION");
  await fails(() => workflow.run(0, undefined, null as never), ValidationError, "INVALID_OPTION");
});

test.each([["a\0b"], ["\ud800"], ["x".repeat(1_000_000)], ["🧭"]])("a run may have the id %s", async (runId) => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async (context) => {
    const again = await Promise.resolve(context.runId);
    return new StopEvent(again);
  });
  expect((await soon(workflow.run(0, undefined, { runId }))).data).toBe(runId);
});

test("two runs may have the same id", async () => {
  const workflow = new Workflow<unknown, number, number>();
  workflow.addStep({ inputs: [StartEvent<number>] }, async (_, { data }) => new StopEvent(data));
  const both = [1, 2].map((nth) => workflow.run(nth, undefined, { runId: "same" }));
  expect((await soon(Promise.all(both))).map(({ data }) => data)).toEqual([1, 2]);
});

test.each<[string, unknown]>([
  ["where is no function", { where: "x" }],
  ["where is an object", { where: {} }],
])("waitForEvent refuses options whose %s", async (_, options) => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent }) => {
    await fails(waitForEvent(Answer, options as never), ValidationError, "INVALID_OPTION");
    return new StopEvent("");
  });
  await soon(workflow.run(0));
});

test("waitForEvent refuses an ask that is no event, and asks nothing", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent }) => {
    await fails(waitForEvent(Answer, { ask: "who?" as never }), ValidationError, "INVALID_EVENT");
    return new StopEvent("");
  });
  expect(kinds((await soon(collect(workflow.run(0)))).events)).toEqual(["StartEvent", "StopEvent"]);
});

test("a handler may keep its context and use it from another run without harm", async () => {
  const workflow = new Workflow<unknown, string, string>();
  let stolen: { sendEvent(event: WorkflowEvent): void; requireEvent(input: typeof Note): Promise<Note> } | undefined;
  workflow.addStep({ inputs: [StartEvent<string>] }, async (context, { data }) => {
    if (data === "keeper") {
      stolen = context;
      return new StopEvent("kept");
    }
    const error = await failure(() => stolen!.sendEvent(new Note(1)));
    expect(error).toHaveProperty("code");
    expect(await failure(stolen!.requireEvent(Note))).toHaveProperty("code", "ATTEMPT_ENDED");
    return new StopEvent("fine");
  });
  await soon(workflow.run("keeper"));
  expect((await soon(workflow.run("thief"))).data).toBe("fine");
});

test("a step that fails while another is stuck ends the run at once", async () => {
  const workflow = new Workflow();
  workflow.addStep({ inputs: [StartEvent], name: "stuck" }, () => new Promise<undefined>(() => undefined));
  workflow.addStep({ inputs: [StartEvent], name: "fails" }, async () => {
    await turn();
    throw new Error("broken");
  });
  await expect(soon(workflow.run(0))).rejects.toThrow("broken");
});

test("a stack overflow in a handler is its error, and no trap", async () => {
  const recurse = (): number => 1 + recurse();
  const error = await failure(runOf(() => recurse()));
  expect(error).toBeInstanceOf(RangeError);
});

test("a stack that is nearly full when the package is called gives errors, no run hangs, and the next run works", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: null });
  workflow.addStep({ inputs: [StartEvent] }, async ({ requireEvent }) => {
    await requireEvent(Answer);
    return new StopEvent("answered");
  });
  for (let round = 0; round < 3; round += 1) {
    // Classes that the engine has not met yet make it do more at the deepest point.
    class Unknown extends WorkflowEvent<unknown> {
      static readonly type = `unknown-${round}`;
    }
    const context = workflow.run(0).start();
    const errors: unknown[] = [];
    const deep = (): void => {
      try {
        deep();
      } catch {
        // Here the stack is as full as it was when it overflowed, a few frames less.
      }
      try {
        context.sendEvent(new Unknown(round));
      } catch (error) {
        errors.push(error);
      }
    };
    deep();
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) {
      const isExpected =
        error instanceof RangeError || error instanceof EngineError || error instanceof ValidationError;
      expect(isExpected, String(error)).toBe(true);
    }
    await turn();
    if (context.status === "waiting") context.sendEvent(new Answer(1));
    const { events, error } = await soon(collect(context.stream()));
    if (events.at(-1) instanceof StopEvent) expect(context.result).toBe("answered");
    else if (context.status === "failed") expectError(error, EngineError, "ENGINE_PANICKED");
  }
});
