// A server on this machine that says what a test gives it, and remembers what it was asked. Importing it also watches the console and
// unhandled rejections.

import { readFileSync } from "node:fs";
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { onTestFinished } from "vitest";
import "../kit/guard.js";

/** A request that the server saw. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body, parsed. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each provider has a body of its own, and tests look into it.
  readonly json: any;
  /** When it came, as `performance.now()` gives it. */
  readonly at: number;
  /** Resolves when the connection of this request is closed or its answer is through; says whether it was cut off by the client. */
  readonly closed: Promise<{ readonly wasCut: boolean }>;
}

/** Answers a request. */
export type Reply = (response: ServerResponse, seen: Seen) => void | Promise<void>;

export interface ScriptedServer {
  /** `http://127.0.0.1:…`, without a path. */
  readonly url: string;
  readonly requests: readonly Seen[];
  close(): Promise<void>;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A server that gives one reply after the other, and the last one again from then on. It closes when the test is over. */
export async function serve(...replies: readonly Reply[]): Promise<ScriptedServer> {
  const requests: Seen[] = [];
  let count = 0;
  const server = createServer((request, response) => {
    const at = performance.now();
    const reply = replies[Math.min(count, replies.length - 1)]!;
    count += 1;
    const closed = new Promise<{ wasCut: boolean }>((resolve) => {
      response.on("close", () => resolve({ wasCut: !response.writableFinished }));
    });
    const answer = async (): Promise<void> => {
      const text = await textOf(request);
      const { method = "", url = "", headers } = request;
      const seen: Seen = { method, path: url, headers, text, json: parsed(text), at, closed };
      requests.push(seen);
      // Pages ask from other origins.
      response.setHeader("access-control-allow-origin", "*");
      await reply(response, seen);
    };
    // A client that has gone is what some tests are about.
    answer().catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${port}`, requests, close };
}

/** A piece of a body: text, bytes, or silence, of so many milliseconds or until a promise resolves. */
export type Piece = string | Uint8Array | number | Promise<void>;

/** How a body ends: as it should, with the connection reset, or not at all. */
export type Ending = "end" | "cut" | "hang";

/** Pieces one after the other, each sent off before the next. */
export function body(
  pieces: readonly Piece[],
  options: { readonly status?: number; readonly headers?: Record<string, string>; readonly ending?: Ending } = {},
): Reply {
  const { status = 200, headers = { "content-type": "text/event-stream" }, ending = "end" } = options;
  return async (response) => {
    response.writeHead(status, headers);
    response.flushHeaders();
    for (const piece of pieces) {
      if (response.destroyed) return;
      if (piece instanceof Promise) await piece;
      else if (typeof piece === "number") await new Promise((resolve) => setTimeout(resolve, piece));
      else await new Promise<void>((resolve) => response.write(piece, () => resolve()));
    }
    if (ending === "end") response.end();
    else if (ending === "cut") response.socket?.resetAndDestroy();
  };
}

/** JSON. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return body([JSON.stringify(value)], { status, headers: { "content-type": "application/json", ...headers } });
}

/** Events of a stream: each a `data:` with JSON, or with the string as it is. */
export function events(...data: readonly unknown[]): string[] {
  return data.map((item) => `data: ${typeof item === "string" ? item : JSON.stringify(item)}\n\n`);
}

/** A piece of an answer in the form of Chat Completions. */
export function chatChunk(delta: unknown, finish: string | null = null): unknown {
  return {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    model: "test-model",
    choices: [{ index: 0, delta, finish_reason: finish }],
  };
}

/** A whole stream of Chat Completions that says these texts. */
export function chatStream(...texts: readonly string[]): string[] {
  return events(
    ...texts.map((content) => chatChunk({ content })),
    chatChunk({}, "stop"),
    { id: "chatcmpl-1", choices: [], usage: { prompt_tokens: 7, completion_tokens: texts.length } },
    "[DONE]",
  );
}

/** A whole answer of Chat Completions. */
export function chatAnswer(message: unknown, finish = "stop"): unknown {
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    model: "test-model",
    choices: [{ index: 0, message: { role: "assistant", ...(message as object) }, finish_reason: finish }],
    usage: { prompt_tokens: 7, completion_tokens: 2 },
  };
}

/** A stream written down under `tests/llm_fixtures`. */
export function fixture(name: string): string {
  return readFileSync(path.resolve(import.meta.dirname, "../../llm_fixtures", `${name}.sse`), "utf8");
}
