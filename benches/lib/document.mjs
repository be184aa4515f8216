// BENCHMARKS.md and its chart, as far as results.json says what is in them.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { at } from "../../scripts/lib/paths.mjs";
import { renderChart } from "./chart.mjs";
import { feltTable } from "./felt.mjs";
import { budgetTable, figuresOf, headLine } from "./report.mjs";

export const resultsFile = at("benches/results.json");
const documentFile = at("BENCHMARKS.md");
const chartFile = at("docs/benchmarks.svg");

/** What writes the parts that programs write. */
const by = (name) => (name === "profiles" ? "node benches/profile.mjs --update" : "npm run bench -- --update");
const begin = (name) => `<!-- results: written by \`${by(name)}\`: ${name} -->`;
const END = "<!-- end of results -->";

function withPart(text, name, body) {
  const from = text.indexOf(begin(name));
  const to = text.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`${documentFile} has lost its markers: ${begin(name)} ... ${END}`);
  return `${text.slice(0, from)}${begin(name)}\n\n${body}\n\n${text.slice(to)}`;
}

/** Writes one part of the document. */
export function replacePart(name, body) {
  writeFileSync(documentFile, withPart(readFileSync(documentFile, "utf8"), name, body));
}

/** The figures of all recorded Nodes, the newest Node first. */
function readResults() {
  const all = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, "utf8")) : {};
  const major = (key) => Number(key.replace("node", ""));
  return Object.keys(all)
    .sort((a, b) => major(b) - major(a))
    .map((key) => ({ title: key.replace("node", "Node "), results: all[key] }));
}

/** The parts of the document by their names. What is felt and the budgets are those of the newest Node. */
const parts = (all) => ({
  "what is felt": feltTable(all[0].results),
  budgets: `${headLine(all[0].results)}\n\n${budgetTable(all[0].results)}`,
  tables: all.map(({ title, results }) => `### ${title}\n\n${figuresOf(results)}`).join("\n\n"),
});

const withParts = (text, all) =>
  Object.entries(parts(all)).reduce((whole, [name, body]) => withPart(whole, name, body), text);

/** What the files should have in them. */
function wanted() {
  const all = readResults();
  return new Map([
    [documentFile, withParts(readFileSync(documentFile, "utf8"), all)],
    [chartFile, renderChart(all[0].results)],
  ]);
}

/** Writes the document and the chart from results.json. */
export function updateDocument() {
  for (const [file, text] of wanted()) writeFileSync(file, text);
}

/** The files that are not what results.json says. */
export const staleFiles = () =>
  [...wanted()].flatMap(([file, text]) => (existsSync(file) && readFileSync(file, "utf8") === text ? [] : [file]));
