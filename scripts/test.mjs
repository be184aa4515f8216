// `npm test`: everything that a fresh clone needs, then every check, then one table and the sum.
//   --quick          the daily subset        --only a,b   these stages, and what they need
//   --list           what there is           --soak       the random tests with many more cases, for hours of quiet
import { parseArgs } from "node:util";
import { stages } from "./checks/list.mjs";
import { withLock } from "./lib/lock.mjs";
import { bold, dim, Failure, green, main, red, say, seconds, yellow } from "./lib/say.mjs";
import { setUpNode } from "./lib/setup.mjs";
import { nativeCargo, wasmToolchain } from "./lib/toolchain.mjs";

function chosen({ quick, only }) {
  if (only === undefined) return stages.filter((stage) => !quick || stage.quick);
  const names = new Set(only.split(","));
  for (const name of names) {
    const stage = stages.find((candidate) => candidate.name === name);
    if (!stage) throw new Failure(`There is no stage "${name}". There are: ${stages.map((s) => s.name).join(", ")}.`);
    for (const needed of stage.needs ?? []) names.add(needed); // The loop comes to these as well.
  }
  return stages.filter((stage) => names.has(stage.name));
}

/** Random tests have a bounded sample in `npm test`; here they have as many cases as find what is rare. */
function soak(values) {
  process.env.PROPTEST_CASES ??= "4000";
  process.env.STEPSTREAM_SEEDS ??= "2000";
  return { only: "rust,js,crash", ...values };
}

async function setUp(quick) {
  try {
    return await withLock(async () => {
      await setUpNode();
      return { quick, native: await nativeCargo(), toolchain: await wasmToolchain() };
    });
  } catch (error) {
    // A reader of only the last line must see this too.
    process.once("exit", () => say("0 passed, 1 failed"));
    throw error;
  }
}

async function runStage(stage, context, done) {
  const missing = stage.needs?.find((name) => done.some((row) => row.name === name && row.failed > 0));
  if (missing !== undefined) return { passed: 0, failed: 0, skipped: 1, note: `not run: ${missing} failed` };
  try {
    return await stage.run(context);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(`${red("Failed.")} ${error.message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function line(row) {
  const mark =
    row.failed > 0
      ? red("failed ")
      : row.passed > 0
        ? green("passed ")
        : yellow(row.skipped > 0 ? "skipped" : "empty  ");
  const counts = [
    `${row.passed} passed`,
    row.failed && `${row.failed} failed`,
    row.skipped && `${row.skipped} skipped`,
  ];
  const rest = `${counts.filter(Boolean).join(", ")}${row.note ? ` (${row.note})` : ""}`;
  return `${mark}  ${row.name.padEnd(13)} ${row.time.padStart(8)}  ${rest}`;
}

await main(async () => {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean" },
      only: { type: "string" },
      list: { type: "boolean" },
      soak: { type: "boolean" },
    },
  });
  if (values.list) {
    for (const { name, title, quick } of stages) say(`${name.padEnd(13)} ${title}${quick ? dim(" (quick)") : ""}`);
    return;
  }
  const selected = chosen(values.soak ? soak(values) : values);
  const context = await setUp(values.quick === true);
  say(dim(`wasm toolchain: ${context.toolchain.description}`));

  const rows = [];
  for (const stage of selected) {
    say(`\n${bold(`== ${stage.title}`)} ${dim(`(${stage.name})`)}`);
    const start = performance.now();
    const result = await runStage(stage, context, rows);
    rows.push({ name: stage.name, ...result, time: seconds(start) });
  }

  say(`\n${rows.map(line).join("\n")}\n`);
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  const [passed, failed, skipped] = ["passed", "failed", "skipped"].map(sum);
  // The last line, for people and for machines alike.
  say(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
});
