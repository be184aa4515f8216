// What every store must hold to. The laws depend on no test library, because a page in a browser checks them as well as Node does.

import { RecoverError, SnapshotError, ValidationError, WorkflowError } from "stepstream";
import type { SnapshotStore } from "stepstream/stores";

/** Somewhere that is empty at first; every store that is opened there sees the same. */
export interface Place {
  open(): SnapshotStore;
  /** Whether two stores at the place know of each other only through it. */
  readonly isShared: boolean;
  /** Whether a claim in one store at the place keeps the others away. Default: as `isShared`. */
  readonly sharesClaims?: boolean;
}

/** Bytes that a store takes for a snapshot: a header, and `size` bytes that are all `fill`. */
export function snapshotOf(
  sequence: number | bigint,
  {
    kind = "S",
    fill = 0,
    size = 40,
    version = 1,
  }: { kind?: string; fill?: number; size?: number; version?: number } = {},
): Uint8Array {
  const bytes = new Uint8Array(24 + size).fill(fill, 24);
  bytes.set([0x53, 0x54, 0x45, 0x50, kind.charCodeAt(0), version, kind === "X" ? 2 : 0, 0]);
  new DataView(bytes.buffer).setBigUint64(16, BigInt(sequence), true);
  return bytes;
}

/** Ids that some file system, database or URL would take for something else. */
export const oddIds: readonly string[] = [
  ...[
    "../x",
    "..",
    ".",
    "/etc/passwd",
    "a/b",
    "a//b",
    "a\\b",
    "C:\\x",
    "~",
    "a:b",
    "a::b",
    ":",
    "a?b",
    "a#b",
    "a%2fb",
    "%",
    "*",
  ],
  ...[
    "con",
    "CON",
    "nul.txt",
    "com1",
    "a",
    "A",
    "x.",
    "x ",
    " ",
    "-",
    "$",
    "a$",
    "'\"`",
    "a\0b",
    "a\nb",
    "__proto__",
    "constructor",
  ],
  ...[
    "_",
    "__",
    "_0041",
    "_005f0041",
    "run-",
    "run-a",
    "more-",
    "more-a",
    "run-a.snapshot",
    "stepstream",
    "stepstream:run-a",
  ],
  ...["ü", "u\u0308", "日本語", "😀", "\ud83d", "\ude00", "\ufffd", "\u202e", "é".repeat(50)],
  ...[99, 100, 101, 200, 201, 255, 256, 700].map((length) => "a".repeat(length)),
  `${"a".repeat(100)}con`,
  `${"b".repeat(99)}_${"b".repeat(99)}`,
];

