// The checks of the JavaScript side; they run against the packed package in node_modules/stepstream.
// Each resolves with how many of its tests passed, failed and were skipped.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { chromium } from "../lib/browser.mjs";
import { buildDrills } from "../lib/build.mjs";
import { run } from "../lib/command.mjs";
import { installLocked } from "../lib/installed.mjs";
import { startLocalModel } from "../lib/local-model.mjs";
import { withLock } from "../lib/lock.mjs";
import { at, memory, shown } from "../lib/paths.mjs";
import { dim, say } from "../lib/say.mjs";
import { filesOf } from "../lib/stages.mjs";

const one = (passed) => ({ passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 });
const node = (args, options) => run(process.execPath, args, { show: true, ...options });

export async function prettier() {
  const { code } = await node([at("node_modules/prettier/bin/prettier.cjs"), "--check", "--log-level=warn", "."]);
  return one(code === 0);
}

export async function eslint() {
  const { code } = await node([at("node_modules/eslint/bin/eslint.js"), "--max-warnings=0", "."]);
  return one(code === 0);
}

const tsc = (project, compiler = at("node_modules/typescript/bin/tsc")) =>
  node([compiler, "--noEmit", "--pretty", "false", "-p", project]);

/** The package's own sources, and the behaviour tests: one check each. */
export const typesOf = (project) => async () => one((await tsc(at(project))).code === 0);

const total = (results) =>
  results.reduce(
    (all, { passed, failed, skipped, note }) => ({
      passed: all.passed + passed,
      failed: all.failed + failed,
      skipped: all.skipped + skipped,
      ...((all.note ?? note) !== undefined && { note: all.note ?? note }),
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );

/** Type tests with one compiler: a file passes when the compiler has nothing to say about it. */
async function typeTestsWith(compiler, project, files) {
  const { code, output } = await tsc(project, compiler);
  const failed = files.filter((file) => output.includes(`${shown(file)}(`)).length;
  // An error outside the tests (the package's own declarations, the configuration) fails the stage as well.
  const elsewhere = code !== 0 && failed === 0 ? 1 : 0;
  return { passed: files.length - failed, failed: failed + elsewhere + (files.length === 0 ? 1 : 0), skipped: 0 };
}

/** The TypeScripts that the types are tested with beside the project's own; see tests/types/compilers. */
const compilers = { name: "compilers", sources: at("tests/types/compilers"), folder: at("target/compilers") };

/**
 * The type tests, on the project's TypeScript, the oldest supported one and the newest; a program on each for every set of libraries; and what
 * compilers and editors say.
 */
export async function typeTests() {
  const reason = await withLock(() => installLocked(compilers));
  const folder = at("tests/types");
  const files = filesOf([folder]).filter((file) => path.dirname(file) === folder && file.endsWith(".ts"));
  const others = ["oldest", "newest"].map((age) =>
    path.join(compilers.folder, `node_modules/typescript-${age}/bin/tsc`),
  );
  const [oldest, newest] = reason === undefined ? others : [];
  const results = [];
  const together = async (...work) => void results.push(...(await Promise.all(work)));
  if (reason === undefined) {
    const project = path.join(folder, "tsconfig.oldest.json");
    const { exclude } = JSON.parse(readFileSync(project, "utf8").replace(/^\s*\/\/.*$/gm, ""));
    const taken = files.filter((file) => !exclude.includes(path.basename(file)));
    await together(
      typeTestsWith(undefined, folder, files),
      typeTestsWith(newest, folder, files),
      typeTestsWith(oldest, project, taken),
    );
  } else {
    await together(typeTestsWith(undefined, folder, files), { passed: 0, failed: 0, skipped: 2, note: reason });
  }
  // What the two ends take, the versions between them take as well.
  for (const library of filesOf([path.join(folder, "libs")]).filter((file) => file.endsWith(".json"))) {
    const runs = (reason === undefined ? [oldest, newest] : [undefined]).map((compiler) => tsc(library, compiler));
    await together(...runs.map(async (run) => one((await run).code === 0)));
  }
  results.push(await nodeTests("tests/types", reason === undefined ? {} : { STEPSTREAM_NO_COMPILERS: reason })());
  return total(results);
}

async function runVitest(project, env = {}) {
  const report = path.join(memory, `vitest-${project}.json`);
  mkdirSync(memory, { recursive: true });
  rmSync(report, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const args = [at("node_modules/vitest/vitest.mjs"), "run", "--project", project, ...reporters];
  const { code } = await node(args, { env });
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, "utf8"));
    // A file that could not be loaded, or an error outside any test, has no failed test to its name.
    const outside = code !== 0 && numFailedTests === 0 ? 1 : 0;
    return { passed: numPassedTests, failed: numFailedTests + outside, skipped: numPendingTests + numTodoTests };
  } catch {
    return one(false); // No report: vitest itself did not get far, and has said why.
  }
}

/** One project of vitest.config.mjs. */
export const vitest = (project) => () => runVitest(project);

/** A project whose tests make the modules panic: a second build of them can do that on request. */
export const crashDrills = async () => {
  const files = await withLock(buildDrills);
  return runVitest("crash", { STEPSTREAM_DRILLS: JSON.stringify(files) });
};

/** A project whose tests open pages in Chromium. */
export const inChromium = (project) => async () => {
  const { file, reason } = await chromium();
  if (file === undefined) return { passed: 0, failed: 0, skipped: 1, note: reason };
  say(dim(`Chromium: ${file}`));
  return runVitest(project, { STEPSTREAM_CHROMIUM: file });
};

/** A project whose tests talk to a real language model on this machine. */
export const withLocalModel = (project) => async () => {
  const { reason, stop, ...model } = await startLocalModel();
  if (reason !== undefined) return { passed: 0, failed: 0, skipped: 1, note: reason };
  try {
    return await runVitest(project, { STEPSTREAM_LOCAL_MODEL: JSON.stringify(model) });
  } finally {
    await stop();
  }
};

/** The suite of tests/runtimes. It is loaded here only: it bundles, and quick checks need not. */
export async function inRuntimes() {
  const { runtimes } = await import("../../tests/runtimes/run.mjs");
  return runtimes();
}

/** Node's own test runner, for tests that must not depend on a test library: they look at the package from outside. */
export const nodeTests =
  (folder, env = {}) =>
  async () => {
    const files = filesOf([at(folder)]).filter((file) => file.endsWith(".test.mjs"));
    if (files.length === 0) return { ...one(false), note: `no tests in ${folder}` }; // Node would look for others.
    const report = path.join(memory, "node-test.tap");
    mkdirSync(memory, { recursive: true });
    rmSync(report, { force: true });
    const reporters = ["spec", "tap"].flatMap((name) => [
      `--test-reporter=${name}`,
      `--test-reporter-destination=${name === "tap" ? report : "stdout"}`,
    ]);
    const { code } = await node(["--test", ...reporters, ...files], { env });
    const tap = readFileSync(report, "utf8");
    const count = (word) => Number(new RegExp(`^# ${word} (\\d+)`, "m").exec(tap)?.[1] ?? 0);
    const failed = count("fail") + count("cancelled");
    return {
      passed: count("pass"),
      failed: code !== 0 && failed === 0 ? 1 : failed,
      skipped: count("skipped") + count("todo"),
    };
  };

/** Programs that must run to their end by themselves. */
export const programs = (files, limit) => async () => {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const file of files) {
    const { code, output, timedOut } = await node([at(file)], { limit });
    sum[code === 0 && output.trim() !== "" ? "passed" : "failed"] += 1;
    if (timedOut) sum.note = `${file} was still running after ${limit} s`;
  }
  return sum;
};
