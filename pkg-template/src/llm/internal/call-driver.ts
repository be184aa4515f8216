// Drives one call of a model over fetch. The wasm module (`src/llm/call`) decides what is sent and when, and what the
// response means; the network and the clock are here. After each thing that happens, the driver dispatches it to the
// module and applies what the module returns. The module never calls back: no function and no promise crosses the
// boundary.

import { EngineError } from "../../errors/errors.js";
import type { TrapListener } from "../../wasm/loader.js";
import { onAbort } from "../../util/abort.js";
import {
  type HttpRequest,
  deltaRecords,
  deltaText,
  fillInput,
  flag,
  inputSize,
  nextDelay,
  nextRequest,
  resultText,
} from "./call-view.js";
import { type ResponseJson, errorOf } from "./model-response.js";
import { hot, llmModule } from "./wasm.js";

/** One call. */
export interface CallInput {
  /** The JSON that `Provider::from_json` reads. It contains the API key, so the driver does not keep it. */
  readonly provider: string;
  /** The JSON that `Request::from_json` reads. */
  readonly request: string;
  /** The JSON that `CallOptions::from_json` reads; times are in seconds. */
  readonly options: string;
  /** Whether to ask the provider for a stream. */
  readonly stream: boolean;
  readonly fetch: typeof globalThis.fetch;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Receives new deltas: their texts, one after another, and four words for each delta: its kind (by the numbers of
 * `src/llm/delta.rs`), the index of its block, where its text ends in bytes, and the text's length in UTF-16 units. It
 * must not throw.
 */
export type OnDeltas = (text: string, records: readonly number[]) => void;

/**
 * Makes a call. `onDeltas` is called synchronously for each chunk of the network that has new deltas, and not any more
 * when the promise is settled.
 *
 * @throws LLMError; EngineError `UNSUPPORTED_RUNTIME`, `ENGINE_PANICKED`.
 */
export function driveCall(input: CallInput, onDeltas?: OnDeltas): Promise<ResponseJson> {
  return new Promise((resolve, reject) => new CallDriver(input, resolve, reject, onDeltas).start(input));
}

/** How long a complete stream may take to close, in milliseconds: only then can its connection be used again. */
const CLOSE_TIMEOUT = 250;

const now = (): number => performance.now();

const ignore = (): void => {};

class CallDriver implements TrapListener {
  readonly #fetch: typeof globalThis.fetch;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (response: ResponseJson) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onDeltas: OnDeltas | undefined;
  readonly #instance = llmModule.number;
  readonly #trapListener = llmModule.onTrap(this);
  #leaveSignal: () => void = ignore;
  #handle: number | undefined;
  /** The number of the open request; 0 if none is open. */
  #attempt = 0;
  #controller: AbortController | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(
    { fetch, signal }: CallInput,
    resolve: (response: ResponseJson) => void,
    reject: (error: unknown) => void,
    onDeltas: OnDeltas | undefined,
  ) {
    this.#fetch = fetch;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onDeltas = onDeltas;
  }

  start({ provider, request, options, stream }: CallInput): void {
    this.#dispatch(() => {
      // The seed decides about the jitter of retries and about generated ids. It must differ between calls, no more.
      this.#handle = llmModule.use().call_new(provider, request, options, Math.random(), stream, now());
      return this.#signal?.aborted === true
        ? this.#abort(this.#handle)
        : llmModule.use().call_poll(this.#handle, now());
    });
    if (this.#isOver) return;
    this.#leaveSignal = onAbort(this.#signal, () => this.#dispatch((call) => this.#abort(call)));
  }

  #abort(call: number): number {
    return llmModule.use().call_abort(call, messagesOf(this.#signal?.reason), now());
  }

  /** The module trapped, and lost this call. */
  trapped(error: EngineError): void {
    this.#end();
    this.#reject(error);
  }

  /** Reports something that happened to the module, and applies what it returns. */
  #dispatch(report: (call: number) => number): void {
    // After a trap the call does not exist any more; `poison` is about to be called.
    if (this.#isOver || this.#instance !== llmModule.number) return;
    try {
      this.#apply(llmModule.ask(() => report(this.#handle!)));
    } catch (error) {
      this.trapped(error as EngineError);
    }
  }

  #apply(flags: number): void {
    if (flags === 0) return;
    if (flags & flag.STALE) throw new EngineError("STALE_ID");
    // Everything is read before any foreign function is called: it may call the module, and the data would be lost.
    const text = flags & flag.DELTAS ? deltaText() : "";
    const records = flags & flag.DELTAS ? deltaRecords() : undefined;
    const request = flags & flag.SEND ? nextRequest() : undefined;
    const delay = flags & flag.TIMER ? nextDelay() : undefined;
    const result = flags & (flag.DONE | flag.FAILED) ? resultText() : undefined;
    if (delay !== undefined) this.#setTimer(delay);
    if (records !== undefined) this.#onDeltas?.(text, records);
    if (this.#isOver) return;
    if (flags & (flag.CLOSE | flag.FAILED)) this.#close();
    if (request !== undefined) this.#send(request);
    if (result !== undefined) this.#settle(result, (flags & flag.DONE) !== 0);
  }

  #setTimer(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#dispatch((call) => llmModule.use().call_wake(call, now())), delay);
  }

