// The writer of the codec: tells devalue the kind of each value, converts values that devalue does not know, and tracks
// the path to the current value, for messages and for the limit of the depth.

import type { StringifyOperations } from "devalue";
import { WorkflowEvent } from "../../model/events.js";
import { carryError, isError } from "./errors.js";
import { type Level, formatPath } from "./path.js";
import { MAX_DECIMAL, MAX_DEPTH, form, isQuickUrl, views } from "./form.js";
import type { CodecContext } from "./context.js";
import { describe } from "../../util/describe.js";

/** A value cannot be written. The message is the end of a sentence that begins with the value's path. */
export class Refusal extends Error {}

/** One call of `stringify`. */
export interface Walk {
  /** For devalue: the contents of a value of the codec's custom type; undefined when devalue knows what to do. */
  readonly reduce: (value: unknown) => unknown;
  readonly operations: Partial<StringifyOperations>;
  /** The contents of all buffers, in order. */
  readonly buffers: Uint8Array[];
  /** The path to the current value. */
  path(): string;
}

/** Classes of the language and the platform that devalue writes; those of Temporal have its name in front. */
const native = /^(?:Array|Date|RegExp|URLSearchParams|Number|String|Boolean|Temporal\.\w+)$/;

function refuseSymbols(value: object): void {
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (Object.getOwnPropertyDescriptor(value, symbol)?.enumerable === true) {
      throw new Refusal("has a property whose key is a symbol");
    }
  }
}

function refuse(value: unknown): never {
  if (typeof value === "symbol") throw new Refusal("is a symbol");
  if (typeof value === "function") throw new Refusal(`is ${describe(value)}`);
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || !Object.hasOwn(prototype, "constructor")) {
    throw new Refusal("is an object with a prototype of its own");
  }
  throw new Refusal(`is ${describe(value)}, which no hook in \`types\` takes`);
}

/** Whether a prototype is that of plain objects in another realm, such as a frame. */
function isForeignPlain(prototype: object, maker: unknown): boolean {
  return maker === "Object" && Object.getPrototypeOf(prototype) === null;
}

function viewContents(view: ArrayBufferView, kind: string, isDerived: boolean): unknown[] {
  const { byteOffset, byteLength } = view;
  if (isDerived) {
    // Node's Buffer. Many share a pool, whose other contents must not be in the snapshot.
    const copy = new Uint8Array(view.buffer, byteOffset, byteLength).slice();
    return [form.VIEW, "Uint8Array", copy.buffer, 0, byteLength];
  }
  return [form.VIEW, kind, view.buffer, byteOffset, (view as unknown as { length?: number }).length ?? byteLength];
}

