// Running other programs: never with a standard input (so nothing can wait for a password), never without an end.
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { root } from "./paths.mjs";
import { colour, Failure } from "./say.mjs";

/** Programs write into a pipe here, and would not know whether a terminal is at its end. */
const paint = colour ? { FORCE_COLOR: "1", CARGO_TERM_COLOR: "always" } : { NO_COLOR: "1", CARGO_TERM_COLOR: "never" };

/**
 * Runs a program to its end. `show` passes its output through (and `capture` keeps a copy of it as well).
 * Resolves with `{ code, output, timedOut }`; `code` is null when it could not be started or was ended by its limit.
 */
export function run(program, args, { env = {}, cwd = root, limit, show = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...(show && paint), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks = [];
    let timedOut = false;
    const timer = limit
      ? setTimeout(() => {
          timedOut = true;
          child.kill("SIGTERM");
          setTimeout(() => child.kill("SIGKILL"), 5000).unref();
        }, limit * 1000)
      : undefined;
    const take = (to) => (chunk) => {
      chunks.push(chunk);
      if (show) to.write(chunk);
    };
    child.stdout.on("data", take(process.stdout));
    child.stderr.on("data", take(process.stderr));
    const end = (code) => {
      clearTimeout(timer);
      resolve({
        code: timedOut ? null : code,
        output: stripVTControlCharacters(Buffer.concat(chunks).toString("utf8")),
        timedOut,
      });
    };
    child.on("error", () => end(null));
    child.on("close", end);
  });
}

/** Runs a program that must succeed; `advice` says what to do when it does not. */
export async function must(program, args, advice, options = {}) {
  const result = await run(program, args, options);
  if (result.code === 0) return result.output;
  const said = options.show ? "" : `\n${lastLines(result.output, 30)}\n`;
  const how = result.timedOut ? `took longer than ${options.limit} s` : "failed";
  throw new Failure(`\`${[path.basename(program), ...args].join(" ")}\` ${how}.${said} ${advice}`.trim());
}

export const lastLines = (text, count) => text.trimEnd().split("\n").slice(-count).join("\n");

/** The full path of a program on the PATH, or undefined. */
export function which(program) {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const file = path.join(folder || ".", program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder: look in the next.
    }
  }
  return undefined;
}
