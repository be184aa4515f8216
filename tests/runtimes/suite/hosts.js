// What pages and hosts ask of a run: lists, questions, sleep, lifecycle events, cuts and commits.

import {
  LifecycleEvent,
  SnapshotError,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  collect,
  observe,
} from "stepstream";
import { Answer, Item, Other, Progress, Question, described, equal, eventsOf, fails, ok, single, soon } from "./kit.js";

/** Two questions at a time, of one class. */
const asking = () =>
  new Workflow({ timeout: null, events: [Question, Answer] })
    .addStep({ name: "open", inputs: [StartEvent], outputs: [Item] }, () => [new Item("a"), new Item("b")])
    .addStep({ name: "ask", inputs: [Item], outputs: [Other] }, async ({ waitForEvent }, { data }) => {
      const answer = await waitForEvent(Answer, { ask: new Question(data) });
      return new Other(`${data}: ${answer.data}`);
    })
    .addStep({ name: "end", inputs: [collect(Other)], outputs: [StopEvent] }, (_, all) => {
      return new StopEvent(all.map(({ data }) => data));
    });

export const hosts = {
  async "lists: arrays of two documents at the same time are not mixed, and an empty one is a list"() {
    const workflow = new Workflow()
      .addStep({ name: "split", inputs: [StartEvent], outputs: [Item] }, ({ data: words }) => words)
      .addStep({ name: "gather", inputs: [collect(Other)], outputs: [StopEvent] }, (_, all) => {
        return new StopEvent(all.map(({ data }) => data).sort());
      })
      .addStep({ name: "work", inputs: [Item], outputs: [Other] }, async ({ sleep }, { data }) => {
        await sleep(data / 1000);
        return new Other(data);
      });
    const listOf = async (...numbers) => (await workflow.run().with(numbers.map((number) => new Item(number)))).data;
    equal(await soon(Promise.all([listOf(3, 1, 2), listOf(6, 5)])), [
      [1, 2, 3],
      [5, 6],
    ]);
    equal(await soon(listOf()), []);
  },

  async "questions: each is answered by its id, also after a recovery"() {
    const run = asking().run();
    equal((await soon(eventsOf(run.stream({ until: "waiting" })), "the stream")).length, 5);
    const open = run.pending;
    equal(
      open.map(({ step, question }) => [step, question.data]),
      [
        ["ask", "a"],
        ["ask", "b"],
      ],
    );
    const again = asking().recover(run.snapshot({ unread: false }));
    run.cancel();
    await run.catch(() => {});
    equal(
      again.pending.map(({ id }) => id),
      open.map(({ id }) => id),
    );
    again.respond(open[1].id, "second");
    again.respond(open[0].id, new Answer("first"));
    equal((await soon(again)).data, ["b: second", "a: first"]);
    await fails(() => again.respond(open[0].id, "late"), ValidationError, "NO_SUCH_QUESTION");
  },

  async "sleep: a run says when it wakes, and time outside counts when it is to"() {
    const make = () =>
      single(async ({ sleep }) => {
        await sleep(3600);
        return new StopEvent("awake");
      });
    const run = make().run();
    await soon(run.idle({ until: "sleeping" }), "sleep");
    const seconds = (run.wakesAt.getTime() - Date.now()) / 1000;
    ok(
      run.status === "sleeping" && seconds > 3000 && seconds <= 3601,
      `it is ${run.status}, and wakes in ${seconds} s`,
    );
    const bytes = run.snapshot();
    run.cancel();
    await run.catch(() => {});
    equal((await soon(make().recover(bytes, { elapsed: 3600 }))).data, "awake");
  },

  async "lifecycle: what a step does is told to an observer and in the stream"() {
    const run = single(() => new StopEvent("done")).run();
    const told = [];
    observe(run, ({ data }) => told.push(data.kind));
    const events = await soon(eventsOf(run.stream({ lifecycle: true })), "the stream");
    const kinds = events.flatMap((event) => (event instanceof LifecycleEvent ? [event.data.kind] : []));
    equal(kinds, [
      "run.started",
      "event.sent",
      "event.delivered",
      "step.queued",
      "step.started",
      "step.succeeded",
      "event.sent",
      "run.ended",
    ]);
    equal(told, kinds);
  },

  async "cuts: events and the snapshot of one moment"() {
    const make = () =>
      single(async ({ writeEventToStream, waitForEvent }) => {
        writeEventToStream(new Progress(1));
        const { data } = await waitForEvent(Answer);
        return new StopEvent(data);
      });
    const run = make().run();
    await soon(run.idle(), "idle");
    const { snapshot, events, status, sequence } = run.drain();
    equal([described(events), status, sequence > 0n], [['start "undefined"', "progress 1"], "waiting", true]);
    run.cancel();
    await run.catch(() => {});
    const again = make().recover(snapshot);
    again.sendEvent(new Answer("yes"));
    equal((await soon(again)).data, "yes");
  },

  async "commits: nothing goes out before it is stored, and a run whose store fails goes no further"() {
    const log = [];
    const make = () =>
      single(async ({ once }) => {
        await once("pay", () => void log.push("pay"));
        log.push("paid");
        return new StopEvent("done");
      });
    const commit = async ({ status, events }) => {
      await Promise.resolve();
      log.push(`stored ${events.length} ${status}`);
    };
    const run = make().run(undefined, undefined, { commit });
    for await (const event of run) log.push(`read ${event instanceof StopEvent ? "stop" : "start"}`);
    equal((await soon(run)).data, "done");
    ok(log.indexOf("paid") > log.indexOf("pay"), "the order of the effect");
    ok(
      log[log.indexOf("paid") - 1].startsWith("stored") || log.indexOf("stored 0 running") < log.indexOf("paid"),
      `${log}`,
    );
    ok(log.indexOf("read stop") > log.findIndex((entry) => entry.endsWith("completed")), `${log}`);
    const failing = make().run(undefined, undefined, {
      commit: () => {
        throw new Error("full");
      },
    });
    await fails(failing, SnapshotError, "COMMIT_FAILED");
  },
};
