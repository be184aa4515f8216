// collectEvents: a step gathers events over several invocations.

import { HumanResponseEvent, StartEvent, StopEvent, ValidationError, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { fails, soon } from "../kit/index.js";

class A extends WorkflowEvent<string> {}
class B extends WorkflowEvent<string> {}
class SubA extends A {}
class Done extends WorkflowEvent<string> {}

type Kind = "A" | "B" | "S";
const made = { A, B, S: SubA };

/** Sends events, and gathers them; gives what each call of collectEvents gave. */
async function gather(sent: readonly Kind[], asked: readonly (typeof A | typeof B)[]): Promise<(string | null)[]> {
  const calls: (string | null)[] = [];
  const workflow = new Workflow<unknown, unknown, unknown>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    sent.forEach((kind, nth) => sendEvent(new made[kind](`${kind.toLowerCase()}${nth}`)));
  });
  workflow.addStep({ inputs: [WorkflowEvent.or(A, B)] }, ({ collectEvents }, event) => {
    const all = collectEvents(event, asked);
    calls.push(all === null ? null : all.map(({ data }) => data).join(" "));
    return calls.length === sent.length ? new StopEvent(0) : undefined;
  });
  await soon(workflow.run(0));
  return calls;
}

test("gives null until all are there, then all in the asked order", async () => {
  expect(await gather(["B", "A", "B"], [A, B, B])).toEqual([null, null, "a1 b0 b2"]);
  expect(await gather(["B", "B", "A"], [A, B, B])).toEqual([null, null, "a2 b0 b1"]);
  expect(await gather(["A", "B", "B"], [B, A, B])).toEqual([null, null, "b1 a0 b2"]);
});

test("starts again after a complete set", async () => {
  expect(await gather(["A", "B", "B", "A"], [A, B])).toEqual([null, "a0 b1", null, "a3 b2"]);
});

test("keeps what is over for the next set, first in, first out", async () => {
  expect(await gather(["A", "A", "A", "B", "B"], [A, B])).toEqual([null, null, null, "a0 b3", "a1 b4"]);
});

test("takes subclasses for the class that was asked for", async () => {
  expect(await gather(["S", "B"], [A, B])).toEqual([null, "s0 b1"]);
});

test("of one class, the asked number", async () => {
  expect(await gather(["A", "A", "A", "A"], [A, A])).toEqual([null, "a0 a1", null, "a2 a3"]);
});

test("gives the events themselves, not copies", async () => {
  const event = new A("x");
  const workflow = new Workflow<unknown, unknown, boolean>();
  workflow.addStep({ inputs: [StartEvent] }, () => event);
  workflow.addStep({ inputs: [A] }, ({ collectEvents }, given) => {
    const all = collectEvents(given, [A]);
    return new StopEvent(all![0] === event);
  });
  expect((await soon(workflow.run(0))).data).toBe(true);
});

test("the events of several steps do not mix", async () => {
  const sets: string[] = [];
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
    for (const data of ["1", "2"]) sendEvent(new A(data));
  });
  for (const name of ["left", "right"]) {
    workflow.addStep({ inputs: [A], name }, ({ collectEvents }, event) => {
      const all = collectEvents(event, [A, A]);
      if (all === null) return undefined;
      sets.push(name + all.map(({ data }) => data).join(""));
      return sets.length === 2 ? new StopEvent(0) : undefined;
    });
  }
  await soon(workflow.run(0));
  expect(sets).toEqual(["left12", "right12"]);
});

test("gathers what concurrent steps return, in whatever order they finish", async () => {
  const workflow = new Workflow<unknown, number, string>();
  workflow.addStep({ inputs: [StartEvent<number>] }, ({ sendEvent }, { data }) => {
    for (let nth = 0; nth < data; nth += 1) sendEvent(new A(String(nth)));
  });
  workflow.addStep({ inputs: [A] }, async (_, { data }) => {
    await new Promise((resolve) => setTimeout(resolve, (Number(data) * 7) % 5));
    return new Done(data);
  });
  workflow.addStep({ inputs: [Done] }, ({ collectEvents }, event) => {
    const all = collectEvents(
      event,
      Array.from({ length: 20 }, () => Done),
    );
    return all === null
      ? undefined
      : new StopEvent(
          all
            .map(({ data }) => Number(data))
            .sort((a, b) => a - b)
            .join(" "),
        );
  });
  expect((await soon(workflow.run(20))).data).toBe(Array.from({ length: 20 }, (_, nth) => nth).join(" "));
});

