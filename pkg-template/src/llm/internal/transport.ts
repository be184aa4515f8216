// Carries one call of a model over fetch. What is sent, when, and what comes of it is decided by the module (`src/llm/call`); here is its network
// and its clock. It gives orders and is told what happened; it never calls back, so no function and no promise crosses the boundary.

import { EngineError } from "../../errors/errors.js";
import type { TrapListener } from "../../wasm/loader.js";
import { type AnswerJson, errorOf } from "./answer.js";
import {
  type HttpRequest,
  fillRoom,
  flag,
  newRecords,
  newText,
  nextDelay,
  nextRequest,
  resultText,
  roomSize,
} from "./desk.js";
import { llmModule } from "./wasm.js";

/** One call. */
export interface CallInput {
  /** JSON of `Provider::from_json`. It holds the API key; nothing of it is kept here. */
  readonly provider: string;
  /** JSON of `Request::from_json`. */
  readonly request: string;
  /** JSON of `CallOptions::from_json`; seconds. */
  readonly options: string;
  /** Whether to ask the provider for a stream. */
  readonly stream: boolean;
  readonly fetch: typeof globalThis.fetch;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes what is new: the texts of some deltas in a row, and for each delta four words: kind (the numbers of `src/llm/delta.rs`), place, where
 * its text ends in bytes, and how long it is in UTF-16 units. It must not throw.
 */
export type OnDeltas = (text: string, records: Uint32Array) => void;

/**
 * Makes a call. `onDeltas` is called at once with each chunk of the network that brings something new, for the last time before the
 * promise settles.
 *
 * @throws LLMError. EngineError with `UNSUPPORTED_RUNTIME` or `ENGINE_PANICKED`.
 */
export function carry(input: CallInput, onDeltas?: OnDeltas): Promise<AnswerJson> {
  return new Promise((resolve, reject) => new Carrier(input, resolve, reject, onDeltas).begin(input));
}

/** How long a finished stream may take to close, in milliseconds: a connection that was read to its end can be used again. */
const LINGER = 250;

const now = (): number => performance.now();

const ignore = (): void => {};

class Carrier implements TrapListener {
  readonly #fetch: typeof globalThis.fetch;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (answer: AnswerJson) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onDeltas: OnDeltas | undefined;
  readonly #instance = llmModule.number;
  readonly #registration = llmModule.onTrap(this);
  #handle: number | undefined;
  /** The open request; 0 if there is none. */
  #attempt = 0;
  #controller: AbortController | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(
    { fetch, signal }: CallInput,
    resolve: (answer: AnswerJson) => void,
    reject: (error: unknown) => void,
    onDeltas: OnDeltas | undefined,
  ) {
    this.#fetch = fetch;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onDeltas = onDeltas;
  }

  begin({ provider, request, options, stream }: CallInput): void {
    this.#tell(() => {
      // The seed decides about waits and made-up ids, so anything that differs between calls will do.
      this.#handle = llmModule.use().call_new(provider, request, options, Math.random(), stream, now());
      return this.#signal?.aborted === true
        ? this.#abortion(this.#handle)
        : llmModule.use().call_poll(this.#handle, now());
    });
    if (!this.#isOver) this.#signal?.addEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => this.#tell((call) => this.#abortion(call));

  #abortion(call: number): number {
    return llmModule.use().call_abort(call, wordsOf(this.#signal?.reason), now());
  }

  /** A trap has taken the call with it. */
  trapped(error: EngineError): void {
    this.#end();
    this.#reject(error);
  }

  /** Tells the module something and does what it says. */
  #tell(news: (call: number) => number): void {
    // After a trap, which will be told of at once, there is nobody to tell.
    if (this.#isOver || this.#instance !== llmModule.number) return;
    try {
      this.#obey(llmModule.ask(() => news(this.#handle!)));
    } catch (error) {
      this.trapped(error as EngineError);
    }
  }

  #obey(flags: number): void {
    if (flags === 0) return;
    if (flags & flag.STALE) throw new EngineError("STALE_ID");
    // Everything is read before anybody is called, who may make calls of his own.
    const text = flags & flag.NEWS ? newText() : "";
    const records = flags & flag.NEWS ? newRecords() : undefined;
    const request = flags & flag.SEND ? nextRequest() : undefined;
    const delay = flags & flag.ALARM ? nextDelay() : undefined;
    const result = flags & (flag.DONE | flag.FAILED) ? resultText() : undefined;
    if (delay !== undefined) this.#setAlarm(delay);
    if (records !== undefined) this.#onDeltas?.(text, records);
    if (this.#isOver) return;
    if (flags & (flag.CLOSE | flag.FAILED)) this.#close();
    if (request !== undefined) this.#send(request);
    if (result !== undefined) this.#settle(result, (flags & flag.DONE) !== 0);
  }

  #setAlarm(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell((call) => llmModule.use().call_wake(call, now())), delay);
  }

  #settle(result: string, isAnswer: boolean): void {
    if (isAnswer) {
      if (this.#reader !== undefined) void linger(this.#reader, this.#controller);
      this.#reader = undefined;
      this.#controller = undefined;
    }
    this.#end();
    if (isAnswer) this.#resolve(JSON.parse(result) as AnswerJson);
    else this.#reject(errorOf(result, this.#signal?.reason));
  }

  /** Lets go of everything. */
  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#close();
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#onAbort);
    llmModule.offTrap(this.#registration);
    const handle = this.#handle;
    // What was in an instance that is gone is gone with it.
    if (handle === undefined || this.#instance !== llmModule.number) return;
    try {
      llmModule.ask(() => llmModule.use().call_free(handle));
    } catch {
      // Whoever is concerned is told by the trap.
    }
  }

  /** Gives up the open request. */
  #close(): void {
    this.#attempt = 0;
    // In this order, as a stream that was aborted cannot be cancelled any more.
    this.#reader?.cancel().catch(ignore);
    this.#controller?.abort();
    this.#reader = undefined;
    this.#controller = undefined;
  }

  #send(request: HttpRequest): void {
    this.#close();
    this.#attempt = request.attempt;
    const controller = new AbortController();
    this.#controller = controller;
    void this.#exchange(request, controller.signal);
  }

