// The faults between a client and its provider, and the result of each: the rows of docs/llm-faults.md, each with the server
// that causes the fault.

import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { turn } from "../kit/index.js";
import { type Dialect, dialects } from "./dialects.js";
import { type Answer, type Exchange, type FaultServer, unusedAddress } from "./fault-server.js";

/** The clock of one call, which a test moves. */
export interface CallClock {
  /** Lets so many seconds pass. */
  pass(seconds: number): Promise<void>;
  /** Lets time pass until the client has sent so many requests, and no longer. */
  passUntil(requests: number): Promise<void>;
}

/** One row. */
export interface Fault {
  /** What goes wrong. */
  readonly fault: string;
  /** What the server does, request by request. */
  readonly server: string;
  readonly answers: readonly Answer[];
  /** Whose words the server speaks. Default: Chat Completions of OpenAI. */
  readonly dialect?: Dialect;
  /** Of the client. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** What comes of the call, in the words of {@link summary}. */
  readonly outcome: string;
  /** How many requests are made. */
  readonly requests: number;
  /** Whether the client has to close the last connection itself. */
  readonly hangsUp?: boolean;
  /** The least time that it takes, in seconds. */
  readonly atLeast?: number;
  /** Asks for the answer in one piece. */
  readonly whole?: boolean;
  /** Leaves the loop over the deltas at the first text. */
  readonly leaves?: boolean;
  /** Where the client looks, if not at the server. */
  readonly at?: () => Promise<string>;
  /** Happens beside the call. */
  readonly meanwhile?: (server: FaultServer, abort: () => void) => void | Promise<void>;
  /**
   * Says when time passes. With it, the clock of the call stands still otherwise, however long the machine takes for
   * its work.
   */
  readonly time?: (server: FaultServer, clock: CallClock) => Promise<void>;
  /** What else has to be true of the requests. */
  readonly check?: (exchanges: readonly Exchange[]) => void;
}

const { chat, openai, vllm, responses, anthropic, gemini } = dialects;
const four = [chat, responses, anthropic, gemini];

/** Everything of a good answer. */
const all = (dialect: Dialect, ...texts: readonly string[]): string =>
  [dialect.begin, ...texts.map(dialect.text), dialect.finish, dialect.marker].join("");

const well =
  (dialect: Dialect, ...texts: readonly string[]): Answer =>
  (exchange) =>
    exchange
      .head()
      .send(all(dialect, ...(texts.length > 0 ? texts : ["Hello ", "world"])))
      .end();

/** Sends all of this as a whole body. */
const pieces =
  (...bytes: readonly (string | Uint8Array)[]): Answer =>
  (exchange) => {
    exchange.head();
    for (const piece of bytes) exchange.send(piece);
    exchange.end();
  };

/** The same, so that the client reads each piece by itself. */
const apart =
  (...bytes: readonly (string | Uint8Array)[]): Answer =>
  async (exchange) =>
    (await exchange.head().sendEach(bytes)).end();

const status =
  (
    code: number,
    headers: Readonly<Record<string, string>> = {},
    body: unknown = { error: { message: "No." } },
  ): Answer =>
  (exchange) =>
    exchange.head(code, headers).send(JSON.stringify(body)).end();

const keptOpen = { connection: "keep-alive" };

/** A stream up to its first text, and the connection left open. */
const begun =
  (dialect: Dialect, text = "Hello "): Answer =>
  (exchange) =>
    void exchange.head(200, keptOpen).send(dialect.begin + (text && dialect.text(text)));

/** The same, and then something happens. */
const begunThen =
  (dialect: Dialect, text: string, then: (exchange: Exchange) => void | Promise<void>): Answer =>
  async (exchange) => {
    await begun(dialect, text)(exchange);
    // What was sent must be read before a reset, which throws it away.
    await (text ? exchange.textIsRead : exchange.headIsRead).promise;
    await then(exchange);
  };

const silent: Answer = () => {};
const reset: Answer = (exchange) => exchange.reset();