  #settle(result: string, isResponse: boolean): void {
    if (isResponse) {
      if (this.#reader !== undefined) void readToEnd(this.#reader, this.#controller);
      this.#reader = undefined;
      this.#controller = undefined;
    }
    this.#end();
    if (isResponse) this.#resolve(JSON.parse(result) as ResponseJson);
    else this.#reject(errorOf(result, this.#signal?.reason));
  }

  /** Releases everything that the call holds. */
  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#close();
    clearTimeout(this.#timer);
    this.#leaveSignal();
    llmModule.offTrap(this.#trapListener);
    const handle = this.#handle;
    // After a trap, the handle went away with the instance.
    if (handle === undefined || this.#instance !== llmModule.number) return;
    try {
      llmModule.ask(() => llmModule.use().call_free(handle));
    } catch {
      // A trap; it is reported to all the calls that it concerns.
    }
  }

  /** Cancels the open request. */
  #close(): void {
    this.#attempt = 0;
    // In this order: a stream cannot be cancelled after it was aborted.
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

  /** Sends a request and reads its response. Never rejects. When another request is open, the rest is ignored. */
  async #exchange({ attempt, url, headers, body }: HttpRequest, signal: AbortSignal): Promise<void> {
    // A variable, because browsers refuse to call `fetch` as a method.
    const fetch = this.#fetch;
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    try {
      // Redirects are not followed: fetch would send all headers but one to another server, the API key included.
      const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
      if (typeof response?.status !== "number") throw new TypeError("fetch returned something that is not a Response");
      if (attempt !== this.#attempt) {
        await response.body?.cancel();
        return;
      }
      this.#receiveHead(attempt, response);
      if (attempt !== this.#attempt) return;
      // Some runtimes have no streams for bodies.
      if (response.body) reader = this.#reader = response.body.getReader();
      else this.#receiveChunk(attempt, new Uint8Array(await response.arrayBuffer()));
      while (reader !== undefined && attempt === this.#attempt) {
        const { done, value } = await reader.read();
        if (attempt !== this.#attempt) return;
        if (done) break;
        if (!isBytes(value)) throw new TypeError("The body of the response has a chunk that is not bytes");
        this.#receiveChunk(attempt, value);
      }
    } catch (thrown) {
      if (attempt === this.#attempt) {
        this.#dispatch((call) => llmModule.use().call_break(call, attempt, messagesOf(thrown), now()));
      }
      return;
    }
    if (attempt !== this.#attempt) return;
    this.#reader = undefined;
    this.#dispatch((call) => llmModule.use().call_end(call, attempt, now()));
  }

  #receiveHead(attempt: number, { type, status: reported, headers }: Response): void {
    // Browsers hide the status of a redirect.
    const status = type === "opaqueredirect" ? 302 : reported;
    const header = (name: string): string => headers?.get(name) ?? "";
    const [after, afterMs, again] = ["retry-after", "retry-after-ms", "x-should-retry"].map(header) as [
      string,
      string,
      string,
    ];
    this.#dispatch((call) =>
      llmModule.use().call_head(call, attempt, status, after, afterMs, again, Date.now(), now()),
    );
  }

  #receiveChunk(attempt: number, chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length && attempt === this.#attempt;) {
      const part = from === 0 && chunk.length <= inputSize() ? chunk : chunk.subarray(from, from + inputSize());
      from += part.length;
      fillInput(part);
      this.#dispatchChunk(attempt, part.length);
    }
  }

  /** {@link #dispatch} of a chunk, which is in the input buffer. Not through closures: a token is often a chunk. */
  #dispatchChunk(attempt: number, length: number): void {
    if (this.#isOver || this.#instance !== llmModule.number) return;
    let flags: number;
    try {
      llmModule.enter();
      flags = hot.chunk(this.#handle!, attempt, length, now());
      llmModule.leave();
    } catch (cause) {
      this.trapped(llmModule.trapped(cause));
      return;
    }
    try {
      this.#apply(flags);
    } catch (error) {
      this.trapped(error as EngineError);
    }
  }
}

/** Whether a value is bytes, of any realm. */
function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === "Uint8Array";
}

/** Reads a body to its end when its content is complete already, so that its connection can be used again. */
async function readToEnd(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  controller: AbortController | undefined,
): Promise<void> {
  const timer = setTimeout(() => {
    reader.cancel().catch(ignore);
    controller?.abort();
  }, CLOSE_TIMEOUT);
  try {
    while (!(await reader.read()).done);
  } catch {
    // The response is complete, so an error of its connection has no effect.
  }
  clearTimeout(timer);
}

/** The longest message of a network error that is kept, in UTF-16 units. */
const LONGEST_MESSAGE = 500;

/** The message of what was thrown, and those of its causes. Nothing else of it is kept: it may contain the request. */
function messagesOf(thrown: unknown): string {
  const parts: string[] = [];
  try {
    for (let at = thrown; at !== undefined && at !== null && parts.length < 4;) {
      const { message, code, cause } = Object(at) as { message?: unknown; code?: unknown; cause?: unknown };
      const text = typeof at === "string" ? at : message || code;
      if (text !== undefined && !parts.includes(String(text))) parts.push(String(text));
      if (cause === at) break;
      at = cause;
    }
  } catch {
    // A proxy or a getter that throws.
  }
  return parts.join(": ").slice(0, LONGEST_MESSAGE);
}
