// The reader of the codec: makes the values of the codec's custom type, and protects devalue from bytes that are not
// trusted.

import type { ParseOperations } from "devalue";
import { RecoverError } from "../../errors/errors.js";
import { makeError } from "./errors.js";
import { MAX_DECIMAL, custom, form, isQuickUrl, pairsFrom, views } from "./form.js";
import type { CodecContext } from "./context.js";
import { describe } from "../../util/describe.js";

/** A value, and how much of its contents it has. */
interface Made {
  readonly value: unknown;
  filled: number;
}

function invalid(what: string): never {
  throw new RecoverError("SNAPSHOT_INVALID", `A value cannot be restored: ${what}.`);
}

/** One call of `unflatten`. */
export class Revival {
  readonly revivers: Record<string, (contents: unknown) => unknown> = {
    // The codec does not use devalue's own format of binary data, which depends on the runtime.
    ...Object.fromEntries(
      ["ArrayBuffer", ...views].map((tag) => [tag, () => invalid(`${tag} stands in the wrong place`)]),
    ),
    [custom]: (contents: unknown) => this.#revive(contents),
    // Parsing decimal digits takes more than linear time in some runtimes, so the codec writes few of them.
    BigInt: (digits: unknown) => {
      if (typeof digits !== "string" || digits.length > String(MAX_DECIMAL).length + 1) invalid("a bigint is too long");
      return BigInt(digits);
    },
  };
  readonly operations: Partial<ParseOperations> = {
    fromISOString: (text: unknown) => {
      if (typeof text !== "string") invalid("a date is not a text");
      return new Date(text);
    },
    fromStringValue: (tag: string, text: unknown) => {
      if (typeof text !== "string") invalid(`${tag} is not a text`);
      if (tag === "URL") return isQuickUrl(text) ? new URL(text) : invalid("a URL is not written as URLs are");
      if (tag === "URLSearchParams") return new URLSearchParams(text);
      const { Temporal } = globalThis as unknown as { Temporal?: Record<string, { from(text: string): unknown }> };
      return Temporal?.[tag.slice(9)]?.from(text) ?? invalid(`this runtime has no ${tag}`);
    },
  };
  readonly #context: CodecContext;
  /** The contents of all buffers, one after another. */
  readonly #binary: Uint8Array;
  #used = 0;
  readonly #made = new Map<readonly unknown[], Made>();

  constructor(context: CodecContext, binary: Uint8Array) {
    this.#context = context;
    this.#binary = binary;
  }

  /** Checks that all binary data was used: a buffer too many means that the text is a different one. */
  finish(): void {
    if (this.#used !== this.#binary.length) invalid("there is binary data that belongs to no buffer");
  }

  /**
   * devalue revives a value when its contents are complete, and before that for each reference to it within its
   * contents, with the contents so far. The value is made the first time, and filled each time.
   */
  #revive(contents: unknown): unknown {
    if (!Array.isArray(contents)) invalid("its contents are not a list");
    const list = contents as readonly unknown[];
    let made = this.#made.get(list);
    if (made === undefined) {
      made = { value: this.#make(list), filled: pairsFrom[list[0] as string] ?? 1 };
      this.#made.set(list, made);
    }
    this.#fill(made, list);
    return made.value;
  }

  #make(contents: readonly unknown[]): unknown {
    switch (contents[0]) {
      case form.EVENT:
        return this.#makeEvent(contents[1]);
      case form.ERROR:
      case form.EXCEPTION:
        return makeError(contents);
      case form.HOOK:
        return this.#decode(contents);
      case form.MAP:
        return new Map();
      case form.SET:
        return new Set();
      case form.BUFFER:
        return this.#takeBuffer(contents[1]);
      case form.VIEW:
        return this.#makeView(contents);
      case form.BIGINT:
        return this.#makeBigint(contents[1]);
      case form.BOXED:
        return Object(contents[1]);
      default:
        return invalid("its kind is not known");
    }
  }

  #fill(made: Made, contents: readonly unknown[]): void {
    // Contents that do not exist yet are holes of the array.
    const has = (at: number): boolean => Object.hasOwn(contents, at);
    const { value } = made;
    switch (contents[0]) {
      case form.SET:
        for (; has(made.filled); made.filled += 1) (value as Set<unknown>).add(contents[made.filled]);
        return;
      case form.MAP:
        for (; has(made.filled) && has(made.filled + 1); made.filled += 2) {
          (value as Map<unknown, unknown>).set(contents[made.filled], contents[made.filled + 1]);
        }
        return;
      case form.EVENT:
        this.#define(made, contents, 0);
        return;
      case form.ERROR:
      case form.EXCEPTION:
        this.#define(made, contents, Number(contents[pairsFrom[contents[0]]! - 1]));
    }
  }

  /** Sets the properties of an event or an error. The first ones are not enumerable. */
  #define(made: Made, contents: readonly unknown[], hidden: number): void {
    const visibleFrom = pairsFrom[contents[0] as string]! + 2 * hidden;
    for (; Object.hasOwn(contents, made.filled) && Object.hasOwn(contents, made.filled + 1); made.filled += 2) {
      // Defined, not assigned: the class may have an accessor of that name.
      Object.defineProperty(made.value, String(contents[made.filled]), {
        value: contents[made.filled + 1],
        enumerable: made.filled >= visibleFrom,
        writable: true,
        configurable: true,
      });
    }
  }

  #makeEvent(name: unknown): object {
    if (typeof name !== "string") invalid("an event's type has no name");
    const eventClass = this.#context.classOf(name);
    if (eventClass === undefined) {
      throw new RecoverError("EVENT_MISSING", `The type name is ${describe(name)}.`);
    }
    // Without the constructor: it may need other arguments, and has run already.
    return Object.create(eventClass.prototype as object) as object;
  }

  #decode(contents: readonly unknown[]): unknown {
    const name = String(contents[1]);
    if (!Object.hasOwn(this.#context.types, name)) {
      invalid(`\`types\` has no hook named ${describe(name)}`);
    }
    // A value whose contents are incomplete cannot be decoded.
    if (!Object.hasOwn(contents, 2)) invalid(`what the hook ${describe(name)} carries refers to itself`);
    try {
      return this.#context.types[name]!.decode(contents[2] as never);
    } catch (thrown) {
      throw new RecoverError("SNAPSHOT_INVALID", `The hook ${describe(name)} cannot decode what it carries.`, {
        cause: thrown,
      });
    }
  }

  /**
   * The next bytes after the text. Each byte is used once, so that no text can get more memory than there are bytes.
   */
  #takeBuffer(length: unknown): ArrayBuffer {
    const end = this.#used + Number(length);
    if (!Number.isSafeInteger(length) || !(end >= this.#used) || end > this.#binary.length) {
      invalid("a buffer is longer than the bytes behind the text");
    }
    const bytes = this.#binary.slice(this.#used, end);
    this.#used = end;
    return bytes.buffer as ArrayBuffer;
  }

  #makeView([, kind, buffer, offset, length]: readonly unknown[]): unknown {
    if (!views.includes(kind as string) || !(buffer instanceof ArrayBuffer)) invalid("a view is not one of a buffer");
    const View = (globalThis as unknown as Record<string, unknown>)[kind as string];
    // Not every runtime has Float16Array.
    if (typeof View !== "function") invalid(`this runtime has no ${String(kind)}`);
    return Reflect.construct(View, [buffer, offset, length]);
  }

  #makeBigint(digits: unknown): bigint {
    if (typeof digits !== "string" || !/^-?[0-9a-f]+$/.test(digits)) invalid("a bigint has no digits");
    return digits.startsWith("-") ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
  }
}
