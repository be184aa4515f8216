// The form in which the codec writes what devalue does not know. All of it stands inside one custom type of devalue's,
// so that no name that a user gives to a hook or an event can be taken for one of devalue's own.

/** The custom type. Its contents are an array that begins with one of {@link form}. */
export const custom = "#";

/** What the rest of the array is. */
export const form = {
  /** type name; key, value, … */
  EVENT: "event",
  /** kind; how many of the pairs are not enumerable; key, value, … */
  ERROR: "error",
  /** message; name; how many of the pairs are not enumerable; key, value, … */
  EXCEPTION: "exception",
  /** name of the hook; what it returned */
  HOOK: "hook",
  /** key, value, … */
  MAP: "map",
  /** value, … */
  SET: "set",
  /** length of the buffer, whose bytes are behind the text */
  BUFFER: "buffer",
  /** class; buffer; offset in bytes; length in elements */
  VIEW: "view",
  /** hexadecimal digits, after "-" where it is negative */
  BIGINT: "bigint",
  /** a bigint, as an object */
  BOXED: "boxed",
} as const;

/** Where the pairs of keys and values begin. */
export const pairsFrom: Readonly<Record<string, number>> = {
  [form.EVENT]: 2,
  [form.ERROR]: 3,
  [form.EXCEPTION]: 4,
  [form.MAP]: 1,
};

/** The classes of views of a buffer. */
export const views: readonly string[] = [
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Float16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "DataView",
];

/**
 * How deep values may be nested, in calls of devalue's: one for a plain object or array, two for what the codec adds.
 * What could be written must be readable later, in another runtime and from within other calls, so this is well under
 * what the smallest usual stack allows.
 */
export const MAX_DEPTH = 1_000;

/**
 * Bigints with more decimal digits than this has are written in hexadecimal, which every runtime reads in linear time.
 */
export const MAX_DECIMAL = 10n ** 80n;

/**
 * Whether a URL, as the platform writes one, is read in linear time. Runtimes take the square of the length for the
 * names of hosts that are not ASCII and for those encoded as `xn--…`, so what may be one has to be short. Only these
 * schemes have such names, and only right behind two slashes.
 */
export function isQuickUrl(text: string): boolean {
  if (!/^(?:https?|wss?|ftp|file):/.test(text)) return /^[a-z][a-z\d+.-]*:/.test(text);
  return /^(?:file:\/\/|[a-z]+:\/\/(?![/?#]))[!"$-.0->@-[\]-~]{0,2048}(?:[/?#]|$)/.test(text);
}