/** Each law is given a fresh place. */
export const laws: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  "there is nothing at first": async (place) => {
    const store = place.open();
    equal(await store.load("a"), undefined);
    equal(await store.delete("a"), false);
    equal(await store.list(), []);
    equal(await store.list("a"), []);
  },

  "what was saved is loaded": async (place) => {
    const store = place.open();
    equal(await store.save("a", snapshotOf(1, { fill: 7 })), undefined);
    equal(await store.load("a"), snapshotOf(1, { fill: 7 }));
    equal(await store.load("b"), undefined);
  },

  "bytes are given as a plain Uint8Array over memory of its own": async (place) => {
    const store = place.open();
    await store.save("a", snapshotOf(1));
    const loaded = (await store.load("a"))!;
    equal(Object.getPrototypeOf(loaded) === Uint8Array.prototype, true);
    equal([loaded.byteOffset, loaded.buffer.byteLength], [0, loaded.length]);
  },

  "the bytes are taken as they are at the call, and given as a copy": async (place) => {
    const store = place.open();
    const snapshot = snapshotOf(1, { fill: 7 });
    const saving = store.save("a", snapshot);
    snapshot.fill(0);
    await saving;
    (await store.load("a"))!.fill(0);
    equal(await store.load("a"), snapshotOf(1, { fill: 7 }));
  },

  "a part of a larger buffer is saved as that part": async (place) => {
    const store = place.open();
    const larger = new Uint8Array(1000).fill(9);
    larger.set(snapshotOf(1), 100);
    await store.save("a", larger.subarray(100, 164));
    equal(await store.load("a"), snapshotOf(1));
  },

  "another store at the same place sees the same": async (place) => {
    if (!place.isShared) return;
    await place.open().save("a", snapshotOf(1));
    equal(await place.open().load("a"), snapshotOf(1));
    equal(await place.open().list(), ["a"]);
    equal(await place.open().delete("a"), true);
    equal(await place.open().load("a"), undefined);
  },

  "a newer snapshot takes the place of an older one": async (place) => {
    const store = place.open();
    for (const sequence of [0, 1, 2, 10, 255, 256, 1000]) {
      await store.save("a", snapshotOf(sequence));
      equal(await store.load("a"), snapshotOf(sequence));
    }
    equal(await store.list(), ["a"]);
  },

  "an older snapshot is refused, and the newer one stays": async (place) => {
    const store = place.open();
    await store.save("a", snapshotOf(12, { fill: 1 }));
    const error = await rejects(store.save("a", snapshotOf(11)), SnapshotError, "SNAPSHOT_STALE");
    for (const word of ["12", "11", '"a"']) equal(error.message.includes(word), true);
    await rejects(
      place.isShared ? place.open().save("a", snapshotOf(0)) : store.save("a", snapshotOf(0)),
      SnapshotError,
      "SNAPSHOT_STALE",
    );
    equal(await store.load("a"), snapshotOf(12, { fill: 1 }));
    await store.save("a", snapshotOf(13));
    equal(await store.load("a"), snapshotOf(13));
  },

  "a snapshot of the same sequence takes the place of the other": async (place) => {
    const store = place.open();
    for (const fill of [1, 2, 3, 3, 2, 1]) {
      await store.save("a", snapshotOf(5, { fill }));
      equal(await store.load("a"), snapshotOf(5, { fill }));
    }
    equal(await store.list(), ["a"]);
  },

  "sealed snapshots are ordered among the others": async (place) => {
    const store = place.open();
    await store.save("a", snapshotOf(5));
    await store.save("a", snapshotOf(6, { kind: "X" }));
    await rejects(store.save("a", snapshotOf(5)), SnapshotError, "SNAPSHOT_STALE");
    equal(await store.load("a"), snapshotOf(6, { kind: "X" }));
    await store.save("a", snapshotOf(6));
    await rejects(store.save("a", snapshotOf(5, { kind: "X" })), SnapshotError, "SNAPSHOT_STALE");
  },

  "sequences are compared to the last digit": async (place) => {
    const store = place.open();
    const most = 2n ** 64n - 1n;
    for (const sequence of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, most]) {
      await store.save("a", snapshotOf(sequence));
      await rejects(store.save("a", snapshotOf(sequence - 1n)), SnapshotError, "SNAPSHOT_STALE");
      equal(await store.load("a"), snapshotOf(sequence));
    }
  },

  "what is no snapshot is refused, and nothing is kept of it": async (place) => {
    const store = place.open();
    const text = new TextEncoder().encode("this is a text that is longer than a header");
    for (const value of [
      text,
      text.subarray(0, 3),
      new Uint8Array(64),
      snapshotOf(1, { kind: "J" }),
      snapshotOf(1, { kind: "Z" }),
    ]) {
      await rejects(store.save("a", value), RecoverError, "SNAPSHOT_FORMAT");
    }
    for (const value of [undefined, null, "text", 1, {}, [], () => {}]) {
      await rejects(store.save("a", value as never), RecoverError, "SNAPSHOT_FORMAT");
    }
    for (const length of [0, 4, 23]) {
      await rejects(store.save("a", snapshotOf(1).subarray(0, length)), RecoverError, "SNAPSHOT_TRUNCATED");
    }
    await rejects(store.save("a", snapshotOf(1, { version: 99 })), RecoverError, "SNAPSHOT_VERSION");
    equal(await store.load("a"), undefined);
    equal(await store.list(), []);
  },

  "an id is any text but the empty one": async (place) => {
    const store = place.open();
    for (const id of ["", undefined, null, 1, {}, ["a"]] as string[]) {
      await rejects(store.save(id, snapshotOf(1)), ValidationError, "INVALID_OPTION");
      await rejects(store.load(id), ValidationError, "INVALID_OPTION");
      await rejects(store.delete(id), ValidationError, "INVALID_OPTION");
    }
    equal(await store.list(), []);
  },

  "odd ids are distinguished, and come back as they were": async (place) => {
    const store = place.open();
    for (const [nth, id] of oddIds.entries()) await store.save(id, snapshotOf(nth, { fill: nth }));
    equal(await store.list(), [...oddIds].sort());
    for (const [nth, id] of oddIds.entries()) equal(await store.load(id), snapshotOf(nth, { fill: nth }));
    for (const id of oddIds) equal(await store.delete(id), true);
    equal(await store.list(), []);
  },

  "a run that was deleted may begin anew": async (place) => {
    const store = place.open();
    await store.save("a", snapshotOf(9));
    await store.save("b", snapshotOf(9));
    equal([await store.delete("a"), await store.delete("a")], [true, false]);
    equal(await store.load("a"), undefined);
    await store.save("a", snapshotOf(1));
    equal(await store.load("a"), snapshotOf(1));
    equal(await store.load("b"), snapshotOf(9));
  },

  "ids are listed in order, and by prefix": async (place) => {
    const store = place.open();
    for (const id of ["b/2", "a", "b/10", "B", "b/1", "b", "", "ab"].filter(Boolean))
      await store.save(id, snapshotOf(1));
    equal(await store.list(), ["B", "a", "ab", "b", "b/1", "b/10", "b/2"]);
    equal(await store.list(""), await store.list());
    equal(await store.list("b/"), ["b/1", "b/10", "b/2"]);
    equal(await store.list("a"), ["a", "ab"]);
    equal(await store.list("b/1"), ["b/1", "b/10"]);
    equal(await store.list("c"), []);
  },

  "what is asked for a run at once is done one after the other": async (place) => {
    const store = place.open();
    const done = [
      store.load("a"),
      store.save("a", snapshotOf(1)),
      store.load("a"),
      store.delete("a"),
      store.load("a"),
      store.save("a", snapshotOf(0, { fill: 1 })),
      store.save("a", snapshotOf(0, { fill: 2 })),
      store.load("a"),
    ];
    equal(await Promise.all(done), [
      undefined,
      undefined,
      snapshotOf(1),
      true,
      undefined,
      undefined,
      undefined,
      snapshotOf(0, { fill: 2 }),
    ]);
  },

  "of many that save at once, the newest stays": async (place) => {
    const stores = [place.open(), place.open(), place.open()];
    const sequences = Array.from({ length: 60 }, (_, nth) => (nth * 37) % 60);
    const count = place.isShared ? stores.length : 1;
    const saving = sequences.map((sequence, nth) =>
      stores[nth % count]!.save("a", snapshotOf(sequence, { fill: sequence })),
    );
    for (const [nth, outcome] of (await Promise.allSettled(saving)).entries()) {
      if (outcome.status === "rejected") await rejects(saving[nth]!, SnapshotError, "SNAPSHOT_STALE");
      else equal(sequences[nth]! >= 0, true);
    }
    equal(await stores[0]!.load("a"), snapshotOf(59, { fill: 59 }));
    equal(await stores[0]!.list(), ["a"]);
  },

  "a refused save does not hold up the next": async (place) => {
    const store = place.open();
    await store.save("a", snapshotOf(5));
    const refused = store.save("a", snapshotOf(4));
    const next = store.save("a", snapshotOf(6));
    await rejects(refused, SnapshotError, "SNAPSHOT_STALE");
    await next;
    equal(await store.load("a"), snapshotOf(6));
  },

  "several megabytes are nothing special": async (place) => {
    const store = place.open();
    for (const sequence of [1, 2, 3]) await store.save("a", snapshotOf(sequence, { size: 5_000_000, fill: sequence }));
    equal(await store.load("a"), snapshotOf(3, { size: 5_000_000, fill: 3 }));
  },
};

