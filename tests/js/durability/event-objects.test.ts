// Events as plain objects: through JSON and structured cloning and back, and objects that are not what they should be.

import {
  HumanResponseEvent,
  InputRequiredEvent,
  NestedEvent,
  RecoverError,
  SnapshotError,
  StartEvent,
  StepFailedEvent,
  StopEvent,
  StreamReset,
  ValidationError,
  Workflow,
  WorkflowEvent,
  decodeEvent,
  encodeEvent,
} from "stepstream";
import { AgentStream, AgentWorkflow } from "stepstream/agents";
import { OpenAI } from "stepstream/llm";
import { describe, expect, test } from "vitest";
import { collect, fails } from "../kit/index.js";

class Draft extends WorkflowEvent<unknown> {
  static readonly type: string = "draft";
}
class Special extends Draft {
  static override readonly type = "special";
  note = "none";
  constructor(data: unknown, wanted: { readonly needed: true }) {
    super(data);
    if (!wanted.needed) throw new Error("The constructor was called.");
  }
}
class Progress extends WorkflowEvent<number> {
  static readonly type = "progress";
}
class Inner extends WorkflowEvent<string> {
  static readonly type = "inner";
}
class Money {
  constructor(readonly cents: number) {}
}

let decoded = 0;
const nested = new Workflow({ events: [Inner] }).addStep(
  { name: "in", inputs: [StartEvent], outputs: [StopEvent] },
  () => new StopEvent(1),
);
const make = (): Workflow => {
  const workflow = new Workflow({
    events: [Progress, Special],
    types: {
      money: {
        encode: (value) => (value instanceof Money ? value.cents : undefined),
        decode: (cents: number) => {
          decoded += 1;
          return new Money(cents);
        },
      },
    },
  });
  workflow.addStep({ name: "draft", inputs: [StartEvent], outputs: [Draft] }, () => new Draft(1));
  workflow.addStep({ name: "stop", inputs: [Draft], outputs: [StopEvent] }, () => new StopEvent(1));
  return workflow.addWorkflows({ nested }) as Workflow;
};
const workflow = make();

/** The ways by which objects are sent. */
const ways: Readonly<Record<string, (encoded: unknown) => unknown>> = {
  JSON: (encoded) => JSON.parse(JSON.stringify(encoded)),
  "structured cloning": (encoded) => structuredClone(encoded),
  nothing: (encoded) => encoded,
};

describe.for(Object.entries(ways))("through %s", ([, way]) => {
  const there = <E extends WorkflowEvent>(event: E): E => {
    const back = decodeEvent(way(encodeEvent(event, workflow)), workflow) as E;
    expect(Object.getPrototypeOf(back)).toBe(Object.getPrototypeOf(event));
    return back;
  };

  test("every event of the package comes back as an instance of its class", () => {
    const [event, error] = [new Draft(1), new RangeError("x")];
    const failure = { step: "a", event, events: [event], error, attempts: 2, elapsed: 1.5, failedAt: 1_000 };
    const events = [
      new WorkflowEvent(1),
      new StartEvent({ a: 1 }),
      new StopEvent(undefined),
      new InputRequiredEvent("?"),
      new HumanResponseEvent("!"),
      new StepFailedEvent(failure),
      new NestedEvent({ slot: "nested", event: new Inner("x") }),
      new StreamReset({ step: "a", attempt: 2 }),
    ];
    for (const event of events) expect(there(event)).toEqual(event);
  });

  test("the workflow's own classes come back, without their constructors", () => {
    const special = new Special({ a: [1] }, { needed: true });
    special.note = "kept";
    expect(there(special)).toEqual(special);
    expect(there(new Progress(0.5)).data).toBe(0.5);
    expect(there(new Draft(new Special(1, { needed: true }))).data).toBeInstanceOf(Special);
  });

  test("data comes back as it was", () => {
    const loop: { self?: unknown; name: string } = { name: "loop" };
    loop.self = loop;
    const data = {
      when: new Date(5),
      map: new Map<unknown, unknown>([["a", new Set([1])]]),
      large: 2n ** 100n,
      bytes: new Uint8Array([0, 1, 255]),
      words: new Float64Array([0.5]),
      nothing: undefined,
      odd: Object.assign([NaN, -0, Infinity], { 4: 1 }),
      pattern: /x+/gi,
      url: new URL("https://a.test/b?c#d"),
      money: new Money(5),
      text: "a\0b\ud83d \u{1f600} \u2028",
      loop,
    };
    const { data: back } = there(new Draft(data)) as Draft & { data: typeof data };
    expect({ ...back, loop: 1 }).toEqual({ ...data, loop: 1 });
    expect("nothing" in back && Object.is(back.odd[1], -0) && !(3 in back.odd)).toBe(true);
    expect(back.loop.self).toBe(back.loop);
    expect(back.money).toBeInstanceOf(Money);
    const error = new TypeError("no", { cause: new RangeError("deep") });
    const { data: returned } = there(new Draft(error)) as Draft & { data: TypeError };
    expect(returned).toBeInstanceOf(TypeError);
    expect([returned.message, (returned.cause as Error).message, returned.stack]).toEqual(["no", "deep", error.stack]);
  });

  test("several megabytes of binary data come back", () => {
    const bytes = new Uint8Array(3_000_000).map((_, at) => at * 31);
    const { data } = there(new Draft(bytes)) as Draft & { data: Uint8Array };
    expect(Buffer.from(data).equals(Buffer.from(bytes))).toBe(true);
  });

  test("deep data comes back as far as a snapshot can hold it", () => {
    let deep: unknown = "end";
    for (let level = 0; level < 900; level += 1) deep = [deep];
    let back: unknown = there(new Draft(deep)).data;
    for (let level = 0; level < 900; level += 1) [back] = back as [unknown];
    expect(back).toBe("end");
  });
});

