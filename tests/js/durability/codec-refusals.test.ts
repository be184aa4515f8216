// The payload codec: what cannot be carried is refused, with the way to it and what it is.

import { describe, expect, test } from "vitest";
import { SnapshotError } from "../../../pkg-template/src/errors/errors.js";
import type { CodecContext } from "../../../pkg-template/src/snapshot/codec/context.js";
import { encodePayload } from "../../../pkg-template/src/snapshot/codec/codec.js";
import "../kit/guard.js";
import { Money, Plain, Rich, contextWith } from "./codec-kit.js";

function refusalOf(value: unknown, types: CodecContext["types"] = {}): SnapshotError {
  try {
    encodePayload(value, contextWith(types));
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(SnapshotError);
    expect(thrown).toHaveProperty("code", "SNAPSHOT_VALUE");
    return thrown as SnapshotError;
  }
  return expect.fail("It was carried.");
}

const failure = new Error("read me not");
function fails(): never {
  throw failure;
}

describe("what is refused", () => {
  class Derived extends Map<string, string> {}
  class List extends Array<number> {}
  class Pretender {
    get [Symbol.toStringTag](): string {
      return "Date";
    }
  }
  const cases: [string, unknown, RegExp][] = [
    ["a function", function callback() {}, /is the function callback\./],
    ["a function without a name", () => undefined, /is (a function|the function value)\./],
    ["a class", Money, /is the function Money\./],
    ["a symbol", Symbol("secret"), /is a symbol\./],
    ["a promise", Promise.resolve(), /is an instance of Promise, which no hook in `types` takes\./],
    ["a stream", new ReadableStream(), /is an instance of ReadableStream/],
    ["a WeakMap", new WeakMap(), /is an instance of WeakMap/],
    ["a WeakRef", new WeakRef({}), /is an instance of WeakRef/],
    ["an AbortSignal", new AbortController().signal, /is an instance of AbortSignal/],
    ["a SharedArrayBuffer", new SharedArrayBuffer(8), /is an instance of SharedArrayBuffer/],
    ["an instance of a class", new Money(1), /is an instance of Money, which no hook in `types` takes\./],
    ["an instance of a class derived from a built-in one", new Derived(), /is an instance of Derived/],
    ["an instance of a class derived from Array", new List(), /is an instance of List/],
    ["an instance that claims to be a Date", new Pretender(), /is an instance of Pretender/],
    ["an object with a prototype of its own", Object.create({ inherited: 1 }), /with a prototype of its own\./],
    ["a generator", (function* () {})(), /is an? (instance|object)/],
    ["an object with a symbol for a key", { [Symbol("key")]: 1 }, /has a property whose key is a symbol\./],
    ["a key that would reach the prototype", JSON.parse(`{"__proto__": 1}`), /__proto__/],
    ["a thenable", { then: () => undefined }, /is the function then\./],
    ["a proxy that throws", new Proxy({}, { getPrototypeOf: fails }), /cannot be read: read me not\./],
    ["a revoked proxy", revoked(), /cannot be read: .*revoked/],
    ["a detached buffer", detached(), /cannot be read: .*detached/],
    ["a URL with a host that is too long", new URL(`https://${"h".repeat(3_000)}/`), /is a URL whose host is longer/],
    ["a view of shared memory", new Uint8Array(new SharedArrayBuffer(8)), /is an instance of SharedArrayBuffer/],
  ];

  function revoked(): object {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }
  function detached(): ArrayBuffer {
    const buffer = new ArrayBuffer(8);
    structuredClone(buffer, { transfer: [buffer] });
    return buffer;
  }

  test.each(cases)("%s", (_, value, message) => {
    const alone = refusalOf(value);
    expect(alone.message).toMatch(message);
    const suffix = alone.path === "" ? "" : alone.path!.replace(/^(?=\w)/, ".");
    expect(refusalOf({ a: [value] }).path).toBe(`a[0]${suffix}`);
  });

  test("the advice is to give the class a hook", () => {
    const { message } = refusalOf({ price: new Money(1) });
    expect(message).toMatch(/^price is an instance of Money, .*hook for the class in `types`\.$/);
  });
});

