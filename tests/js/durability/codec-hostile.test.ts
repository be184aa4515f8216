// The payload codec against bytes that it did not write: a RecoverError or some value, soon, in little memory, and nothing
// outside the value changed.

import { describe, expect, test } from "vitest";
import { RecoverError } from "../../../pkg-template/src/errors/errors.js";
import type { CodecContext } from "../../../pkg-template/src/snapshot/codec/context.js";
import { decodePayload, encodePayload } from "../../../pkg-template/src/snapshot/codec/codec.js";
import "../kit/guard.js";
import { expectCheap } from "../kit/processor.js";
import { Money, Plain, contextWith, randomFrom, randomValue } from "./codec-kit.js";

const types: CodecContext["types"] = {
  Money: {
    encode: (value) => (value instanceof Money ? value.cents : undefined),
    decode: (cents: number) => new Money(cents),
  },
};

/** What comes of bytes: a value, or the code of the error. Anything else that happens fails the test. */
function outcome(bytes: Uint8Array | string, withTypes = types): { value: unknown } | string {
  try {
    const given = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    return { value: decodePayload(given, contextWith(withTypes)) };
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(RecoverError);
    return (thrown as RecoverError).code;
  }
}

const shape = (value: object): string[] => Reflect.ownKeys(value).map(String);
const builtIns = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  Map.prototype,
  Plain.prototype,
  Error.prototype,
];
const before = builtIns.map(shape);
const expectUnpolluted = (): void => expect(builtIns.map(shape)).toEqual(before);

/** Something of everything, about 2 kB. */
function document(): Uint8Array {
  const event = new Plain({ list: [1, "two", 3n, undefined], at: new Date(1), self: null as unknown });
  (event.data as { self: unknown }).self = event;
  return encodePayload(
    {
      event,
      map: new Map<unknown, unknown>([["a", new Set([NaN, -0])], [event, /x/g]]),
      error: Object.assign(new TypeError("t", { cause: new AggregateError([new Error("in")], "agg") }), { code: 1 }),
      bytes: [new Uint8Array([1, 2, 3]), new DataView(new ArrayBuffer(4), 1, 2)],
      rest: [Object(1n), 99n ** 99n, new URL("https://a.example"), Object.create(null), new Money(4), Object.assign([], { 999: 1 })],
    },
    contextWith(types),
  ); // prettier-ignore
}

describe("altered bytes", () => {
  test("each byte left out, and each byte replaced by others", () => {
    const good = document();
    for (let at = 0; at < good.length; at += 1) {
      const without = Uint8Array.from([...good.subarray(0, at), ...good.subarray(at + 1)]);
      outcome(without);
      for (const byte of [0x22, 0x2c, 0x30, good[at]! ^ 1]) {
        const changed = good.slice();
        changed[at] = byte;
        outcome(changed);
      }
    }
    expectUnpolluted();
  });

  test("every beginning", () => {
    const good = document();
    for (let length = 0; length < good.length; length += 1) {
      expect(typeof outcome(good.subarray(0, length))).toBe("string");
    }
  });

  test("2,000 random mutations of random values", () => {
    for (let seed = 0; seed < 2_000; seed += 1) {
      const random = randomFrom(seed);
      const bytes = encodePayload(randomValue(random), contextWith()).slice();
      for (let changes = 1 + Math.floor(random() * 4); changes > 0; changes -= 1) {
        bytes[Math.floor(random() * bytes.length)] = random() < 0.5 ? 0x30 + random() * 10 : random() * 256;
      }
      outcome(bytes);
    }
    expectUnpolluted();
  });

  test("random numbers in place of the document's own", () => {
    // Where each reference leads is what holds the document together.
    const text = new TextDecoder().decode(encodePayload(randomLarge(), contextWith()));
    for (let seed = 0; seed < 500; seed += 1) {
      const random = randomFrom(seed);
      outcome(
        text.replace(/(?<=[[,:])\d+(?=[\],}])/g, (digits) =>
          random() < 0.1 ? String(Math.floor(random() * 60) - 8) : digits,
        ),
      );
    }
    expectUnpolluted();
  });

  function randomLarge(): unknown {
    return Array.from({ length: 10 }, (_, seed) => randomValue(randomFrom(seed), 100)).filter((value) => {
      return new TextDecoder().decode(encodePayload(value, contextWith())).indexOf("\0") === -1;
    });
  }
});