/** A walk over one value. Closures over plain variables, for speed: all of it runs for every part of the value. */
export function createWalk(context: CodecContext): Walk {
  const hooks = Object.keys(context.types);
  const buffers: Uint8Array[] = [];

  // The open containers from the outside in, and for each the key of the next one. devalue reports when it enters a
  // container and when it reads from one, but not when it leaves one: the container that it reads from is the innermost
  // again.
  const containers: unknown[] = [];
  const keys: unknown[] = [];
  /** Whether a container was made by the codec, so that it is not part of the path. */
  const areContents: boolean[] = [];
  let depth = 0;

  // The values of hooks whose contents are open, and how deep these are.
  const hooked: unknown[] = [];
  const hookedAt: number[] = [];

  // What is known of the current value; devalue asks for it next.
  let tag = "";
  let isBare = false;
  let contents: unknown;
  let owner: unknown;

  const enter = (container: unknown): void => {
    if (depth >= MAX_DEPTH) throw new Refusal(`is nested too deeply: more than ${MAX_DEPTH} levels`);
    containers[depth] = container;
    areContents[depth] = false;
    keys[depth] = undefined;
    depth += 1;
  };

  /** Writes other contents for a value. devalue enters them with two calls, so they count twice. */
  const carry = (value: unknown, made: unknown[]): unknown[] => {
    owner = value;
    contents = made;
    return made;
  };

  const carryProperties = (value: object, made: unknown[], names: readonly string[]): unknown[] => {
    refuseSymbols(value);
    carry(value, made);
    enter(value);
    for (const name of names) {
      // Reading may call a getter that throws; then the path must lead to it.
      keys[depth - 1] = name;
      made.push(name, (value as Record<string, unknown>)[name]);
    }
    depth -= 1;
    return made;
  };

  const reduceByHook = (value: unknown): unknown[] | undefined => {
    for (const name of hooks) {
      const encoded = context.types[name]!.encode(value);
      if (encoded !== undefined) return carry(value, [form.HOOK, name, encoded]);
    }
    return undefined;
  };

  const reduceInstance = (value: object, prototype: object): unknown[] | undefined => {
    if (value instanceof WorkflowEvent) {
      return carryProperties(value, [form.EVENT, context.nameOf(value)], Object.keys(value));
    }
    const encoded = reduceByHook(value);
    if (encoded !== undefined) return encoded;
    if (isError(value)) {
      const { start, names } = carryError(value);
      return carryProperties(value, start, names);
    }
    tag = Object.prototype.toString.call(value).slice(8, -1);
    // Only the class itself, of any realm: a derived class would be restored as its base.
    const maker: unknown = Object.hasOwn(prototype, "constructor") ? prototype.constructor.name : undefined;
    if (ArrayBuffer.isView(value) && views.includes(tag) && (maker === tag || tag === "Uint8Array")) {
      return carry(value, viewContents(value, tag, maker !== tag));
    }
    if (maker === tag || tag === `Temporal.${String(maker)}`) {
      switch (tag) {
        case "Map":
          return carry(value, [form.MAP, ...[...(value as Map<unknown, unknown>)].flat()]);
        case "Set":
          return carry(value, [form.SET, ...(value as Set<unknown>)]);
        case "BigInt":
          return carry(value, [form.BOXED, value.valueOf()]);
        case "ArrayBuffer":
          buffers.push(new Uint8Array(value as ArrayBuffer));
          return carry(value, [form.BUFFER, (value as ArrayBuffer).byteLength]);
        case "URL":
          if (!isQuickUrl(String(value))) throw new Refusal("is a URL whose host is longer than 2,048 characters");
          return undefined;
        default:
          if (native.test(tag)) return undefined;
      }
    }
    if (!isForeignPlain(prototype, maker)) refuse(value);
    tag = "Object";
    return undefined;
  };

  const reduce = (value: unknown): unknown[] | undefined => {
    switch (typeof value) {
      case "object": {
        if (value === null) return undefined;
        const prototype = Object.getPrototypeOf(value) as object | null;
        isBare = prototype === null;
        tag = "Object";
        if (isBare || prototype === Object.prototype) return undefined;
        if (prototype !== Array.prototype || !Array.isArray(value)) return reduceInstance(value, prototype!);
        tag = "Array";
        return undefined;
      }
      case "bigint":
        return value > MAX_DECIMAL || value < -MAX_DECIMAL
          ? carry(value, [form.BIGINT, value.toString(16)])
          : undefined;
      case "function":
      case "symbol":
        return reduceByHook(value) ?? refuse(value);
      default:
        return undefined;
    }
  };

  const operations: Partial<StringifyOperations> = {
    // A thenable has a function, for which it is refused with its path.
    isThenable: () => false,
    tagOf: () => tag,
    lengthOf: (array: unknown[]) => {
      if (array !== contents) {
        enter(array);
        return array.length;
      }
      if (array[0] === form.HOOK) {
        hooked.push(owner);
        hookedAt.push(depth);
      }
      enter(owner);
      enter(array);
      areContents[depth - 1] = areContents[depth - 2] = true;
      return array.length;
    },
    shapeOf: (object: object) => {
      refuseSymbols(object);
      enter(object);
      return { kind: isBare ? "null-proto" : "plain", keys: Object.keys(object) };
    },
    get: (container: Record<string | number, unknown>, key: string | number) => {
      while (containers[depth - 1] !== container) depth -= 1;
      keys[depth - 1] = key;
      return container[key];
    },
  };
  if (hooks.length > 0) {
    operations.identify = (value: unknown) => {
      while (hooked.length > 0 && hookedAt.at(-1)! >= depth) {
        hooked.pop();
        hookedAt.pop();
      }
      // devalue would write a reference, and `decode` would need the value that it has to make.
      if (hooked.includes(value)) {
        throw new Refusal(`is ${describe(value)} around it, whose hook in \`types\` would need it to make itself`);
      }
      return value;
    };
  }

  return {
    reduce,
    operations,
    buffers,
    path: () =>
      formatPath(
        containers
          .slice(0, depth)
          .map((container, nth): Level => ({ container, key: keys[nth], isContents: areContents[nth]! })),
      ),
  };
}
