// Going through a run step by step.

import {
  CancelledError,
  type PausedStep,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  WorkflowEvent,
  retryPolicy,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, deferred, failure, fails, kinds, soon, takePrinted, turn } from "../kit/index.js";

class Draft extends WorkflowEvent<string> {
  static readonly type = "draft";
}
class Final extends WorkflowEvent<string> {
  static readonly type = "final";
}

/** start -> write -> Draft -> polish -> Final -> publish -> stop */
const workflow = (): Workflow<unknown, string, string> =>
  new Workflow<unknown, string, string>()
    .addStep(
      { inputs: [StartEvent<string>], outputs: [Draft], name: "write" },
      async (_, event) => new Draft(`draft of ${event.data}`),
    )
    .addStep({ inputs: [Draft], outputs: [Final], name: "polish" }, (_, draft) => new Final(`polished ${draft.data}`))
    .addStep(
      { inputs: [Final], outputs: [StopEvent<string>], name: "publish" },
      (_, final) => new StopEvent(final.data),
    );

/** Goes through all of it; `visit` may look and replace. */
async function through(
  steps: AsyncIterable<PausedStep>,
  visit: (paused: PausedStep) => void | Promise<void> = () => {},
): Promise<string[]> {
  const seen: string[] = [];
  for await (const paused of steps) {
    seen.push(paused.step);
    await visit(paused);
  }
  return seen;
}

test("yields each step when it has returned, with what it took and returned", async () => {
  const seen: PausedStep[] = [];
  const context = workflow().run("x");
  await soon(through(context.stepwise(), (paused) => void seen.push(paused)));
  expect(seen.map(({ step, attempt }) => [step, attempt])).toEqual([
    ["write", 1],
    ["polish", 1],
    ["publish", 1],
  ]);
  expect(kinds(seen.map(({ input }) => input))).toEqual(["StartEvent", "Draft", "Final"]);
  expect(seen.map(({ output }) => output?.constructor.name)).toEqual(["Draft", "Final", "StopEvent"]);
  expect(seen[1]?.input).toBe(seen[0]?.output);
  expect((await soon(context)).data).toBe("polished draft of x");
});

test("an event goes on only when the loop does", async () => {
  const context = workflow().run("x");
  const events = context.stream();
  const steps = context.stepwise();
  const { value: paused } = await soon(steps.next());
  await turn();
  expect((paused as PausedStep).step).toBe("write");
  expect(context.status).toBe("running");
  expect(kinds([(await events.next()).value as WorkflowEvent])).toEqual(["StartEvent"]);
  const draft = events.next();
  expect(await Promise.race([draft.then(() => "went on"), turn().then(() => "still held")])).toBe("still held");
  const next = steps.next();
  expect(kinds([(await soon(draft)).value as WorkflowEvent])).toEqual(["Draft"]);
  await next;
  context.cancel();
});

test("another event can take the place of the one returned", async () => {
  const context = workflow().run("x");
  await soon(
    through(context.stepwise(), (paused) => {
      if (!(paused.output instanceof Draft)) return;
      const better = new Draft("something better");
      paused.replace(better);
      expect(paused.output).toBe(better);
    }),
  );
  expect((await soon(context)).data).toBe("polished something better");
});

test("of several replacements the last counts", async () => {
  const context = workflow().run("x");
  await soon(
    through(context.stepwise(), (paused) => {
      if (paused.step !== "write") return;
      paused.replace(new Draft("first"));
      paused.replace(new Draft("last"));
    }),
  );
  expect((await soon(context)).data).toBe("polished last");
});

test("a stop event in the place of another ends the run", async () => {
  const context = workflow().run("x");
  const seen = await soon(
    through(context.stepwise(), (paused) => {
      if (paused.step === "polish") paused.replace(new StopEvent("at once"));
    }),
  );
  takePrinted(); // `polish` has not declared a stop.
  expect(seen).toEqual(["write", "polish"]);
  expect((await soon(context)).data).toBe("at once");
});

