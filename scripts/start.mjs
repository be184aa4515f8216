// `npm start`: everything that a fresh clone needs, then two of the examples on the packed package: the first with the
// arguments given, the second when there are none.
import { spawn } from "node:child_process";
import { buildAndPack } from "./lib/build.mjs";
import { withLock } from "./lib/lock.mjs";
import { at, root } from "./lib/paths.mjs";
import { dim, main, say } from "./lib/say.mjs";
import { setUpNode } from "./lib/setup.mjs";

await main(async () => {
  const { toolchain } = await withLock(async () => {
    await setUpNode();
    return buildAndPack();
  });
  say(dim(`wasm toolchain: ${toolchain.told}`));
  const given = process.argv.slice(2);
  process.exitCode = await runExample("examples/run.mjs", given);
  // Whoever names files wants to see what becomes of them, and nothing else.
  if (given.length > 0 || process.exitCode !== 0) return;
  console.log();
  process.exitCode = await runExample("examples/approval/run.mjs");
});

/** With the terminal handed over, unlike every other program the scripts run: an example may talk to a person. */
function runExample(file, given = []) {
  const example = spawn(process.execPath, [at(file), ...given], { cwd: root, stdio: "inherit" });
  return new Promise((resolve) => example.on("close", (code) => resolve(code ?? 1)));
}
