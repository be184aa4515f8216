// The check that nothing has become dearer, and that BENCHMARKS.md shows what was measured.
import { gate } from "../../benches/gate/run.mjs";
import { staleFiles } from "../../benches/lib/document.mjs";
import { shown } from "../lib/paths.mjs";
import { red, say } from "../lib/say.mjs";

export async function bench() {
  const stale = staleFiles();
  for (const file of stale) {
    say(
      `${red("failed")} ${shown(file)} is not what benches/results.json says: \`npm run bench -- --render\` writes it.`,
    );
  }
  const { passed, failed, skipped } = await gate();
  return { passed: passed + (stale.length === 0 ? 1 : 0), failed: failed + stale.length, skipped };
}