  /** A request and its answer. It never throws, and nobody waits for it: what comes of a request that was given up does not count. */
  async #exchange({ attempt, url, headers, body }: HttpRequest, signal: AbortSignal): Promise<void> {
    // As a variable: pages refuse to call their fetch as a method.
    const fetch = this.#fetch;
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    try {
      // A redirection is not followed: of the headers with a key, fetch would take only one out on the way to a stranger.
      const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
      if (typeof response?.status !== "number") throw new TypeError("fetch gave something that is not a Response");
      if (attempt !== this.#attempt) {
        await response.body?.cancel();
        return;
      }
      this.#head(attempt, response);
      if (attempt !== this.#attempt) return;
      // Some runtimes have whole bodies only.
      if (response.body) reader = this.#reader = response.body.getReader();
      else this.#chunk(attempt, new Uint8Array(await response.arrayBuffer()));
      while (reader !== undefined && attempt === this.#attempt) {
        const { done, value } = await reader.read();
        if (attempt !== this.#attempt) return;
        if (done) break;
        if (!isBytes(value)) throw new TypeError("The body of the answer gave something that is not bytes");
        this.#chunk(attempt, value);
      }
    } catch (thrown) {
      if (attempt === this.#attempt) {
        this.#tell((call) => llmModule.use().call_break(call, attempt, wordsOf(thrown), now()));
      }
      return;
    }
    if (attempt !== this.#attempt) return;
    this.#reader = undefined;
    this.#tell((call) => llmModule.use().call_end(call, attempt, now()));
  }

  #head(attempt: number, { type, status: told, headers }: Response): void {
    // Pages are not shown the status of a redirection.
    const status = type === "opaqueredirect" ? 302 : told;
    const header = (name: string): string => headers?.get(name) ?? "";
    const [after, afterMs, again] = ["retry-after", "retry-after-ms", "x-should-retry"].map(header) as [
      string,
      string,
      string,
    ];
    this.#tell((call) => llmModule.use().call_head(call, attempt, status, after, afterMs, again, Date.now(), now()));
  }

  #chunk(attempt: number, chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length && attempt === this.#attempt;) {
      const part = from === 0 && chunk.length <= roomSize() ? chunk : chunk.subarray(from, from + roomSize());
      from += part.length;
      fillRoom(part);
      this.#tell((call) => llmModule.use().call_chunk(call, attempt, part.length, now()));
    }
  }
}

/** Whether it is bytes, of whichever realm. */
function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === "Uint8Array";
}

/** Reads a body whose content is complete to its end, which is near, or closes it. */
async function linger(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  controller: AbortController | undefined,
): Promise<void> {
  const timer = setTimeout(() => {
    reader.cancel().catch(ignore);
    controller?.abort();
  }, LINGER);
  try {
    while (!(await reader.read()).done);
  } catch {
    // The answer is there; how its connection ends is nobody's concern.
  }
  clearTimeout(timer);
}

/** The longest text of an error of the network that is passed on. */
const LONGEST_TEXT = 500;

/** What was thrown, in words: its message and those of its causes. Nothing else of it is kept, because it may hold the request. */
function wordsOf(thrown: unknown): string {
  const parts: string[] = [];
  try {
    for (let at = thrown; at !== undefined && at !== null && parts.length < 4;) {
      const { message, code, cause } = Object(at) as { message?: unknown; code?: unknown; cause?: unknown };
      const words = typeof at === "string" ? at : message || code;
      if (words !== undefined && !parts.includes(String(words))) parts.push(String(words));
      if (cause === at) break;
      at = cause;
    }
  } catch {
    // Something that throws at every look.
  }
  return parts.join(": ").slice(0, LONGEST_TEXT);
}