// ---- assertions that work anywhere ----

const show = (value: unknown): string => {
  if (value instanceof Uint8Array) return `${value.length} bytes, ${value.subarray(0, 32).join(" ")} …`;
  return Array.isArray(value) ? `[${value.map(show).join(", ")}]` : (JSON.stringify(value) ?? String(value));
};

function isEqual(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, at) => byte === b[at]);
  }
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, at) => isEqual(item, b[at]));
  return Object.is(a, b);
}

/** Asserts that two values, arrays or bytes are equal. */
export function equal(actual: unknown, expected: unknown): void {
  if (!isEqual(actual, expected)) throw new Error(`It is ${show(actual)}, and should be ${show(expected)}.`);
}

/** Asserts that a promise is rejected with an error of a class and code, and gives the error. */
export async function rejects(
  promise: Promise<unknown>,
  kind: abstract new (...args: never[]) => WorkflowError,
  code: string,
): Promise<WorkflowError> {
  const error: unknown = await promise.then(
    (value) => {
      throw new Error(`It should have been refused with ${code}, and gave ${show(value)}.`);
    },
    (reason: unknown) => reason,
  );
  if (error instanceof kind && error instanceof WorkflowError && error.code === code) return error;
  throw new Error(`It should have been refused with ${code}, and was with ${String(error)}.`, { cause: error });
}
