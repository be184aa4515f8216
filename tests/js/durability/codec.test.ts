// The payload codec: what goes in comes back the same. It is tested where it is, and not through the package, because what
// the package hands out has already been checked on the way in.

import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { CancelledError, SnapshotError, TimeoutError, WorkflowError } from "../../../pkg-template/src/errors/errors.js";
import { StartEvent } from "../../../pkg-template/src/model/events.js";
import { decodePayload as decode, encodePayload } from "../../../pkg-template/src/snapshot/codec/codec.js";
import "../kit/guard.js";
import { Money, Plain, Rich, contextWith, difference, randomFrom, randomValue, roundTrip } from "./codec-kit.js";

const sparse: unknown[] = [1];
sparse[100_000] = 2;
const tail = [1, 2];
tail.length = 5;

const values: [string, unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["-0", -0],
  ["numbers", [0, 1.5, -1e300, 5e-324, 2 ** 53]],
  ["bigints", [0n, -1n, 2n ** 64n, 10n ** 80n - 1n, 10n ** 80n, -(10n ** 80n), -(10n ** 5_000n)]],
  ["texts", ["", "a\u0000\u0001\n", "ü 😀", "\u2028\u2029", "</script>", "x".repeat(70_000)]],
  ["lone surrogates, also in keys", { "\ud800": "\udc00\ud800", "😀\udfff": ["\ud83d"] }],
  ["dates", [new Date(0), new Date(NaN), new Date(8.64e15), new Date(-8.64e15)]],
  ["regular expressions", [/a"b/giu, new RegExp(""), /[/\]]</s]],
  [
    "Map and Set",
    new Map<unknown, unknown>([
      [{}, new Set([1, NaN, -0])],
      [undefined, undefined],
      ["", new Map()],
    ]),
  ],
  [
    "URLs of all kinds",
    [
      ...[
        "http://user:p%40ss@ü.example:81",
        "ws://[::1]/?a#b",
        "file:///tmp/ü",
        "file://host/x",
        "ftp://h?q",
        "http://h#f",
      ],
      ...["data:text/plain,ü", "mailto:a@b", "blob:https://a.example/1", "custom://Ü/x y", "about:blank", "a+b.c-1:x"],
      `https://a.example/${"x".repeat(10_000)}?${"y".repeat(10_000)}`,
    ].map((text) => new URL(text)),
  ],
  ["URL and its parameters", [new URL("https://a.example/?q=ü#h"), new URLSearchParams("a=1&a=2")]],
  ["a sparse array", sparse],
  ["an array with holes", [, 1, , undefined, ,]], // eslint-disable-line no-sparse-arrays
  ["an array that ends in holes", tail],
  ["an array of nothing but holes", new Array(1_000)],
  ["an object without prototype", Object.assign(Object.create(null) as object, { a: 1, toString: 2 })],
  ["boxed values", [Object(1), Object("s"), Object(false), Object(-0), Object(NaN), Object(3n), Object(3n ** 300n)]],
  ["names that objects inherit", { constructor: 1, toString: 2, hasOwnProperty: 3, length: 4, then: 5, "": 6 }],
  ["names of the codec's own", ["#", ["#", 1], ["event", "plain", "data", 1], { "#": "hook" }]],
  ["empty containers", [{}, [], new Map(), new Set(), new ArrayBuffer(0), new Uint8Array(0)]],
];

describe("comes back as it was", () => {
  test.each(values)("%s", (_, value) => {
    expect(difference(roundTrip(value), value)).toBeUndefined();
    expect(difference(roundTrip({ value }), { value })).toBeUndefined();
  });

  const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
  test.each([...kinds, Float32Array, Float64Array, BigInt64Array, BigUint64Array])("%o", (Kind) => {
    const bytes = Uint8Array.from({ length: 64 }, (_, at) => at * 37);
    const value = [new Kind(bytes.buffer), new Kind(bytes.buffer, 16, 2), new Kind(0), new Kind(new ArrayBuffer(8))];
    expect(difference(roundTrip(value), value)).toBeUndefined();
  });

  test("a DataView of a part of a buffer", () => {
    const value = new DataView(Uint8Array.of(1, 2, 3, 4, 5).buffer, 1, 3);
    expect(difference(roundTrip(value), value)).toBeUndefined();
  });

  test("views of one buffer, which they still share", () => {
    const { buffer } = new Float64Array([1, 2, 3]);
    const value = { whole: new Float64Array(buffer), part: new Uint8Array(buffer, 3, 5), buffer };
    const back = roundTrip(value);
    expect(difference(back, value)).toBeUndefined();
    back.part[0] = 255;
    expect(new Uint8Array(back.buffer)[3]).toBe(255);
    expect(back.whole.buffer).toBe(back.buffer);
  });

  test("binary data without growing", () => {
    expect(encodePayload(new Uint8Array(100_000).fill(255), contextWith()).length).toBeLessThan(100_100);
  });

  test("Node's Buffer, as a Uint8Array with only the bytes that it shows", () => {
    const secret = Buffer.from("secret of another request");
    const back = roundTrip<unknown>([Buffer.from("shown"), secret.subarray(0, 6)]) as Uint8Array[];
    expect(back.map((bytes) => new TextDecoder().decode(bytes))).toEqual(["shown", "secret"]);
    expect(back[1]).toStrictEqual(new Uint8Array(Buffer.from("secret")));
    expect(back[1]!.buffer.byteLength).toBe(6);
  });

  test("what occurs twice, once", () => {
    const shared = { big: "x".repeat(10_000) };
    const back = roundTrip([shared, shared, new Map([[shared, shared]])] as const);
    expect(back[0]).toBe(back[1]);
    expect(back[2].get(back[0])).toBe(back[0]);
    expect(encodePayload([shared, shared], contextWith()).length).toBeLessThan(10_100);
  });

  test("cycles through everything that can hold something", () => {
    const object: Record<string, unknown> = {};
    const array: unknown[] = [object];
    const map = new Map<unknown, unknown>([[object, array]]);
    const set = new Set<unknown>([map]);
    map.set(map, set);
    set.add(set);
    Object.assign(object, { object, array, map, set });
    for (const value of [object, array, map, set]) expect(difference(roundTrip(value), value)).toBeUndefined();
  });

  test("values of another realm, as this one's", () => {
    const foreign: unknown = runInNewContext(
      `({ list: [1, new Map([["k", new Set([1n])]])], at: new Date(5), bytes: new Uint8Array([1, 2]), bare: Object.create(null) })`,
    );
    const own = { list: [1, new Map([["k", new Set([1n])]])], at: new Date(5), bytes: new Uint8Array([1, 2]) };
    expect(difference(roundTrip(foreign), { ...own, bare: Object.create(null) as unknown })).toBeUndefined();
  });

  test("values 300 random times", () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const value = randomValue(randomFrom(seed));
      expect(difference(roundTrip(value), value), `seed ${seed}`).toBeUndefined();
    }
  });

  test("a value that is encoded twice, in the same bytes", () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const value = randomValue(randomFrom(seed));
      const bytes = encodePayload(value, contextWith());
      expect(encodePayload(value, contextWith())).toEqual(bytes);
      expect(encodePayload(roundTrip(value), contextWith())).toEqual(bytes);
    }
  });
});

