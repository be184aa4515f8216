// Prints the results in a terminal. Without colours if the output is not a terminal, or if NO_COLOR is set.
import { Timeline } from "./timeline.mjs";

const hasColours = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code) => (text) => (hasColours ? `\u001b[${code}m${text}\u001b[0m` : String(text));
export const bold = paint(1);
export const dim = paint(2);
const red = paint(31);
const green = paint(32);

const WIDTH = Math.min(Math.max(process.stdout.columns ?? 100, 60), 120);
const number = new Intl.NumberFormat("en-GB");
const marks = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
export const plural = (count, noun) => `${number.format(count)} ${noun}${count === 1 ? "" : "s"}`;

/** Breaks a text into lines, between words or between the given pieces. */
function wrap(text, indent) {
  const lines = [""];
  for (const word of typeof text === "string" ? text.split(/\s+/) : text) {
    const line = lines.at(-1);
    if (line !== "" && line.length + word.length + 1 > WIDTH - indent.length) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line) => indent + line).join("\n");
}

function describeEase(ease) {
  const scale = [
    [80, "easy"],
    [60, "plain"],
    [50, "fairly difficult"],
    [30, "difficult"],
  ];
  return scale.find(([from]) => ease >= from)?.[1] ?? "very difficult";
}

/** One line of progress. */
export function progressLine(ms, { name, message }, nameWidth) {
  return `${dim(`${(ms / 1000).toFixed(3)} s`)}  ${name.padEnd(nameWidth)}  ${message}`;
}

/** @param {{ name: string, report?: import("./document.mjs").Report, problem?: string }} finished */
export function reportText({ name, report, problem }) {
  if (report === undefined) return `${bold(name)}\n  ${red("skipped")}: ${problem}`;
  const { figures, terms, summary } = report;
  const { words, sentences, sections, readingEase, hardest } = figures;
  const length = `${(words / sentences).toFixed(1)} words per sentence`;
  const counts = `${plural(words, "word")} in ${plural(sections, "section")}, ${length}`;
  const ease = `reading ease ${readingEase.toFixed(0)} (${describeEase(readingEase)})`;
  const missed = { thin: "too few", long: "too long" }[summary.fault];
  const reached = `${Math.round(summary.coverage * 100)} % of the key terms in ${plural(summary.words, "word")}`;
  const verdict = missed === undefined ? green(reached) : red(`${reached}, ${missed}`);
  return [
    bold(name),
    wrap(`${counts}; ${ease}${hardest === undefined ? "" : `, hardest in “${hardest}”`}`, "  "),
    wrap(`key terms: ${terms.slice(0, 10).join(", ")}`, "  "),
    `  summary: ${verdict}, ${plural(summary.rounds, "draft")}`,
    ...summary.sentences.map((sentence) => wrap(sentence, "    ")),
  ].join("\n");
}

/** The steps over time. @param {Timeline} timeline @param {string[]} names */
export function timelineText(timeline, names) {
  const lanes = timeline.lanes();
  if (lanes.length === 0) return "";
  const from = Math.min(...lanes.map(({ start }) => start));
  const to = Math.max(...timeline.spans.map(({ end }) => end));
  const markOf = (name) => marks[names.indexOf(name) % marks.length] ?? "#";
  const stepWidth = Math.max(4, ...lanes.map(({ step }) => step.length));
  const width = WIDTH - stepWidth - 37;
  const ms = (time) => `${time.toFixed(1)} ms`;
  const end = ms(to - from);
  const head = `${"step".padEnd(stepWidth)}  lane   runs      start       busy`;
  const rows = lanes.map((lane) => {
    const columns = [
      String(lane.spans.length).padStart(5),
      ms(lane.start - from).padStart(9),
      ms(lane.busy).padStart(9),
    ];
    const bar = Timeline.draw(lane, { from, to, width, markOf });
    return `${lane.step.padEnd(stepWidth)}  ${String(lane.lane).padStart(4)}  ${columns.join("  ")}  ${bar}`;
  });
  const legend = names.map((name) => `${markOf(name)} ${name} `);
  return [
    bold("Timeline"),
    dim("When each step ran. A step with several lanes ran several times at once. A letter stands for a file."),
    dim(`${head}  0${end.padStart(width - 1)}`),
    ...rows,
    dim(wrap(legend, "")),
  ].join("\n");
}
