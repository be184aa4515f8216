// The host's section of a snapshot: everything of a run that the engine does not know. `docs/snapshot-format.md`
// describes it.
//
// It is one document of the payload codec, so that values which are referred to from several places are still one value
// afterwards; before it comes a list of the event classes, which must be known when the document is read.

import { RecoverError } from "../errors/errors.js";
import { type EventClass, StopEvent, WorkflowEvent, typeName } from "../model/events.js";
import type { TypeHook } from "../model/type-hook.js";
import { decodePayload, encodePayload } from "./codec/codec.js";
import type { CodecContext } from "./codec/context.js";
import { ask, copyBytes, readReply } from "../wasm/engine-calls.js";
import type { NamedType, Plan } from "../runtime/plan.js";
import { Remembered } from "../runtime/remembered.js";
import type { AskedQuestions } from "../runtime/questions.js";
import type { EarlyEvent, RunContents } from "../runtime/run-parts.js";
import { engine } from "../wasm/engine-module.js";

/** A nested run that was under way. */
export interface NestedPart {
  /** Position of the invocation that started it, in the engine's section. */
  readonly invocation: number;
  /** Which nested run of that invocation it is. */
  readonly key: string;
  /** Its own snapshot. */
  readonly snapshot: Uint8Array;
}

/** A step that had returned and was held by a loop over the steps. */
export interface ReturnedPart {
  /** Position of the invocation, in the engine's section. */
  readonly invocation: number;
  /** What goes on. */
  readonly output?: WorkflowEvent | readonly WorkflowEvent[];
}

/** The document. Members that would be empty are left out. */
export interface RunDocument extends RunContents {
  /** The payloads, by slot. Results that `once` remembers are wrapped. */
  readonly payloads: readonly unknown[];
  readonly nested?: readonly NestedPart[];
  readonly returned?: readonly ReturnedPart[];
}

/**
 * Under this name the codec carries what `once` remembers. Users' types cannot have it: their names may not be empty.
 */
const remembered: TypeHook = {
  encode: (value) => (value instanceof Remembered ? [value.value] : undefined),
  decode: (carried: readonly [unknown]) => new Remembered(carried[0]),
};

/** What the codec must know of a run's workflow. */
export function codecOf(plan: Plan, types: Readonly<Record<string, TypeHook>>): CodecContext {
  return {
    // First, so that no hook of a user is asked about what is not theirs.
    types: { "": remembered, ...types },
    nameOf: (event) => typeName(plan.classOf(plan.typeOf(event))!),
    classOf: (name) => plan.classNamed(name),
  };
}

/** What users know a payload by: an event by its type, such as `draft.data.file`. */
function nameOf(payload: unknown): string {
  if (payload instanceof Remembered) return "once";
  return payload instanceof WorkflowEvent
    ? typeName(payload.constructor as EventClass).replace("stepstream.", "")
    : "data";
}

/** A path in a document, as users know it. */
function pathFor(path: string, payloadAt: (index: number) => unknown): string {
  // Data and results that are remembered are in a list of one.
  return path.replace(/^data\[0\]/, "data").replace(/^(?:payloads|unread)\[(\d+)\](\[0\])?/, (_, index: string) => {
    return nameOf(payloadAt(Number(index)));
  });
}

const LENGTH = 4;

/** @throws SnapshotError `SNAPSHOT_VALUE` */
export function writeDocument(document: RunDocument, codec: CodecContext, plan: Plan): Uint8Array {
  const body = encodePayload(document, codec, (path) => {
    return pathFor(path, (index) => (path.startsWith("unread") ? document.unread : document.payloads)[index]);
  });
  // After the document: encoding it may meet classes for the first time.
  const types = new TextEncoder().encode(JSON.stringify(plan.types.map(({ name, parent }) => [name, parent ?? null])));
  const bytes = new Uint8Array(LENGTH + types.length + body.length);
  new DataView(bytes.buffer).setUint32(0, types.length, true);
  bytes.set(types, LENGTH);
  bytes.set(body, LENGTH + types.length);
  return bytes;
}

function invalid(detail: string): never {
  throw new RecoverError("SNAPSHOT_INVALID", detail);
}