/** Signs of life without a word. */
const onlyComments = async (exchange: Exchange): Promise<void> => {
  while (!exchange.isGivenUp) {
    exchange.send(": still here\n\n");
    // Time enough for the client to read it; the clock may be one that stands still.
    for (let turns = 0; turns < 20; turns += 1) await turn();
  }
};

const lineEnds = (text: string, end: string): string => text.replaceAll("\n", end);

const bytesOf = (text: string): Uint8Array[] => Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte));

const unreachable: Fault[] = [
  {
    fault: "Connection refused",
    server: "No server listens at the address.",
    answers: [silent],
    at: unusedAddress,
    options: { maxRetries: 2 },
    outcome: "LLM_NETWORK",
    requests: 3,
  },
  {
    fault: "Connection reset before the response",
    server: "Resets each connection after the request.",
    answers: [reset],
    options: { maxRetries: 1 },
    outcome: "LLM_NETWORK",
    requests: 2,
  },
  {
    fault: "Connection reset before the response, once",
    server: "Resets the first connection; answers the second request.",
    answers: [reset, well(chat)],
    outcome: "“Hello world”",
    requests: 2,
  },
  {
    fault: "Connection reset between headers and first token, once",
    server: "Sends the headers, then resets the connection; answers the second request.",
    answers: [begunThen(chat, "", reset), well(chat)],
    outcome: "“Hello world”",
    requests: 2,
  },
  {
    fault: "Body cut off before the first token, once",
    server: "Closes the connection without the last HTTP chunk; answers the second request.",
    answers: [begunThen(chat, "", (exchange) => exchange.drop()), well(chat)],
    outcome: "“Hello world”",
    requests: 2,
  },
  {
    fault: "Empty body, once",
    server: "Sends status 200 and an empty body; answers the second request.",
    answers: [pieces(), well(chat)],
    outcome: "“Hello world”",
    requests: 2,
  },
];

const timeouts: Fault[] = [
  {
    fault: "No headers in time",
    server: "Accepts the requests and never answers.",
    answers: [silent],
    options: { timeouts: { connect: 0.3 }, maxRetries: 1 },
    time: async (server, clock) => {
      await server.exchange(0);
      await clock.passUntil(2);
      await server.exchange(1);
      await clock.pass(0.3);
    },
    outcome: "LLM_TIMEOUT",
    requests: 2,
    hangsUp: true,
    atLeast: 0.6,
  },
  {
    fault: "No first token in time",
    server: "Sends the headers and then nothing but comments.",
    answers: [begunThen(chat, "", onlyComments)],
    options: { timeouts: { firstToken: 0.3 }, maxRetries: 0 },
    time: async (server, clock) => {
      await (
        await server.exchange(0)
      ).headIsRead.promise;
      await clock.pass(0.3);
    },
    outcome: "LLM_TIMEOUT",
    requests: 1,
    hangsUp: true,
    atLeast: 0.3,
  },
  {
    fault: "No first token in time, once",
    server: "Sends the headers and then nothing; answers the second request.",
    answers: [begun(chat, ""), well(chat)],
    options: { timeouts: { firstToken: 1 } },
    time: async (server, clock) => {
      await (
        await server.exchange(0)
      ).headIsRead.promise;
      await clock.passUntil(2);
    },
    outcome: "“Hello world”",
    requests: 2,
    atLeast: 1,
  },
  {
    fault: "No next token in time",
    server: "Sends one token and then nothing but comments.",
    answers: [begunThen(chat, "Hello ", onlyComments)],
    options: { timeouts: { betweenTokens: 0.5 } },
    time: async (server, clock) => {
      await (
        await server.exchange(0)
      ).textIsRead.promise;
      await clock.pass(0.5);
    },
    outcome: "LLM_TIMEOUT, partial “Hello ”",
    requests: 1,
    hangsUp: true,
    atLeast: 0.5,
  },
  {
    fault: "The whole call takes too long",
    server: "Sends one token and then nothing but comments.",
    answers: [begunThen(chat, "Hello ", onlyComments)],
    options: { timeouts: { total: 0.8 } },
    time: async (server, clock) => {
      await (
        await server.exchange(0)
      ).textIsRead.promise;
      await clock.pass(0.8);
    },
    outcome: "LLM_TIMEOUT, partial “Hello ”",
    requests: 1,
    hangsUp: true,
    atLeast: 0.8,
  },
  {
    fault: "The whole call takes too long, without a stream",
    server: "Accepts the request and never answers.",
    answers: [silent],
    whole: true,
    options: { timeouts: { total: 0.3 } },
    time: async (server, clock) => {
      await server.exchange(0);
      await clock.pass(0.3);
    },
    outcome: "LLM_TIMEOUT",
    requests: 1,
    hangsUp: true,
    atLeast: 0.3,
  },
];