test("a step can be made to have returned nothing", async () => {
  const context = workflow().addStep({ inputs: [StartEvent<string>], name: "spare" }, async ({ sleep }) => {
    await sleep(0.01);
    return new StopEvent("spare");
  });
  const run = context.run("x");
  const seen = await soon(
    through(run.stepwise(), (paused) => {
      if (paused.step !== "write") return;
      paused.replace(undefined);
      expect(paused.output).toBeUndefined();
    }),
  );
  expect(seen).toEqual(["write", "spare"]);
  expect((await soon(run)).data).toBe("spare");
});

test("a step that returned nothing can be made to have returned an event", async () => {
  const silent = new Workflow<unknown, string, string>().addStep(
    { inputs: [StartEvent<string>], outputs: [StopEvent<string>], name: "silent" },
    () => undefined,
  );
  const context = silent.run("x");
  await soon(
    through(context.stepwise(), (paused) => {
      expect(paused.output).toBeUndefined();
      paused.replace(new StopEvent("said"));
    }),
  );
  expect((await soon(context)).data).toBe("said");
});

test("what is not an event is refused as a replacement, and the event stays", async () => {
  const context = workflow().run("x");
  const errors: unknown[] = [];
  await soon(
    through(context.stepwise(), async (paused) => {
      errors.push(await failure(() => paused.replace("text" as unknown as WorkflowEvent)));
    }),
  );
  expect(errors).toHaveLength(3);
  for (const error of errors) expect(error).toMatchObject({ name: "ValidationError", code: "INVALID_EVENT" });
  expect((await soon(context)).data).toBe("polished draft of x");
});

test("when the loop is left early, the run goes on by itself", async () => {
  const context = workflow().run("x");
  for await (const paused of context.stepwise()) {
    expect(paused.step).toBe("write");
    paused.replace(new Draft("replaced"));
    break;
  }
  expect((await soon(context)).data).toBe("polished replaced");
});

test("an error in the loop's body lets the run go on as well", async () => {
  const context = workflow().run("x");
  const boom = new Error("in the body");
  const loop = through(context.stepwise(), () => {
    throw boom;
  });
  expect(await failure(loop)).toBe(boom);
  expect((await soon(context)).data).toBe("polished draft of x");
});

test("a later loop takes up where the run is", async () => {
  const context = workflow().run("x");
  const steps = context.stepwise();
  await soon(steps.next());
  const left = steps.return();
  // `write` goes on, and `polish` is the next to return.
  const rest = through(context.stepwise());
  await soon(left);
  expect(await soon(rest)).toContain("publish");
  expect((await soon(context)).data).toBe("polished draft of x");
});

test("the loop ends with the error that ended the run", async () => {
  const boom = new Error("boom");
  const failing = workflow().addStep({ inputs: [Draft], outputs: [Final], name: "polish", override: true }, () => {
    throw boom;
  });
  const context = failing.run("x");
  const seen: string[] = [];
  const loop = through(context.stepwise(), ({ step }) => void seen.push(step));
  expect(await failure(loop)).toBe(boom);
  expect(seen).toEqual(["write"]);
  expect(await failure(context)).toBe(boom);
});

test("failed attempts are not yielded; the one that succeeds says which it was", async () => {
  let calls = 0;
  const flaky = new Workflow<unknown, string, string>().addStep(
    { inputs: [StartEvent<string>], outputs: [StopEvent<string>], retry: retryPolicy({ wait: waitFixed(0) }) },
    () => {
      calls += 1;
      if (calls < 3) throw new Error("not yet");
      return new StopEvent("at last");
    },
  );
  const attempts: number[] = [];
  await soon(through(flaky.run("x").stepwise(), ({ attempt }) => void attempts.push(attempt)));
  expect(attempts).toEqual([3]);
});

