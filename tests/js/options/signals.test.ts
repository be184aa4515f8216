// One AbortSignal for many calls: Node warns from the eleventh listener on, so all calls share one, which goes with the last.

import { getEventListeners } from "node:events";
import { LLMError, OpenAI, type ToolRun, callTool, tool } from "stepstream/llm";
import { expect, onTestFinished, test } from "vitest";
import { deferred, failure, turn } from "../kit/index.js";

const COUNT = 50;

/** The warnings of Node while a test runs. */
function warnings(): string[] {
  const seen: string[] = [];
  const onWarning = ({ name }: Error): void => void seen.push(name);
  process.on("warning", onWarning);
  onTestFinished(() => void process.off("warning", onWarning));
  return seen;
}

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

/** A client whose requests stay open until they are aborted. */
function client(): { llm: OpenAI; aborted: () => number } {
  let count = 0;
  const fetch: typeof globalThis.fetch = (_, init) =>
    new Promise((_resolve, reject) => {
      init!.signal!.addEventListener("abort", () => {
        count += 1;
        reject(init!.signal!.reason as Error);
      });
    });
  return { llm: new OpenAI({ model: "m", apiKey: "k", fetch, maxRetries: 0 }), aborted: () => count };
}

const ids = Array.from({ length: COUNT }, (_, nth) => `${nth}`);

test("calls of models: no warning, and all are aborted", async () => {
  const seen = warnings();
  const { llm, aborted } = client();
  const controller = new AbortController();
  const calls = ids.map((id) => llm.chat(id, { signal: controller.signal }));
  const settled = Promise.allSettled(calls);
  await turn();
  expect(listeners(controller.signal)).toBe(1);
  controller.abort("enough");
  for (const result of await settled) {
    const { reason } = result as PromiseRejectedResult;
    expect(reason).toBeInstanceOf(LLMError);
    expect([(reason as LLMError).code, (reason as LLMError).cause]).toEqual(["LLM_ABORTED", "enough"]);
  }
  expect(aborted()).toBe(COUNT);
  expect(listeners(controller.signal)).toBe(0);
  await turn();
  expect(seen).toEqual([]);
});

test("streams of models and keys that are fetched: no warning, and all are aborted", async () => {
  const seen = warnings();
  const key = deferred<string>();
  const controller = new AbortController();
  const { signal } = controller;
  const slow = new OpenAI({ model: "m", apiKey: () => key.promise });
  const streams = ids.map((id) => client().llm.streamChat(id, { signal }).response);
  const waiting = ids.map((id) => slow.chat(id, { signal }));
  const settled = Promise.allSettled([...streams, ...waiting]);
  await turn();
  expect(listeners(signal)).toBe(1);
  controller.abort();
  const codes = (await settled).map((result) => ((result as PromiseRejectedResult).reason as LLMError).code);
  expect(new Set(codes)).toEqual(new Set(["LLM_ABORTED"]));
  expect(listeners(signal)).toBe(0);
  await turn();
  expect(seen).toEqual([]);
});

test("calls of tools: no warning, all are aborted, and those that are done have left", async () => {
  const seen = warnings();
  const open: ToolRun[] = [];
  const gates = ids.map(() => deferred());
  const wait = tool<{ nth: number }>({
    name: "wait",
    execute: async ({ nth }, run) => {
      open.push(run);
      await gates[nth]!.promise;
      return "done";
    },
  });
  const controller = new AbortController();
  const { signal } = controller;
  const calls = ids.map((id) => callTool([wait], { id, name: "wait", arguments: `{"nth":${id}}` }, { signal }));
  const settled = Promise.allSettled(calls);
  await turn();
  expect([open.length, listeners(signal)]).toEqual([COUNT, 1]);
  gates.slice(1).forEach(({ resolve }) => resolve());
  for (const call of calls.slice(1)) expect((await call).content).toBe("done");
  expect(listeners(signal)).toBe(1);
  controller.abort("enough");
  expect((await settled).filter(({ status }) => status === "rejected")).toEqual([
    { status: "rejected", reason: "enough" },
  ]);
  expect(open.filter((run) => run.signal.aborted)).toHaveLength(1);
  expect(listeners(signal)).toBe(0);
  await turn();
  expect(seen).toEqual([]);
});

test("one call after another leaves nothing on the signal", async () => {
  const { signal } = new AbortController();
  const quick = tool({ name: "quick", execute: () => "done" });
  for (const id of ids) {
    await callTool([quick], { id, name: "quick", arguments: "" }, { signal });
    expect(listeners(signal)).toBe(0);
  }
});

test("a signal that has aborted already ends calls at once", async () => {
  const signal = AbortSignal.abort("too late");
  const { llm } = client();
  const error = (await failure(llm.chat("Hi", { signal }))) as LLMError;
  expect([error.code, error.cause]).toEqual(["LLM_ABORTED", "too late"]);
  const never = tool({ name: "never", execute: () => expect.unreachable() });
  expect(await failure(callTool([never], { id: "1", name: "never", arguments: "" }, { signal }))).toBe("too late");
  expect(listeners(signal)).toBe(0);
});

/** A signal as a polyfill makes it: no EventTarget, and no more than what everybody has. */
class ForeignSignal {
  aborted = false;
  reason: unknown;
  readonly listeners = new Set<() => void>();

  addEventListener(_: string, listener: () => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_: string, listener: () => void): void {
    this.listeners.delete(listener);
  }

  abort(reason: unknown): void {
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.listeners) listener();
  }
}

test("a signal of a polyfill does as well", async () => {
  const foreign = new ForeignSignal();
  const signal = foreign as unknown as AbortSignal;
  const { llm } = client();
  const wait = tool({ name: "wait", execute: () => new Promise(() => undefined) });
  const calls = [
    ...ids.map((id) => llm.chat(id, { signal })),
    ...ids.map((id) => callTool([wait], { id, name: "wait", arguments: "" }, { signal })),
  ];
  const settled = Promise.allSettled<unknown>(calls);
  await turn();
  expect(foreign.listeners.size).toBe(1);
  foreign.abort("enough");
  const reasons = (await settled).map((result) => {
    const { reason } = result as PromiseRejectedResult;
    return reason instanceof LLMError ? reason.cause : (reason as unknown);
  });
  expect(reasons).toEqual(Array(2 * COUNT).fill("enough"));
  expect(foreign.listeners.size).toBe(0);
});
