// How the answers of the module are read: flags, and what they speak of in its memory. `src/wasm/llm.rs` writes what is read here.

import { llmModule } from "./wasm.js";

/** What is to be done or read, in this order. */
export const flag = {
  NEWS: 1,
  CLOSE: 2,
  SEND: 4,
  ALARM: 8,
  DONE: 16,
  FAILED: 32,
  STALE: 64,
} as const;

/** Where it stands on the desk. */
const desk = {
  ROOM: 0,
  TEXT: 2,
  RECORDS: 4,
  HEAD: 6,
  BODY: 8,
  RESULT: 10,
  ATTEMPT: 12,
  HEADERS: 13,
  DELAY: 14,
} as const;

/** The number of words of a delta: kind, place, end, units. */
const RECORD_WORDS = 4;

/** A request that is to be sent. */
export interface HttpRequest {
  readonly attempt: number;
  readonly url: string;
  readonly headers: [string, string][];
  readonly body: Uint8Array<ArrayBuffer>;
}

// Of the live instance; the number tells which one that was.
let instance = 0;
let address = 0;
let bytes = new Uint8Array(0);

/** A byte order mark that a model says is a part of its text. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A word of the desk. */
function word(at: number): number {
  if (instance !== llmModule.number) {
    address = llmModule.ask(() => llmModule.use().call_desk()) >>> 2;
    instance = llmModule.number;
  }
  return llmModule.words()[address + at]!;
}

/** The module's memory. Good until the next call into it. */
function memory(): Uint8Array<ArrayBuffer> {
  const { buffer } = llmModule.words();
  if (bytes.buffer !== buffer) bytes = new Uint8Array(buffer as ArrayBuffer);
  return bytes;
}

function text(at: number): string {
  const from = word(at);
  return decoder.decode(memory().subarray(from, from + word(at + 1)));
}

/** How many bytes fit into the room at a time. */
export function roomSize(): number {
  return word(desk.ROOM + 1);
}

/** Puts bytes into the room. */
export function fillRoom(chunk: Uint8Array): void {
  const at = word(desk.ROOM);
  memory().set(chunk, at);
}

/** The texts of the deltas in a row. */
export function newText(): string {
  return text(desk.TEXT);
}

/** The records of the deltas. */
export function newRecords(): Uint32Array {
  const from = word(desk.RECORDS) >>> 2;
  return llmModule.words().slice(from, from + word(desk.RECORDS + 1) * RECORD_WORDS);
}

/** The request that is to be sent. */
export function nextRequest(): HttpRequest {
  const lines = text(desk.HEAD).split("\n");
  const headers: [string, string][] = [];
  for (let count = word(desk.HEADERS); count > 0; count -= 1) headers.push(lines.splice(0, 2) as [string, string]);
  const from = word(desk.BODY);
  const body = memory().slice(from, from + word(desk.BODY + 1));
  return { attempt: word(desk.ATTEMPT), url: lines.join("\n"), headers, body };
}

/** The answer or the error, as JSON. */
export function resultText(): string {
  return text(desk.RESULT);
}

/** In how many milliseconds the call wants to be woken. */
export function nextDelay(): number {
  return word(desk.DELAY);
}
