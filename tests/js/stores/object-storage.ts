// A storage as that of a Durable Object, in memory, with the limits of storages that are not backed by SQLite. The
// suite of runtimes has the real one.

import type { ObjectStorage, ObjectTransaction } from "stepstream/stores";

const KEY = 2048;
const VALUE = 128 * 1024;

/** A storage, and what is in it. One transaction at a time is made; what it throws undoes it. */
export function objectStorage(): ObjectStorage & { readonly values: Map<string, unknown> } {
  const values = new Map<string, unknown>();
  let last: Promise<unknown> = Promise.resolve();
  const check = (key: string, value?: unknown): void => {
    if (new TextEncoder().encode(key).length > KEY) throw new RangeError("The key is too long.");
    // What is stored is what structured cloning writes, a little more than the bytes.
    if (value instanceof Uint8Array && value.buffer.byteLength + 100 > VALUE) {
      throw new RangeError("The value is too large.");
    }
  };
  return {
    values,
    list: async ({ prefix }) => new Map([...values].filter(([key]) => key.startsWith(prefix))),
    transaction<T>(work: (transaction: ObjectTransaction) => Promise<T>): Promise<T> {
      const done = last.then(async () => {
        const before = new Map(values);
        try {
          return await work({
            get: async (key) => structuredClone(values.get(key)),
            put: async (key, value) => {
              check(key, value);
              values.set(key, structuredClone(value));
            },
            delete: async (key) => values.delete(key),
          });
        } catch (error) {
          values.clear();
          for (const [key, value] of before) values.set(key, value);
          throw error;
        }
      });
      last = done.catch(() => {});
      return done;
    },
  };
}