const retried = [408, 409, 429, 500, 502, 503, 504, 529];
const refused: readonly (readonly [number, string])[] = [
  [400, "LLM_BAD_REQUEST"],
  [401, "LLM_AUTH"],
  [403, "LLM_AUTH"],
  [404, "LLM_NOT_FOUND"],
  [413, "LLM_BAD_REQUEST"],
  [422, "LLM_BAD_REQUEST"],
];

const statuses: Fault[] = [
  ...retried.map((code): Fault => ({
    fault: `Status ${code}, once`,
    server: `Answers ${code}; answers the second request.`,
    answers: [status(code), well(chat)],
    outcome: "“Hello world”",
    requests: 2,
  })),
  ...refused.map(([code, name]): Fault => ({
    fault: `Status ${code}`,
    server: `Answers ${code}.`,
    answers: [status(code), well(chat)],
    outcome: `${name} ${code}`,
    requests: 1,
  })),
  {
    fault: "Redirect",
    server: "Answers 307 with another URL, which would receive the API key.",
    answers: [status(307, { location: "/elsewhere" }), well(chat)],
    outcome: "LLM_HTTP 307",
    requests: 1,
  },
  {
    fault: "Status 503, always",
    server: "Answers 503 to every request.",
    answers: [status(503)],
    options: { maxRetries: 2 },
    outcome: "LLM_SERVER 503",
    requests: 3,
  },
  {
    fault: "Status 503, no retries",
    server: "Answers 503 to every request.",
    answers: [status(503), well(chat)],
    options: { maxRetries: 0 },
    outcome: "LLM_SERVER 503",
    requests: 1,
  },
  {
    fault: "Quota used up",
    server: "Answers 429 with the code `insufficient_quota`.",
    answers: [status(429, {}, { error: { message: "Pay.", code: "insufficient_quota" } }), well(chat)],
    outcome: "LLM_QUOTA 429",
    requests: 1,
  },
  {
    fault: "Context too long",
    server: "Answers 400 with the code `context_length_exceeded`.",
    answers: [status(400, {}, { error: { message: "Too long.", code: "context_length_exceeded" } })],
    outcome: "LLM_CONTEXT_LENGTH 400",
    requests: 1,
  },
  {
    fault: "The server forbids retries",
    server: "Answers 500 with `x-should-retry: false`.",
    answers: [status(500, { "x-should-retry": "false" }), well(chat)],
    outcome: "LLM_SERVER 500",
    requests: 1,
  },
  {
    fault: "An error page",
    server: "Answers 502 with HTML; answers the second request.",
    answers: [
      (exchange) => exchange.head(502, { "content-type": "text/html" }).send("<h1>Bad gateway</h1>").end(),
      well(chat),
    ],
    outcome: "“Hello world”",
    requests: 2,
  },
  {
    fault: "The body of an error is cut off",
    server: "Answers 503 and resets the connection within the body; answers the second request.",
    answers: [
      async (exchange) => {
        exchange.head(503, keptOpen).send('{"error":');
        await exchange.headIsRead.promise;
        exchange.reset();
      },
      well(chat),
    ],
    outcome: "“Hello world”",
    requests: 2,
  },
  {
    fault: "Status 503 once, without a stream",
    server: "Answers 503; answers the second request.",
    answers: [status(503), (exchange) => exchange.head(200).send(chat.whole("Hello world")).end()],
    whole: true,
    outcome: "“Hello world”",
    requests: 2,
  },
];

