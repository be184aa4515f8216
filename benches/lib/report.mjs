// The figures as Markdown, for the terminal and for BENCHMARKS.md alike.
import { budgets, timed } from "../cases.mjs";
import { contenders } from "../contenders.mjs";
import { ofTimed, ratio } from "./results.mjs";
import { summary } from "./stats.mjs";

/** Three significant digits are more than the machine's noise leaves. */
export function figure(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-GB");
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

const power = (size) => `1e${Math.log10(size)}`;

export function table(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join("\n");
}

/** Every budget with what was found; `pass` is null where the run did not measure it. */
function judge(results) {
  return budgets.map(({ what, below, above, unit, measured }) => {
    const found = measured(results) ?? null;
    const pass = found === null ? null : below === undefined ? found >= above : found <= below;
    return { what, must: `${below === undefined ? "≥" : "≤"} ${below ?? above} ${unit}`, found, unit, pass };
  });
}

const verdict = { true: "PASS", false: "**MISS**", null: "not measured" };

export const budgetTable = (results, judged = judge(results)) =>
  table(
    ["budget", "must", "found", ""],
    judged.map(({ what, must, found, unit, pass }) => [
      what,
      must,
      found === null ? "" : `${figure(found)} ${unit}`,
      verdict[pass],
    ]),
  );

/** Whom every row is compared with, unless the case says otherwise. */
const REFERENCES = { "to bare": "bare", "to stepstream": "stepstream" };

function timedTable(results, { id, title, unit, references = REFERENCES }) {
  const measured = results.timed[id];
  if (measured === undefined) return "";
  const rows = [];
  for (const [key, sizes] of Object.entries(measured)) {
    for (const [size, { rounds }] of Object.entries(sizes)) {
      const { min, max } = summary(rounds);
      const against = (other) => {
        const found = key === other ? undefined : ratio(results, id, size, key, other);
        return found === undefined ? "" : `${figure(found)}x`;
      };
      const median = ofTimed(results, id, size, key) / 1e3;
      rows.push([
        contenders[key].title,
        power(Number(size)),
        figure(median),
        `${figure(min / 1e3)} to ${figure(max / 1e3)}`,
        ...Object.values(references).map(against),
      ]);
    }
  }
  const head = ["contender", "size", `µs per ${unit}`, "rounds", ...Object.keys(references)];
  return `**${title}**\n\n${table(head, rows)}`;
}

/** The ratios of each runtime to its own bare loop, and how they stand to those of the first, which is Node. */
function runtimesTable(runtimes) {
  if (runtimes === undefined) return "";
  const [[, node]] = Object.entries(runtimes);
  const names = Object.keys(node);
  const rows = Object.entries(runtimes).map(([runtime, ratios]) => {
    const worst = Math.max(...names.map((name) => ratios[name] / node[name]));
    return [runtime, ...names.map((name) => `${figure(ratios[name])}x`), ratios === node ? "" : `${figure(worst)}x`];
  });
  return `**In other runtimes, to the bare loop of each**\n\n${table(["runtime", ...names, "worst to Node"], rows)}`;
}

/** What the first use costs in each runtime. */
function firstUsesTable(firstUses) {
  if (firstUses === undefined) return "";
  const rows = Object.entries(firstUses).map(([place, { version, min, median }]) => {
    return [place, version, ...[min, median].map((ms) => `${figure(ms)} ms`)];
  });
  return `**First use in each runtime**\n\n${table(["runtime", "version", "lowest", "median"], rows)}`;
}

/** Objects of numbers become rows; a summary becomes its median with its spread. */
function ownTable(own) {
  const shown = (value) => {
    if (Array.isArray(value)) return value.map(figure).join(", ");
    if (typeof value === "object") return `${figure(value.median)} (${figure(value.min)} to ${figure(value.max)})`;
    return figure(value);
  };
  const rows = Object.entries(own).flatMap(([id, found]) =>
    Object.entries(found).map(([name, value]) => [id, name, shown(value)]),
  );
  return rows.length === 0 ? "" : `**The package alone**\n\n${table(["measurement", "figure", "value"], rows)}`;
}

export const headLine = ({ date, node, cpu, cores, clock, rounds, disturbed, versions, leftOut }) =>
  [
    `Node ${node}, ${cpu} (${cores} cores), ${date}; ${clock}, ${rounds} ${rounds === 1 ? "round" : "rounds"}.`,
    `Disturbed by other programs: ${Math.round(disturbed * 100)} % of the measurements.`,
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}.`,
    ...(leftOut.length > 0 ? [`Left out: ${leftOut.join(", ")}.`] : []),
  ].join("\n");

const parts = (...all) => all.filter((part) => part !== "").join("\n\n");

/** Everything that the budgets are computed from. */
export function figuresOf(results) {
  const { runtimes, firstUses, ...own } = results.own;
  const tables = timed.map((entry) => timedTable(results, entry));
  return parts(headLine(results), ...tables, runtimesTable(runtimes), firstUsesTable(firstUses), ownTable(own));
}

/** The results of one run, for the terminal: only the budgets that it has measured. */
export function renderResults(results) {
  const judged = judge(results).filter(({ found }) => found !== null);
  return parts(judged.length === 0 ? "" : budgetTable(results, judged), figuresOf(results));
}
