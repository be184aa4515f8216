// Calls leave nothing behind, however they end: no memory, no timer, no connection. Everything is measured after full collections.

import type { ChatResponse, ChatStream } from "stepstream/llm";
import { expect, test } from "vitest";
import "../kit/guard.js";
import { type ClientOptions, dialects } from "./dialects.js";
import { type Answer, faultServer } from "./fault-server.js";

const { chat } = dialects;
const messages = [{ role: "user", content: "Hi" }] as const;
const collect = (globalThis as { gc?: () => void }).gc!;
const MEGABYTE = 2 ** 20;

/** What is held after everything that can go has gone. */
async function held(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    // Finalisers run between turns.
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Timers, sockets and requests that keep the process alive, by name. */
const alive = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((name) => /Timeout|Immediate|TCP/.test(name))
    .sort();

type Caller = (call: (signal?: AbortSignal) => ChatStream) => Promise<unknown>;

const settled = (stream: ChatStream): Promise<ChatResponse | void> => stream.response.catch(() => {});

const abortAtFirstText: Caller = async (call) => {
  const controller = new AbortController();
  const stream = call(controller.signal);
  const end = settled(stream);
  try {
    for await (const delta of stream) if (delta.type === "text") controller.abort();
  } catch {
    return end;
  }
};

const abortSoon: Caller = async (call) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 5);
  return settled(call(controller.signal));
};

const leaveTheLoop: Caller = async (call) => {
  const stream = call();
  for await (const delta of stream) if (delta.type === "text") break;
  return settled(stream);
};

const readAll: Caller = async (call) => {
  const stream = call();
  const end = settled(stream);
  try {
    for await (const _ of stream);
  } catch {
    return end;
  }
};

/** One signal for all calls, as of a server that shuts down at some time. */
const shared = new AbortController();
const underOneSignal: Caller = (call) => settled(call(shared.signal));

const hello = chat.begin + chat.text("Hello ");
const whole = hello + chat.text("world") + chat.finish + chat.marker;

interface Case {
  readonly how: string;
  readonly caller: Caller;
  readonly options?: object;
  /** What a server does. */
  readonly answer: Answer;
  /** The same as a fetch would report it. */
  readonly fetched: (signal: AbortSignal) => Response | Promise<Response>;
}

const rejectedOn = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });

const encoder = new TextEncoder();

/** A body that stays open after its first piece. */
const opened = (signal: AbortSignal): Response =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(encoder.encode(hello));
        signal.addEventListener("abort", () => controller.error(signal.reason));
      },
    }),
  );

const good = {
  answer: (exchange) => exchange.head().send(whole).end(),
  fetched: () => new Response(whole),
} as const satisfies Partial<Case>;
const open = {
  answer: (exchange) => void exchange.head(200, { connection: "keep-alive" }).send(hello),
  fetched: opened,
} as const satisfies Partial<Case>;
const silent = { answer: () => {}, fetched: rejectedOn } as const satisfies Partial<Case>;

const cases: readonly Case[] = [
  { how: "finished", caller: readAll, ...good },
  { how: "finished under one signal", caller: underOneSignal, ...good },
  { how: "aborted in the middle", caller: abortAtFirstText, ...open },
  { how: "left in the middle", caller: leaveTheLoop, ...open },
  { how: "aborted before the head", caller: abortSoon, ...silent },
  { how: "timed out", caller: readAll, options: { timeouts: { connect: 0.01 }, maxRetries: 0 }, ...silent },
  {
    how: "aborted between two requests",
    caller: abortSoon,
    answer: (exchange) => exchange.head(503, { "retry-after": "9" }).end(),
    fetched: () => new Response("", { status: 503, headers: { "retry-after": "9" } }),
  },
  {
    how: "reset",
    caller: readAll,
    options: { maxRetries: 0 },
    answer: (exchange) => exchange.reset(),
    fetched: () => Promise.reject(new TypeError("fetch failed")),
  },
  {
    how: "cut",
    caller: readAll,
    answer: (exchange) => exchange.head().send(hello).end(),
    fetched: () => new Response(hello),
  },
];

/** Makes that many calls, twenty at a time. */
async function calls(count: number, { caller, options }: Case, given: ClientOptions): Promise<void> {
  const client = chat.client({ ...given, ...options });
  const call = (signal?: AbortSignal): ChatStream => client.streamChat(messages, { ...(signal && { signal }) });
  for (let done = 0; done < count; done += 20) {
    await Promise.all(Array.from({ length: 20 }, () => caller(call)));
  }
}

// Without the network: what Node's own fetch keeps of a connection, and for how long, is not for these tests to say.
test.for(cases)("$how: two thousand streams hold no memory", async (given) => {
  const client = {
    baseURL: "http://127.0.0.1",
    fetch: async (_: unknown, init?: RequestInit) => given.fetched(init!.signal!),
  };
  await calls(500, given, client);
  const before = await held();
  await calls(2_000, given, client);
  expect((await held()) - before).toBeLessThan(MEGABYTE);
});

test.for(cases)("$how: two hundred streams leave no timer and no connection", async (given) => {
  const resources = alive();
  const server = await faultServer(given.answer);
  await calls(200, given, { baseURL: server.url });
  for (const { closed } of server.exchanges) await closed;
  await server[Symbol.asyncDispose]();
  await expect.poll(() => alive().join()).toBe(resources.join());
});
