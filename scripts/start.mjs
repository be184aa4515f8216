// `npm start`: everything that a fresh clone needs, then the examples on the packed package: the first with the arguments given, all of
// them when there are none. Those that talk to a language model are given the one that the environment names, or one on this machine.
import { spawn } from "node:child_process";
import { buildAndPack } from "./lib/build.mjs";
import { startLocalModel } from "./lib/local-model.mjs";
import { withLock } from "./lib/lock.mjs";
import { at, root } from "./lib/paths.mjs";
import { dim, main, say, yellow } from "./lib/say.mjs";
import { setUpNode } from "./lib/setup.mjs";

const WITHOUT_MODEL = ["examples/run.mjs", "examples/approval/run.mjs"];
const WITH_MODEL = ["examples/joke/run.mjs", "examples/calculator/run.mjs", "examples/calculator/resume/run.mjs"];

await main(async () => {
  const { toolchain } = await withLock(async () => {
    await setUpNode();
    return buildAndPack();
  });
  say(dim(`wasm toolchain: ${toolchain.description}`));
  const given = process.argv.slice(2);
  if (given.length > 0) {
    // With files, only the first example runs.
    process.exitCode = await runExample("examples/run.mjs", { given });
    return;
  }
  process.exitCode = await runAll(WITHOUT_MODEL);
  if (process.exitCode !== 0) return;
  const { reason, description, env, stop } = await languageModel();
  if (reason !== undefined) {
    say(`\n${yellow("Skipped")}: the examples with a language model. ${reason}`);
    return;
  }
  say(dim(`\nlanguage model: ${description}`));
  process.exitCode = await runAll(WITH_MODEL, env);
  await stop?.();
});

/** The model that the environment names, or a small one that is started here: what the examples are to have in their environment. */
async function languageModel() {
  const { OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL } = process.env;
  const toSet = "Set OPENAI_API_KEY, or OPENAI_BASE_URL and OPENAI_MODEL for a server that speaks OpenAI's protocol.";
  if (OPENAI_BASE_URL && !OPENAI_MODEL) return { reason: `OPENAI_BASE_URL is set, OPENAI_MODEL is not. ${toSet}` };
  if (OPENAI_BASE_URL) return { description: `${OPENAI_MODEL} at ${OPENAI_BASE_URL}`, env: {} };
  if (OPENAI_API_KEY) return { description: `${OPENAI_MODEL || "the examples' choice"} at OpenAI`, env: {} };
  const { reason, address, model, stop } = await startLocalModel();
  if (reason !== undefined) return { reason: `None can be started on this machine: ${reason}\n${toSet}` };
  const description = `${model}, on this machine. It is small, and its answers are often wrong. The README says how to use a better one`;
  return { description, env: { OPENAI_BASE_URL: `${address}/v1`, OPENAI_MODEL: model }, stop };
}

/** One after the other, until one fails; resolves with the exit code of the last. */
async function runAll(files, env) {
  for (const [nth, file] of files.entries()) {
    if (nth > 0) say("");
    const code = await runExample(file, { env });
    if (code !== 0) return code;
  }
  return 0;
}

/** With the terminal handed over, unlike every other program the scripts run: an example may talk to a person. */
function runExample(file, { given = [], env = {} }) {
  const options = { cwd: root, stdio: "inherit", env: { ...process.env, ...env } };
  const example = spawn(process.execPath, [at(file), ...given], options);
  return new Promise((resolve) => example.on("close", (code) => resolve(code ?? 1)));
}
