// What the gate measures, as data. Each entry gives two pieces of work, and is judged by the ratio of their processor
// time: `measured` against `reference`, each divided by its `units`. Both run in one process, turn by turn, so whatever
// slows the machine slows both. An entry with `figure` instead gives a number that is not a ratio.
import { fileURLToPath } from "node:url";
import { timed } from "../cases.mjs";
import { casesOf } from "../contenders.mjs";

/** How far above its figure in gate/figures.json a case may be. A cost that grows by a half exceeds it. */
export const ROOM = 1.35;

/** What cases should give, by the major version of Node and their ids. `npm run bench -- --gate --update` writes it. */
export const figuresFile = fileURLToPath(new URL("figures.json", import.meta.url));

/** A case of a contender, and a check of its answers: a wrong one ends the measurement. */
async function checked(key, id) {
  const work = (await casesOf(key))[id];
  const { answer } = timed.find((entry) => entry.id === id);
  const check = (found, n) => {
    if (found !== answer(n)) throw new Error(`${key} answered ${id}(${n}) with ${found}; ${answer(n)} is right`);
  };
  return { work, check };
}

/** A case at one size, `times` in a row, so that both sides of a pair take similarly long. */
async function side(key, id, size, times = 1) {
  const { work, check } = await checked(key, id);
  const run = async () => {
    for (let i = 0; i < times; i++) check(await work(size), size);
  };
  return { units: size * times, run };
}

/** The same for cases whose argument says which run it is. */
async function runs(key, id, times) {
  const { work, check } = await checked(key, id);
  const run = async () => {
    for (let i = 0; i < times; i++) check(await work(i), i);
  };
  return { units: times, run };
}

export const cases = [
  {
    id: "chain",
    what: "a step of a chain of 10,000 against the bare loop",
    measured: () => side("stepstream", "chain", 1e4, 2),
    reference: () => side("bare", "chain", 1e4, 10),
  },
  {
    id: "fanOut",
    what: "an item of a fan-out of 10,000 against `Promise.all`",
    measured: () => side("stepstream", "fanOut", 1e4),
    reference: () => side("bare", "fanOut", 1e4, 10),
  },
  {
    id: "collect",
    what: "an item of `collectEvents` of 10,000 against one of 1,000",
    measured: () => side("stepstream:collect", "fanOut", 1e4),
    reference: () => side("stepstream:collect", "fanOut", 1e3, 10),
  },
  {
    id: "oneStep",
    what: "a run of one step against a bare call",
    measured: () => runs("stepstream", "oneStep", 2e3),
    reference: () => runs("bare", "oneStep", 6e4),
  },
  {
    id: "decode",
    what: "decoding Chat Completions, every delta read, against a plain parser with `JSON.parse`",
    measured: () => side("stepstream:llm-read", "decodeChat", 2e3),
    reference: () => side("plain-sse", "decodeChat", 2e3),
  },
  {
    id: "agent",
    what: "an agent's turn with two tool calls against runs of one step",
    measured: () => runs("stepstream:agent", "agentTurn", 50),
    reference: () => runs("stepstream", "oneStep", 1e3),
  },
  {
    id: "snapshot",
    what: "a snapshot of 1,000 pending events against its codec alone",
    async measured() {
      const { pendingRun } = await import("../lib/pending-run.mjs");
      const { run } = await pendingRun();
      return { units: 1, run: () => void run.snapshot() };
    },
    async reference() {
      const { pendingRun } = await import("../lib/pending-run.mjs");
      const { encode } = await pendingRun();
      return { units: 1, run: () => void encode() };
    },
  },
  {
    id: "promotion",
    what: "bytes that a step of a chain of 300,000 leaves on the old heap",
    /** So few bytes that their number is noise. What is to be found is a stream that keeps what has been read. */
    least: 20,
    async figure() {
      const { promotedBy } = await import("../lib/promotion.mjs");
      const chain = (await casesOf("stepstream")).chain;
      for (let i = 0; i < 20; i++) await chain(5e3);
      const { bytes } = await promotedBy(() => chain(3e5));
      return Math.max(0, bytes / 3e5);
    },
  },
];