test("an encoded event is a plain object of numbers and texts, with its type", () => {
  const encoded = encodeEvent(new Draft({ bytes: new Uint8Array(4) }));
  expect(Object.getPrototypeOf(encoded)).toBe(Object.prototype);
  expect(encoded).toMatchObject({ version: 1, type: "draft" });
  expect(Object.values(encoded).every((value) => ["string", "number"].includes(typeof value))).toBe(true);
  expect(Object.keys(encodeEvent(new Progress(1)))).toEqual(["version", "type", "payload"]);
});

test("all events of a run can be sent to a reader that has the workflow", async () => {
  const { events } = await collect(make().run("x"));
  const read = events.map((event) => decodeEvent(JSON.parse(JSON.stringify(encodeEvent(event))), workflow));
  expect(read).toEqual(events);
  expect(read.map((event) => event.constructor)).toEqual(events.map((event) => event.constructor));
});

test("events of agents are known to their workflow", () => {
  const agent = AgentWorkflow.fromTools([], { llm: new OpenAI({ model: "none", apiKey: "none" }) });
  const event = Object.assign(Object.create(AgentStream.prototype) as AgentStream, { data: { delta: "a" } });
  expect(decodeEvent(encodeEvent(event), agent)).toEqual(event);
});

test("a class that was met in a run is known, without being listed", async () => {
  class Late extends WorkflowEvent<number> {
    static readonly type = "late";
  }
  const open = new Workflow().addStep({ name: "a", inputs: [StartEvent] }, ({ writeEventToStream }) => {
    writeEventToStream(new Late(1));
    return new StopEvent();
  });
  await fails(() => decodeEvent(encodeEvent(new Late(1)), open), RecoverError, "EVENT_MISSING");
  await open.run();
  expect(decodeEvent(encodeEvent(new Late(1)), open)).toBeInstanceOf(Late);
});

describe("what cannot be encoded is refused:", () => {
  test("what is no event", async () => {
    for (const value of [undefined, null, {}, { data: 1 }, "draft", Draft]) {
      await fails(() => encodeEvent(value as never), ValidationError, "INVALID_EVENT");
    }
  });

  test("a value that no snapshot can hold, with its path", async () => {
    const error = await fails(() => encodeEvent(new Draft({ list: [() => {}] })), SnapshotError, "SNAPSHOT_VALUE");
    expect((error as SnapshotError).path).toBe("data.list[0]");
    await fails(() => encodeEvent(new Draft(new Money(1))), SnapshotError, "SNAPSHOT_VALUE");
  });

  test("a workflow that is none", async () => {
    for (const value of [null, {}, "x", 1]) {
      await fails(() => encodeEvent(new Draft(1), value as never), ValidationError, "INVALID_OPTION");
      await fails(() => decodeEvent(encodeEvent(new Draft(1)), value as never), ValidationError, "INVALID_OPTION");
    }
    await fails(() => decodeEvent(encodeEvent(new Draft(1)), undefined as never), ValidationError, "INVALID_OPTION");
  });
});

