// The suite: behaviour of the package that must be the same in every runtime. It knows no runtime and no test framework; job.js performs it.

import { agents } from "./agents.js";
import { durability } from "./durability.js";
import { hosts } from "./hosts.js";
import { llm } from "./llm.js";
import { runs } from "./runs.js";

/**
 * All tests, as `{ name, run }`.
 *
 * @param means What some of them need: `fileStore()` makes a store in a new folder; `server` is the address of the
 * model's server; `objects` has functions that do a test inside a Durable Object.
 */
export function suite(means = {}) {
  const tests = {
    ...runs,
    ...hosts,
    ...durability(means.fileStore, means.objects),
    ...llm(means.server),
    ...agents(means.server),
  };
  return Object.entries(tests).map(([name, run]) => ({ name, run }));
}
