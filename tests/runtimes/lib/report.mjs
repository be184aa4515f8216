// Counts what the runtimes have reported, and says what went wrong.

/** What is known of the checks so far. */
export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;
  /** @type {string[]} Why, for each that failed. */
  complaints = [];
  /** @type {string[]} What was left out, and why. */
  left = [];

  check(ok, what, why = "") {
    if (ok) this.passed += 1;
    else {
      this.failed += 1;
      this.complaints.push(`${what}${why === "" ? "" : `: ${why}`}`);
    }
    return ok;
  }

  skip(what, why, count = 1) {
    this.skipped += count;
    this.left.push(`${what}: ${why}`);
  }
}

/** Judges the suite of one place; gives `{ passed, failed }`. */
export function judgeSuite(tally, name, reports) {
  const tests = reports.filter(({ job, ok }) => job === "suite" && ok !== undefined);
  const wanted = reports.find(({ job, tests }) => job === "suite" && tests !== undefined)?.tests;
  for (const test of tests) tally.check(test.ok, `${name}: ${test.name}`, test.error);
  // What was announced and never reported has not been run.
  if (tests.length !== wanted)
    tally.check(false, `${name}: ${wanted ?? "no"} tests announced, ${tests.length} reported`);
  return { passed: tests.filter(({ ok }) => ok).length, failed: tests.filter(({ ok }) => !ok).length };
}
