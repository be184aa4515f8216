// What a run does: routing, joins, waits, retries, timeouts, cancellation, errors, streaming.

import {
  CancelledError,
  LimitError,
  NestedEvent,
  StalledError,
  StartEvent,
  StepError,
  StopEvent,
  TimeoutError,
  ValidationError,
  Workflow,
  WorkflowEvent,
  retryPolicy,
  retryUnlessErrorType,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import {
  Answer,
  Item,
  Other,
  Progress,
  Question,
  Special,
  described,
  equal,
  eventsOf,
  fails,
  ok,
  pause,
  single,
  soon,
} from "./kit.js";

const quick = (attempts, retry) => retryPolicy({ retry, wait: waitFixed(0.01), stop: stopAfterAttempt(attempts) });

export const runs = {
  async "routing: an event goes to every step that takes its class or a base of it"() {
    const seen = [];
    const workflow = new Workflow()
      .addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
        for (const event of [new Item(1), new Special(2), new Other(3)]) sendEvent(event);
      })
      .addStep({ name: "items", inputs: [Item] }, (_, event) => void seen.push(`items ${event.data}`))
      .addStep({ name: "specials", inputs: [Special] }, (_, event) => void seen.push(`specials ${event.data}`))
      .addStep({ name: "any", inputs: [WorkflowEvent.or(Other, Special)] }, async ({ store }, event) => {
        seen.push(`any ${event.data}`);
        store.set("count", store.get("count", 0) + 1);
        return store.get("count") === 2 ? new StopEvent(store.toJSON()) : undefined;
      });
    equal((await soon(workflow.run())).data, { count: 2 });
    equal(seen.sort(), ["any 2", "any 3", "items 1", "items 2", "specials 2"]);
  },

  async "routing: to one step, with a limit of workers"() {
    let most = 0;
    let now = 0;
    const workflow = new Workflow()
      .addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
        for (let nth = 0; nth < 6; nth += 1) sendEvent(new Item(nth), { step: "work" });
      })
      .addStep({ name: "work", inputs: [Item], numWorkers: 2 }, async ({ sleep }, event) => {
        now += 1;
        most = Math.max(most, now);
        await sleep(0.005);
        now -= 1;
        return new Other(event.data);
      })
      .addStep({ name: "idle", inputs: [Item] }, () => new StopEvent("the wrong step"))
      .addStep({ inputs: [Other] }, ({ collectEvents }, event) => {
        const all = collectEvents(event, Array(6).fill(Other));
        return all === null ? undefined : new StopEvent(all.map(({ data }) => data));
      });
    equal((await soon(workflow.run())).data, [0, 1, 2, 3, 4, 5]);
    equal(most, 2, "the number of workers");
  },

  async "joins: a step with two inputs runs once for each pair, first in, first out"() {
    const workflow = new Workflow()
      .addStep({ inputs: [StartEvent] }, ({ sendEvent }) => {
        for (const nth of [1, 2]) sendEvent(new Item(nth));
      })
      .addStep({ name: "late", inputs: [Item] }, async ({ sleep }, { data }) => {
        if (data === 1) await sleep(0.01); // The second one overtakes it.
        return new Other(data);
      })
      .addStep({ name: "pair", inputs: [Item, Other] }, ({ store }, item, other) => {
        store.set("pairs", [...store.get("pairs", []), `${item.data}${other.data}`]);
        return store.get("pairs").length === 2 ? new StopEvent(store.get("pairs")) : undefined;
      });
    equal((await soon(workflow.run())).data, ["12", "21"]);
  },

  async "waits: a question is asked, and a condition chooses the answer"() {
    const workflow = single(async ({ waitForEvent }) => {
      const where = (answer) => answer.data > 10;
      return new StopEvent((await waitForEvent(Answer, { ask: new Question("how many?"), where })).data);
    });
    const run = workflow.run();
    for await (const event of run) {
      if (!(event instanceof Question)) continue;
      await soon(run.idle(), "idle");
      equal(run.status, "waiting");
      for (const data of [3, 30]) run.sendEvent(new Answer(data));
    }
    equal([run.result, run.status], [30, "completed"]);
  },

  async "waits: an event that no step took is kept, and a wait has a timeout"() {
    const run = single(async ({ requireEvent, waitForEvent }) => {
      const kept = await requireEvent(Item);
      const late = await waitForEvent(Answer, { timeout: 0.01 }).catch((error) => error.code);
      return new StopEvent([kept.data, late]);
    }).run();
    run.sendEvent(new Item("kept"));
    equal((await soon(run)).data, ["kept", "WAIT_TIMEOUT"]);
  },

  async "sleep: a step wakes after its time, and no sooner"() {
    const begun = Date.now();
    const result = await soon(
      single(async ({ sleep }) => {
        await Promise.all([sleep(0.03), sleep(0.01), sleep(0)]);
        return new StopEvent("awake");
      }).run(),
    );
    equal(result.data, "awake");
    ok(Date.now() - begun >= 25, `it woke after ${Date.now() - begun} ms`);
  },

  async "retries: until it succeeds, and not what the policy excludes"() {
    const flaky = single(
      ({ attempt }) => {
        if (attempt < 3) throw new Error("again");
        return new StopEvent(attempt);
      },
      { retry: quick(5) },
    );
    equal((await soon(flaky.run())).data, 3);
    let attempts = 0;
    const broken = single(
      () => {
        attempts += 1;
        throw new TypeError("a bug");
      },
      { retry: quick(5, retryUnlessErrorType(TypeError)) },
    );
    const run = broken.run();
    const error = await soon(run.catch((thrown) => thrown));
    ok(error instanceof TypeError, `it failed with ${error}`);
    equal([attempts, run.failure.step, run.failure.attempts, run.status], [1, "only", 1, "failed"]);
  },

  async "retries: a function of one's own decides"() {
    const reported = [];
    const workflow = single(
      ({ attempt }) => {
        throw new Error(`attempt ${attempt}`);
      },
      { retry: ({ error, attempt }) => (reported.push(error.message), attempt < 2 ? 0.005 : false) },
    );
    const error = await soon(workflow.run().catch((thrown) => thrown));
    equal([error.message, reported], ["attempt 2", ["attempt 1", "attempt 2"]]);
  },

  async "timeouts: of a run, and of a step, whose signal aborts"() {
    const asleep = ({ sleep }) => sleep(30);
    await fails(single(asleep, { options: { timeout: 0.02 } }).run(), TimeoutError, "RUN_TIMEOUT");
    let aborted = false;
    const step = single(
      ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve((aborted = true)))),
      { timeout: 0.02 },
    );
    await fails(step.run(), TimeoutError, "STEP_TIMEOUT");
    await pause(0);
    ok(aborted, "the step's signal has not aborted");
  },

  async "cancellation: by hand, by a signal, by a reader that leaves a disposed run"() {
    let signals = 0;
    const workflow = single(({ signal, sleep }) => {
      signal.addEventListener("abort", () => (signals += 1));
      return sleep(30);
    });
    const byHand = workflow.run();
    await pause(1);
    byHand.cancel("enough");
    const error = await fails(byHand, CancelledError, "RUN_CANCELLED");
    equal([error.cause, byHand.status], ["enough", "cancelled"]);
    const controller = new AbortController();
    const bySignal = workflow.run(undefined, undefined, { signal: controller.signal });
    await pause(1);
    controller.abort(new Error("gone"));
    equal((await fails(bySignal, CancelledError, "RUN_CANCELLED")).cause.message, "gone");
    const disposed = workflow.run();
    for await (const _ of disposed) break;
    disposed.dispose();
    await fails(disposed, CancelledError, "RUN_CANCELLED");
    equal(signals, 3, "the number of aborted steps");
  },

  async "errors: the same object reaches the promise and the loop, once"() {
    const thrown = new RangeError("out of it");
    const run = single(() => {
      throw thrown;
    }).run();
    const fromLoop = await soon(eventsOf(run).catch((error) => error));
    ok(fromLoop === thrown, `the loop ended with ${fromLoop}`);
    ok((await soon(run.catch((error) => error))) === thrown, "the promise has another error");
    const odd = single(() => {
      throw "a text";
    });
    equal((await fails(odd.run(), StepError, "STEP_FAILED")).cause, "a text");
  },

  async "errors: a handler makes an event of a failure"() {
    const workflow = single(() => {
      throw new Error("broken");
    });
    workflow.catchError({ steps: ["only"] }, (_, { data }) => new StopEvent(`${data.step}: ${data.error.message}`));
    equal((await soon(workflow.run())).data, "only: broken");
  },

  async "errors: a run that can never finish says so, and mistakes are found early"() {
    await fails(single(() => new Item(1)).run(), StalledError, "RUN_STALLED");
    await fails(() => new Workflow({ timeout: -1 }), ValidationError, "INVALID_DURATION");
    await fails(() => new Workflow().run(), ValidationError, "NO_STEPS");
    const endless = new Workflow({ limits: { steps: 100 } })
      .addStep({ inputs: [StartEvent] }, () => new Item(1))
      .addStep({ inputs: [Item] }, () => new Item(1));
    await fails(endless.run(), LimitError, "STEPS_LIMIT");
    const issues = single(() => new StopEvent(), { outputs: [Other, StopEvent] }).validate();
    equal(
      issues.map(({ code }) => code),
      ["NEVER_CONSUMED"],
    );
  },

  async "streaming: every event in order, and a later loop goes on where the first left off"() {
    const make = () =>
      single(async ({ writeEventToStream, sleep }) => {
        for (const nth of [1, 2, 3]) {
          writeEventToStream(new Progress(nth));
          await sleep(0.001);
        }
        return new StopEvent("done");
      });
    const all = ["start 0", "progress 1", "progress 2", "progress 3", 'stop "done"'];
    const run = make().run(0);
    const independent = run.stream();
    const first = [];
    for await (const event of run) {
      first.push(event);
      if (first.length === 2) break;
    }
    equal(described(first), all.slice(0, 2));
    equal(described(await soon(eventsOf(run))), all.slice(2));
    equal(described(await soon(eventsOf(independent))), all);
  },

  async "streaming: through a response, read with a reader"() {
    const run = single(async ({ writeEventToStream, sleep }, { data }) => {
      for (const word of data.split(" ")) {
        writeEventToStream(new Progress(word));
        await sleep(0);
      }
      return new StopEvent(true);
    }).run("as it happens");
    const encoder = new TextEncoder();
    const body = new ReadableStream({
      async start(controller) {
        for await (const event of run) {
          if (event instanceof Progress) controller.enqueue(encoder.encode(`${event.data};`));
        }
        controller.close();
      },
    });
    equal(await soon(new Response(body).text()), "as;it;happens;");
  },

  async "nested workflows: their events come under their slot"() {
    const inner = single((_, { data }) => new StopEvent(data * 2));
    const outer = new Workflow().addWorkflows({ twice: inner });
    outer.addStep({ inputs: [StartEvent] }, async ({ workflows }) => {
      const [a, b] = await Promise.all([workflows.twice.run(1), workflows.twice.run(2)]);
      return new StopEvent([a.data, b.data]);
    });
    const run = outer.run();
    const nested = (await soon(eventsOf(run))).filter((event) => event instanceof NestedEvent);
    equal(run.result, [2, 4]);
    equal(
      nested.map(({ data }) => data.slot),
      Array(4).fill("twice"),
    );
  },

  async "step by step: an event may be replaced before it goes on"() {
    const workflow = new Workflow()
      .addStep({ name: "write", inputs: [StartEvent] }, () => new Item("draft"))
      .addStep({ name: "publish", inputs: [Item] }, (_, { data }) => new StopEvent(data));
    const run = workflow.run();
    const steps = [];
    for await (const paused of run.stepwise()) {
      steps.push(paused.step);
      if (paused.step === "write") paused.replace(new Item("better"));
    }
    equal([steps, run.result], [["write", "publish"], "better"]);
  },

  async "data and store: by reference and by copy, from run to run"() {
    const client = { calls: 0, call: () => (client.calls += 1) };
    const workflow = single(({ data, store }) => {
      data.call();
      store.edit("total", (total = 0) => total + 1);
      return new StopEvent(store.get("total"));
    });
    const first = workflow.run().with(client);
    equal((await soon(first)).data, 1);
    equal((await soon(workflow.run(undefined, client, { context: first }))).data, 2);
    equal(client.calls, 2);
  },

  async "many runs at a time, and no more than allowed"() {
    let now = 0;
    let most = 0;
    const workflow = single(
      async ({ sleep }, { data }) => {
        most = Math.max(most, (now += 1));
        await sleep(0.001);
        now -= 1;
        return new StopEvent(data);
      },
      { options: { maxConcurrentRuns: 3 } },
    );
    const results = await soon(Promise.all(Array.from({ length: 20 }, (_, nth) => workflow.run(nth))));
    equal(
      results.map(({ data }) => data),
      Array.from({ length: 20 }, (_, nth) => nth),
    );
    equal(most, 3, "the number of runs at a time");
  },

  async "an attempt knows its number, the error before it, and the time since the first"() {
    const seen = [];
    const workflow = single(
      async ({ attempt, lastError, elapsed, sleep }) => {
        seen.push([attempt, lastError?.message]);
        ok(attempt === 1 ? elapsed >= 0 : elapsed > 0, `${elapsed} seconds at attempt ${attempt}`);
        await sleep(0.002);
        if (attempt < 3) throw new Error(`failure ${attempt}`);
        return new StopEvent("done");
      },
      { retry: quick(3) },
    );
    await soon(workflow.run());
    equal(seen, [
      [1, undefined],
      [2, "failure 1"],
      [3, "failure 2"],
    ]);
  },

  async "collections in buffers, and a description of the workflow"() {
    const workflow = new Workflow({ name: "pairs" })
      .addStep({ name: "send", inputs: [StartEvent], outputs: [Item] }, ({ sendEvent }) => {
        for (const data of ["a1", "b1", "b2", "a2"]) sendEvent(new Item(data));
      })
      .addStep({ name: "pair", inputs: [Item], outputs: [StopEvent] }, ({ collectEvents }, event) => {
        const pair = collectEvents(event, [Item, Item], { buffer: event.data[0] });
        return pair === null ? undefined : new StopEvent(pair.map(({ data }) => data));
      });
    equal((await soon(workflow.run())).data, ["b1", "b2"]);
    equal(
      workflow.describe().steps.map(({ name }) => name),
      ["send", "pair"],
    );
  },

  async "ten thousand steps in a row leave timers their turn"() {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    const workflow = new Workflow()
      .addStep({ inputs: [StartEvent] }, () => new Item(0))
      .addStep({ inputs: [Item] }, async ({ sleep }, { data }) => {
        if (data === 5000) await sleep(0.005);
        return data === 10_000 ? new StopEvent(data) : new Item(data + 1);
      });
    try {
      equal((await soon(workflow.run())).data, 10_000);
    } finally {
      clearInterval(timer);
    }
    ok(turns > 0, "no timer had its turn");
  },
};