const retryAfter: Fault[] = [
  {
    fault: "`retry-after` in seconds",
    server: "Answers 429 with `retry-after: 1`; answers the second request.",
    answers: [status(429, { "retry-after": "1" }), well(chat)],
    outcome: "“Hello world”",
    requests: 2,
    atLeast: 1,
  },
  {
    fault: "`retry-after` as a date",
    server: "Answers 503 with the date of two seconds later; answers the second request.",
    answers: [
      (exchange) => {
        const whole = Math.ceil((Date.now() + 1_000) / 1_000) * 1_000;
        return status(503, { "retry-after": new Date(whole).toUTCString() })(exchange);
      },
      well(chat),
    ],
    outcome: "“Hello world”",
    requests: 2,
    atLeast: 0.9,
  },
  {
    fault: "`retry-after-ms`",
    server: "Answers 429 with `retry-after-ms: 400` and `retry-after: 30`; answers the second request.",
    answers: [status(429, { "retry-after-ms": "400", "retry-after": "30" }), well(chat)],
    outcome: "“Hello world”",
    requests: 2,
    atLeast: 0.4,
  },
  {
    fault: "`retry-after` is too long to wait",
    server: "Answers 429 with `retry-after: 120`.",
    answers: [status(429, { "retry-after": "120" }), well(chat)],
    outcome: "LLM_RATE_LIMIT 429, retryAfter 120",
    requests: 1,
  },
  {
    fault: "`retry-after` would end after the whole call",
    server: "Answers 503 with `retry-after: 30`.",
    answers: [status(503, { "retry-after": "30" }), well(chat)],
    options: { timeouts: { total: 10 } },
    outcome: "LLM_SERVER 503, retryAfter 30",
    requests: 1,
  },
];

