// What is measured and what it must come to, as data: a new case is one entry in `timed` or `own`, a new budget one
// entry in `budgets`. The numbers of the budgets are promises to users, so a miss is shown and never adjusted away.
import { flat, ofTimed, overall, ratio, worstAgainst } from "./lib/results.mjs";
import { answerOf } from "./lib/script.mjs";
import { streamOf } from "./lib/streams.mjs";

const THOUSAND = 1e3;
const TEN_THOUSAND = 1e4;
const HUNDRED_THOUSAND = 1e5;
const MILLION = 1e6;
const ALL_SIZES = [THOUSAND, TEN_THOUSAND, HUNDRED_THOUSAND, MILLION];

/** The APIs whose streams are decoded. */
const decoding = {
  chat: { id: "decodeChat", title: "Chat Completions" },
  responses: { id: "decodeResponses", title: "Responses" },
  anthropic: { id: "decodeAnthropic", title: "Anthropic" },
  gemini: { id: "decodeGemini", title: "Gemini" },
};

/** The two ways to run an agent. */
const agentCases = [
  { id: "agentTurn", title: "An agent's turn with two tool calls", contenders: { "bare-agent": [THOUSAND] } },
  { id: "agentStream", title: "An agent's turn with two tool calls, its answer streamed", contenders: {} },
];

/**
 * Cases that every contender can run. `contenders` says at which sizes: a peer whose cost per step grows with the
 * number of steps is left out where one sample would take minutes. `each` means that the case is one run, repeated, and
 * `references` whom the table compares with, if not the bare loop and stepstream. `clock: "cpu"` counts processor time
 * always, because some contenders wait in between, and `warmUp` is the size of a run of the warm-up.
 */
export const timed = [
  {
    id: "chain",
    title: "Sequential steps",
    unit: "step",
    answer: (n) => (n * (n + 1)) / 2,
    contenders: {
      bare: ALL_SIZES,
      stepstream: ALL_SIZES,
      "stepstream:read": [THOUSAND, TEN_THOUSAND, HUNDRED_THOUSAND],
      "workflow-core": [THOUSAND, TEN_THOUSAND],
      "workflow-core:quiet": [THOUSAND, TEN_THOUSAND],
      xstate: [THOUSAND, TEN_THOUSAND],
      mastra: [THOUSAND, TEN_THOUSAND],
      langgraph: [THOUSAND],
    },
    quick: { bare: [TEN_THOUSAND], stepstream: [THOUSAND, TEN_THOUSAND] },
  },
  {
    id: "fanOut",
    title: "Concurrent steps and gather",
    unit: "item",
    answer: (n) => n * (n - 1),
    contenders: {
      bare: [THOUSAND, TEN_THOUSAND, HUNDRED_THOUSAND],
      stepstream: [THOUSAND, TEN_THOUSAND, HUNDRED_THOUSAND],
      "stepstream:read": [TEN_THOUSAND],
      "stepstream:collect": [THOUSAND, TEN_THOUSAND],
      "stepstream:list": [THOUSAND, TEN_THOUSAND, HUNDRED_THOUSAND],
      "workflow-core": [THOUSAND, TEN_THOUSAND],
      "workflow-core:quiet": [THOUSAND, TEN_THOUSAND],
      xstate: [THOUSAND],
      mastra: [THOUSAND, TEN_THOUSAND],
      langgraph: [THOUSAND],
    },
    quick: { bare: [TEN_THOUSAND], stepstream: [TEN_THOUSAND], "stepstream:list": [TEN_THOUSAND] },
  },
  {
    id: "oneStep",
    title: "A run of one step, created to done",
    unit: "run",
    each: true,
    answer: (i) => i + 1,
    contenders: {
      bare: [THOUSAND],
      stepstream: [THOUSAND],
      "stepstream:untimed": [THOUSAND],
      "workflow-core": [THOUSAND],
      xstate: [THOUSAND],
      mastra: [THOUSAND],
      langgraph: [THOUSAND],
    },
    quick: { stepstream: [THOUSAND] },
  },
  ...agentCases.map(({ id, title, contenders }) => ({
    id,
    title,
    unit: "run",
    each: true,
    clock: "cpu",
    warmUp: 100,
    answer: answerOf,
    references: { "to AI SDK": "ai-sdk", "to Mastra": "mastra:agent" },
    contenders: {
      ...contenders,
      "stepstream:agent": [THOUSAND],
      "stepstream:agent-bytes": [THOUSAND],
      "ai-sdk": [THOUSAND],
      "ai-sdk:bytes": [THOUSAND],
      "mastra:agent": [THOUSAND],
      "mastra:agent-bytes": [THOUSAND],
    },
    quick: { "stepstream:agent": [THOUSAND / 10] },
  })),
  ...Object.entries(decoding).map(([form, { id, title }]) => ({
    id,
    title: `Decoding a stream: ${title}`,
    unit: "kB",
    answer: (kB) => streamOf(form, kB).length,
    references: { "to eventsource-parser": "eventsource-parser" },
    contenders: {
      "stepstream:llm": [TEN_THOUSAND],
      "stepstream:llm-read": [TEN_THOUSAND],
      ...(form === "chat" && { "stepstream:agent-read": [TEN_THOUSAND] }),
      "eventsource-parser": [TEN_THOUSAND],
    },
    quick: { "stepstream:llm": [THOUSAND] },
  })),
];

