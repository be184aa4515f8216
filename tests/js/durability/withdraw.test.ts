// What a step withdrew, asked and wrote, over several lives of its run.

import { StartEvent, StopEvent, Workflow } from "stepstream";
import { expect, test } from "vitest";
import { collect, deferred, soon, turn } from "../kit/index.js";
import { Answer, Progress, Question, described, reborn } from "./kit.js";

const starts = [StartEvent] as const;
const stops = [StopEvent<string>] as const;

test("a wait that lost stays withdrawn after a recovery: the answer goes to the live one", async () => {
  const seen: string[] = [];
  const make = (): Workflow =>
    new Workflow({ timeout: null }).addStep(
      { name: "race", inputs: starts, outputs: stops },
      async ({ waitForEvent, sleep }) => {
        const lost = new AbortController();
        const first = waitForEvent(Answer, { signal: lost.signal, id: "first" });
        const winner = await Promise.race([first.then(({ data }) => data), sleep(0.001).then(() => "time")]);
        seen.push(winner);
        lost.abort();
        return new StopEvent((await waitForEvent(Answer, { id: "second" })).data);
      },
    ) as never;
  let run = make().run("x").start();
  while (seen.length === 0) await turn();
  for (let life = 0; life < 3; life += 1) {
    await soon(run.idle());
    run = reborn(run, make).start();
    while (seen.length < life + 2) await turn();
  }
  await soon(run.idle());
  run.sendEvent(new Answer("for the second"));
  expect((await soon(run)).data).toBe("for the second");
  expect(seen).toEqual(["time", "time", "time", "time"]);
});

test("an answer that comes while the step is on its way to the race again does not change who won", async () => {
  const gates = [deferred(), deferred()];
  let life = 0;
  const seen: string[] = [];
  const make = (): Workflow => {
    const gate = gates[life++]!;
    return new Workflow({ timeout: null }).addStep(
      { name: "race", inputs: starts, outputs: stops },
      async ({ waitForEvent, sleep }) => {
        await gate.promise;
        const lost = new AbortController();
        const first = waitForEvent(Answer, { signal: lost.signal });
        seen.push(await Promise.race([first.then(({ data }) => data), sleep(0.001).then(() => "time")]));
        lost.abort();
        return new StopEvent((await waitForEvent(Answer)).data);
      },
    ) as never;
  };
  gates[0]!.resolve();
  const run = make().run("x").start();
  while (seen.length === 0) await turn();
  await soon(run.idle());
  const again = reborn(run, make).start();
  await turn();
  again.sendEvent(new Answer("early"));
  gates[1]!.resolve();
  expect((await soon(again)).data).toBe("early");
  expect(seen).toEqual(["time", "time"]);
});

test("a sleep that lost does not hold up a step that runs again", async () => {
  const make = (): Workflow =>
    new Workflow({ timeout: null }).addStep(
      { name: "race", inputs: starts, outputs: stops },
      async ({ waitForEvent, sleep }) => {
        const lost = new AbortController();
        const answer = waitForEvent(Answer);
        const late = sleep(3600, { signal: lost.signal }).then(
          () => "late",
          () => "withdrawn",
        );
        const winner = await Promise.race([answer.then(({ data }) => data), late]);
        lost.abort();
        return new StopEvent(`${winner} ${(await waitForEvent(Answer)).data}`);
      },
    ) as never;
  let run = make().run("x").start();
  await soon(run.idle());
  run.sendEvent(new Answer("one"));
  await turn();
  await soon(run.idle());
  run = reborn(run, make).start();
  await soon(run.idle());
  run.sendEvent(new Answer("two"));
  expect((await soon(run)).data).toBe("one two");
});

test("a question is asked once and what is written is reset, over any number of lives", async () => {
  const make = (): Workflow =>
    new Workflow({ timeout: null }).addStep(
      { name: "ask", inputs: starts, outputs: stops },
      async ({ waitForEvent, writeEventToStream }) => {
        writeEventToStream(new Progress("thinking"));
        const answer = await waitForEvent(Answer, { ask: new Question("sure?"), id: "sure" });
        writeEventToStream(new Progress("typing"));
        return new StopEvent(answer.data);
      },
    ) as never;
  let run = make().run("x").start();
  for (let life = 0; life < 2; life += 1) {
    await soon(run.idle());
    run = reborn(run, make).start();
  }
  await soon(run.idle());
  run.sendEvent(new Answer("yes"));
  const { events } = await soon(collect(run));
  const reset = 'StreamReset {"step":"ask","attempt":1}';
  expect(described(events)).toEqual([
    'StartEvent "x"',
    'progress "thinking"',
    'question "sure?"',
    reset,
    'progress "thinking"',
    reset,
    'progress "thinking"',
    'answer "yes"',
    'progress "typing"',
    'StopEvent "yes"',
  ]);
});

test("a snapshot between a reset and the attempt has both", async () => {
  const bytes: Uint8Array[] = [];
  const make = (isFirst: boolean): Workflow =>
    new Workflow({ timeout: null }).addStep(
      { name: "write", inputs: starts, outputs: stops },
      async ({ writeEventToStream, requireEvent }) => {
        writeEventToStream(new Progress(isFirst ? "first" : "second"));
        return new StopEvent((await requireEvent(Answer)).data);
      },
    ) as never;
  const run = make(true).run("x").start();
  await soon(run.idle());
  const snapshot = run.snapshot();
  run.cancel();
  const again = make(false).recover(snapshot);
  const reader = again[Symbol.asyncIterator]();
  // The reset is read before the handler that begins again has written anything more.
  const seen = [];
  for (let count = 0; count < 4; count += 1) {
    seen.push((await soon(reader.next())).value);
    bytes.push(again.snapshot());
  }
  expect(described(seen as never)).toEqual([
    'StartEvent "x"',
    'progress "first"',
    'StreamReset {"step":"write","attempt":1}',
    'progress "second"',
  ]);
  again.cancel();
  for (const at of bytes) {
    const later = make(false).recover(at);
    later.sendEvent(new Answer("yes"));
    expect((await soon(later)).data).toBe("yes");
  }
});