describe("what is no encoded event is refused, and nothing is called:", () => {
  const good = { ...encodeEvent(new Draft({ a: new Uint8Array(3) })) } as Record<string, unknown>;
  const refused = (value: unknown, code = "EVENT_FORMAT"): Promise<unknown> =>
    fails(() => decodeEvent(value, workflow), RecoverError, code);

  test("other values", async () => {
    for (const value of [undefined, null, 0, "", "draft", [], {}, () => {}, new Draft(1), JSON.stringify(good)]) {
      await refused(value);
    }
  });

  test("missing and wrong members", async () => {
    for (const member of ["version", "type", "payload", "binary"]) {
      const { [member]: _, ...others } = good;
      await refused(others);
      for (const value of [null, {}, [], "", "é=", -1, 0, 0.5, NaN, true, 5n]) {
        if (member === "binary" && (value === null || value === "")) continue;
        await refused({ ...good, [member]: value });
      }
    }
    await refused({ ...good, binary: null });
    await refused({ ...good, type: "progress" });
  });

  test("a newer version", async () => {
    await refused({ ...good, version: 2, payload: { anything: "else" } }, "EVENT_VERSION");
  });

  test("inherited members and accessors", async () => {
    await refused(Object.create(good));
    let called = 0;
    for (const member of ["version", "type", "payload", "binary"]) {
      const trap = { ...good };
      Object.defineProperty(trap, member, {
        get: () => {
          called += 1;
          return good[member];
        },
      });
      await refused(trap);
    }
    await refused(JSON.parse(`{"__proto__": ${JSON.stringify(good)}}`));
    await refused(
      new Proxy(good, {
        getOwnPropertyDescriptor: () => {
          throw new Error("trapped");
        },
      }),
    );
    expect(called).toBe(0);
    expect(({} as { version?: unknown }).version).toBeUndefined();
  });

  test("payloads that are none, are altered, or would change prototypes", async () => {
    const links = Array.from({ length: 200_000 }, (_, at) => `,[${at + 7}]`).join("");
    const payloads = [
      "x",
      "1",
      "-1",
      "[]",
      "[[]]",
      "{}",
      '["text"]',
      '[["#",1],["event"]]',
      '[["#",1],[2,3],"event",5]',
      '[["#",1],[2],"constructor"]',
      '[["#",1],[2,3,4,0],"hook","money"]',
      `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
      `[["#",1],[2,3,4,5],"event","draft","data",[6]${links},1]`,
      String(good["payload"]).slice(0, -1),
      String(good["payload"]).replace("buffer", "biffer"),
      `${String(good["payload"])}\0`,
    ];
    for (const payload of payloads) {
      const error = await fails(() => decodeEvent({ ...good, payload }, workflow), RecoverError, "EVENT_FORMAT");
      expect(error.message.length).toBeLessThan(1000);
    }
    const payload = '[["#",1],[2,3,4,5],"event","draft","__proto__",{"polluted":6},true]';
    const event = decodeEvent({ version: 1, type: "draft", payload }, workflow);
    expect([Object.getPrototypeOf(event), Object.keys(event)]).toEqual([Draft.prototype, ["__proto__"]]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("binary data that is too long or too short", async () => {
    await refused({ ...good, binary: "AAAAAAAA" });
    await refused({ ...good, binary: "AA==" });
    await refused({ ...good, binary: "AA=A" });
  });

  test("classes that the workflow does not know, also deep inside", async () => {
    class Foreign extends WorkflowEvent<number> {
      static readonly type = "foreign";
    }
    await refused(encodeEvent(new Foreign(1)), "EVENT_MISSING");
    await refused(encodeEvent(new Draft([new Foreign(1)])), "EVENT_MISSING");
    for (const name of ["__proto__", "constructor", "toString"]) {
      const payload = JSON.stringify([["#", 1], [2, 3], "event", name]);
      await refused({ version: 1, type: name, payload }, "EVENT_MISSING");
    }
  });

  test("what a hook refuses; no hook is called for what is refused before", async () => {
    const broken = new Workflow({
      events: [Draft],
      types: {
        money: {
          encode: (value) => (value instanceof Money ? value.cents : undefined),
          decode: () => {
            throw new Error("no money");
          },
        },
      },
    });
    const encoded = encodeEvent(new Draft(new Money(3)), workflow);
    const error = await fails(() => decodeEvent(encoded, broken), RecoverError, "EVENT_FORMAT");
    expect(error.message).toContain("money");
    decoded = 0;
    await refused({ ...encoded, version: 2 }, "EVENT_VERSION");
    await refused({ ...encoded, binary: "%" });
    expect(decoded).toBe(0);
  });
});
