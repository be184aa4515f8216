// The examples on a real model, as `npm start` runs them.

import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";

const { address, model } = inject("localModel");
const examples = path.resolve(import.meta.dirname, "../../../examples");

/** What an example prints, line by line. It has to end well by itself. */
async function run(file: string, ...given: readonly string[]): Promise<string[]> {
  const env = { ...process.env, OPENAI_BASE_URL: `${address}/v1`, OPENAI_MODEL: model, OPENAI_API_KEY: "" };
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(examples, file), ...given], { env });
  return stdout.trimEnd().split("\n");
}

test("a joke is written and judged", async () => {
  const lines = (await run("joke/run.mjs", "penguins")).filter((line) => line !== "");
  const critique = lines.indexOf("  The critique:");
  expect(lines[0]).toBe("A joke about penguins, and a critique of it by the same model");
  expect(critique).toBeGreaterThan(1);
  expect(lines.length).toBeGreaterThan(critique + 1);
});

test("both calculators come to an end, and the first has called a tool", async () => {
  const lines = await run("calculator/run.mjs");
  expect(lines.filter((line) => /^ {2}\((?:correct|wrong)/.test(line))).toHaveLength(2);
  const first = lines.slice(
    0,
    lines.findIndex((line) => line.startsWith("ReActAgent: ")),
  );
  expect(first.some((line) => /^ {2}-> (?:add|multiply)\(\{.*\}\)$/.test(line))).toBe(true);
  expect(first.some((line) => /^ {2}<- [-\d]/.test(line))).toBe(true);
});

test("a second process resumes a run in the middle of a tool call", async () => {
  const lines = await run("calculator/resume/run.mjs");
  const said = lines.flatMap((line) => {
    const [, pid, text] = /^ {2}process (\d+): (.*)$/.exec(line) ?? [];
    return pid === undefined || text === undefined ? [] : [{ pid, text }];
  });
  expect(new Set(said.map(({ pid }) => pid)).size).toBe(2);
  const [first, second] = [said[0]!.pid, said.at(-1)!.pid].map((pid) =>
    said.filter((line) => line.pid === pid).map(({ text }) => text),
  );
  // The call that the first process began is made again by the second.
  const atWork = first!.find((text) => text.endsWith(" is running"));
  expect(second).toContain(atWork);
  expect(first!.at(-1)).toMatch(/^the run is running; saved as \d+ bytes; this process ends$/);
  expect(second!.some((text) => /^(?:add|multiply) returned -?[\d.]+/.test(text))).toBe(true);
  expect(second!.at(-1)).toMatch(/^the run is completed; the model's answer: ./);
});