describe("the path", () => {
  const bad = (): void => undefined;
  const paths: [string, unknown][] = [
    ["", bad],
    ["[2].data", [1, 2, new Plain(bad)]],
    ["store.user.callback", { fine: { a: [1] }, store: { list: [{}], user: { name: "n", callback: bad } } }],
    [`store.user["first name"].cb`, { store: { user: { "first name": { cb: bad } } } }],
    [`[""]["0"]["a\\"b"].ünï.$_`, { "": { 0: { 'a"b': { ünï: { $_: bad } } } } }],
    ["[0].data[1].note", [new Plain([1, new Rich(2, bad, { needed: true })])]],
    [`a.get("key").b`, { a: new Map([["other", {}], ["key", { b: bad }]]) }], // prettier-ignore
    ["get(…)[0]", new Map([[{ a: {} }, [bad]]])],
    ["keys()[1].a", new Map<unknown, unknown>([[1, [{}]], [{ a: bad }, 2]])], // prettier-ignore
    ["a.values()[1][0]", { a: new Set([[{}], [bad]]) }],
    ["after", { before: new Set([[[{}]], new Map([[[{}], {}]])]), after: bad }],
    [
      "failure.cause.response",
      { failure: new Error("x", { cause: Object.assign(new Error("y"), { response: bad }) }) },
    ],
    ["errors[1].code", new AggregateError([1, Object.assign(new Error("x"), { code: bad })])],
    ["[10000]", Object.assign([], { 10000: bad })],
    ["view.buffer", { view: new Uint8Array(new SharedArrayBuffer(1)) }],
  ];
  test.each(paths)("%s", (path, value) => {
    expect(refusalOf(value).path).toBe(path);
    expect(refusalOf(value).message.startsWith(path === "" ? "The value is" : `${path} is`)).toBe(true);
  });

  test("leads to a getter that throws", () => {
    const event = Object.defineProperty(new Plain({}), "later", { get: fails, enumerable: true });
    const error = Object.defineProperty(new Error("x"), "request", { get: fails, enumerable: true });
    const item = Object.defineProperty([1, 2], 1, { get: fails });
    const values: [string, unknown][] = [
      ["a.b", { a: { get b() { return fails(); } } }], // prettier-ignore
      ["[1]", item],
      ["a.later", { a: event }],
      ["a.request", { a: error }],
    ];
    for (const [path, value] of values) {
      const refused = refusalOf(value);
      expect(refused.path).toBe(path);
      expect(refused.message).toContain(`${path} cannot be read: read me not.`);
      expect(refused.cause).toBe(failure);
    }
  });

  test("leads to what a hook failed on, and through what it returned", () => {
    const throws = { Money: { encode: fails, decode: () => undefined } };
    const refused = refusalOf({ price: new Money(1) }, throws);
    expect([refused.path, refused.cause]).toEqual(["price", failure]);
    const returns = {
      Money: { encode: (value: unknown) => (value instanceof Money ? { bank: [bad] } : undefined), decode: () => 0 },
    };
    expect(refusalOf({ price: new Money(1) }, returns).path).toBe("price.bank[0]");
  });

  test("leads to an event whose class has no name", () => {
    const refused = (() => {
      try {
        return encodePayload({ a: new Plain(1) }, { ...contextWith(), nameOf: fails });
      } catch (thrown) {
        return thrown as SnapshotError;
      }
    })() as SnapshotError;
    expect([refused.path, refused.code, refused.cause]).toEqual(["a", "SNAPSHOT_VALUE", failure]);
  });

  test("is the same where what was thrown cannot be read", () => {
    const hostile = new Proxy(new Error("x"), { get: fails, getPrototypeOf: fails });
    const value = { get a() { throw hostile as Error; } }; // prettier-ignore
    expect(refusalOf(value).path).toBe("a");
  });
});

describe("values of hooks that refer to themselves", () => {
  class Node {
    parent: unknown;
  }
  const types = {
    Node: {
      encode: (value: unknown) => (value instanceof Node ? { parent: value.parent } : undefined),
      decode: () => new Node(),
    },
  };

  test("are refused when they are written, not when they are read", () => {
    const self = new Node();
    self.parent = self;
    const child = new Node();
    child.parent = new Map([[1, new Plain({ up: child })]]);
    expect(refusalOf({ self }, types).path).toBe("self.parent");
    expect(refusalOf({ child }, types).message).toMatch(
      /^child\.parent\.get\(1\)\.data\.up is an instance of Node around it/,
    );
    expect(refusalOf(self, { ...types, Node: { ...types.Node, encode: (value) => value } }).path).toBe("");
  });

  test("are carried where they only occur again", () => {
    const shared = new Node();
    shared.parent = { a: 1 };
    const values = [[shared, shared], new Map([[shared, shared]]), new Map([[shared, new Set([shared])]])];
    for (const value of values) expect(() => encodePayload({ value, again: shared }, contextWith(types))).not.toThrow();
  });

  test("that never come to an end are refused", () => {
    const endless = {
      Node: { ...types.Node, encode: (value: unknown) => (value instanceof Node ? new Node() : undefined) },
    };
    expect(refusalOf(new Node(), endless).message).toMatch(/nested too deeply/);
  });
});

describe("depth", () => {
  const nested = (levels: number): unknown => {
    let value: unknown = 1;
    for (let level = 0; level < levels; level += 1) value = { next: value };
    return value;
  };

  test("of 1,000 levels is carried", () => {
    expect(() => encodePayload(nested(1_000), contextWith())).not.toThrow();
  });

  test("beyond that is refused, with a path of readable length", () => {
    for (const levels of [1_001, 100_000]) {
      const { message, path } = refusalOf({ deep: nested(levels) });
      expect(message).toMatch(/is nested too deeply: more than 1000 levels\./);
      expect(path).toMatch(/^deep\.next\.next.*…/);
      expect(path!.length).toBeLessThan(310);
    }
  });

  test("counts containers in each other, not one after another", () => {
    const wide = Array.from({ length: 5_000 }, (_, at) => new Map([[{ at }, new Set([[new Plain({})]])]]));
    expect(() => encodePayload(wide, contextWith())).not.toThrow();
  });

  test("of the stack is reported as such, where there is room to report it", () => {
    const value = nested(900);
    const failures: unknown[] = [];
    // Down to the end of the stack, and back up until there is room enough.
    const descend = (level: number): boolean => {
      try {
        if (!descend(level + 1)) return false;
      } catch {
        // The end.
      }
      if (level % 50 !== 0) return true;
      try {
        encodePayload(value, contextWith());
        return false;
      } catch (thrown) {
        failures.push(thrown);
        return true;
      }
    };
    expect(descend(0)).toBe(false);
    const overflows = failures.filter((failure) => failure instanceof SnapshotError);
    expect(overflows.length).toBeGreaterThan(0);
    expect(overflows.at(-1)!.message).toMatch(/next cannot be read: .*stack/);
    expect(overflows.at(-1)!.cause).toBeInstanceOf(RangeError);
  });
});
