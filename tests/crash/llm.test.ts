// A panic in the module that carries out calls of models: the calls under way reject with ENGINE_PANICKED and let go of their
// connections; the next call works; runs are in another module and do not notice.

import { EngineError, StartEvent, StopEvent, Workflow } from "stepstream";
import { OpenAI } from "stepstream/llm";
import { beforeAll, expect, test } from "vitest";
import { expectError, failure, soon } from "../js/kit/index.js";
import { body, chatStream, serve } from "../js/llm/kit.js";
import { arm, instanceCount, place, useDrills } from "./kit.js";

const [first, ...rest] = chatStream("Once", " upon", " a time") as [string, ...string[]];

/** A model whose answers stop after the first word, and one that answers whole. */
async function models() {
  const stuck = await serve(body([first], { ending: "hang" }));
  const quick = await serve(body([first, ...rest]));
  const model = (baseURL: string): OpenAI => new OpenAI({ model: "m", apiKey: "k", baseURL, maxRetries: 0 });
  return { stuck: model(stuck.url), quick: model(quick.url), server: stuck };
}

/** A call that has got its first word. In an object: a stream that is given is awaited. */
async function underWay(llm: OpenAI) {
  const stream = llm.streamChat("Tell me a tale");
  const reader = stream[Symbol.asyncIterator]();
  expect((await soon(reader.next())).value).toMatchObject({ text: "Once" });
  return { stream, reader };
}

beforeAll(() => {
  useDrills();
});

test("the calls under way reject, their connections are closed, and the next call works", async () => {
  const { stuck, quick, server } = await models();
  const calls = await Promise.all([underWay(stuck), underWay(stuck), underWay(stuck)]);
  const count = instanceCount("stepstream-llm");
  arm(place.CALL);
  const error = await failure(quick.streamChat("Hi").response);
  expectError(error, EngineError, "ENGINE_PANICKED");
  for (const { stream, reader } of calls) {
    expect(await failure(stream.response)).toBe(error);
    expect(await failure(reader.next())).toBe(error);
  }
  for (const { closed } of server.requests) expect((await soon(closed)).wasCut).toBe(true);
  expect((await soon(quick.streamChat("Hi").response)).text).toBe("Once upon a time");
  expect(instanceCount("stepstream-llm")).toBe(count + 1);
});

test("a panic at any word of a stream is one error", async () => {
  const { quick } = await models();
  let spared = 0;
  for (; ; spared += 1) {
    expect(spared).toBeLessThan(100);
    await quick.streamChat("a fresh instance").response;
    arm(place.CALL, spared);
    const outcome: unknown = await soon(
      quick.streamChat("Hi").response.then(
        ({ text }) => text,
        (error: unknown) => error,
      ),
    );
    if (!(outcome instanceof Error)) break;
    expectError(outcome, EngineError, "ENGINE_PANICKED");
  }
  expect(spared).toBeGreaterThan(2);
  arm(place.CALL, -1 >>> 0);
});

test("a step that calls a model gets the error as its own, may be tried again, and other runs go on", async () => {
  const { stuck, quick } = await models();
  const ask = new Workflow<unknown, string, string>().addStep(
    { inputs: [StartEvent<string>], outputs: [StopEvent<string>], retry: () => 0 },
    async ({ attempt }, { data }) => {
      if (attempt === 1) arm(place.CALL);
      return new StopEvent((await quick.streamChat(data).response).text);
    },
  );
  const slow = new Workflow<unknown, string, string>().addStep(
    { inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
    async ({ sleep }, { data }) => {
      await sleep(0.05);
      return new StopEvent(data);
    },
  );
  const { reader } = await underWay(stuck);
  const other = slow.run("not in a hurry").start();
  expect((await soon(ask.run("Hi"))).data).toBe("Once upon a time");
  expectError(await failure(reader.next()), EngineError, "ENGINE_PANICKED");
  expect((await soon(other)).data).toBe("not in a hurry");
});