test("refuses what is not an event or not a class of events", async () => {
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ collectEvents }, event) => {
    await fails(() => collectEvents({} as never, [A]), ValidationError, "INVALID_EVENT");
    await fails(() => collectEvents(undefined as never, [A]), ValidationError, "INVALID_EVENT");
    await fails(() => collectEvents(event, ["A"] as never), ValidationError, "INVALID_STEP");
    await fails(() => collectEvents(event, undefined as never), ValidationError, "INVALID_OPTION");
    await fails(() => collectEvents(event, 7 as never), ValidationError, "INVALID_OPTION");
    return new StopEvent(0);
  });
  await soon(workflow.run(0));
});

test("an empty list is complete at once", async () => {
  const workflow = new Workflow<unknown, unknown, unknown>();
  workflow.addStep({ inputs: [StartEvent] }, ({ collectEvents }, event) => new StopEvent(collectEvents(event, [])));
  expect((await soon(workflow.run(0))).data).toEqual([]);
});

/** What a step gets that collects by a list of its own making, event by event. */
async function collected(work: (collect: (event: A | B, list: (typeof A | typeof B)[]) => (A | B)[] | null) => void) {
  const workflow = new Workflow<unknown, unknown, number>();
  workflow.addStep({ inputs: [StartEvent] }, ({ collectEvents }) => {
    work((event, list) => collectEvents(event, list));
    return new StopEvent(0);
  });
  await soon(workflow.run(0));
}

test.each([3, 100])("a list of %i that was changed in place counts as it is when a collection is complete", (length) =>
  collected((collect) => {
    const list: (typeof A | typeof B)[] = Array.from({ length }, () => A);
    for (let nth = 0; nth < length - 1; nth += 1) expect(collect(new A("old"), list)).toBeNull();
    list[length >> 1] = B;
    for (let nth = 0; nth < length - 1; nth += 1) expect(collect(new A("new"), list)).toBeNull();
    const all = collect(new B("new"), list);
    expect(all?.map(({ data }) => data)).toEqual(list.map(() => "new"));
    expect(all?.[length >> 1]).toBeInstanceOf(B);
  }),
);

test("a long list that has become longer or shorter is another list", () =>
  collected((collect) => {
    const list = Array.from({ length: 50 }, () => A);
    for (let nth = 0; nth < 49; nth += 1) expect(collect(new A("50"), list)).toBeNull();
    list.push(A);
    for (let nth = 0; nth < 50; nth += 1) expect(collect(new A("51"), list)).toBeNull();
    expect(collect(new A("51"), list)?.every(({ data }) => data === "51")).toBe(true);
    list.pop();
    expect(collect(new A("50"), list)?.every(({ data }) => data === "50")).toBe(true);
  }));

test("a run may collect by any number of long lists", () =>
  collected((collect) => {
    // All different, also in another order: the order alone makes no other collection.
    const lists = Array.from({ length: 1100 }, (_, which) =>
      Array.from({ length: 40 + (which >> 5) }, (_, nth) => (nth > 0 && nth <= (which & 31) ? B : A)),
    );
    for (const list of lists) expect(collect(new A("first"), list)).toBeNull();
    for (const [which, list] of [...lists.entries()].slice(-3)) {
      const rest = list.slice(1);
      for (const [nth, made] of rest.entries()) {
        expect(collect(new made(`${which}`), list) === null).toBe(nth < rest.length - 1);
      }
    }
  }));

class Part extends HumanResponseEvent<{ readonly request: string; readonly nth: number }> {
  static readonly type = "part";
}

