// What a program's own fetch may do: everything wrong is a coded error, at once or after the retries, and nothing hangs.

import { LLMError, OpenAICompatible } from "stepstream/llm";
import { expect, test, vi } from "vitest";
import { failure, soon } from "../kit/index.js";
import { body, chatStream, serve } from "./kit.js";

type Fetch = typeof globalThis.fetch;
const key = "sk-very-secret-0123456789";
const token = "another-secret-9876543210";

function clientOf(fetch: unknown, options: object = {}): OpenAICompatible {
  const headers = { "x-other-token": `Token ${token}` };
  const own = { model: "m", baseURL: "http://127.0.0.1:9/v1", apiKey: key, maxRetries: 0, headers };
  return new OpenAICompatible({ ...own, fetch: fetch as Fetch, ...options });
}

const answer = (stream: unknown, more: object = {}): Fetch =>
  (async () => ({ status: 200, headers: new Headers(), body: stream, ...more })) as unknown as Fetch;

const streamOf = (...chunks: unknown[]): ReadableStream =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

const bytes = new TextEncoder().encode(chatStream("Hello").join(""));

const wrong: Record<string, [unknown, string, RegExp]> = {
  "throws at once": [
    () => {
      throw new Error("no network here");
    },
    "LLM_NETWORK",
    /^no network here\./,
  ],
  "throws no error": [
    () => {
      throw undefined;
    },
    "LLM_NETWORK",
    /^The provider/,
  ],
  "rejects with causes": [
    () => Promise.reject(new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND") })),
    "LLM_NETWORK",
    /^fetch failed: getaddrinfo ENOTFOUND\./,
  ],
  "rejects with something that throws at every look": [
    () =>
      Promise.reject(
        new Proxy(
          {},
          {
            get: () => {
              throw new Error("do not look");
            },
          },
        ),
      ),
    "LLM_NETWORK",
    /provider/,
  ],
  "repeats the request's headers": [
    (_: string, { headers }: { headers: unknown }) => Promise.reject(new Error(`bad ${JSON.stringify(headers)}`)),
    "LLM_NETWORK",
    /bad/,
  ],
  "gives nothing": [() => undefined, "LLM_NETWORK", /not a Response/],
  "gives something else": [async () => "Hello", "LLM_NETWORK", /not a Response/],
  "gives an answer without anything": [async () => ({ status: 200 }), "LLM_NETWORK", /./],
  "gives a body that is locked": [
    answer(
      (() => {
        const stream = streamOf(bytes);
        stream.getReader();
        return stream;
      })(),
    ),
    "LLM_NETWORK",
    /lock/,
  ],
  "gives a body of texts": [answer(streamOf("Hello")), "LLM_NETWORK", /not bytes/],
  "gives a body of other numbers": [answer(streamOf(new Uint16Array(4))), "LLM_NETWORK", /not bytes/],
  "gives an empty body": [async () => new Response(null), "LLM_STREAM_CUT", /empty/],
  "gives a status that there is not": [
    answer(null, { status: 0, arrayBuffer: async () => new ArrayBuffer(0) }),
    "LLM_HTTP",
    /./,
  ],
};

test.each(Object.entries(wrong))("a fetch that %s", async (_, [fetch, code, message]) => {
  const error = await failure(soon(clientOf(fetch).streamChat("Hi").response));
  expect(error).toBeInstanceOf(LLMError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  for (const secret of [key, token]) expect(String((error as Error).stack)).not.toContain(secret);
});

test("a fetch whose body comes as a whole, or in one byte at a time, or in pieces larger than the module's room", async () => {
  const long = chatStream(...Array.from({ length: 5000 }, (_, at) => `word ${at} `)).join("");
  const large = new TextEncoder().encode(long);
  expect(large.length).toBeGreaterThan(1 << 19);
  const bodies: [Fetch, string][] = [
    [answer(undefined, { arrayBuffer: async () => bytes.buffer }), "Hello"],
    [answer(streamOf(...Array.from(bytes, (byte) => Uint8Array.of(byte)))), "Hello"],
    [answer(streamOf(new Uint8Array(0), bytes)), "Hello"],
    [answer(streamOf(large)), Array.from({ length: 5000 }, (_, at) => `word ${at} `).join("")],
  ];
  for (const [fetch, text] of bodies) expect((await soon(clientOf(fetch).streamChat("Hi").response)).text).toBe(text);
});

test("a byte order mark in an answer stays", async () => {
  const fetch = answer(streamOf(new TextEncoder().encode(chatStream("\ufeffHi").join(""))));
  const stream = clientOf(fetch).streamChat("Hi");
  let text = "";
  for await (const delta of stream) if (delta.type === "text") text += delta.text;
  expect([text, (await stream.response).text]).toEqual(["\ufeffHi", "\ufeffHi"]);
});

test("a fetch that never settles holds neither an abort nor a timeout up", async () => {
  const never = vi.fn(() => new Promise<never>(() => {}));
  const controller = new AbortController();
  const aborted = failure(clientOf(never).chat("Hi", { signal: controller.signal }));
  setTimeout(() => controller.abort(new Error("the user left")), 20);
  expect(await soon(aborted)).toMatchObject({ code: "LLM_ABORTED", cause: new Error("the user left") });
  const late = clientOf(never, { timeouts: { total: 0.05 } }).chat("Hi");
  expect(await soon(failure(late))).toMatchObject({ code: "LLM_TIMEOUT" });
  expect(never).toHaveBeenCalledTimes(2);
});

test("an answer that comes after the call was given up is closed", async () => {
  const cancelled = vi.fn();
  let settle = (_: unknown): void => {};
  const fetch = (): Promise<unknown> => new Promise((resolve) => (settle = resolve));
  const call = clientOf(fetch, { timeouts: { total: 0.02 } }).chat("Hi");
  expect(await soon(failure(call))).toMatchObject({ code: "LLM_TIMEOUT" });
  settle(new Response(new ReadableStream({ cancel: cancelled })));
  await expect.poll(() => cancelled.mock.calls.length).toBe(1);
});

test("the given fetch is called as a function, with the method, headers, body and signal alone", async () => {
  let seen: [unknown, unknown, object] | undefined;
  async function fetch(this: unknown, url: unknown, init: object): Promise<Response> {
    seen = [this, url, init];
    return new Response(bytes);
  }
  await soon(clientOf(fetch).streamChat("Hi").response);
  expect(seen?.[0]).toBeUndefined();
  expect(seen?.[1]).toBe("http://127.0.0.1:9/v1/chat/completions");
  expect(Object.keys(seen?.[2] ?? {}).sort()).toEqual(["body", "headers", "method", "redirect", "signal"]);
});

test("the body of a finished stream is read to its end, so that its connection can be used again", async () => {
  const server = await serve(body(chatStream("Hello")));
  const llm = clientOf(undefined, { baseURL: `${server.url}/v1` });
  for (let count = 0; count < 3; count += 1) {
    await soon(llm.streamChat("Hi").response);
    expect(await soon(server.requests[count]!.closed)).toEqual({ wasCut: false });
  }
});

test("a finished stream whose connection stays open is closed", async () => {
  const server = await serve(body(chatStream("Hello"), { ending: "hang" }));
  expect((await soon(clientOf(undefined, { baseURL: `${server.url}/v1` }).streamChat("Hi").response)).text).toBe(
    "Hello",
  );
  expect(await soon(server.requests[0]!.closed)).toEqual({ wasCut: true });
});
