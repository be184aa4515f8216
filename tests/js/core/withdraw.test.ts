// Waits and sleeps that are withdrawn by a signal: no event goes to them any more, and nothing waits for them.

import {
  CancelledError,
  HumanResponseEvent,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  WorkflowEvent,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import { fails, soon } from "../kit/index.js";

class Answer extends HumanResponseEvent<string> {}
class Note extends WorkflowEvent<string> {}

test("a wait that lost a race leaves the next event to the live one", async () => {
  const workflow = new Workflow<unknown, unknown, string>({ timeout: null });
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent, sleep }) => {
    const lost = new AbortController();
    const first = waitForEvent(Answer, { signal: lost.signal });
    await Promise.race([first, sleep(0.001)]);
    lost.abort();
    await fails(first, CancelledError, "WAIT_WITHDRAWN");
    return new StopEvent((await waitForEvent(Answer)).data);
  });
  const context = workflow.run(0).start();
  while ((await soon(context.idle()), context.status !== "waiting")) await Promise.resolve();
  // The run waits while the race is on, too; the answer may not come before it is over.
  await new Promise((resolve) => setTimeout(resolve, 20));
  context.sendEvent(new Answer("live"));
  expect((await soon(context)).data).toBe("live");
});

test("an event that comes after the wait was withdrawn is kept for the next", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ requireEvent, waitForEvent, sendEvent }) => {
    const lost = new AbortController();
    const waits = [
      waitForEvent(Note, { signal: lost.signal }),
      waitForEvent(Note, { signal: lost.signal, where: () => true }),
    ];
    lost.abort(new Error("enough"));
    for (const wait of waits) {
      const error = await fails(wait, CancelledError, "WAIT_WITHDRAWN");
      expect(error.message).toContain("waited for Note");
      expect((error.cause as Error).message).toBe("enough");
    }
    sendEvent(new Note("kept"));
    return new StopEvent((await requireEvent(Note)).data);
  });
  expect((await soon(workflow.run(0))).data).toBe("kept");
});

test("a signal that is aborted already takes no event, not even one that is kept", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ requireEvent, waitForEvent, sleep, sendEvent }) => {
    sendEvent(new Note("kept"));
    const signal = AbortSignal.abort();
    await fails(waitForEvent(Note, { signal }), CancelledError, "WAIT_WITHDRAWN");
    await fails(sleep(1000, { signal }), CancelledError, "WAIT_WITHDRAWN");
    return new StopEvent((await requireEvent(Note)).data);
  });
  expect((await soon(workflow.run(0))).data).toBe("kept");
});

test("a sleep that is withdrawn does not hold the run up", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ sleep }) => {
    const lost = new AbortController();
    const long = sleep(3600, { signal: lost.signal });
    lost.abort();
    await fails(long, CancelledError, "WAIT_WITHDRAWN");
    return new StopEvent("done");
  });
  expect((await soon(workflow.run(0))).data).toBe("done");
});

test("a run is running again when its only wait is withdrawn", async () => {
  const lost = new AbortController();
  let goOn!: () => void;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent }) => {
    await waitForEvent(Answer, { signal: lost.signal }).catch(() => undefined);
    await gate;
    return new StopEvent("done");
  });
  const context = workflow.run(0).start();
  await soon(context.idle());
  lost.abort();
  expect(context.status).toBe("running");
  goOn();
  expect((await soon(context)).data).toBe("done");
});

test("to abort after the answer, or after the end, changes nothing", async () => {
  const late = new AbortController();
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent, sendEvent }) => {
    sendEvent(new Note("one"));
    const { data } = await waitForEvent(Note, { signal: late.signal });
    late.abort();
    return new StopEvent(data);
  });
  expect((await soon(workflow.run(0))).data).toBe("one");
  late.abort();
});

test("what an attempt withdrew is withdrawn in the next one too, and nothing is lost", async () => {
  const seen: string[] = [];
  const workflow = new Workflow<unknown, unknown, string>();
  const retry = retryPolicy({ stop: stopAfterAttempt(3), wait: waitFixed(0) });
  workflow.addStep({ inputs: [StartEvent], retry }, async ({ waitForEvent, requireEvent, sendEvent, attempt }) => {
    const lost = new AbortController();
    const first = waitForEvent(Note, { signal: lost.signal });
    first.then(
      ({ data }) => seen.push(`lost ${data}`),
      () => undefined,
    );
    if (attempt > 1) sendEvent(new Note(`sent by ${attempt}`));
    await Promise.resolve();
    lost.abort();
    if (attempt === 1) sendEvent(new Note("sent by 1"));
    const { data } = await requireEvent(Note);
    seen.push(data);
    if (attempt < 3) throw new Error("again");
    const rest = [await requireEvent(Note), await requireEvent(Note)];
    return new StopEvent(rest.map((note) => note.data).join());
  });
  expect((await soon(workflow.run(0))).data).toBe("sent by 2,sent by 3");
  expect(seen).toEqual(["sent by 1", "sent by 1", "sent by 1"]);
});

test("what is no signal is refused", async () => {
  const workflow = new Workflow<unknown, unknown, string>();
  workflow.addStep({ inputs: [StartEvent] }, async ({ waitForEvent, sleep }) => {
    for (const signal of [1, "x", {}, new AbortController()] as unknown as AbortSignal[]) {
      await fails(waitForEvent(Answer, { signal }), ValidationError, "INVALID_OPTION");
      await fails(sleep(1, { signal }), ValidationError, "INVALID_OPTION");
    }
    return new StopEvent("");
  });
  await soon(workflow.run(0));
});
