// The chart of BENCHMARKS.md as SVG: what is felt, stepstream beside others. Each panel has a scale of its own, which
// begins at zero. The colours follow the reader's light or dark scheme.
import { compared, present } from "./felt.mjs";
import { figure } from "./report.mjs";

const WIDTH = 720;
const LEFT = 150;
const RIGHT = 90;
const ROW = 24;
const BAR = 14;
const HEAD = 44;
const GAP = 18;

const STYLE = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .note { fill: #59636e; }
  .own { fill: #0969da; }
  .other { fill: #afb8c1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .note { fill: #9198a1; }
    .own { fill: #4493f8; }
    .other { fill: #656c76; }
  }`;

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function panel({ title, note, unit, bars }, top) {
  const longest = Math.max(...bars.map(([, value]) => value));
  const lines = [
    `<text x="0" y="${top + 16}"><tspan class="title">${escaped(title)}</tspan>` +
      `<tspan class="note" dx="8">${escaped(note)}; less is better</tspan></text>`,
  ];
  bars.forEach(([name, value], nth) => {
    const y = top + HEAD - 14 + nth * ROW;
    // What is there can be seen, however short it is beside the others.
    const length = Math.max(2, (value / longest) * (WIDTH - LEFT - RIGHT));
    const kind = name === "stepstream" ? "own" : "other";
    lines.push(
      `<text x="${LEFT - 10}" y="${y + BAR - 2}" text-anchor="end">${escaped(name)}</text>`,
      `<rect class="${kind}" x="${LEFT}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2"/>`,
      `<text x="${(LEFT + length + 8).toFixed(1)}" y="${y + BAR - 2}">${figure(value)} ${unit}</text>`,
    );
  });
  return lines;
}

/** The chart of one Node's results. A panel without a figure of stepstream and of another is left out. */
export function renderChart(results) {
  const panels = compared
    .map(({ bars, ...rest }) => ({ ...rest, bars: present(bars(results)) }))
    .filter(({ bars }) => bars.length > 1 && bars[0][0] === "stepstream");
  const lines = [];
  let top = 0;
  for (const each of panels) {
    lines.push(...panel(each, top));
    top += HEAD + each.bars.length * ROW + GAP;
  }
  const words = panels.map(({ title, unit, bars }) => {
    return `${title}: ${bars.map(([name, value]) => `${name} ${figure(value)} ${unit}`).join(", ")}.`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" role="img"`,
    `  width="${WIDTH}" height="${top}">`,
    `<title>What stepstream costs beside others</title>`,
    `<desc>${escaped(words.join(" "))}</desc>`,
    `<style>${STYLE}\n</style>`,
    ...lines,
    "</svg>\n",
  ].join("\n");
}