/**
 * Measurements of the package alone: each is a program in a fresh process that prints one line of JSON. `limit` is in
 * seconds, for those that first install something.
 */
export const own = [
  { id: "eventsMemory", script: "own/memory.mjs", args: ["events", MILLION], quick: ["events", HUNDRED_THOUSAND] },
  { id: "readEventsMemory", script: "own/memory.mjs", args: ["readEvents", MILLION] },
  {
    id: "synchronousMemory",
    script: "own/memory.mjs",
    args: ["synchronousEvents", HUNDRED_THOUSAND],
    quick: ["synchronousEvents", TEN_THOUSAND],
  },
  { id: "promotion", script: "own/promotion.mjs", args: [MILLION], quick: [HUNDRED_THOUSAND] },
  { id: "runsMemory", script: "own/memory.mjs", args: ["runs", HUNDRED_THOUSAND], quick: ["runs", TEN_THOUSAND] },
  { id: "unread", script: "own/unread.mjs", args: [200_000], quick: [20_000] },
  { id: "snapshot", script: "own/snapshot.mjs", args: [MILLION], quick: [TEN_THOUSAND] },
  { id: "firstUse", script: "own/first-use.mjs", processes: 15, quick: [] },
  { id: "size", script: "own/size.mjs", quick: [] },
  { id: "tokens", script: "own/tokens.mjs" },
  { id: "boundary", script: "boundary.mjs", args: ["--json"], quick: ["--json"] },
  { id: "native", script: "own/native.mjs" },
  { id: "firstUses", script: "own/first-uses.mjs", args: [9], limit: 1800 },
  { id: "runtimes", script: "own/runtimes.mjs", args: [7], limit: 1800 },
];

/**
 * `measured` takes the results and gives the number that is judged, or undefined when the run did not measure it.
 * `must` is the bound: `below` or `above` says on which side the number has to be.
 */
