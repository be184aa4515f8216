// A streamed answer on its way to a reader: what one chunk of the network brings becomes deltas, and waits until somebody takes them.

import type { ChatDelta, ChatResponse, ChatStream, FinishReason } from "./types.js";

/** The kinds of records, by the numbers of `DeltaKind` in `src/llm/delta.rs`. */
const kind = { text: 0, reasoning: 1, refusal: 2, callId: 3, callStarted: 4, callArguments: 5, callDone: 6, finish: 7 };

/** The reasons, by the numbers of `FinishReason` in `src/llm/answer.rs`. */
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

/** What one chunk of the network brought: the texts of deltas in a row, and four numbers for each, of which the last is its length. */
interface Chunk {
  readonly text: string;
  readonly records: Uint32Array;
}

/** Cuts the text of a chunk into deltas. */
function deltasOf({ text, records }: Chunk): ChatDelta[] {
  const deltas: ChatDelta[] = [];
  let from = 0;
  let id = "";
  for (let at = 0; at < records.length; at += 4) {
    const index = records[at + 1]!;
    const to = from + records[at + 3]!;
    const piece = text.slice(from, to);
    from = to;
    switch (records[at]) {
      case kind.text:
        deltas.push({ type: "text", index, text: piece });
        break;
      case kind.reasoning:
        deltas.push({ type: "reasoning", index, text: piece });
        break;
      case kind.refusal:
        deltas.push({ type: "refusal", index, text: piece });
        break;
      case kind.callId:
        id = piece;
        break;
      case kind.callStarted:
        deltas.push({ type: "toolCallStart", index, id, name: piece });
        break;
      case kind.callArguments:
        deltas.push({ type: "toolCallDelta", index, text: piece });
        break;
      case kind.callDone:
        deltas.push({ type: "toolCallEnd", index });
        break;
      case kind.finish: {
        const reason = reasons[index];
        if (reason !== undefined) deltas.push({ type: "finish", reason });
        break;
      }
    }
  }
  return deltas;
}

/** Somebody who waits for a delta. */
interface Waiter {
  resolve(result: IteratorResult<ChatDelta, undefined>): void;
  reject(error: unknown): void;
}

/** Makes the call: tells of each chunk, stops on the signal, and resolves with the whole. */
export type Begin<Response> = (
  signal: AbortSignal,
  onDeltas: (text: string, records: Uint32Array) => void,
) => Promise<Response>;

class LiveStream<Response extends ChatResponse> implements ChatStream<Response> {
  readonly #controller = new AbortController();
  readonly #whole: Promise<Response>;
  /** What has come, from `#nextChunk` on. It is cut up when somebody reads it: many want the whole answer alone. */
  #chunks: Chunk[] = [];
  #nextChunk = 0;
  /** The deltas of the latest chunk that was cut up, from `#next` on. */
  #deltas: ChatDelta[] = [];
  #next = 0;
  /** Usually none or one. */
  #waiters: Waiter[] = [];
  #state: "open" | "ended" | "failed" = "open";
  #error: unknown;
  /** Whether somebody wants the whole, whatever becomes of the loop. */
  #isWanted = false;

  constructor(begin: Begin<Response>, signal: AbortSignal | undefined) {
    const onAbort = (): void => this.#controller.abort(signal!.reason);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener("abort", onAbort);
    this.#whole = begin(this.#controller.signal, (text, records) => this.#arrive({ text, records }));
    const settle = (state: "ended" | "failed", error?: unknown): void => {
      signal?.removeEventListener("abort", onAbort);
      this.#settle(state, error);
    };
    // By this, a call whose response nobody asks for may fail unheard.
    this.#whole.then(
      () => settle("ended"),
      (error: unknown) => settle("failed", error),
    );
  }

  get response(): Promise<Response> {
    this.#isWanted = true;
    return this.#whole;
  }

  [Symbol.asyncIterator](): AsyncIterator<ChatDelta, undefined> {
    return {
      next: () => this.#read(),
      return: () => {
        if (this.#state === "open" && !this.#isWanted) this.#controller.abort(new Error("The loop was left."));
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #arrive(chunk: Chunk): void {
    this.#chunks.push(chunk);
    while (this.#waiters.length > 0) {
      const delta = this.#take();
      if (delta === undefined) return;
      this.#waiters.shift()!.resolve({ done: false, value: delta });
    }
  }

  /** The next delta that has come. */
  #take(): ChatDelta | undefined {
    while (this.#next === this.#deltas.length) {
      const chunk = this.#chunks[this.#nextChunk];
      if (chunk === undefined) return undefined;
      this.#nextChunk += 1;
      if (this.#nextChunk === this.#chunks.length) {
        this.#chunks = [];
        this.#nextChunk = 0;
      }
      this.#deltas = deltasOf(chunk);
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
  }

  /** The error is thrown once; then it is over. */
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

/** Begins a call and gives its stream. */
export function openStream<Response extends ChatResponse>(
  begin: Begin<Response>,
  signal: AbortSignal | undefined,
): ChatStream<Response> {
  return new LiveStream(begin, signal);
}
