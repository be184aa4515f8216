// What the tests of the payload codec share: a context, random values, and a comparison that sees what the usual ones do
// not: which objects are the same one, holes, minus zero, prototypes.

import type { CodecContext } from "../../../pkg-template/src/snapshot/codec/context.js";
import { decodePayload, encodePayload } from "../../../pkg-template/src/snapshot/codec/codec.js";
import { type EventClass, StartEvent, WorkflowEvent } from "../../../pkg-template/src/model/events.js";

export class Plain extends WorkflowEvent<unknown> {}

/** An event with a constructor that wants more, and properties of its own. */
export class Rich extends WorkflowEvent<unknown> {
  note: unknown = "none";
  constructor(data: unknown, note: unknown, wanted: { readonly needed: true }) {
    super(data);
    if (!wanted.needed) throw new Error("The constructor was called.");
    this.note = note;
  }
}

export class Money {
  readonly #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  get cents(): number {
    return this.#cents;
  }
}

const classes: Readonly<Record<string, EventClass>> = { plain: Plain, rich: Rich, start: StartEvent };

/** What the codec learns of a workflow with three classes of events and these hooks. */
export function contextWith(types: CodecContext["types"] = {}): CodecContext {
  return {
    types,
    nameOf: (event) => Object.keys(classes).find((name) => classes[name] === event.constructor) as string,
    classOf: (name) => (Object.hasOwn(classes, name) ? classes[name] : undefined),
  };
}

/** There and back. */
export function roundTrip<T>(value: T, types: CodecContext["types"] = {}): T {
  return decodePayload(encodePayload(value, contextWith(types)), contextWith(types)) as T;
}

/** Numbers from 0 to 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const primitives: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  0,
  -0,
  NaN,
  Infinity,
  -Infinity,
  1.5,
  -(2 ** 53),
  5e-324,
  0n,
  -5n,
  12n ** 200n,
  -(7n ** 150n),
  "",
  "#",
  "event",
  "__proto__",
  "a\u0000b",
  "\ud83d\ude00",
  "\udc00 alone \ud800",
  "</script>\u2028",
];

const keys = ["a", "b", "data", "constructor", "toString", "length", "0", "", "first name", "\ud800", "#", "ünï"];

/** A value with all that the codec carries, in which objects occur again and refer to what is around them. */
export function randomValue(random: () => number, size = 40): unknown {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const upTo = (limit: number): number => Math.floor(random() * (limit + 1));
  const seen: object[] = [];
  let left = size;
  const remember = <T extends object>(made: T): T => {
    seen.push(made);
    return made;
  };
  const fill = (target: object): void => {
    for (let n = upTo(3); n > 0; n -= 1) (target as Record<string, unknown>)[pick(keys)] = value();
  };
  const makers: (() => unknown)[] = [
    () => {
      const object = remember(random() < 0.2 ? (Object.create(null) as object) : {});
      fill(object);
      return object;
    },
    () => {
      const array: unknown[] = remember([]);
      for (let n = upTo(4); n > 0; n -= 1) array.push(value());
      if (random() < 0.2) array[array.length + upTo(50)] = value();
      if (random() < 0.1) array.length += upTo(5);
      return array;
    },
    () => {
      const map = remember(new Map<unknown, unknown>());
      for (let n = upTo(3); n > 0; n -= 1) map.set(value(), value());
      return map;
    },
    () => {
      const set = remember(new Set<unknown>());
      for (let n = upTo(3); n > 0; n -= 1) set.add(value());
      return set;
    },
    () => {
      const event = remember(random() < 0.5 ? new Plain(undefined) : new Rich(undefined, 1, { needed: true }));
      (event as { data: unknown }).data = value();
      if (event instanceof Rich) event.note = value();
      return event;
    },
    () => {
      const Kind = pick([Error, TypeError, RangeError]);
      const error = remember(new Kind(pick(["", "failed"])));
      if (random() < 0.5) Object.assign(error, { code: value() });
      if (random() < 0.5) Object.defineProperty(error, "cause", { value: value(), writable: true, configurable: true });
      return error;
    },
    () => remember(new Date(pick([0, NaN, 8.64e15, -8.64e15, 1e12 + 1]))),
    () => remember(pick([/a/gi, /</u, new RegExp("/")])),
    () => remember(new URL("https://example.com/?q=1#x")),
    () => remember(Object(pick<unknown>([1, -0, "s", true, 3n, 9n ** 99n])) as object),
    () => {
      const buffer = remember(new ArrayBuffer(16));
      new Uint8Array(buffer).forEach((_, at, bytes) => (bytes[at] = upTo(255)));
      const Kind = pick([Uint8Array, Float32Array, BigInt64Array, Uint8ClampedArray]);
      return pick([
        () => buffer,
        () => remember(new Kind(buffer)),
        () => remember(new Kind(buffer, 8, 1)),
        () => [remember(new Kind(buffer, 8)), remember(new DataView(buffer, 3, 4))],
      ])();
    },
  ];
  const value = (): unknown => {
    left -= 1;
    if (left <= 0 || random() < 0.35) return pick(primitives);
    if (seen.length > 0 && random() < 0.2) return pick(seen);
    return pick(makers)();
  };
  return value();
}

