// The examples whose output is the same every time. The documents' example, which reads a folder and shows times, is
// run by a check of its own.
import { spawn } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { root, run } from "./snippets.ts";

const approval = path.join(root, "examples/approval/run.mjs");

/** With the names of processes taken out, one after another: what stays is the same in every run. */
function withoutIds(output: string): { readonly text: string; readonly processes: number } {
  const ids = new Set([...output.matchAll(/process (\d+)/g)].map(([, id]) => id));
  return { text: output.replaceAll(/process \d+/g, "process"), processes: ids.size };
}

test("the approval resumes in another process, and reserves one seat", async () => {
  const { text, processes } = withoutIds(await run(approval));
  expect(processes).toBe(2);
  expect(text.replace(/\d+ encrypted/, "some encrypted"))
    .toBe(`Approval: one process asks a person and ends, another one resumes the run with the answer
  process: step "book" begins
  process: Book seat 14C to Lisbon?
  process: the run is waiting; saved as some encrypted bytes
  (the process has ended; the run is in a file)
  process: the run is recovered; the answer is "yes"
  process: step "book" begins
  process: the run is completed: seat 14C is booked
  The step ran twice, but each request to the airline was made once:
    reserve a seat to Lisbon
    book seat 14C
`);
});

test("its processes do not begin without a key", async () => {
  const { APPROVAL_FOLDER: _folder, SNAPSHOT_SECRET: _secret, ...env } = process.env;
  const child = spawn(process.execPath, [path.join(root, "examples/approval/ask.mjs")], { env });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  expect(await new Promise((resolve) => child.on("close", resolve))).toBe(1);
  expect(said).toContain("Set APPROVAL_FOLDER, and SNAPSHOT_SECRET");
});

test("both kinds of agents call the tools that a scripted model asks for", async () => {
  expect(await run(path.join(root, "examples/calculator/scripted.mjs"))).toBe(`FunctionAgent: What is (123 + 456) * 789?
  -> add({"a":123,"b":456})
  <- 579
  -> multiply({"a":579,"b":789})
  <- 456831
  It is 456,831.
  (correct)

ReActAgent: What is (123 + 456) * 789?
  -> add({"a": 123, "b": 456})
  <- 579
  -> multiply({"a": 579, "b": 789})
  <- 456831
  It is 456,831.
  (correct)
`);
});

/** What the joke's example says on its error output before it fails, with these variables about the model. */
async function complaint(variables: Record<string, string>): Promise<string> {
  const { OPENAI_API_KEY: _key, OPENAI_BASE_URL: _address, OPENAI_MODEL: _model, ...others } = process.env;
  const child = spawn(process.execPath, [path.join(root, "examples/joke/run.mjs")], {
    env: { ...others, ...variables },
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  expect(await new Promise((resolve) => child.on("close", resolve))).toBe(1);
  return said;
}

test("without a model, or with one that is not there, an example says what to do", async () => {
  expect(await complaint({})).toMatch(
    /^There is no model\. Set OPENAI_API_KEY, or set OPENAI_BASE_URL and OPENAI_MODEL/,
  );
  const nowhere = { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" };
  expect(await complaint(nowhere)).toMatch(/^Set OPENAI_MODEL to a model that http:/);
  expect(await complaint({ ...nowhere, OPENAI_MODEL: "any" })).toMatch(/^LLM_NETWORK: .*\n$/);
});
