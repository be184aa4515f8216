// A server on this machine that answers as badly as a test wants. It writes HTTP by hand, because a proper server refuses to break
// off, to mix up line ends or to cut a character in two; and it keeps what it has seen, so that a test can count requests.

import { type AddressInfo, type Socket, createServer } from "node:net";
import { deferred, soon, turn } from "../kit/index.js";

/** A request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** The JSON of the body. */
  readonly body: Record<string, unknown>;
  /** When it was complete, by `performance.now()`. */
  readonly at: number;
}

/** What the server does with one request. The answer is broken off when it throws, and kept open when it just returns. */
export type Answer = (exchange: Exchange) => void | Promise<void>;

/** One request with the way back. */
export class Exchange {
  /** Resolves when the connection is gone, on whichever side it was closed. */
  readonly closed: Promise<void>;
  /** Resolved by the test when its client has the head of the answer. */
  readonly headIsRead = deferred();
  /** Resolved by the test when its client has a text of the answer. */
  readonly textIsRead = deferred();
  /** Whether the server closed the connection itself. */
  isOver = false;
  #isChunked = true;

  constructor(
    readonly request: SeenRequest,
    private readonly socket: Socket,
  ) {
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  /** Whether the client has closed the connection before the server did. */
  get isGivenUp(): boolean {
    return this.socket.destroyed && !this.isOver;
  }

  /**
   * The status line and headers. The body comes in chunks of HTTP, which mark its end, unless `framing` is "none", which lets the
   * connection's end be its end, too. An answer that is to break off has to say `connection: keep-alive`: after `close`, the `fetch` of
   * Node takes every end for a good one.
   */
  head(status = 200, headers: Readonly<Record<string, string>> = {}, framing: "chunks" | "none" = "chunks"): this {
    this.#isChunked = framing === "chunks";
    const all = {
      "content-type": status === 200 ? "text/event-stream" : "application/json",
      connection: "close",
      // Pages of other origins may read it.
      "access-control-allow-origin": "*",
      ...(this.#isChunked && { "transfer-encoding": "chunked" }),
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`HTTP/1.1 ${status} Something\r\n${lines.join("")}\r\n`);
    return this;
  }

  /** A piece of the body. */
  send(piece: string | Uint8Array): this {
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    if (bytes.length === 0) return this;
    if (this.#isChunked) this.socket.write(`${bytes.length.toString(16)}\r\n`);
    this.socket.write(bytes);
    if (this.#isChunked) this.socket.write("\r\n");
    return this;
  }

  /** Pieces one after the other, each after the client has had time to read the one before. */
  async sendEach(pieces: Iterable<string | Uint8Array>): Promise<this> {
    for (const piece of pieces) {
      this.send(piece);
      // Data that has come is read in a turn of its own, and handed on in the next.
      for (let turns = 0; turns < 2; turns += 1) await turn();
    }
    return this;
  }

  /** Waits until the client is ready for more. */
  async drained(): Promise<void> {
    if (!this.socket.writableNeedDrain || this.socket.destroyed) return;
    const drained = new Promise<void>((resolve) => this.socket.once("drain", () => resolve()));
    await Promise.race([drained, this.closed]);
  }

  /** Ends the body as HTTP wants it. */
  end(): void {
    this.isOver = true;
    this.socket.end(this.#isChunked ? "0\r\n\r\n" : "");
  }

  /** Closes the connection where it stands; in the middle of a body with chunks that is a break. */
  drop(): void {
    this.isOver = true;
    this.socket.end();
  }

  /** Resets the connection. */
  reset(): void {
    this.isOver = true;
    this.socket.resetAndDestroy();
  }

  /** Resolves when the client has closed the connection, which must be soon. */
  async givenUp(): Promise<void> {
    await soon(this.closed);
    if (this.isOver) throw new Error("The server closed the connection, not the client.");
  }
}

/** A running server. */
export interface FaultServer extends AsyncDisposable {
  /** Its address, without a path. */
  readonly url: string;
  readonly exchanges: readonly Exchange[];
  /** The n-th exchange, once its request has come. */
  exchange(nth: number): Promise<Exchange>;
}

/** Starts a server that gives the n-th request the n-th answer, and the last answer to all that follow. */
export async function faultServer(...answers: readonly Answer[]): Promise<FaultServer> {
  const exchanges: Exchange[] = [];
  const waiting: { nth: number; resolve: (exchange: Exchange) => void }[] = [];
  const sockets = new Set<Socket>();

  const accept = (request: SeenRequest, socket: Socket): void => {
    const exchange = new Exchange(request, socket);
    const answer = answers[Math.min(exchanges.length, answers.length - 1)];
    exchanges.push(exchange);
    for (const { nth, resolve } of waiting) if (nth === exchanges.length - 1) resolve(exchange);
    void Promise.resolve(answer?.(exchange)).catch(() => exchange.reset());
  };

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // The client's end of it is what tests look at.
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const request = parsed(received);
      if (request === undefined) return;
      received = Buffer.alloc(0);
      if (request.method === "OPTIONS") permit(request, socket);
      else accept(request, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    exchange: (nth) => {
      const there = exchanges[nth];
      return soon(there ? Promise.resolve(there) : new Promise((resolve) => waiting.push({ nth, resolve })));
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Lets a page of another origin send its request. That question is not counted. */
function permit({ headers }: SeenRequest, socket: Socket): void {
  const allowed = headers.get("access-control-request-headers") ?? "";
  socket.end(
    `HTTP/1.1 204 Yes\r\nconnection: close\r\naccess-control-allow-origin: *\r\naccess-control-allow-headers: ${allowed}\r\n\r\n`,
  );
}

/** The request in some bytes, once it is complete. */
function parsed(bytes: Buffer): SeenRequest | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first, ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const length = Number(headers.get("content-length") ?? 0);
  const body = bytes.subarray(end + 4);
  if (body.length < length) return undefined;
  const [method = "", path = ""] = first!.split(" ");
  return {
    method,
    path,
    headers,
    body: length > 0 ? JSON.parse(body.toString("utf8", 0, length)) : {},
    at: performance.now(),
  };
}

/** An address of this machine at which no server listens. */
export async function unusedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
