// `npm run size`: what each entry of the built package weighs. `npm test` holds the same numbers against the budget.
//   --where   writes into BENCHMARKS.md where the bytes are
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { buildAndPack } from "./lib/build.mjs";
import { withLock } from "./lib/lock.mjs";
import { at, installed } from "./lib/paths.mjs";
import { Failure, main, say } from "./lib/say.mjs";
import { setUpNode } from "./lib/setup.mjs";
import { sizes, sizeTable } from "./lib/size.mjs";
import { whereTheBytesAre } from "./lib/where.mjs";

const BEGIN = "<!-- written by `npm run size -- --where` -->\n";
const END = "\n<!-- end -->";

/** Replaces what stands between the marks. */
function writeWhere() {
  const file = at("BENCHMARKS.md");
  const text = readFileSync(file, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Failure(`BENCHMARKS.md lacks the marks ${BEGIN.trim()} and ${END.trim()}.`);
  const before = text.slice(0, begin + BEGIN.length);
  writeFileSync(file, `${before}\n${whereTheBytesAre(installed)}\n${text.slice(end)}`);
  say("BENCHMARKS.md says where the bytes are.");
}

await main(async () => {
  const { values } = parseArgs({ options: { where: { type: "boolean" } } });
  await withLock(async () => {
    await setUpNode();
    await buildAndPack();
  });
  say(sizeTable(sizes(installed)));
  if (values.where) writeWhere();
});
