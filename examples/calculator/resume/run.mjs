// An agent that outlives its process: one process ends in the middle of a tool call, another one repeats the call and
// continues to the answer.
//
//   node examples/calculator/resume/run.mjs
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const folder = await mkdtemp(path.join(tmpdir(), "stepstream-calculator-"));

/** Runs a program of this folder in its own process. Resolves with its exit code. */
function runProcess(program) {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, CALCULATOR_FOLDER: folder },
    stdio: "inherit",
  });
  return new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
}

try {
  console.log("Resume: one process ends in the middle of a tool call, another one repeats the call and continues");
  process.exitCode = await runProcess("first.mjs");
  if (process.exitCode === 0) process.exitCode = await runProcess("second.mjs");
} finally {
  await rm(folder, { recursive: true, force: true });
}
