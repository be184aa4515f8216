// Runs a program that performs jobs, and reads its reports. It and whatever it has started ends with it, or when its time is over.
import { spawn } from "node:child_process";

const MOST_OUTPUT = 20_000_000;

/** Ends a process group by its id; it may have ended by itself. */
function end(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/**
 * Resolves with `{ reports, failure }`: what it has printed as lines of JSON, and why it did not end well, if it did not.
 *
 * @param limit In seconds.
 */
export function reportsOf(program, args, { cwd, env = {}, limit }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // A group of its own, which can be ended as a whole.
    });
    let output = "";
    let complaints = "";
    let late = false;
    child.stdout.setEncoding("utf8").on("data", (text) => (output.length < MOST_OUTPUT ? (output += text) : undefined));
    child.stderr.setEncoding("utf8").on("data", (text) => (complaints = (complaints + text).slice(-4000)));
    const timers = [
      setTimeout(() => ((late = true), end(child.pid, "SIGTERM")), limit * 1000),
      setTimeout(() => end(child.pid, "SIGKILL"), (limit + 5) * 1000),
    ];
    const done = (how) => {
      timers.forEach(clearTimeout);
      if (child.pid !== undefined) end(child.pid, "SIGKILL"); // What it may have left behind.
      const reports = output.split("\n").flatMap(parsed);
      const why = late ? `not done after ${limit} s` : how;
      resolve({ reports, failure: why && `${why}\n${complaints}`.trim() });
    };
    child.on("error", (error) => done(String(error)));
    child.on("close", (code, signal) => done(code === 0 ? undefined : `ended with ${signal ?? `code ${code}`}`));
  });
}

function parsed(line) {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null ? [value] : [];
  } catch {
    return []; // Another program's line.
  }
}
