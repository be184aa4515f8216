// What work costs, for tests of algorithms: counted in time on the processor, which does not pass while other programs
// have it.

import { expect } from "vitest";

/** The processor time of this process so far, in milliseconds. Only differences mean anything. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Asserts that work takes little processor time. The least of several rounds counts, because a collection of garbage
 * or the compiler may fall into one. The limit must be far above what the work takes, and far below what the fault
 * that is looked for would take.
 *
 * @param limit In milliseconds.
 */
export function expectCheap(work: () => void, limit: number): void {
  let least = Infinity;
  for (let round = 0; round < 4 && least >= limit; round += 1) {
    const begun = processorTime();
    work();
    least = Math.min(least, processorTime() - begun);
  }
  expect(least, "milliseconds of processor time").toBeLessThan(limit);
}