describe("documents that were made to harm", () => {
  const deep = (levels: number): string =>
    `[${Array.from({ length: levels }, (_, at) => (at === levels - 1 ? "{}" : `[${at + 1}]`)).join()}]`;
  const events = (levels: number): string =>
    `[["#",3],"event","plain",${Array.from({ length: levels }, (_, at) => `[1,2,2,${2 * at + 4}],["#",${2 * at + 5}]`).join()},[]]`;
  const harmful: [string, string][] = [
    ["nothing", ""],
    ["an empty list", "[]"],
    ["no list", "{}"],
    ["null", "null"],
    ["a text", `"text"`],
    ["a hole", "-2"],
    ["a reference to nothing", "7"],
    ["a reference out of range", "[[9]]"],
    ["a reference that is no number", `[["a",{"b":[]}]]`],
    ["a fraction as a reference", "[[0.5]]"],
    ["a huge reference", "[[1e308]]"],
    ["an unknown type", `[["Unknown",1],1]`],
    ["a key that reaches the prototype", `[{"__proto__":1},{"polluted":2},true]`],
    ["the same for an object without prototype", `[["null","__proto__",1],{"polluted":2},true]`],
    ["a sparse array of the greatest length", "[[-7,4294967295,4294967294,1],1]"],
    ["a sparse array of impossible length", "[[-7,4294967296]]"],
    ["a sparse array of negative length", "[[-7,-1]]"],
    ["an index beyond the sparse array", "[[-7,1,5,1],1]"],
    ["a typed array that names its length", `[["Uint8Array",1],4000000000]`],
    ["a typed array of a list", `[["Float64Array",1],[2,2,2],1]`],
    ["a typed array beyond its buffer", `[["Uint8Array",1,0,4000000000],["ArrayBuffer","AAAA"]]`],
    ["base64 that is none", `[["ArrayBuffer","*"]]`],
    ["base64 that is an object", `[["ArrayBuffer",{"length":4000000000}]]`],
    ["a regular expression that is none", `[["RegExp","("]]`],
    ["a regular expression that is an object", `[["RegExp",{"source":"x"},{"a":1}]]`],
    ["a deep regular expression", `[["RegExp","${"(".repeat(1e5)}${")".repeat(1e5)}"]]`],
    ["a date that is a list", `[["Date",[${"1,".repeat(1e5)}1]]]`],
    ["an address whose host takes long", `[["URL","https://xn--${"a".repeat(1e6)}-${"9a".repeat(5e5)}.example"]]`],
    ["the same behind more slashes", `[["URL","https:////xn--${"a".repeat(1e6)}-${"9a".repeat(5e5)}.example"]]`],
    ["the same without any", `[["URL","https:xn--${"a".repeat(1e6)}-${"9a".repeat(5e5)}.example"]]`],
    ["the same behind a space", `[["URL"," https://xn--${"a".repeat(1e6)}-${"9a".repeat(5e5)}.example"]]`],
    ["an address that is none", `[["URL","no address"]]`],
    ["a type of Temporal's that does not exist", `[["Temporal.Instant","never"]]`],
    ["a bigint of a million digits", `[["BigInt","${"9".repeat(1e6)}"]]`],
    ["a bigint that is none", `[["BigInt","12x"]]`],
    ["a bigint that is an object", `[["BigInt",{"a":1}]]`],
    ["a box around itself", `[["Object",0]]`],
    ["100,000 levels", deep(100_000)],
    ["100,000 levels of JSON", "[".repeat(100_000) + "]".repeat(100_000)],
    ["30,000 levels of events", events(30_000)],
    ["contents that are no list", `[["#",1],{"event":1}]`],
    ["contents that are their own", `[["#",0]]`],
    ["contents that are missing", `[["#"]]`],
    ["contents of an unknown kind", `[["#",1],[2],"toString"]`],
    ["an event without a name", `[["#",1],[2],"event"]`],
    ["an event whose name is an object", `[["#",1],[2,3],"event",{}]`],
    ["a hook that is not there", `[["#",1],[2,3,4],"hook","toString",1]`],
    ["a hook whose contents are itself", `[["#",1],[2,3,0],"hook","Money"]`],
    ["a hook without contents", `[["#",1],[2,3],"hook","Money"]`],
    ["a view of no buffer", `[["#",1],[2,3,4],"view","Uint8Array",4000000000]`],
    ["a view of what is no view", `[["#",1],[2,3,4],"view","Function",["ArrayBuffer","AAAA"]]`],
    ["a buffer that is not there", `[["#",1],[2,3],"buffer",4000000000]`],
    ["a buffer of negative length", `[["#",1],[2,3],"buffer",-5]\0abc`],
    ["binary data that nothing refers to", "[1]\0abc"],
    ["digits that are none", `[["#",1],[2,3],"bigint","0x12n"]`],
  ];

  test.each(harmful)("%s", (_, text) => {
    let result: unknown;
    // Each takes some milliseconds. What fills the billions of places that some of them speak of takes a minute.
    expectCheap(() => void (result = outcome(text)), 2_000);
    const isHarmless = /sparse array of the greatest|no regular|a fraction|a regular expression that is an object/.test(
      _,
    );
    if (!isHarmless) expect(result, JSON.stringify(result)?.slice(0, 200)).toBeTypeOf("string");
    expectUnpolluted();
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("a property called __proto__ of an event or an error is a property", () => {
    const text = `[["#",1],[2,3,4,5],"event","plain","__proto__",{"polluted":6},true]`;
    const { value } = outcome(text) as { value: { polluted?: unknown } };
    expect(value).toBeInstanceOf(Plain);
    expect(value.polluted).toBeUndefined();
    expectUnpolluted();
  });

  test("one list as the contents of many does not take the square of their number", () => {
    const count = 60_000;
    const many = Array.from({ length: count }, () => `["#",${count + 1}]`).join();
    const items = Array.from({ length: count }, (_, at) => `${count + 3 + (at % 2)}`).join();
    const list = `[${Array.from({ length: count }, (_, at) => at + 1).join()}]`;
    // Each takes a tenth of a second; 3.6 billion items would take a minute.
    expectCheap(() => void outcome(`[${list},${many},[${count + 2},${items}],"set","a","b"]`), 2_000);
    expectCheap(() => void outcome(`[${list},${many},[${count + 2},${items}],"map","a","b"]`), 2_000);
  });

  test("buffers cannot be had twice", () => {
    const list = `[[1,2],["#",3],["#",4],[5,6],[5,6],"buffer",3]`;
    expect(outcome(`${list}\0abcabc`)).toHaveProperty("value");
    expect(outcome(`${list}\0abc`)).toBe("SNAPSHOT_INVALID");
  });

  test("text that is not UTF-8", () => {
    expect(outcome(Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d))).toBe("SNAPSHOT_INVALID");
    expect(outcome(Uint8Array.of(0xef, 0xbb, 0xbf, 0x2d, 0x31))).toBe("SNAPSHOT_INVALID");
  });
});

describe("what belongs to the workflow", () => {
  test("a class of events that it does not know has a code of its own, and its name in the message", () => {
    const bytes = encodePayload([new Plain(1)], contextWith());
    const stranger = { ...contextWith(), classOf: () => undefined };
    expect(() => decodePayload(bytes, stranger)).toThrow(RecoverError);
    expect(() => decodePayload(bytes, stranger)).toThrow(/^The type name is "plain"\./);
    expect(() => decodePayload(bytes, stranger)).toThrow(expect.objectContaining({ code: "EVENT_MISSING" }));
  });

  test("a hook that it does not have is named", () => {
    const bytes = encodePayload([new Money(1)], contextWith(types));
    expect(outcome(bytes, {})).toBe("SNAPSHOT_INVALID");
    expect(() => decodePayload(bytes, contextWith())).toThrow(/no hook named "Money"/);
  });

  test("what a hook throws is the cause", () => {
    const failure = new Error("no such currency");
    const decode = (): never => {
      throw failure;
    };
    const bytes = encodePayload([new Money(1)], contextWith(types));
    const failing = contextWith({ Money: { encode: () => undefined, decode } });
    expect(() => decodePayload(bytes, failing)).toThrow(
      expect.objectContaining({ code: "SNAPSHOT_INVALID", cause: failure }),
    );
  });
});
