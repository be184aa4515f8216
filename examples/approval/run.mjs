// A run that outlives its process: one process asks a person and ends, another one resumes the run with the answer.
//
//   node examples/approval/run.mjs         the person says yes
//   node examples/approval/run.mjs no      the person says no
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Airline } from "./airline.mjs";

const folder = await mkdtemp(path.join(tmpdir(), "stepstream-approval-"));
const env = {
  ...process.env,
  APPROVAL_FOLDER: folder,
  // For the demonstration. A service reads the key from where it keeps its secrets.
  SNAPSHOT_SECRET: process.env.SNAPSHOT_SECRET ?? randomBytes(32).toString("base64url"),
};

/** Runs a program of this folder in its own process, to its end. */
function runProcess(program, ...given) {
  const file = fileURLToPath(new URL(program, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...given], { env, stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}.`))));
  });
}

try {
  console.log("Approval: one process asks a person and ends, another one resumes the run with the answer");
  await runProcess("ask.mjs");
  console.log("  (the process has ended; the run is in a file)");
  await runProcess("answer.mjs", process.argv[2] ?? "yes");
  console.log("  The step ran twice, but each request to the airline was made once:");
  for (const request of await new Airline(folder).requests()) console.log(`    ${request}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
