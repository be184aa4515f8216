// One build at a time in one tree: two at once would write the same files. The lock is a file with the owner's
// process id, so that a build that was killed does not block the next one.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { memory, shown } from "./paths.mjs";
import { dim, Failure, say } from "./say.mjs";

const file = path.join(memory, "lock");
const PATIENCE = 15 * 60;

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM"; // It lives, but belongs to another user.
  }
}

function take() {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  }
}

/** The process that holds the lock; undefined when it was released just now, 0 when it is only just being taken. */
function holder() {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  }
}

/** Runs `body` while holding the lock; waits for another holder that is still alive. */
export async function withLock(body) {
  mkdirSync(memory, { recursive: true });
  for (let waited = 0; !take(); waited += 1) {
    const owner = holder();
    if (owner === undefined) continue;
    if (owner > 0 ? !alive(owner) : waited > 5) {
      rmSync(file, { force: true });
      continue;
    }
    if (waited === 0) say(dim(`Another build is running here (process ${owner}): waiting for it.`));
    if (waited > PATIENCE) {
      throw new Failure(`Another build has held ${shown(file)} for long. If none is running, remove that file.`);
    }
    await sleep(1000);
  }
  const release = () => rmSync(file, { force: true });
  process.once("exit", release);
  try {
    return await body();
  } finally {
    process.off("exit", release);
    release();
  }
}