const breaks: Fault[] = [
  ...four.flatMap((dialect): Fault[] => [
    {
      fault: `Connection reset after a token (${dialect.name})`,
      server: "Sends one token and resets the connection.",
      dialect,
      answers: [begunThen(dialect, "Hello ", reset), well(dialect)],
      outcome: `LLM_STREAM_CUT, partial “Hello ”${dialect.known}`,
      requests: 1,
    },
    {
      fault: `No end marker (${dialect.name})`,
      server: "Sends one token and ends the body regularly.",
      dialect,
      answers: [pieces(dialect.begin, dialect.text("Hello ")), well(dialect)],
      outcome: `LLM_STREAM_CUT, partial “Hello ”${dialect.known}`,
      requests: 1,
    },
    {
      fault: `Half an event (${dialect.name})`,
      server: "Ends the body in the middle of the JSON of the second token.",
      dialect,
      answers: [pieces(dialect.begin, dialect.text("Hello "), dialect.text("world").slice(0, -8))],
      outcome: `LLM_STREAM_CUT, partial “Hello ”${dialect.known}`,
      requests: 1,
    },
    {
      fault: `Error in the middle (${dialect.name})`,
      server: "Sends one token and then the provider's event for an error.",
      dialect,
      answers: [pieces(dialect.begin, dialect.text("Hello "), dialect.error), well(dialect)],
      outcome: `LLM_SERVER, partial “Hello ”${dialect.known}`,
      requests: 1,
    },
  ]),
  {
    fault: "Body cut off after a token",
    server: "Sends one token and closes the connection without the last chunk of HTTP.",
    answers: [begunThen(chat, "Hello ", (exchange) => exchange.drop()), well(chat)],
    outcome: "LLM_STREAM_CUT, partial “Hello ”",
    requests: 1,
  },
  {
    fault: "Body cut off after a token, by a server with `connection: close`",
    server: "The same; some HTTP clients take that for a regular end.",
    answers: [
      (exchange) =>
        exchange
          .head()
          .send(chat.begin + chat.text("Hello "))
          .drop(),
      well(chat),
    ],
    outcome: "LLM_STREAM_CUT, partial “Hello ”",
    requests: 1,
  },
  {
    fault: "No end marker, and no length",
    server: "Sends one token in a body that ends with the connection.",
    answers: [
      (exchange) =>
        exchange
          .head(200, {}, "none")
          .send(chat.begin + chat.text("Hello "))
          .end(),
      well(chat),
    ],
    outcome: "LLM_STREAM_CUT, partial “Hello ”",
    requests: 1,
  },
  {
    fault: "Reason to finish without the end marker (OpenAI)",
    server: "Sends everything but `[DONE]`.",
    dialect: openai,
    answers: [pieces(chat.begin, chat.text("Hello world"), chat.finish)],
    outcome: "LLM_STREAM_CUT, partial “Hello world”, usage 9 and 2",
    requests: 1,
  },
  {
    fault: "Reason to finish without the end marker (compatible servers)",
    server: "Sends everything but `[DONE]`.",
    dialect: vllm,
    answers: [pieces(chat.begin, chat.text("Hello world"), chat.finish)],
    outcome: "“Hello world”",
    requests: 1,
  },
  {
    fault: "An event that is not JSON",
    server: "Sends one token, then `data: {oops}`.",
    answers: [pieces(chat.begin, chat.text("Hello "), "data: {oops}\n\n", chat.text("world"))],
    outcome: "LLM_BAD_ANSWER, partial “Hello ”",
    requests: 1,
  },
  {
    fault: "Error before the first token, once",
    server: "Sends the provider's event for an error; answers the second request.",
    answers: [pieces(chat.begin, chat.error), well(chat)],
    outcome: "“Hello world”",
    requests: 2,
  },
  {
    fault: "A page with status 200",
    server: "Sends HTML.",
    answers: [
      (exchange) => exchange.head(200, { "content-type": "text/html" }).send("<html><h1>Sign in</h1></html>").end(),
    ],
    outcome: "LLM_BAD_ANSWER",
    requests: 1,
  },
  {
    fault: "Text with status 200",
    server: "Sends a line of text.",
    answers: [(exchange) => exchange.head(200, { "content-type": "text/plain" }).send("It works!").end()],
    outcome: "LLM_BAD_ANSWER",
    requests: 1,
  },
  {
    fault: "An error as JSON with status 200",
    server: 'Sends `{"error": …}` instead of a stream.',
    answers: [pieces(JSON.stringify({ error: { message: "No such thing.", type: "invalid_request_error" } }))],
    outcome: "LLM_STREAM_ERROR",
    requests: 1,
  },
  {
    fault: "A complete response instead of a stream",
    server: "Sends one JSON document.",
    answers: [pieces(chat.whole("Hello world"))],
    outcome: "“Hello world”",
    requests: 1,
  },
  {
    fault: "Half a response, without a stream",
    server: "Ends the body in the middle of the JSON, each time.",
    answers: [pieces(chat.whole("Hello world").slice(0, -9))],
    whole: true,
    options: { maxRetries: 1 },
    outcome: "LLM_STREAM_CUT",
    requests: 2,
  },
  {
    fault: "An event that is too long",
    server: "Sends 40 MiB without an end of line.",
    answers: [
      async (exchange) => {
        exchange.head().send(`${chat.begin}${chat.text("Hello ")}data: {"id":"`);
        const piece = Buffer.alloc(1 << 20, "a");
        for (let sent = 0; sent < 40 && !exchange.isGivenUp; sent += 1) await exchange.send(piece).drained();
      },
    ],
    outcome: "LLM_BAD_ANSWER, partial “Hello ”",
    requests: 1,
    hangsUp: true,
  },
  {
    fault: "The connection stays open after the end marker",
    server: "Sends everything and does not end the body.",
    answers: [(exchange) => void exchange.head(200, keptOpen).send(all(chat, "Hello ", "world"))],
    outcome: "“Hello world”",
    requests: 1,
    hangsUp: true,
  },
];

const prefillOf = ({ request }: Exchange): unknown => (request.body["messages"] as unknown[]).at(-1);