describe("errors", () => {
  test("keep name, message, stack, cause and what was added", () => {
    for (const Kind of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
      const error = Object.assign(new Kind("it broke", { cause: new Map([[1, 2]]) }), { code: "E_BROKEN", depth: 2 });
      const back = roundTrip(error);
      expect(difference(back, error)).toBeUndefined();
      expect(back).toBeInstanceOf(Kind);
      expect(Object.keys(back)).toEqual(["code", "depth"]);
      expect(back.stack).toBe(error.stack);
      expect(Object.prototype.toString.call(back)).toBe("[object Error]");
    }
  });

  test("without message, stack or cause get none", () => {
    const error = new Error();
    delete error.stack;
    const back = roundTrip(error);
    expect(difference(back, error)).toBeUndefined();
    expect("cause" in back).toBe(false);
    expect(Object.hasOwn(back, "message")).toBe(false);
  });

  test("keep a cause that is undefined", () => {
    expect(Object.hasOwn(roundTrip(new Error("x", { cause: undefined })), "cause")).toBe(true);
  });

  test("keep the errors of an AggregateError", () => {
    const error = new AggregateError([new TypeError("a"), "b"], "both");
    const back = roundTrip(error);
    expect(difference(back, error)).toBeUndefined();
    expect(back).toBeInstanceOf(AggregateError);
    expect(back.errors[0]).toBeInstanceOf(TypeError);
  });

  test("may lead back to themselves", () => {
    const error = new Error("outer") as Error & { context?: unknown };
    error.cause = error;
    error.context = { errors: [error, new Error("inner", { cause: error })] };
    expect(difference(roundTrip(error), error)).toBeUndefined();
    expect(difference(roundTrip({ error }), { error })).toBeUndefined();
  });

  test("of the package come back as instances of their class", () => {
    for (const error of [
      new CancelledError("RUN_CANCELLED", "Reason.", { cause: new Error("why") }),
      new TimeoutError("RUN_TIMEOUT"),
      new SnapshotError("SNAPSHOT_VALUE", "", { path: "a.b" }),
      new WorkflowError("STALE_ID"),
    ]) {
      const back = roundTrip(error);
      expect(difference(back, error)).toBeUndefined();
      expect(back.constructor).toBe(error.constructor);
      expect([back.code, back.message, back.name]).toEqual([error.code, error.message, error.name]);
    }
  });

  test("of a user's class keep their name, and come back as the nearest class that everybody has", () => {
    class ApiError extends TypeError {
      override readonly name = "ApiError";
      readonly status = 429;
    }
    class Named extends Error {
      override get name(): string {
        return "Named";
      }
    }
    class TimeoutError extends Error {}
    const back = roundTrip(new ApiError("slow down"));
    expect([back.name, back.message, back.status]).toEqual(["ApiError", "slow down", 429]);
    expect(Object.getPrototypeOf(back)).toBe(TypeError.prototype);
    expect(String(roundTrip(new Named("x")))).toBe("Named: x");
    expect(Object.getPrototypeOf(roundTrip(new Named("x")))).toBe(Error.prototype);
    expect(Object.getPrototypeOf(roundTrip(new TimeoutError("x")))).toBe(Error.prototype);
  });

  test("of the platform keep their name and code", () => {
    const { reason } = AbortSignal.abort() as { reason: DOMException };
    const back = roundTrip(reason);
    expect(back).toBeInstanceOf(DOMException);
    expect([back.name, back.message, back.code, back.stack]).toEqual(["AbortError", reason.message, 20, reason.stack]);
  });

  test("of another realm come back as this one's", () => {
    const back = roundTrip(runInNewContext(`new RangeError("far")`) as Error);
    expect(back).toBeInstanceOf(RangeError);
    expect(back.message).toBe("far");
  });
});

