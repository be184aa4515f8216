// Many requests to one isolate of workerd: no run may be touched from another's request, and a run that outlives its own has a defined end.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import assert from "node:assert/strict";
import { Miniflare } from "miniflare";
import { orders, print } from "./kit.mjs";

const [{ place, code, wasm, compatibilityDate }] = await orders();
const modules = [{ type: "ESModule", path: "worker.js", contents: await readFile(code, "utf8") }];
for (const file of Object.values(wasm)) {
  modules.push({ type: "CompiledWasm", path: path.basename(file), contents: await readFile(file) });
}

/** What a model says to a request, word for word and slowly. */
async function modelAnswer(request) {
  const { messages } = await request.json();
  const words = `You said ${messages[0].content} and nothing else`.split(/(?= )/);
  const event = (delta, finish_reason = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async pull(controller) {
      await pause(3);
      const word = words.shift();
      if (word !== undefined) return controller.enqueue(encoder.encode(event({ content: word })));
      controller.enqueue(encoder.encode(`${event({}, "stop")}data: [DONE]\n\n`));
      return controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

/** How many requests there are at once. */
const CROWD = 30;
const crowd = new Set();
let meet;
/** Resolves when each request of the crowd has reached the network, so that none is over before all have begun. */
const allAreThere = new Promise((resolve) => (meet = resolve));

let fetched = [];
/** The network that the Worker sees: it answers late, with what it was asked, and in no order. */
async function outboundService(request) {
  if (new URL(request.url).hostname === "model.test") return modelAnswer(request);
  const key = decodeURIComponent(new URL(request.url).search.slice(1));
  fetched.push(key);
  if (key.startsWith("request-")) {
    if (crowd.add(key.split(" ")[0]).size === CROWD) meet();
    await allAreThere;
  }
  await pause(5 + ((key.length * 7) % 20));
  return new Response(`heard ${key}`);
}

const miniflare = new Miniflare({ modules, compatibilityDate, outboundService });
process.once("SIGTERM", () => miniflare.dispose().then(() => process.exit(1)));

async function ask(what, key) {
  const response = await miniflare.dispatchFetch(`http://worker.test${what}?${key}`);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

const tests = {
  async "thirty requests at once in one isolate, each with its own run"() {
    const keys = Array.from({ length: CROWD }, (_, nth) => `request-${nth}`);
    const answers = await Promise.all(keys.map((key) => ask("/busy", key)));
    for (const [nth, { streamed, result }] of answers.entries()) {
      const expected = [0, 1, 2].map((part) => `heard ${keys[nth]} ${part}`);
      assert.deepEqual([...result].sort(), expected);
      assert.deepEqual([...streamed].sort(), expected);
    }
    assert.equal(Math.max(...answers.map(({ most }) => most)), CROWD, "the requests that shared an isolate");
  },

  async "thirty requests at once that stream a model's answer, after one that was left"() {
    await ask("/leave-model", "left");
    const keys = Array.from({ length: CROWD }, (_, nth) => `request-${nth}`);
    const answers = await Promise.all(keys.map((key) => ask("/model", key)));
    for (const [nth, { pieces, text }] of answers.entries()) {
      assert.equal(text, `You said ${keys[nth]} and nothing else`);
      assert.ok(pieces > 1, `it came in ${pieces} pieces`);
    }
    assert.deepEqual(await ask("/status", "left"), { status: "running" });
  },

  async "a run that outlives its request stops where it is"() {
    fetched = [];
    await ask("/leave", "a");
    await pause(1500); // Three times as long as it would sleep.
    assert.deepEqual(await ask("/status", "a"), { status: "sleeping" });
    assert.deepEqual(fetched, []);
  },

  async "such a run can be resumed in another request"() {
    assert.deepEqual(await ask("/adopt", "a"), { result: "a", status: "sleeping" });
    assert.deepEqual(fetched, ["awake"]);
  },

  async "such a run can be cancelled from another request"() {
    assert.deepEqual(await ask("/cancel", "a"), { code: "RUN_CANCELLED", status: "cancelled" });
  },

  async "with waitUntil a run goes on after the response"() {
    fetched = [];
    await ask("/wait-until", "b");
    let answer;
    do {
      await pause(50);
      answer = await ask("/status", "b");
    } while (["running", "sleeping"].includes(answer.status));
    assert.deepEqual(answer, { status: "completed" });
    assert.deepEqual(fetched, ["awake"]);
  },

  async "a run that waits is handed from request to request as a snapshot"() {
    await ask("/park", "c");
    assert.deepEqual(await ask("/answer", "c"), { result: ["c", "yes"] });
  },
};

try {
  print(place, { job: "suite", tests: Object.keys(tests).length });
  for (const [name, run] of Object.entries(tests)) {
    const report = await run().then(
      () => ({ ok: true }),
      (error) => ({ ok: false, error: String(error.stack) }),
    );
    print(place, { job: "suite", name, ...report });
  }
} finally {
  await miniflare.dispose();
}
