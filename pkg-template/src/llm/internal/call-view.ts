// Reads the call view of the wasm module: flags that say what to do, and a few words at a fixed address of its memory
// with the data for them. `src/wasm/llm.rs` writes what is read here; a test compares the two.

import { llmModule } from "./wasm.js";

/** What there is to do or to read, in this order. */
export const flag = {
  DELTAS: 1,
  CLOSE: 2,
  SEND: 4,
  TIMER: 8,
  DONE: 16,
  FAILED: 32,
  STALE: 64,
} as const;

/** The positions in the view, in words. Texts and lists have two words: address and length. */
const view = {
  INPUT: 0,
  TEXT: 2,
  RECORDS: 4,
  HEAD: 6,
  BODY: 8,
  RESULT: 10,
  ATTEMPT: 12,
  HEADERS: 13,
  DELAY: 14,
} as const;

/** The number of words of a delta: kind, index, end, units. */
const RECORD_WORDS = 4;

/** A request to send. */
export interface HttpRequest {
  readonly attempt: number;
  readonly url: string;
  readonly headers: [string, string][];
  readonly body: Uint8Array<ArrayBuffer>;
}

// The view of the live instance; the number tells which instance that was.
let instance = 0;
let address = 0;
let bytes: Uint8Array<ArrayBuffer> | undefined;
let decoder: TextDecoder | undefined;

/** The word at a position of the view. */
function word(at: number): number {
  if (instance !== llmModule.number) {
    address = llmModule.ask(() => llmModule.use().call_view()) >>> 2;
    instance = llmModule.number;
  }
  return llmModule.words()[address + at]!;
}

/** The module's memory. Valid until the next call into the module. */
function memory(): Uint8Array<ArrayBuffer> {
  const { buffer } = llmModule.words();
  if (bytes?.buffer !== buffer) bytes = new Uint8Array(buffer as ArrayBuffer);
  return bytes;
}

/** Up to this many bytes of ASCII, which most tokens are, a loop is faster than the call of a decoder. */
const SHORT = 24;

function text(at: number): string {
  const from = word(at);
  const to = from + word(at + 1);
  const source = memory();
  if (to - from <= SHORT) {
    let ascii = "";
    let next = from;
    while (next < to && source[next]! < 0x80) ascii += String.fromCharCode(source[next++]!);
    if (next === to) return ascii;
  }
  // A byte order mark that a model writes is a part of its text.
  decoder ??= new TextDecoder("utf-8", { ignoreBOM: true });
  return decoder.decode(source.subarray(from, to));
}

/** How many bytes the input buffer holds. */
export function inputSize(): number {
  return word(view.INPUT + 1);
}

/** Copies bytes into the input buffer. */
export function fillInput(chunk: Uint8Array): void {
  const at = word(view.INPUT);
  memory().set(chunk, at);
}

/** The texts of the new deltas, one after another. */
export function deltaText(): string {
  return text(view.TEXT);
}

/** The records of the new deltas. A plain array: most chunks have one delta, and a typed array costs ten times more. */
export function deltaRecords(): number[] {
  const from = word(view.RECORDS) >>> 2;
  const to = from + word(view.RECORDS + 1) * RECORD_WORDS;
  const source = llmModule.words();
  const records = new Array<number>(to - from);
  for (let at = from; at < to; at += 1) records[at - from] = source[at]!;
  return records;
}

/** The request to send. */
export function nextRequest(): HttpRequest {
  const lines = text(view.HEAD).split("\n");
  const headers: [string, string][] = [];
  for (let count = word(view.HEADERS); count > 0; count -= 1) headers.push(lines.splice(0, 2) as [string, string]);
  const from = word(view.BODY);
  const body = memory().slice(from, from + word(view.BODY + 1));
  return { attempt: word(view.ATTEMPT), url: lines.join("\n"), headers, body };
}

/** The response or the error, as JSON. */
export function resultText(): string {
  return text(view.RESULT);
}

/** The delay of the timer, in milliseconds. */
export function nextDelay(): number {
  return word(view.DELAY);
}
