// Snapshots between processes, and between a bundle that was minified and source that was not.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";

/** A program that starts a run and freezes it when it waits, or takes one up and sends what it waits for. */
const program = `
import { readFileSync, writeFileSync } from "node:fs";
import { HumanResponseEvent, StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

class DraftEvent extends WorkflowEvent { static type = "draft"; words() { return this.data.text.split(" ").length; } }
class ApprovalEvent extends HumanResponseEvent { static type = "approval"; }
class Money { constructor(cents) { this.cents = cents; } }

const workflow = new Workflow({
  types: { Money: { encode: (value) => (value instanceof Money ? value.cents : undefined), decode: (cents) => new Money(cents) } },
});
workflow.addStep({ inputs: [StartEvent], outputs: [DraftEvent], name: "draft" }, async ({ store }, event) => {
  store.set("price", new Money(1250n));
  return new DraftEvent({ text: event.data, at: new Date(0) });
});
workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent], name: "approve" }, async (context, draft) => {
  const number = await context.once("number", () => 40 + 2);
  const approval = await context.requireEvent(ApprovalEvent);
  const price = context.store.get("price");
  return new StopEvent([
    draft instanceof DraftEvent, draft.words(), draft.data.at instanceof Date, number, approval.data,
    price instanceof Money, String(price.cents), approval instanceof ApprovalEvent,
  ]);
});

const [, , mode, path] = process.argv;
if (mode === "freeze") {
  const run = workflow.run("three short words");
  await run.idle();
  writeFileSync(path, run.snapshot());
  run.cancel();
} else {
  const run = workflow.recover(readFileSync(path));
  run.sendEvent(new ApprovalEvent("yes"));
  const { data } = await run;
  console.log(JSON.stringify(data));
}
`;

const expected = [true, 3, true, 42, "yes", true, "1250", true];

let folder: string;
let source: string;
let bundle: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "stepstream-"));
  // The source finds the package from beside the tests.
  source = join(fileURLToPath(new URL(".", import.meta.url)), `.program-${process.pid}.mjs`);
  bundle = join(folder, "bundle.mjs");
  writeFileSync(source, program);
  const built = await rolldown({ input: source, platform: "node" });
  await built.write({ file: bundle, format: "esm", minify: true });
  await built.close();
});

afterAll(() => {
  rmSync(source, { force: true });
  rmSync(folder, { recursive: true, force: true });
});

/** Freezes in one process, takes up in another. */
function cross(from: string, to: string): unknown {
  const path = join(folder, "run.snapshot");
  execFileSync(process.execPath, [from, "freeze", path]);
  return JSON.parse(execFileSync(process.execPath, [to, "recover", path], { encoding: "utf8" }));
}

test("the bundle's classes have lost their names", () => {
  expect(readFileSync(bundle, "utf8")).not.toContain("class DraftEvent");
});

test("from one process to another", () => expect(cross(source, source)).toEqual(expected));
test("from source to a minified bundle", () => expect(cross(source, bundle)).toEqual(expected));
test("from a minified bundle to source", () => expect(cross(bundle, source)).toEqual(expected));
