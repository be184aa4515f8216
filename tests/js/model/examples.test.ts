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

test("a joke is told and judged", async () => {
  const lines = (await run("joke/run.mjs", "penguins")).filter((line) => line !== "");
  const critique = lines.indexOf("  The critique:");
  expect(lines[0]).toBe("A joke about penguins, and what the same model thinks of it");
  expect(critique).toBeGreaterThan(1);
  expect(lines.length).toBeGreaterThan(critique + 1);
});
