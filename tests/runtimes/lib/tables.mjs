// What is printed: which runtime passed what, and who could go on with whose runs.

/** Rows with their columns below each other. */
export const table = (rows) => {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
};

/** One line for each place: what it is, how many tests passed, how long its first run took. */
export function placesTable(places) {
  const rows = places.map(({ name, version, passed, failed, firstUse }) => [
    name,
    version,
    `${passed} passed${failed > 0 ? `, ${failed} failed` : ""}`,
    firstUse === undefined ? "?" : `${firstUse.toFixed(1)} ms`,
  ]);
  return table([["runtime", "version", "suite", "first use"], ...rows]);
}

/** A matrix: rows are where a snapshot was taken, columns where the run went on. `ok(from, to)` says whether it worked. */
export function matrixTable(names, ok) {
  const numbers = names.map((_, nth) => String(nth + 1));
  const mark = { true: "ok", false: "FAILED", undefined: "-" };
  const rows = names.map((from, nth) => [`${numbers[nth]} ${from}`, ...names.map((to) => mark[ok(from, to)])]);
  return table([["taken in \\ recovered in", ...numbers], ...rows]);
}
