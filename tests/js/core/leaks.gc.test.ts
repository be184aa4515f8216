// Nothing is left of what has ended, was disposed of, or was abandoned: no object, no memory of the engine. The same deeds as in
// pages (tests/browser/leaks.test.ts).

import { describe, expect, test } from "vitest";
import "../kit/guard.js";
import { deeds, isNothing, leftBy } from "../kit/leaks.js";

describe("nothing is left of", () => {
  test.for(Object.keys(deeds))("%s", async (deed) => {
    const left = await leftBy(deed, () => process.memoryUsage().heapUsed);
    expect(left).toSatisfy(isNothing);
  });
});
