// A streamed response on its way to its reader: makes deltas out of each chunk of the network, and keeps them until
// they are read.

import type { ChatDelta, ChatResponse, ChatStream, FinishReason } from "../model/chat.js";
import { type PushStream, pushDeltas } from "../model/push-deltas.js";
import { onAbort } from "../util/abort.js";

/** The kinds of records, by the numbers of `DeltaKind` in `src/llm/delta.rs`. */
const kind = { text: 0, reasoning: 1, refusal: 2, callId: 3, callStarted: 4, callArguments: 5, callDone: 6, finish: 7 };

/** The reasons, by the numbers of `FinishReason` in `src/llm/response.rs`. */
const reasons: readonly (FinishReason | undefined)[] = [
  undefined,
  "stop",
  "length",
  "toolCalls",
  "contentFilter",
  "refusal",
  "pause",
  "error",
  "other",
];

/**
 * The deltas of one chunk of the network: their texts, one after another, and four numbers for each, of which the last
 * is the text's length.
 */
interface Chunk {
  readonly text: string;
  readonly records: readonly number[];
}

/** Cuts a chunk into deltas, and calls a function with each. */
function cut({ text, records }: Chunk, take: (delta: ChatDelta) => void): void {
  let from = 0;
  let id = "";
  for (let at = 0; at < records.length; at += 4) {
    const index = records[at + 1]!;
    const to = from + records[at + 3]!;
    const piece = text.slice(from, to);
    from = to;
    switch (records[at]) {
      case kind.text:
        take({ type: "text", index, text: piece });
        break;
      case kind.reasoning:
        take({ type: "reasoning", index, text: piece });
        break;
      case kind.refusal:
        take({ type: "refusal", index, text: piece });
        break;
      case kind.callId:
        id = piece;
        break;
      case kind.callStarted:
        take({ type: "toolCallStart", index, id, name: piece });
        break;
      case kind.callArguments:
        take({ type: "toolCallDelta", index, text: piece });
        break;
      case kind.callDone:
        take({ type: "toolCallEnd", index });
        break;
      case kind.finish: {
        const reason = reasons[index];
        if (reason !== undefined) take({ type: "finish", reason });
        break;
      }
    }
  }
}

/** A reader that waits for a delta. */
interface Waiter {
  resolve(result: IteratorResult<ChatDelta, undefined>): void;
  reject(error: unknown): void;
}

/** The reader that gets the deltas as they arrive. */
interface Receiver {
  take(delta: ChatDelta): void;
  resolve(): void;
  reject(error: unknown): void;
}

/** Makes the call: reports each chunk, stops when the signal aborts, and resolves with the complete response. */
export type StartCall<Response> = (
  signal: AbortSignal,
  onDeltas: (text: string, records: readonly number[]) => void,
) => Promise<Response>;

class LiveStream<Response extends ChatResponse> implements ChatStream<Response>, PushStream {
  readonly #controller = new AbortController();
  readonly #response: Promise<Response>;
  /** Unread chunks, from `#nextChunk` on. They are cut into deltas when they are read: many only want the response. */
  #chunks: Chunk[] = [];
  #nextChunk = 0;
  /** The deltas of the last chunk that was cut, from `#next` on. */
  #deltas: ChatDelta[] = [];
  #next = 0;
  /** Usually one at most. */
  #waiters: Waiter[] = [];
  #receiver: Receiver | undefined;
  #state: "open" | "ended" | "failed" = "open";
  #error: unknown;
  /** Whether `response` was read, so that the call continues when the loop is left. */
  #isResponseWanted = false;

  constructor(start: StartCall<Response>, signal: AbortSignal | undefined) {
    const leave = onAbort(signal, () => this.#controller.abort(signal!.reason));
    this.#response = start(this.#controller.signal, (text, records) => this.#arrive({ text, records }));
    const settle = (state: "ended" | "failed", error?: unknown): void => {
      leave();
      this.#settle(state, error);
    };
    // Handles the rejection too: a response that is not read must not be reported as an unhandled rejection.
    this.#response.then(
      () => settle("ended"),
      (error: unknown) => settle("failed", error),
    );
  }

  get response(): Promise<Response> {
    this.#isResponseWanted = true;
    return this.#response;
  }

  [Symbol.asyncIterator](): AsyncIterator<ChatDelta, undefined> {
    return {
      next: () => this.#read(),
      return: () => {
        this.#leave();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  [pushDeltas](take: (delta: ChatDelta) => void): Promise<void> | undefined {
    if (this[Symbol.asyncIterator] !== LiveStream.prototype[Symbol.asyncIterator]) return undefined;
    return new Promise((resolve, reject) => {
      this.#receiver = { take, resolve, reject };
      this.#push(undefined);
      if (this.#state !== "open") this.#endReceiver();
    });
  }

  /** The reader has left before the end. */
  #leave(): void {
    if (this.#state === "open" && !this.#isResponseWanted) this.#controller.abort(new Error("The loop was left."));
  }

  /** Hands everything unread to the receiver, and then the new chunk. */
  #push(chunk: Chunk | undefined): void {
    const { take, reject } = this.#receiver!;
    try {
      for (let delta = this.#take(); delta !== undefined; delta = this.#take()) take(delta);
      if (chunk !== undefined) cut(chunk, take);
    } catch (error) {
      this.#receiver = undefined;
      this.#leave();
      reject(error);
    }
  }

  #endReceiver(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver === undefined) return;
    const { resolve, reject } = receiver;
    this.#end({ resolve: () => resolve(), reject });
  }

  #arrive(chunk: Chunk): void {
    if (this.#receiver !== undefined) {
      this.#push(chunk);
      return;
    }
    this.#chunks.push(chunk);
    while (this.#waiters.length > 0) {
      const delta = this.#take();
      if (delta === undefined) return;
      this.#waiters.shift()!.resolve({ done: false, value: delta });
    }
  }

  /** The next delta that has arrived. */
  #take(): ChatDelta | undefined {
    while (this.#next === this.#deltas.length) {
      const chunk = this.#chunks[this.#nextChunk];
      if (chunk === undefined) return undefined;
      this.#nextChunk += 1;
      if (this.#nextChunk === this.#chunks.length) {
        this.#chunks = [];
        this.#nextChunk = 0;
      }
      const deltas: ChatDelta[] = [];
      cut(chunk, (delta) => deltas.push(delta));
      this.#deltas = deltas;
      this.#next = 0;
    }
    this.#next += 1;
    return this.#deltas[this.#next - 1];
  }

  #settle(state: "ended" | "failed", error: unknown): void {
    this.#state = state;
    this.#error = error;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) this.#end(waiter);
    this.#endReceiver();
  }

  /** Ends a reader. The error is thrown once; later reads find the end. */
  #end({ resolve, reject }: Waiter): void {
    if (this.#state === "failed") {
      this.#state = "ended";
      reject(this.#error);
    } else resolve({ done: true, value: undefined });
  }

  #read(): Promise<IteratorResult<ChatDelta, undefined>> {
    const delta = this.#take();
    if (delta !== undefined) return Promise.resolve({ done: false, value: delta });
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      if (this.#state === "open") this.#waiters.push(waiter);
      else this.#end(waiter);
    });
  }
}

/** Starts a call, and returns its stream. */
export function openStream<Response extends ChatResponse>(
  start: StartCall<Response>,
  signal: AbortSignal | undefined,
): ChatStream<Response> {
  return new LiveStream(start, signal);
}
