// `npm start`: everything that a fresh clone needs, then the examples on the packed package, with the arguments given.
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
  // With the terminal handed over, unlike every other program the scripts run: an example may talk to a person.
  const example = spawn(process.execPath, [at("examples/run.mjs"), ...process.argv.slice(2)], {
    cwd: root,
    stdio: "inherit",
  });
  process.exitCode = await new Promise((resolve) => example.on("close", (code) => resolve(code ?? 1)));
});