/** Gathers so many parts of each request. */
function byRequest(count: number, out: string[]): Workflow<unknown, readonly Part[], string> {
  const workflow = new Workflow<unknown, readonly Part[], string>({ timeout: null, name: "by request" });
  const parts = Array<typeof Part>(count).fill(Part);
  workflow.addStep(
    { name: "send", inputs: [StartEvent<readonly Part[]>], outputs: [Part] },
    ({ sendEvent }, { data }) => data.forEach((part) => sendEvent(part)),
  );
  workflow.addStep({ name: "gather", inputs: [Part], outputs: [Done] }, ({ collectEvents }, part) => {
    const all = collectEvents(part, parts, { buffer: part.data.request });
    return all === null ? undefined : new Done(all.map(({ data }) => `${data.request}${data.nth}`).join(" "));
  });
  workflow.addStep({ name: "done", inputs: [Done], outputs: [StopEvent<string>] }, ({ collectEvents }, done) => {
    out.push(done.data);
    const both = collectEvents(done, [Done, Done]);
    return both === null ? undefined : new StopEvent(both.map(({ data }) => data).join(" | "));
  });
  return workflow;
}

const part = (request: string, nth: number): Part => new Part({ request, nth });

test("buffers are kept apart by their key", async () => {
  const parts = [part("a", 0), part("b", 0), part("b", 1), part("a", 1), part("b", 2), part("a", 2)];
  const { data } = await soon(byRequest(3, []).run(parts));
  expect(data).toBe("b0 b1 b2 | a0 a1 a2");
});

test("buffers are kept apart in snapshots", async () => {
  const out: string[] = [];
  const first = byRequest(3, out).run([part("a", 0), part("b", 0), part("b", 1), part("a", 1)]);
  await soon(first.start().idle());
  const second = byRequest(3, out).recover(first.snapshot());
  second.sendEvent(part("b", 2));
  second.sendEvent(part("a", 2));
  expect((await soon(second)).data).toBe("b0 b1 b2 | a0 a1 a2");
});

test("buffers are kept apart in journals", async () => {
  const first = byRequest(3, []).run([part("a", 0), part("b", 0), part("b", 1), part("a", 1)], undefined, {
    journal: true,
  });
  await soon(first.start().idle());
  const replay = byRequest(3, []).replay(first.journal());
  const second = byRequest(3, []).recover(replay.snapshot());
  replay.dispose();
  second.sendEvent(part("b", 2));
  second.sendEvent(part("a", 2));
  expect((await soon(second)).data).toBe("b0 b1 b2 | a0 a1 a2");
});

test("a long list is gathered in buffers, also after a recovery", async () => {
  const count = 100;
  const all = (request: string): Part[] => Array.from({ length: count }, (_, nth) => part(request, nth));
  const first = byRequest(count, []).run([...all("a").slice(0, 60), ...all("b").slice(0, 99)]);
  await soon(first.start().idle());
  const second = byRequest(count, []).recover(first.snapshot());
  for (const event of [...all("a").slice(60), ...all("b").slice(99)]) second.sendEvent(event);
  const { data } = await soon(second);
  expect(data.split(" | ").map((request) => request.split(" ").length)).toEqual([count, count]);
});

test.each([[""], [7], [null], [{}]])("the buffer %j is refused, and nothing is collected", async (buffer) => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, ({ collectEvents }) => {
    const event = new A("a");
    try {
      collectEvents(event, [A], { buffer: buffer as string });
    } catch (error) {
      return new StopEvent((error as ValidationError).code);
    }
    return new StopEvent("collected");
  });
  expect((await soon(workflow.run(0))).data).toBe("INVALID_OPTION");
});

test("an unknown option of collectEvents is refused", async () => {
  const workflow = new Workflow().addStep({ inputs: [StartEvent] }, ({ collectEvents }) => {
    collectEvents(new A("a"), [A], { bufer: "x" } as never);
  });
  const error = await fails(soon(workflow.run(0)), ValidationError, "INVALID_OPTION");
  expect(error.message).toContain("`buffer`");
});
