// What is measured and what it must come to, as data: a new case is one entry in `timed` or `own`, a new budget one
// entry in `budgets`. The numbers of the budgets are promises to users, so a miss is shown and never adjusted away.
import { flat, ofTimed, overall, ratio } from "./lib/results.mjs";
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

/**
 * Cases that every contender can run. `contenders` says at which sizes: a peer whose cost per step grows with the
 * number of steps is left out where one sample would take minutes. `each` means that the case is one run, repeated, and
 * `references` whom the table compares with, if not the bare loop and stepstream.
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
      "workflow-core": [THOUSAND],
      xstate: [THOUSAND],
      mastra: [THOUSAND],
      langgraph: [THOUSAND],
    },
    quick: { stepstream: [THOUSAND] },
  },
  ...Object.entries(decoding).map(([form, { id, title }]) => ({
    id,
    title: `Decoding a stream: ${title}`,
    unit: "kB",
    answer: (kB) => streamOf(form, kB).length,
    references: { "to eventsource-parser": "eventsource-parser" },
    contenders: {
      "stepstream:llm": [TEN_THOUSAND],
      "stepstream:llm-read": [TEN_THOUSAND],
      "eventsource-parser": [TEN_THOUSAND],
    },
    quick: { "stepstream:llm": [THOUSAND] },
  })),
];

/** Measurements of the package alone: each is a program in a fresh process that prints one line of JSON. */
export const own = [
  { id: "eventsMemory", script: "own/memory.mjs", args: ["events", MILLION], quick: ["events", HUNDRED_THOUSAND] },
  { id: "readEventsMemory", script: "own/memory.mjs", args: ["readEvents", MILLION] },
  { id: "runsMemory", script: "own/memory.mjs", args: ["runs", HUNDRED_THOUSAND], quick: ["runs", TEN_THOUSAND] },
  { id: "unread", script: "own/unread.mjs", args: [200_000], quick: [20_000] },
  { id: "snapshot", script: "own/snapshot.mjs", args: [MILLION], quick: [TEN_THOUSAND] },
  { id: "firstUse", script: "own/first-use.mjs", processes: 15, quick: [] },
  { id: "size", script: "own/size.mjs", quick: [] },
  { id: "tokens", script: "own/tokens.mjs" },
  { id: "boundary", script: "boundary.mjs", args: ["--json"], quick: ["--json"] },
  { id: "native", script: "own/native.mjs" },
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
    what: "chain of 10,000, times faster than workflow-core",
    above: 300,
    unit: "x",
    measured: (results) => ratio(results, "chain", TEN_THOUSAND, "workflow-core", "stepstream"),
  },
  {
    what: "fan-out of 10,000, times faster than workflow-core",
    above: 150,
    unit: "x",
    measured: (results) => ratio(results, "fanOut", TEN_THOUSAND, "workflow-core", "stepstream"),
  },
  {
    what: "chain of 10,000, times faster than XState",
    above: 50,
    unit: "x",
    measured: (results) => ratio(results, "chain", TEN_THOUSAND, "xstate", "stepstream"),
  },
  {
    what: "chain of 10,000, times faster than Mastra",
    above: 50,
    unit: "x",
    measured: (results) => ratio(results, "chain", TEN_THOUSAND, "mastra", "stepstream"),
  },
  {
    what: "a run of one step, created to done",
    below: 15,
    unit: "µs",
    measured: (results) => ofTimed(results, "oneStep", THOUSAND, "stepstream", (ns) => ns / 1e3),
  },
  ...Object.values(decoding).map(({ id, title }) => ({
    what: `decoding 10 MB of ${title} against eventsource-parser with \`JSON.parse\``,
    below: 1,
    unit: "x",
    measured: (results) => ratio(results, id, TEN_THOUSAND, "stepstream:llm", "eventsource-parser"),
  })),
  {
    what: "processor time per token, socket to `AgentStream`, against the AI SDK's `streamText`",
    below: 1,
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
    below: 110,
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
    below: 10,
    unit: "ms",
    measured: (results) => results.own.firstUse?.firstRunMs.median,
  },
];
