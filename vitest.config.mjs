// Behaviour tests. They import "stepstream" as a user does: the packed package in node_modules, loaded by Node itself, or, in the
// project "browser", by pages in Chromium. Those of the project "model" talk to a real language model on this machine.
import ts from "typescript";
import { defineConfig } from "vitest/config";

/** Decorators and `using` are written down for Node 20 by the TypeScript compiler; vite's own transform leaves them. */
const lowered = {
  name: "lowered-typescript",
  enforce: "pre",
  transform(code, id) {
    if (!/\/tests\/js\/[^?]*\.ts$/.test(id)) return undefined;
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, sourceMap: true };
    const { outputText, sourceMapText } = ts.transpileModule(code, { fileName: id, compilerOptions });
    return { code: outputText, map: sourceMapText };
  },
};

/**
 * In milliseconds: what takes longer hangs, however busy the machine is. More than `soon` in the kit of the tests,
 * which says where.
 */
const HANG = 180_000;

const memoryTests = "tests/js/**/*.gc.test.ts";
const modelTests = "tests/js/model/**/*.test.ts";

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [lowered],
        test: {
          name: "js",
          include: ["tests/js/**/*.test.ts"],
          exclude: [memoryTests, modelTests],
          testTimeout: HANG,
          hookTimeout: HANG,
          expect: { poll: { timeout: HANG / 2 } },
        },
      },
      {
        plugins: [lowered],
        test: {
          name: "gc",
          include: [memoryTests],
          pool: "forks",
          // One process at a time, with a collector that can be called: anything else would blur the measurement.
          execArgv: ["--expose-gc"],
          fileParallelism: false,
          testTimeout: HANG,
          hookTimeout: HANG,
          expect: { poll: { timeout: HANG / 2 } },
        },
      },
      {
        plugins: [lowered],
        test: {
          name: "model",
          include: [modelTests],
          globalSetup: ["tests/js/model/setup.mjs"],
          // One file at a time: the model computes on the same cores, and answers only so many at once.
          fileParallelism: false,
          testTimeout: HANG,
          hookTimeout: HANG,
          expect: { poll: { timeout: HANG / 2 } },
        },
      },
      {
        test: {
          name: "crash",
          include: ["tests/crash/**/*.test.ts"],
          testTimeout: HANG,
          hookTimeout: HANG,
          expect: { poll: { timeout: HANG / 2 } },
        },
      },
      {
        test: {
          name: "browser",
          include: ["tests/browser/**/*.test.ts"],
          testTimeout: HANG,
          hookTimeout: HANG,
          expect: { poll: { timeout: HANG / 2 } },
        },
      },
    ],
  },
});
