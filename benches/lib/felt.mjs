// What users feel of the figures: the first table of BENCHMARKS.md, and the bars of its chart.
import { figure, table } from "./report.mjs";
import { ofTimed } from "./results.mjs";

const THOUSAND = 1e3;
const TEN_THOUSAND = 1e4;

const us = (results, id, size, key) => ofTimed(results, id, size, key, (ns) => ns / 1e3);

/** Costs that have something beside them: `bars` are numbers in the same unit by name, stepstream's first. */
export const compared = [
  {
    title: "A token to the screen",
    note: "socket to event, processor time",
    unit: "µs",
    bars: ({ own: { tokens } }) => ({ stepstream: tokens?.agentUs, "AI SDK": tokens?.aiSdkUs }),
  },
  {
    title: "An agent's turn with two tool calls",
    note: "streamed, without its model, processor time",
    unit: "µs",
    bars: (results) => ({
      stepstream: us(results, "agentStream", THOUSAND, "stepstream:agent"),
      "AI SDK": us(results, "agentStream", THOUSAND, "ai-sdk"),
      Mastra: us(results, "agentStream", THOUSAND, "mastra:agent"),
    }),
  },
  {
    title: "A step of a workflow",
    note: "one of 10,000 in sequence",
    unit: "µs",
    bars: (results) => ({
      stepstream: us(results, "chain", TEN_THOUSAND, "stepstream"),
      "no library": us(results, "chain", TEN_THOUSAND, "bare"),
      XState: us(results, "chain", TEN_THOUSAND, "xstate"),
      Mastra: us(results, "chain", TEN_THOUSAND, "mastra"),
      "workflow-core": us(results, "chain", TEN_THOUSAND, "workflow-core"),
    }),
  },
];

const firstUse = (place) => (results) => results.own.firstUses?.[place]?.median;

/** Costs that only the package has. */
const alone = [
  { title: "A page's download for workflows", unit: "kB", value: ({ own: { size } }) => size?.slimKB },
  { title: "The same with models and agents", unit: "kB", value: ({ own: { size } }) => size?.everythingKB },
  { title: "The first use in a page of Chromium", unit: "ms", value: firstUse("Chromium, page") },
  { title: "A cold edge request: the first use in workerd", unit: "ms", value: firstUse("workerd, isolate") },
  { title: "The first use in Node", unit: "ms", value: ({ own }) => own.firstUse?.firstRunMs.median },
];

/** The entries of an object that have a value. */
export const present = (values) => Object.entries(values).filter(([, value]) => value !== undefined);

export function feltTable(results) {
  const shown = (value, unit) => (value === undefined ? "not measured yet" : `${figure(value)} ${unit}`);
  const rows = compared.map(({ title, note, unit, bars }) => {
    const { stepstream, ...others } = bars(results);
    const beside = present(others).map(([name, value]) => `${name}: ${figure(value)} ${unit}`);
    return [`${title} (${note})`, shown(stepstream, unit), beside.join(", ")];
  });
  const more = alone.map(({ title, unit, value }) => {
    const detail = unit === "kB" ? " (gzipped)" : "";
    return [`${title}${detail}`, shown(value(results), unit), ""];
  });
  return table(["what is felt", "stepstream", "beside it"], [...rows, ...more]);
}