/** The event classes that a host's section names, ancestors first, and the document's bytes. */
export function readTypes(bytes: Uint8Array): { readonly types: NamedType[]; readonly body: Uint8Array } {
  if (bytes.length < LENGTH) invalid("The host's section is too short.");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (length > bytes.length - LENGTH) invalid("The list of event classes is too long.");
  let list: unknown;
  try {
    list = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(LENGTH, LENGTH + length)));
  } catch {
    invalid("The list of event classes cannot be read.");
  }
  const known = new Set<unknown>();
  if (!Array.isArray(list)) invalid("The list of event classes is none.");
  const types = list.map((entry: unknown): NamedType => {
    const [name, parent] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof name !== "string" || name === "" || known.has(name)) invalid("The list of event classes is damaged.");
    if (parent !== null && !known.has(parent)) invalid(`The base class of ${name} does not come before it.`);
    known.add(name);
    return { name, parent: (parent as string | null) ?? undefined };
  });
  return { types, body: bytes.subarray(LENGTH + length) };
}

/** @throws RecoverError `SNAPSHOT_INVALID`, `EVENT_MISSING` */
export function readDocument(body: Uint8Array, codec: CodecContext): RunDocument {
  const read = decodePayload(body, codec);
  if (typeof read !== "object" || read === null) invalid("The document is no object.");
  const { runId, start, early, payloads, unread, dropped, store, stop, nested, received, returned, questions, data } =
    read as {
      readonly [Member in keyof RunDocument]?: unknown;
    };
  const check = (holds: boolean, member: string): void => {
    if (!holds) invalid(`"${member}" is not what it must be.`);
  };
  check(typeof runId === "string" && runId !== "", "runId");
  check(start === undefined || isEvent(start), "start");
  check(early === undefined || (Array.isArray(early) && early.every(isEarly)), "early");
  check(Array.isArray(payloads), "payloads");
  check(Array.isArray(unread) && unread.every(isEvent), "unread");
  check(isCount(dropped), "dropped");
  check(received === undefined || isCount(received), "received");
  check(typeof store === "object" && store !== null, "store");
  check(stop === undefined || stop instanceof StopEvent, "stop");
  check(nested === undefined || (Array.isArray(nested) && nested.every(isNested)), "nested");
  check(returned === undefined || (Array.isArray(returned) && returned.every(isReturned)), "returned");
  check(questions === undefined || isQuestions(questions), "questions");
  check(data === undefined || (Array.isArray(data) && data.length === 1), "data");
  return read as RunDocument;
}

function isQuestions(value: unknown): boolean {
  const { waits, loose, count } = (value ?? {}) as { readonly [Member in keyof AskedQuestions]?: unknown };
  const isText = (text: unknown): boolean => typeof text === "string" && text !== "";
  const isEntry = (at: unknown, texts: readonly string[], needsEvent: boolean): boolean => {
    const entry = Object(at) as Readonly<Record<string, unknown>>;
    const { event } = entry;
    return texts.every((name) => isText(entry[name])) && (event === undefined ? !needsEvent : isEvent(event));
  };
  const areWaits = Array.isArray(waits) && waits.every((at) => isEntry(at, ["key", "id"], false));
  const areLoose = Array.isArray(loose) && loose.every((at) => isEntry(at, ["id", "step"], true));
  return areWaits && areLoose && isCount(count);
}

function isEvent(value: unknown): boolean {
  return value instanceof WorkflowEvent;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isEarly(value: unknown): boolean {
  const { event, step } = (value ?? {}) as { readonly [Member in keyof EarlyEvent]?: unknown };
  return event instanceof WorkflowEvent && (step === undefined || typeof step === "string");
}

function isNested(value: unknown): boolean {
  const { invocation, key, snapshot } = (value ?? {}) as { readonly [Member in keyof NestedPart]?: unknown };
  return Number.isSafeInteger(invocation) && typeof key === "string" && snapshot instanceof Uint8Array;
}

/** An event, or an array of events. */
function isEvents(value: unknown): boolean {
  return Array.isArray(value) ? value.every((event) => event instanceof WorkflowEvent) : value instanceof WorkflowEvent;
}

function isReturned(value: unknown): boolean {
  const { invocation, output } = (value ?? {}) as { readonly [Member in keyof ReturnedPart]?: unknown };
  return Number.isSafeInteger(invocation) && (output === undefined || isEvents(output));
}

/** A snapshot of an image and a host's section; a run that has completed has no image. */
export function writeSnapshot(fingerprint: string, image: Uint8Array | undefined, host: Uint8Array): Uint8Array {
  const [high, low] = [parseInt(fingerprint.slice(0, 8), 16), parseInt(fingerprint.slice(8), 16)];
  const none = new Uint8Array(0);
  const [address, length] = ask(() => readReply(engine().snapshot_write(low, high, image ?? none, host)));
  return copyBytes(address!, length!);
}
