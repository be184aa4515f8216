// Runs that change hands in the middle of their steps: `take` begins them and freezes them, `finish` resumes them from the bytes, in this runtime
// or another one. Every runtime that finishes them must come to the same results.

import { StartEvent, StopEvent, Workflow, WorkflowEvent, retryPolicy, stopAfterAttempt, waitFixed } from "stepstream";
import { FunctionAgent, ToolApprovalRequest, ToolApprovalResponse, tool } from "stepstream/agents";
import { Answer, Item, Other, Progress, Question, equal, ok, soon } from "./kit.js";

class Recovered extends WorkflowEvent {
  static type = "recovered";
}
class Answered extends WorkflowEvent {
  static type = "answered";
}
class Doubled extends WorkflowEvent {
  static type = "doubled";
}
class Gathered extends WorkflowEvent {
  static type = "gathered";
}

/** Longer than a slow machine needs from the start of a run to its snapshot, so that all of it is in the middle of something. */
const A_WHILE = 2;

/**
 * Everything that may be pending at once: a step at work, queued ones behind it, a sleep, a retry, a half-full join, a wait that was answered
 * and one that was not, a nested run. `log` is called for what must happen once.
 */
function make(log) {
  const nested = new Workflow({ name: "nested" });
  nested.addStep({ name: "inner", inputs: [StartEvent] }, async ({ sleep }, { data }) => {
    await sleep(A_WHILE);
    return new StopEvent(data.map((value) => value * 2n));
  });
  const workflow = new Workflow({ name: "handover", timeout: null, events: [Question, Answer, Progress] });
  workflow.addWorkflows({ nested });
  workflow.addStep({ name: "begin", inputs: [StartEvent] }, ({ sendEvent, store }, { data }) => {
    log.push("begin");
    store.set("kept", { when: new Date(86_400_000), map: new Map([[1, "ä€𝄞"]]), nothing: undefined, large: 2n ** 65n });
    for (const word of data) sendEvent(new Item(word));
  });
  workflow.addStep({ name: "queued", inputs: [Item], numWorkers: 1 }, async ({ once, sleep }, { data }) => {
    const paid = await once("pay", () => (log.push(`pay ${data}`), `paid ${data}`));
    await sleep(data === "a" ? A_WHILE : 0.01);
    return new Other(paid);
  });
  const retry = retryPolicy({ wait: waitFixed(A_WHILE), stop: stopAfterAttempt(2) });
  workflow.addStep({ name: "flaky", inputs: [StartEvent], retry }, ({ attempt }) => {
    log.push(`attempt ${attempt}`);
    if (attempt < 2) throw new Error("again");
    return new Recovered(attempt);
  });
  workflow.addStep({ name: "person", inputs: [StartEvent] }, async ({ waitForEvent }) => {
    const first = await waitForEvent(Answer, { ask: new Question("first?"), id: "first" });
    const second = await waitForEvent(Answer, { ask: new Question("second?"), id: "second" });
    return new Answered([first.data, second.data]);
  });
  workflow.addStep({ name: "deep", inputs: [StartEvent] }, async ({ workflows }) => {
    return new Doubled((await workflows.nested.run(new BigInt64Array([1n, -2n]))).data);
  });
  workflow.addStep({ name: "gather", inputs: [Other] }, ({ collectEvents }, event) => {
    const all = collectEvents(event, [Other, Other, Other]);
    return all === null ? undefined : new Gathered(all.map(({ data }) => data));
  });
  workflow.addStep({ name: "end", inputs: [Gathered, Recovered, Answered, Doubled] }, ({ store }, ...events) => {
    const { when, map, large, ...rest } = store.get("kept");
    return new StopEvent([...events.map(({ data }) => data), when.toISOString(), map.get(1), large, "nothing" in rest]);
  });
  return workflow;
}

const EXPECTED = [
  ["paid a", "paid b", "paid c"],
  2,
  ["yes", { rating: 5 }],
  new BigInt64Array([2n, -4n]),
  "1970-01-02T00:00:00.000Z",
  "ä€𝄞",
  2n ** 65n,
  true,
];

/** A model of the program's own: asks for two calls of a tool at once, and then says what came of them. */
const model = {
  async chat(messages) {
    const results = messages.flatMap(({ role, content }) => (role === "tool" ? content : []));
    const text = { type: "text", text: `In all ${results.map(({ content }) => content).join(" and ")}.` };
    const calls = ["coffee", "cake"].map((what) => {
      return { type: "toolCall", id: `call-${what}`, name: "pay", arguments: JSON.stringify({ what }) };
    });
    return { message: { role: "assistant", content: results.length === 0 ? calls : [text] } };
  },
  streamChat: () => {
    throw new Error("The agent does not stream.");
  },
};

/** An agent with two calls, of which one waits for approval. `log` is called for each call that is made. */
function makeAgent(log) {
  const pay = tool({
    name: "pay",
    parameters: { type: "object", properties: { what: { type: "string" } }, required: ["what"] },
    needsApproval: ({ what }) => what === "cake",
    once: true,
    execute: ({ what }) => (log.push(what), `${what} for 3 €`),
  });
  return new FunctionAgent({ llm: model, tools: [pay], streaming: false, initialState: { paid: new Map() } });
}

/** Ends a run that has been frozen. */
async function leave(run) {
  run.cancel();
  await run.catch(() => {});
}

async function takeAgent() {
  const log = [];
  const run = makeAgent(log).run("coffee and cake");
  await soon(run.idle(), "an agent that waits for approval");
  const bytes = run.snapshot();
  equal(log, ["coffee"], "what was paid before the snapshot");
  await leave(run);
  return bytes;
}

async function finishAgent(bytes) {
  const log = [];
  const run = makeAgent(log).recover(bytes);
  const approve = async () => {
    for await (const event of run) {
      if (!(event instanceof ToolApprovalRequest)) continue;
      run.sendEvent(new ToolApprovalResponse({ id: event.data.id, approved: true }));
    }
  };
  await soon(approve(), "the recovered agent");
  equal(run.result.text, "In all coffee for 3 € and cake for 3 €.", "the answer");
  equal(log, ["cake"], "what was paid after the recovery");
}

async function takeRun() {
  const log = [];
  const run = make(log).run(["a", "b", "c"]);
  const asked = new Promise((resolve, reject) => {
    (async () => {
      for await (const event of run) {
        if (!(event instanceof Question)) continue;
        if (event.data === "second?") return resolve();
        run.sendEvent(new Answer("yes"));
      }
    })().catch(reject);
  });
  await soon(asked, "the second question");
  const bytes = run.snapshot();
  equal(log.sort(), ["attempt 1", "begin", "pay a"], "what had happened when the snapshot was taken");
  await leave(run);
  return bytes;
}

async function finishRun(bytes) {
  const log = [];
  const run = make(log).recover(bytes);
  run.sendEvent(new Answer({ rating: 5 }));
  equal((await soon(run, "the recovered run")).data, EXPECTED, "the result");
  equal(log.sort(), ["attempt 2", "pay b", "pay c"], "what was done after the recovery");
  ok(run.status === "completed", `the run is ${run.status}`);
}

/** A run and an agent as bytes, taken while they are at work. */
export const take = () => Promise.all([takeRun(), takeAgent()]);

/** Resumes both, and checks that nothing is done twice and that the results are the expected ones. */
export const finish = ([run, agent]) => Promise.all([finishRun(run), finishAgent(agent)]);
