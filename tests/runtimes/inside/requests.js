// A Worker that answers many requests in one isolate. What the requests share stands at module scope, where a careless program shares more.

import { StartEvent, StopEvent, Workflow } from "stepstream";
import { OpenAICompatible } from "stepstream/llm";
import { Answer, Item, Other, single } from "../suite/kit.js";

/** Waits for timers, for the network and for its own events, in turns. */
const busy = new Workflow({ timeout: null });
busy.addStep({ name: "begin", inputs: [StartEvent] }, ({ sendEvent }, { data }) => {
  for (let nth = 0; nth < 3; nth += 1) sendEvent(new Item(`${data} ${nth}`));
});
busy.addStep({ name: "ask", inputs: [Item], numWorkers: 2 }, async ({ sleep, signal }, { data }) => {
  await sleep(0.005);
  const response = await fetch(`http://outside.test/?${encodeURIComponent(data)}`, { signal });
  const text = await response.text();
  await sleep(0.005);
  return new Other(text);
});
busy.addStep({ name: "gather", inputs: [Other] }, ({ collectEvents }, event) => {
  const all = collectEvents(event, [Other, Other, Other]);
  return all && new StopEvent(all.map(({ data }) => data));
});

/** Sleeps for longer than a busy machine needs to answer a request, and fetches when it wakes. */
const slow = single(async ({ sleep }, { data }) => {
  await sleep(0.5);
  await fetch("http://outside.test/?awake");
  return new StopEvent(data);
});

/** One client for all requests. */
const llm = new OpenAICompatible({ baseURL: "http://model.test/v1", model: "local", server: "generic" });

/** Streams what a model says, and counts the pieces. */
const talking = single(async ({ signal }, { data }) => {
  const stream = llm.streamChat(data, { signal });
  let pieces = 0;
  for await (const delta of stream) if (delta.type === "text") pieces += 1;
  return new StopEvent({ pieces, text: (await stream.response).text });
});

const patient = single(async ({ waitForEvent }, { data }) => new StopEvent([data, (await waitForEvent(Answer)).data]));

let atATime = 0;
let most = 0;
/** @type {Map<string, import("stepstream").WorkflowContext>} */
const left = new Map();
/** @type {Map<string, Uint8Array>} */
const snapshots = new Map();

/** What may be asked, by path; `key` distinguishes the requests. */
const answers = {
  async "/busy"(key) {
    most = Math.max(most, (atATime += 1));
    try {
      const streamed = [];
      const run = busy.run(key);
      for await (const event of run) if (event instanceof Other) streamed.push(event.data);
      return { most, streamed, result: run.result };
    } finally {
      atATime -= 1;
    }
  },

  "/model": async (key) => (await talking.run(key)).data,

  /** Answers at once, and leaves a call of a model behind. */
  "/leave-model"(key) {
    left.set(key, talking.run(key).start());
    return {};
  },

  /** Answers at once, and leaves a run behind. */
  "/leave"(key) {
    left.set(key, slow.run(key).start());
    return {};
  },

  /** The same, with the runtime asked to wait for it. */
  "/wait-until"(key, context) {
    const run = slow.run(key).start();
    left.set(key, run);
    context.waitUntil(run.then(() => {}));
    return {};
  },

  "/status": (key) => ({ status: left.get(key).status }),

  /** Goes on in this request with the run that another one has left behind. */
  async "/adopt"(key) {
    const run = left.get(key);
    const later = slow.recover(run.snapshot());
    return { result: (await later).data, status: run.status };
  },

  "/cancel"(key) {
    const run = left.get(key);
    run.cancel("left behind");
    return run.then(
      () => ({}),
      ({ code }) => ({ code, status: run.status }),
    );
  },

  async "/park"(key) {
    const run = patient.run(key);
    await run.idle();
    snapshots.set(key, run.snapshot());
    run.cancel();
    return run.catch(() => ({}));
  },

  async "/answer"(key) {
    const run = patient.recover(snapshots.get(key));
    run.sendEvent(new Answer("yes"));
    return { result: (await run).data };
  },
};

export default {
  async fetch(request, _env, context) {
    const { pathname, search } = new URL(request.url);
    return Response.json(await answers[pathname](search.slice(1), context));
  },
};