const resumed: Fault[] = [
  ...[anthropic, vllm].map((dialect): Fault => ({
    fault: `Connection reset after a token, resumed (${dialect.name})`,
    server:
      "Sends one token and resets; continues in the response to the second request, which ends with the text so far.",
    dialect,
    answers: [begunThen(dialect, "Hello ", reset), well(dialect, "world")],
    options: { resumeOnDrop: true },
    outcome: "“Hello world”",
    requests: 2,
    check: ([, second]) => expect(prefillOf(second!)).toMatchObject({ role: "assistant", content: expect.anything() }),
  })),
  {
    fault: "No next token in time, resumed",
    server: "Sends one token and then nothing; continues in the response to the second request.",
    dialect: anthropic,
    answers: [begun(anthropic), well(anthropic, "world")],
    options: { resumeOnDrop: true, timeouts: { betweenTokens: 0.8 } },
    time: async (server, clock) => {
      await (
        await server.exchange(0)
      ).textIsRead.promise;
      await clock.passUntil(2);
    },
    outcome: "“Hello world”",
    requests: 2,
    atLeast: 0.8,
  },
  {
    fault: "Connection reset after a token, with a provider that cannot resume",
    server: "Sends one token and resets.",
    answers: [begunThen(chat, "Hello ", reset), well(chat, "world")],
    options: { resumeOnDrop: true },
    outcome: "LLM_STREAM_CUT, partial “Hello ”",
    requests: 1,
  },
  {
    fault: "The provider refuses to resume",
    server: "Sends one token and resets; answers 400 to the second request.",
    dialect: anthropic,
    answers: [begunThen(anthropic, "Hello ", reset), status(400)],
    options: { resumeOnDrop: true },
    outcome: "LLM_STREAM_CUT, partial “Hello ”, usage 9",
    requests: 2,
  },
];

const words = ["Grüße, ", "世界 ", "👩‍🚀 🦀"];
const greeting = words.join("");

const framing: Fault[] = [
  ...four.map((dialect): Fault => ({
    fault: `Bytes cut anywhere, inside characters too (${dialect.name})`,
    server: "Sends each byte alone.",
    dialect,
    answers: [apart(...bytesOf(all(dialect, ...words)))],
    outcome: `“${greeting}”`,
    requests: 1,
  })),
  ...(
    [
      ["CR and LF", "\r\n"],
      ["CR alone", "\r"],
    ] as const
  ).flatMap(([name, end]): Fault[] => [
    {
      fault: `Lines end in ${name}`,
      server: `Ends every line in ${name}.`,
      dialect: anthropic,
      answers: [pieces(lineEnds(all(anthropic, ...words), end))],
      outcome: `“${greeting}”`,
      requests: 1,
    },
    {
      fault: `Lines end in ${name}, cut anywhere`,
      server: `Ends every line in ${name} and sends each byte alone.`,
      dialect: anthropic,
      answers: [apart(...bytesOf(lineEnds(all(anthropic, ...words), end)))],
      outcome: `“${greeting}”`,
      requests: 1,
    },
  ]),
  {
    fault: "Comments",
    server: "Sends comments between events and between the lines of one.",
    answers: [pieces(": hello\n\n", all(chat, ...words).replaceAll("\n\n", "\n: PROCESSING\n\n: \n"))],
    outcome: `“${greeting}”`,
    requests: 1,
  },
  {
    fault: "Events of several lines",
    server: "Splits the JSON of each event into several lines of `data:`.",
    answers: [pieces(all(chat, ...words).replaceAll(',"', '\ndata: ,"'))],
    outcome: `“${greeting}”`,
    requests: 1,
  },
  {
    fault: "Unknown events and fields",
    server: "Sends events of unknown types, `id:`, `retry:` and lines without a colon.",
    dialect: anthropic,
    answers: [
      pieces(
        'id: 1\nretry: 10\nwhat\nevent: novelty\ndata: {"type":"novelty","index":7}\n\nevent: nothing\n\n',
        all(anthropic, ...words),
      ),
    ],
    outcome: `“${greeting}”`,
    requests: 1,
  },
  {
    fault: "No space after the colon",
    server: "Sends `data:{…}`.",
    answers: [pieces(all(chat, ...words).replaceAll("data: ", "data:"))],
    outcome: `“${greeting}”`,
    requests: 1,
  },
  {
    fault: "Byte order mark",
    server: "Sends a byte order mark, cut in two, before the first event.",
    answers: [apart(Uint8Array.of(0xef, 0xbb), Uint8Array.of(0xbf), all(chat, ...words))],
    outcome: `“${greeting}”`,
    requests: 1,
  },
  {
    fault: "Compressed",
    server: "Sends the body with `content-encoding: gzip`.",
    answers: [
      (exchange) =>
        exchange
          .head(200, { "content-encoding": "gzip" })
          .send(gzipSync(all(chat, ...words)))
          .end(),
    ],
    outcome: `“${greeting}”`,
    requests: 1,
  },
  {
    fault: "Bytes that are not UTF-8",
    server: "Sends a byte 0xFF within a token.",
    answers: [
      (exchange) => {
        const [before, after] = all(chat, "Hello # world").split("#");
        return pieces(before!, Uint8Array.of(0xff), after!)(exchange);
      },
    ],
    outcome: "“Hello \uFFFD world”",
    requests: 1,
  },
  {
    fault: "The wrong content type",
    server: "Sends the stream with the content type `text/html`.",
    answers: [
      (exchange) =>
        exchange
          .head(200, { "content-type": "text/html" })
          .send(all(chat, ...words))
          .end(),
    ],
    outcome: `“${greeting}”`,
    requests: 1,
  },
];

