// What every runner asks for, whatever the runtime: jobs in, one report after the other out, as JSON.
//
//   first-use              { ms }               the first run of the program, which starts the engine
//   suite                  { tests }, how many, then { name, ok, error } for each
//   take                   { snapshots }        base64 of runs in the middle of their steps
//   refused                { name, code, message, cause }  of the error with which a run begins where none can
//   finish { snapshots }   { from, ok, error }  for each of the snapshots, by where they were taken

import { StartEvent, StopEvent, Workflow } from "stepstream";
import { finish, take } from "./handover.js";
import { suite } from "./index.js";
import { HANG, single, soon } from "./kit.js";

/** An error as text, with the code and the causes that it has. */
export function describeError(error) {
  if (typeof error !== "object" || error === null) return String(error);
  const first = `${error.name}: ${error.message}`;
  const stack = String(error.stack ?? "")
    .split("\n")
    .filter((line) => /^\s*at |@/.test(line))
    .slice(0, 4);
  const cause = error.cause === undefined ? "" : `\n  because of ${describeError(error.cause)}`;
  return [first, ...stack].join("\n") + cause;
}

async function outcome(work) {
  try {
    await work();
    return { ok: true };
  } catch (error) {
    return { ok: false, error: describeError(error) };
  }
}

const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

async function firstUse() {
  const begun = performance.now();
  const workflow = new Workflow().addStep({ inputs: [StartEvent] }, (_, { data }) => new StopEvent(data));
  await workflow.run(1);
  return performance.now() - begun;
}

/** Performs one job and passes the outcome to `report`. */
export async function perform(job, report, means = {}) {
  switch (job.do) {
    case "first-use":
      return report({ ms: await firstUse() });
    case "suite": {
      const tests = suite({ server: job.server, ...means });
      await report({ tests: tests.length });
      for (const { name, run } of tests) {
        const begun = Date.now();
        const result = await outcome(() => soon(run(), `the test "${name}"`, 1.5 * HANG));
        await report({ name, ...result, ms: Date.now() - begun });
      }
      return;
    }
    case "take": {
      const result = await outcome(async () => report({ snapshots: (await take()).map(toBase64) }));
      if (!result.ok) await report(result);
      return;
    }
    case "refused": {
      const run = async () => single(() => new StopEvent()).run();
      const error = await soon(run()).catch((thrown) => thrown);
      return report({ name: error.name, code: error.code, message: error.message, cause: describeError(error.cause) });
    }
    case "finish": {
      // All at once: each of them waits most of its time.
      const all = Object.entries(job.snapshots).map(async ([from, texts]) => {
        const result = await outcome(() => finish(texts.map(fromBase64)));
        await report({ from, ...result });
      });
      await Promise.all(all);
      return;
    }
    default:
      throw new Error(`There is no job "${job.do}".`);
  }
}