test("steps that run at the same time are yielded one by one, as they return", async () => {
  const gates = { a: deferred(), b: deferred() };
  const twoAtOnce = new Workflow<unknown, string, string>()
    .addStep({ inputs: [StartEvent<string>], outputs: [Draft], name: "a" }, async () => {
      await gates.a.promise;
      return new Draft("a");
    })
    .addStep({ inputs: [StartEvent<string>], outputs: [Final], name: "b" }, async () => {
      await gates.b.promise;
      return new Final("b");
    })
    .addStep(
      { inputs: [Draft, Final], outputs: [StopEvent<string>], name: "join" },
      (_, draft, final) => new StopEvent(draft.data + final.data),
    );
  const context = twoAtOnce.run("x").start();
  const loop = through(context.stepwise(), async ({ inputs, step }) => {
    if (step === "join") expect(kinds(inputs)).toEqual(["Draft", "Final"]);
    await turn();
  });
  await turn();
  gates.b.resolve();
  await turn();
  gates.a.resolve();
  expect(await soon(loop)).toEqual(["b", "a", "join"]);
  expect((await soon(context)).data).toBe("ab");
});

test("a run that is cancelled in the middle ends the loop, whatever is held", async () => {
  const context = workflow().run("x");
  const seen: string[] = [];
  const loop = through(context.stepwise(), ({ step }) => {
    seen.push(step);
    context.cancel("enough");
  });
  await fails(loop, CancelledError, "RUN_CANCELLED");
  expect(seen).toEqual(["write"]);
});

test("a replacement that is not declared is held to the same rules as what a step returns", async () => {
  const context = workflow().strict().run("x");
  const loop = through(context.stepwise(), (paused) => {
    if (paused.step === "write") paused.replace(new Final("not declared"));
  });
  const error = await fails(loop, ValidationError, "UNDECLARED_OUTPUT");
  expect(error.message).toContain('"write"');
});

test("a run that is over has no steps to go through", async () => {
  const context = workflow().run("x");
  await soon(context);
  expect(await soon(through(context.stepwise()))).toEqual([]);
});

test("the stream has what went on, not what was replaced", async () => {
  const context = workflow().run("x");
  const stream = collect(context.stream());
  await soon(
    through(context.stepwise(), (paused) => {
      if (paused.step === "write") paused.replace(new Draft("replaced"));
    }),
  );
  const { events } = await soon(stream);
  expect(events.map(({ data }) => data)).toEqual(["x", "replaced", "polished replaced", "polished replaced"]);
});

test("a snapshot holds a step that the loop holds: it does not run again, and its replacement goes on", async () => {
  const ran: string[] = [];
  const counted = (): Workflow<unknown, string, string> =>
    new Workflow<unknown, string, string>()
      .addStep({ inputs: [StartEvent<string>], outputs: [Draft], name: "write" }, async (_, event) => {
        ran.push("write");
        return new Draft(`draft of ${event.data}`);
      })
      .addStep({ inputs: [Draft], outputs: [StopEvent<string>], name: "publish" }, (_, draft) => {
        ran.push("publish");
        return new StopEvent(draft.data);
      });
  const context = counted().run("x");
  let bytes: Uint8Array | undefined;
  for await (const paused of context.stepwise()) {
    if (paused.step !== "write") continue;
    paused.replace(new Draft("better"));
    bytes = context.snapshot();
    break;
  }
  expect((await soon(context)).data).toBe("better");
  expect(ran.splice(0)).toEqual(["write", "publish"]);

  expect((await soon(counted().recover(bytes!))).data).toBe("better");
  expect(ran.splice(0)).toEqual(["publish"]);

  // A loop over the recovered run holds the step again, with what had been put in its place.
  const again = counted().recover(bytes!);
  const seen: unknown[] = [];
  for await (const paused of again.stepwise()) {
    seen.push([paused.step, paused.output?.data]);
    if (paused.step === "write") paused.replace(new Draft("best"));
  }
  expect(seen).toEqual([
    ["write", "better"],
    ["publish", "best"],
  ]);
  expect(ran).toEqual(["publish"]);
});

test("a snapshot holds also a step that is held with nothing in place of its event", async () => {
  const context = workflow().run("x");
  let bytes: Uint8Array | undefined;
  for await (const paused of context.stepwise()) {
    paused.replace(undefined);
    bytes = context.snapshot();
    break;
  }
  context.cancel();
  await context.catch(() => undefined);
  expect(await failure(workflow().recover(bytes!))).toMatchObject({ code: "RUN_STALLED" });
});
