// Nothing is left of what has ended, was disposed of, or was abandoned: no object, no memory of the engine. The same cases as in
// pages (tests/browser/leaks.test.ts).

import { describe, expect, test } from "vitest";
import "../kit/guard.js";
import { cases, isNothing, leftBy } from "../kit/leaks.js";

describe("nothing is left of", () => {
  test.for(Object.keys(cases))("%s", async (name) => {
    const left = await leftBy(name, () => process.memoryUsage().heapUsed);
    expect(left).toSatisfy(isNothing);
  });
});