describe("events", () => {
  test("come back as instances of their class, with what they had, and without their constructor", () => {
    const event = new Rich({ list: [1n] }, new Date(3), { needed: true });
    const back = roundTrip(event);
    expect(back).toBeInstanceOf(Rich);
    expect(difference(back, event)).toBeUndefined();
  });

  test("may be anywhere", () => {
    const value = [new Plain(1), new Map([[new StartEvent("s"), new Set([new Plain(undefined)])]])];
    expect(difference(roundTrip(value), value)).toBeUndefined();
  });

  test("may refer to themselves and to each other", () => {
    const event = new Plain({ self: undefined as unknown });
    (event.data as { self: unknown }).self = event;
    const direct = new Plain(undefined);
    (direct as { data: unknown }).data = direct;
    const first = new Plain({ other: undefined as unknown });
    const second = new Rich({ other: first }, first, { needed: true });
    (first.data as { other: unknown }).other = second;
    const store: Record<string, unknown> = { inner: { list: [] } };
    store["event"] = new Plain({ store, via: new Map([["store", store]]) });
    for (const value of [event, direct, first, [second, first], store, [store["event"], store]]) {
      expect(difference(roundTrip(value), value)).toBeUndefined();
    }
  });

  test("whose class has an accessor of a property's name keep the property", () => {
    class Accessor extends Plain {}
    const event = Object.defineProperty(new Plain(1), "label", { value: "own", enumerable: true, writable: true });
    Object.defineProperty(Accessor.prototype, "label", {
      set: () => {
        throw new Error("The accessor was called.");
      },
    });
    const context = { types: {}, nameOf: () => "accessor", classOf: () => Accessor };
    const back = decode(encodePayload(event, context), context) as { label?: unknown };
    expect(back.label).toBe("own");
  });
});

