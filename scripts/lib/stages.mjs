// Doing a thing only when what it is made from has changed: by the content of its inputs, and by its outputs being
// there as it left them. A stage that fails leaves no stamp, so it runs again next time.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { memory, shown } from "./paths.mjs";
import { dim, say, seconds } from "./say.mjs";

/** All files below the given files and folders, sorted; what does not exist is left out. */
export function filesOf(entries) {
  const found = [];
  const visit = (entry) => {
    const stat = statSync(entry, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!stat.isDirectory()) found.push(entry);
    else for (const name of readdirSync(entry)) visit(path.join(entry, name));
  };
  for (const entry of entries) visit(entry);
  return found.sort();
}

/** A digest over names and contents, and over anything else that the result depends on. */
export function digest(entries, extra = "") {
  const hash = createHash("sha256").update(extra);
  for (const file of filesOf(entries)) {
    hash.update(`\0${shown(file)}\0`).update(readFileSync(file));
  }
  return hash.digest("hex");
}

/** Size and time are enough here: outputs are only ever replaced as a whole. */
const state = (outputs) =>
  filesOf(outputs).map((file) => {
    const { size, mtimeMs } = statSync(file);
    return `${shown(file)} ${size} ${mtimeMs}`;
  });

export function remember(name, value) {
  mkdirSync(memory, { recursive: true });
  writeFileSync(path.join(memory, `${name}.json`), `${JSON.stringify(value, null, 2)}\n`);
}

export function recall(name) {
  try {
    return JSON.parse(readFileSync(path.join(memory, `${name}.json`), "utf8"));
  } catch {
    return undefined; // Absent, or cut off by an interrupted run: both mean "do it again".
  }
}

/**
 * Runs `work` unless its stamp says that nothing has changed. `inputs` and `outputs` are files or folders;
 * `extra` is whatever else decides the result (a compiler's version, say). Resolves with whether it ran.
 */
export async function stage({ name, title, inputs, extra = "", outputs, work }) {
  const wanted = digest(inputs, extra);
  const stamp = recall(name);
  const there = outputs.every((output) => existsSync(output));
  if (there && stamp?.inputs === wanted && JSON.stringify(stamp.outputs) === JSON.stringify(state(outputs))) {
    return false;
  }
  rmSync(path.join(memory, `${name}.json`), { force: true });
  const start = performance.now();
  const note = await work();
  remember(name, { inputs: wanted, outputs: state(outputs) });
  say(`${title}${note ? `: ${note}` : ""} ${dim(`(${seconds(start)})`)}`);
  return true;
}