export const budgets = [
  {
    what: "sequential step against the bare loop, worst of 1e3 to 1e6",
    below: 5,
    unit: "x",
    measured: (results) => overall(Math.max, ALL_SIZES, (size) => ratio(results, "chain", size, "stepstream", "bare")),
  },
  {
    what: "sequential step: dearest size against cheapest, 1e3 to 1e6",
    below: 1.3,
    unit: "x",
    measured: (results) => flat(results, "chain", ALL_SIZES, "stepstream"),
  },
  {
    what: "fan-out of 10,000 against `Promise.all`",
    below: 6,
    unit: "x",
    measured: (results) => ratio(results, "fanOut", TEN_THOUSAND, "stepstream", "bare"),
  },
  {
    what: "list fan-out and collect of 10,000 against the fan-out above",
    below: 1,
    unit: "x",
    measured: (results) => ratio(results, "fanOut", TEN_THOUSAND, "stepstream:list", "stepstream"),
  },
  {
    what: "fan-out is linear: ratio to `Promise.all` at 1e5 against the ratio at 1e4",
    below: 1.3,
    unit: "x",
    measured: (results) => {
      const [large, small] = [HUNDRED_THOUSAND, TEN_THOUSAND].map((n) =>
        ratio(results, "fanOut", n, "stepstream", "bare"),
      );
      return large && small && large / small;
    },
  },
  {
    what: "`collectEvents`: an item of 10,000 against an item of 1,000",
    below: 1.3,
    unit: "x",
    measured: (results) => {
      const cost = (size) => ofTimed(results, "fanOut", size, "stepstream:collect");
      const [large, small] = [TEN_THOUSAND, THOUSAND].map(cost);
      return large && small && large / small;
    },
  },
  ...[
    { id: "chain", name: "chain", contender: "workflow-core", peer: "workflow-core", above: 1000 },
    { id: "fanOut", name: "fan-out", contender: "workflow-core", peer: "workflow-core", above: 60 },
    { id: "chain", name: "chain", contender: "xstate", peer: "XState", above: 30 },
    { id: "chain", name: "chain", contender: "mastra", peer: "Mastra", above: 60 },
  ].map(({ id, name, contender, peer, above }) => ({
    what: `${name} of 10,000, times faster than ${peer}`,
    above,
    unit: "x",
    measured: (results) => ratio(results, id, TEN_THOUSAND, contender, "stepstream"),
  })),
  {
    what: "a run of one step, created to done",
    below: 3,
    unit: "µs",
    measured: (results) => ofTimed(results, "oneStep", THOUSAND, "stepstream", (ns) => ns / 1e3),
  },
  ...[
    { peer: "the AI SDK's", contender: "ai-sdk" },
    { peer: "Mastra's", contender: "mastra:agent" },
  ].flatMap(({ peer, contender }) =>
    agentCases.map(({ id, title }) => ({
      what: `processor time: ${title.toLowerCase()}, against ${peer}`,
      below: 0.5,
      unit: "x",
      measured: (results) => ratio(results, id, THOUSAND, "stepstream:agent", contender),
    })),
  ),
  ...Object.values(decoding).map(({ id, title }) => ({
    what: `decoding 10 MB of ${title} against eventsource-parser with \`JSON.parse\``,
    below: 1,
    unit: "x",
    measured: (results) => ratio(results, id, TEN_THOUSAND, "stepstream:llm", "eventsource-parser"),
  })),
  {
    what: "processor time per token, socket to `AgentStream`, against the AI SDK's `streamText`",
    below: 0.3,
    unit: "x",
    measured: (results) => results.own.tokens?.ratio,
  },
  {
    what: "heap and wasm memory after 1e6 events of one run, against a tenth of it",
    below: 1,
    unit: "MB more",
    measured: (results) => results.own.eventsMemory?.growthMB,
  },
  {
    what: "the same while every event is read",
    below: 1,
    unit: "MB more",
    measured: (results) => results.own.readEventsMemory?.growthMB,
  },
  {
    what: "the same over 1e5 synchronous handlers, which one queue of commands serves",
    below: 1,
    unit: "MB more",
    measured: (results) => results.own.synchronousMemory?.growthMB,
  },
  {
    what: "bytes that a step of a chain of 1e6 leaves on the old heap",
    below: 10,
    unit: "bytes",
    measured: (results) => results.own.promotion?.bytesPerStep,
  },
  {
    what: "heap and wasm memory after 1e5 finished runs, against a tenth of them",
    below: 1,
    unit: "MB more",
    measured: (results) => results.own.runsMemory?.growthMB,
  },
  {
    what: "200,000 events nobody takes: left by a second such run",
    below: 1,
    unit: "MB more",
    measured: (results) => results.own.unread?.leftBySecondMB,
  },
  {
    what: "snapshot of 1,000 pending events of 1 kB against the payload codec alone",
    below: 3,
    unit: "x",
    measured: (results) => results.own.snapshot?.ratio,
  },
  {
    what: "snapshot of an idle run after 1e6 events, without its store",
    below: 2000,
    unit: "bytes",
    measured: (results) => results.own.snapshot?.idleBytes,
  },
  {
    what: "the engine's wasm and glue alone, gzipped; durability is a part of it",
    below: 50,
    unit: "kB",
    measured: (results) => results.own.size?.engineKB,
  },
  {
    what: "everything for workflows, gzipped (slim entry and .wasm file)",
    below: 95,
    unit: "kB",
    measured: (results) => results.own.size?.slimKB,
  },
  {
    what: "everything there is, calls of models and agents too, gzipped; in entries of their own",
    below: 110,
    unit: "kB",
    measured: (results) => results.own.size?.everythingKB,
  },
  {
    what: "first use on Node: compile, instantiate and first run",
    below: 8,
    unit: "ms",
    measured: (results) => results.own.firstUse?.firstRunMs.median,
  },
  {
    what: "first use in a page of Chromium",
    below: 10,
    unit: "ms",
    measured: (results) => results.own.firstUses?.["Chromium, page"]?.median,
  },
  ...["Chromium", "Firefox", "workerd", "Bun"].map((runtime) => ({
    what: `${runtime}: worst ratio to its own bare loop, against the same ratio in Node`,
    below: 1.5,
    unit: "x",
    measured: ({ own: { runtimes } }) => runtimes && worstAgainst(runtimes, runtime, "Node"),
  })),
];