const aborts: Fault[] = [
  {
    fault: "Aborted before it is sent",
    server: "Receives nothing.",
    answers: [well(chat)],
    meanwhile: (_, abort) => abort(),
    outcome: "LLM_ABORTED",
    requests: 0,
  },
  {
    fault: "Aborted while waiting for the headers",
    server: "Accepts the request and does not answer.",
    answers: [silent],
    meanwhile: async (server, abort) => {
      await server.exchange(0);
      abort();
    },
    outcome: "LLM_ABORTED",
    requests: 1,
    hangsUp: true,
  },
  ...four.map((dialect): Fault => ({
    fault: `Aborted in the middle (${dialect.name})`,
    server: "Sends one token and waits.",
    dialect,
    answers: [begun(dialect)],
    meanwhile: async (server, abort) => {
      await (
        await server.exchange(0)
      ).textIsRead.promise;
      abort();
    },
    outcome: `LLM_ABORTED, partial “Hello ”${dialect.known}`,
    requests: 1,
    hangsUp: true,
  })),
  {
    fault: "The loop over the deltas is left",
    server: "Sends one token and waits.",
    answers: [begun(anthropic)],
    dialect: anthropic,
    leaves: true,
    outcome: "LLM_ABORTED, partial “Hello ”, usage 9",
    requests: 1,
    hangsUp: true,
  },
  {
    fault: "Aborted between two requests",
    server: "Answers 503 with `retry-after: 20`.",
    answers: [status(503, { "retry-after": "20" }), well(chat)],
    meanwhile: async (server, abort) => {
      const exchange = await server.exchange(0);
      await Promise.all([exchange.headIsRead.promise, exchange.closed]);
      await turn();
      abort();
    },
    outcome: "LLM_ABORTED",
    requests: 1,
  },
  {
    fault: "Aborted in the body of an error",
    server: "Answers 503 and does not end the body.",
    answers: [(exchange) => void exchange.head(503, keptOpen).send('{"error":'), well(chat)],
    meanwhile: async (server, abort) => {
      await (
        await server.exchange(0)
      ).headIsRead.promise;
      await turn();
      abort();
    },
    outcome: "LLM_ABORTED",
    requests: 1,
    hangsUp: true,
  },
  {
    fault: "Aborted, without a stream",
    server: "Sends half of the JSON document and waits.",
    answers: [(exchange) => void exchange.head(200, keptOpen).send(chat.whole("Hello world").slice(0, 20))],
    whole: true,
    meanwhile: async (server, abort) => {
      await (
        await server.exchange(0)
      ).headIsRead.promise;
      await turn();
      abort();
    },
    outcome: "LLM_ABORTED",
    requests: 1,
    hangsUp: true,
  },
];

/** The table, section by section. */
export const faultTable: Readonly<Record<string, readonly Fault[]>> = {
  "No connection": unreachable,
  Timeouts: timeouts,
  "Bad statuses": statuses,
  "Waits before retries": retryAfter,
  "Broken responses": breaks,
  "Resumed responses": resumed,
  "Unusual but valid": framing,
  Aborts: aborts,
};
