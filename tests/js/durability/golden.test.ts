// Snapshots and journals of whole runs, the host's part included, which an earlier version has written and every later version must
// recover: tests/golden/runs. The files of `tests/golden/v1` and its successors are the engine's part alone.
//
// `UPDATE_GOLDEN=1 npx vitest run --project js tests/js/durability/golden.test.ts` writes what is not there yet, under the version of the
// format that is written now. Files that are there are never written again.

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  StartEvent,
  StopEvent,
  Workflow,
  type WorkflowContext,
  openSnapshot,
  retryPolicy,
  sealSnapshot,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import { describe, expect, test } from "vitest";
import { collect, soon } from "../kit/index.js";
import { Answer, Item, Other, Progress, Question, described } from "./kit.js";

const folder = path.resolve(import.meta.dirname, "../../golden/runs");

/** Steps without a name, before and behind a wait. */
function unnamed(): Workflow<unknown, unknown, string> {
  const workflow = new Workflow<unknown, unknown, string>({ name: "unnamed", timeout: null });
  workflow.addStep({ inputs: [StartEvent], outputs: [Item] }, async ({ requireEvent }) => {
    const answer = await requireEvent(Answer);
    return new Item(`${answer.data}!`);
  });
  workflow.addStep({ inputs: [Item], outputs: [StopEvent<string>] }, (_, { data }) => new StopEvent(data));
  return workflow;
}

/** A named step that has asked a question, and a step without a name. */
function asking(): Workflow<unknown, unknown, string> {
  const workflow = new Workflow<unknown, unknown, string>({ name: "asking", timeout: null });
  workflow.addStep({ inputs: [StartEvent], outputs: [Item], name: "ask" }, async ({ waitForEvent, sendEvent }) => {
    sendEvent(new Other("sent"));
    const ask = new Question("ready?");
    return new Item((await waitForEvent(Answer, { ask, id: "ready", where: ({ data }) => data !== "no" })).data);
  });
  workflow.addStep({ inputs: [Item], outputs: [StopEvent<string>] }, (_, { data }) => new StopEvent(data));
  return workflow;
}

/** A step that has written to the stream, and failed once before. */
function writing(): Workflow<unknown, unknown, string> {
  const workflow = new Workflow<unknown, unknown, string>({ name: "writing", timeout: null });
  const retry = retryPolicy({ stop: stopAfterAttempt(3), wait: waitFixed(0) });
  workflow.addStep(
    { inputs: [StartEvent], outputs: [StopEvent<string>], name: "write", retry },
    async ({ writeEventToStream, requireEvent, attempt, once }) => {
      writeEventToStream(new Progress(`a${attempt}`));
      writeEventToStream(new Progress(`b${attempt}`));
      if (attempt === 1) throw new Error("once more");
      const paid = await once("pay", () => "paid");
      return new StopEvent(`${paid} ${(await requireEvent(Answer)).data}`);
    },
  );
  return workflow;
}

interface Sample {
  readonly make: () => Workflow<unknown, unknown, string>;
  /** What the recovered run gives when the answer is "yes". */
  readonly result: string;
}

const samples: Readonly<Record<string, Sample>> = {
  unnamed: { make: unnamed, result: "yes!" },
  asking: { make: asking, result: "yes" },
  writing: { make: writing, result: "paid yes" },
};

const key = "a key for the golden files";
const file = (version: string, name: string): string => path.join(folder, version, name);
const bytes = (version: string, name: string): Uint8Array => new Uint8Array(readFileSync(file(version, name)));

/** Writes a sample under the version of the format that this package writes. */
async function write(name: string, { make }: Sample): Promise<void> {
  const run = make().run("hi", undefined, { journal: true, runId: `golden-${name}` });
  await soon(run.start().idle());
  const snapshot = run.snapshot();
  const version = `v${snapshot[5]}`;
  mkdirSync(path.join(folder, version), { recursive: true });
  if (existsSync(file(version, `${name}.snapshot`))) return;
  writeFileSync(file(version, `${name}.snapshot`), snapshot);
  writeFileSync(file(version, `${name}.journal`), run.journal());
  writeFileSync(file(version, `${name}.sealed`), await sealSnapshot(snapshot, key, { encrypt: false }));
  run.cancel();
}

if (process.env["UPDATE_GOLDEN"] !== undefined) {
  for (const [name, sample] of Object.entries(samples)) await write(name, sample);
}

describe.each(readdirSync(folder))("of %s", (version) => {
  test.each(Object.entries(samples))("the run %s goes on", async (name, { make, result }) => {
    const run = make().recover(bytes(version, `${name}.snapshot`)) as unknown as WorkflowContext<
      unknown,
      unknown,
      string
    >;
    const all = collect(run);
    run.sendEvent(new Answer("yes"));
    expect((await soon(run)).data).toBe(result);
    const { events } = await all;
    // What was asked is asked once, whatever has begun again.
    expect(described(events).filter((event) => event.startsWith("question"))).toEqual(
      name === "asking" ? ['question "ready?"'] : [],
    );
    expect(described(events).filter((event) => event.startsWith("other"))).toEqual(
      name === "asking" ? ['other "sent"'] : [],
    );
  });

  test.each(Object.entries(samples))("the journal of %s leads to the same run", async (name, { make, result }) => {
    const run = make().recover(
      make()
        .replay(bytes(version, `${name}.journal`))
        .snapshot(),
    ) as unknown as WorkflowContext<unknown, unknown, string>;
    run.sendEvent(new Answer("yes"));
    expect((await soon(run)).data).toBe(result);
  });

  test.each(Object.entries(samples))("the seal of %s opens", async (name, { make }) => {
    const opened = await openSnapshot(bytes(version, `${name}.sealed`), key, { workflow: make() });
    expect(opened).toEqual(bytes(version, `${name}.snapshot`));
  });
});

test("there are files of every version", () => {
  const current = `v${unnamed().run("hi").snapshot()[5]}`;
  expect(readdirSync(folder)).toContain(current);
  for (const version of readdirSync(folder)) {
    const names = Object.keys(samples).flatMap((name) =>
      ["journal", "sealed", "snapshot"].map((kind) => `${name}.${kind}`),
    );
    expect(readdirSync(path.join(folder, version)).sort()).toEqual(names.sort());
  }
});
