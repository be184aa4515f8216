// A clock that stands still while anything works, and then jumps to the next timer: for tests whose subject is time.
// What they measure is exact, and does not depend on the machine. Importing it is enough. Not for tests with files,
// servers or processes: the clock does not wait for those. Nor for tests of how a run gives way to timers, which it
// does by the time that passes.

import { afterEach, beforeEach, vi } from "vitest";

beforeEach(() => {
  vi.useFakeTimers({
    toFake: [
      "setTimeout",
      "clearTimeout",
      "setInterval",
      "clearInterval",
      "setImmediate",
      "clearImmediate",
      "Date",
      "performance",
    ],
  });
  vi.setTimerTickMode("nextTimerAsync");
});

afterEach(() => void vi.useRealTimers());