describe("hooks", () => {
  const money = {
    Money: {
      encode: (value: unknown) => (value instanceof Money ? value.cents : undefined),
      decode: (cents: number) => new Money(cents),
    },
  };

  test("carry what a class keeps to itself, even where that is 0", () => {
    for (const cents of [0, -0, 5, NaN]) {
      const price = new Money(cents);
      const back = roundTrip({ price, again: [price], event: new Plain(price) }, money);
      expect(back.price).toBeInstanceOf(Money);
      expect(back.price.cents).toBe(cents);
      expect(back.again[0]).toBe(back.price);
      expect(back.event.data).toBe(back.price);
    }
  });

  test.each([[""], [null], [false], [0n], [[]]])("may return %o", (carried) => {
    const seen: unknown[] = [];
    const types = {
      Any: {
        encode: (value: unknown) => (value instanceof Money ? carried : undefined),
        decode: (x: unknown) => seen.push(x),
      },
    };
    roundTrip(new Money(1), types);
    expect(seen).toEqual([carried]);
  });

  test("are asked in their order, and about everything but events, plain containers and primitive values", () => {
    const asked: unknown[] = [];
    const encode = (value: unknown): undefined => void asked.push(value);
    const types = {
      spy: { encode, decode: () => undefined },
      ...money,
      late: { encode: () => expect.fail("An earlier hook has taken it."), decode: () => undefined },
    };
    const price = new Money(1);
    roundTrip([1, "s", null, 2n, { a: [] }, new Plain(3), price], types);
    expect(asked).toEqual([price]);
  });

  test("may carry built-in classes, errors and functions in another way", () => {
    const greet = (): string => "hello";
    const types = {
      function: { encode: (value: unknown) => (value === greet ? "greet" : undefined), decode: () => greet },
      error: {
        encode: (value: unknown) => (value instanceof Error ? value.message : undefined),
        decode: (x: string) => x,
      },
      date: { encode: (value: unknown) => (value instanceof Date ? +value : undefined), decode: (x: number) => x },
    };
    expect(roundTrip<unknown>([greet, new Error("m"), new Date(5)], types)).toEqual([greet, "m", 5]);
  });

  test("may have any name", () => {
    for (const name of ["#", "event", "Map", "Date", "toString", "", "null", "0"]) {
      expect(roundTrip(new Money(7), { [name]: money.Money }).cents, name).toBe(7);
    }
  });

  test("may return what other hooks, events and errors carry, and refer to what is around", () => {
    class Order {
      constructor(readonly parts: unknown[]) {}
    }
    const types = {
      ...money,
      Order: {
        encode: (value: unknown) => (value instanceof Order ? { parts: value.parts } : undefined),
        decode: ({ parts }: { parts: unknown[] }) => new Order(parts),
      },
    };
    const around: Record<string, unknown> = {};
    const event = new Plain(undefined);
    around["order"] = new Order([new Money(3), new Order([]), around, new TypeError("t"), event]);
    (event as { data: unknown }).data = around;
    const back = roundTrip(around, types) as { order: Order };
    const [price, inner, outer, error, sent] = back.order.parts as [Money, Order, unknown, Error, Plain];
    expect([price.cents, inner.parts, error.message]).toEqual([3, [], "t"]);
    expect(outer).toBe(back);
    expect(sent.data).toBe(back);
  });
});
