// Writes into a journal what it needs beside the ticks, which the engine writes itself: payloads, the store, events of
// nested runs. Each is encoded at once, as it is at that moment.

import type { WorkflowEvent } from "../model/events.js";
import type { Store } from "../model/store.js";
import { concatenate, encodePayload } from "./codec/codec.js";
import type { CodecContext } from "./codec/context.js";
import type { EngineRun, RunJournal } from "../runtime/engine-run.js";
import { Notifier } from "../util/notifier.js";

/** A record of the host, as the journal carries it. */
export type JournalRecord =
  | { readonly run: string }
  | { readonly slot: number; readonly payload: unknown }
  | { readonly key: string; readonly value?: unknown; readonly isGone?: true }
  | { readonly event: WorkflowEvent };

const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);

export class JournalWriter implements RunJournal {
  readonly #codec: CodecContext;
  readonly #store: Store;
  readonly #runId: string;
  #run: EngineRun | undefined;
  /** What is in the store as far as the journal knows: the bytes of each note by key. */
  readonly #known = new Map<string, Uint8Array>();
  readonly #chunks: Uint8Array[] = [];
  readonly #notifier = new Notifier();
  #isEnded = false;

  constructor(codec: CodecContext, store: Store, runId: string) {
    this.#codec = codec;
    this.#store = store;
    this.#runId = runId;
  }

  /** The journal begins. */
  attach(run: EngineRun): void {
    this.#run = run;
    this.#write({ run: this.#runId });
    this.#writeStore();
  }

  /** @throws SnapshotError `SNAPSHOT_VALUE` */
  payload(slot: number, payload: unknown): void {
    this.#write({ slot, payload });
  }

  /** The stream got an event that the engine does not know. */
  event(event: WorkflowEvent): void {
    this.#write({ event });
  }

  /** The engine has taken in a tick. */
  tick(): void {
    this.#writeStore();
    this.#notifier.notify();
  }

  #writeStore(): void {
    const entries = Object.entries(this.#store.toJSON());
    for (const [key, value] of entries) {
      const bytes = encodePayload({ key, value } satisfies JournalRecord, this.#codec);
      const known = this.#known.get(key);
      if (known !== undefined && isEqual(known, bytes)) continue;
      this.#known.set(key, bytes);
      this.#send(bytes);
    }
    if (entries.length === this.#known.size) return;
    const keys = new Set(entries.map(([key]) => key));
    for (const key of [...this.#known.keys()].filter((known) => !keys.has(known))) {
      this.#known.delete(key);
      this.#write({ key, isGone: true });
    }
  }

  #write(record: JournalRecord): void {
    this.#send(encodePayload(record, this.#codec));
  }

  #send(bytes: Uint8Array): void {
    this.#run?.note(bytes);
  }

  #drain(): void {
    if (this.#run === undefined || this.#isEnded) return;
    const bytes = this.#run.takeRecords();
    if (bytes.length > 0) this.#chunks.push(bytes);
  }

  /** The engine's part of the run is about to go, or is gone already, with what was not fetched yet. */
  end(): void {
    try {
      this.#drain();
    } catch {
      // After a trap. That the run learns of it matters more than the last ticks.
    }
    this.#isEnded = true;
    this.#notifier.notify();
  }

  /** The journal so far. */
  bytes(): Uint8Array {
    this.#drain();
    return concatenate(this.#chunks);
  }

  /** The journal so far and what is added to it, until the run ends. */
  async *increments(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let next = 0; ;) {
      this.#drain();
      const chunk = this.#chunks[next];
      if (chunk !== undefined) {
        next += 1;
        yield chunk.slice();
        continue;
      }
      if (this.#isEnded) return;
      await this.#notifier.wait();
    }
  }
}