function primitiveDiffers(a: unknown, b: unknown): boolean {
  return !Object.is(a, b);
}

/** Every property that counts; of errors those that are not enumerable, too. */
function propertiesOf(value: object): (string | symbol)[] {
  const isError = Object.prototype.toString.call(value) === "[object Error]";
  return isError ? Reflect.ownKeys(value) : Reflect.ownKeys(value).filter((key) => key !== "length");
}

/** Where two values differ, or undefined: every object of one must stand for the same object of the other. */
export function difference(a: unknown, b: unknown, path = "", pairs = new Map<object, object>()): string | undefined {
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) {
    return primitiveDiffers(a, b) ? `${path}: ${String(a)} is not ${String(b)}` : undefined;
  }
  const paired = pairs.get(a);
  if (paired !== undefined) return paired === b ? undefined : `${path}: not the same object as before`;
  if ([...pairs.values()].includes(b)) return `${path}: the same object as another`;
  pairs.set(a, b);
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: another class`;
  const tag = Object.prototype.toString.call(a);
  if (tag !== Object.prototype.toString.call(b)) return `${path}: ${tag} is not ${Object.prototype.toString.call(b)}`;
  const inside = (x: unknown, y: unknown, step: string): string | undefined =>
    difference(x, y, `${path}${step}`, pairs);
  if (ArrayBuffer.isView(a)) {
    const other = b as typeof a;
    if (a.byteOffset !== other.byteOffset || a.byteLength !== other.byteLength) return `${path}: another part`;
    return inside(a.buffer, other.buffer, ".buffer");
  }
  if (a instanceof ArrayBuffer) {
    return String(new Uint8Array(a)) === String(new Uint8Array(b as ArrayBuffer)) ? undefined : `${path}: other bytes`;
  }
  if (a instanceof Map || a instanceof Set) {
    const other = [...(b as Set<unknown>)];
    const own: unknown[] = [...a];
    if (own.length !== other.length) return `${path}: another size`;
    const isMap = a instanceof Map;
    return own
      .map((entry, at) =>
        isMap
          ? (inside((entry as unknown[])[0], (other[at] as unknown[])[0], `.keys()[${at}]`) ??
            inside((entry as unknown[])[1], (other[at] as unknown[])[1], `.values()[${at}]`))
          : inside(entry, other[at], `.values()[${at}]`),
      )
      .find((found) => found !== undefined);
  }
  if (a instanceof Date || a instanceof Number || a instanceof String || a instanceof Boolean || a instanceof BigInt) {
    if (primitiveDiffers(a.valueOf(), b.valueOf())) return `${path}: ${String(a)} is not ${String(b)}`;
    return undefined;
  }
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b) ? undefined : `${path}: another text`;
  if (Array.isArray(a) && a.length !== (b as unknown[]).length) return `${path}: another length`;
  const own = propertiesOf(a).map(String).sort();
  const others = propertiesOf(b).map(String).sort();
  if (own.join() !== others.join()) return `${path}: has ${own.join()}, not ${others.join()}`;
  for (const key of propertiesOf(a)) {
    const mine = Object.getOwnPropertyDescriptor(a, key)!;
    const theirs = Object.getOwnPropertyDescriptor(b, key)!;
    if (mine.enumerable !== theirs.enumerable) return `${path}.${String(key)}: enumerable in one`;
    const found = inside(Reflect.get(a, key), Reflect.get(b, key), `.${String(key)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
