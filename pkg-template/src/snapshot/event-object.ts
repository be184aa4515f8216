// An event as a plain object and back: for the way between a server and a page, a page and its worker, or two tabs. The
// payload codec of snapshots writes it, so what can be in a snapshot can be sent.

import { RecoverError, ValidationError } from "../errors/errors.js";
import { type EventClass, WorkflowEvent, typeName } from "../model/events.js";
import type { NestableWorkflow } from "../model/nested.js";
import { type WorkflowDefinition, definitionOf } from "../runtime/definition.js";
import { fromBase64, toBase64 } from "../util/base64.js";
import { describe } from "../util/describe.js";
import { concatenate, decodePayload, encodePayload, splitPayload } from "./codec/codec.js";
import type { CodecContext } from "./codec/context.js";

/** The newest version of the form of encoded events. */
const VERSION = 1;

/** An event as {@link encodeEvent} gives it. Its members are numbers and texts. */
export interface EncodedEvent {
  /** The version of this form. */
  readonly version: number;
  /** The type name of the event's class, to route events without decoding them. */
  readonly type: string;
  /** The event with its data, as the payload codec of snapshots writes it. */
  readonly payload: string;
  /** The contents of buffers in the data, in base64. Missing if there are none. */
  readonly binary?: string | undefined;
}

/**
 * An event as a plain object, for `JSON.stringify`, `postMessage` and `structuredClone`. {@link decodeEvent} makes the
 * event of it again. Data may be whatever a snapshot can hold: dates, maps, bigints, typed arrays, errors, cycles,
 * `undefined`, other events. An error takes its stack along, so think before you send failures to readers that you do
 * not trust.
 *
 * ```ts
 * for await (const event of run) socket.send(JSON.stringify(encodeEvent(event)));
 * ```
 *
 * @param workflow Its option `types` says how to write values of your own classes. Default: no such values.
 * @throws ValidationError `INVALID_EVENT` when it is no event, `INVALID_OPTION` when the workflow is none.
 * SnapshotError `SNAPSHOT_VALUE` with the `path` of what cannot be written.
 */
export function encodeEvent(event: WorkflowEvent, workflow?: NestableWorkflow): EncodedEvent {
  if (!((event as unknown) instanceof WorkflowEvent)) {
    throw new ValidationError("INVALID_EVENT", `encodeEvent got ${describe(event)}.`);
  }
  const definition = workflow === undefined ? undefined : definitionFor(workflow, "encodeEvent");
  const type = nameOf(event);
  const { text, binary } = splitPayload(encodePayload(event, codecOf(definition)));
  const payload = new TextDecoder().decode(text);
  return { version: VERSION, type, payload, ...(binary.length === 0 ? {} : { binary: toBase64(binary) }) };
}

/**
 * The event of an object that {@link encodeEvent} made, after any number of trips through JSON or `postMessage`: an
 * instance of its class, with its data. The classes are found by their type names, as in snapshots: the package's own,
 * those in the steps of the workflow and of its nested workflows, and those in its option `events`. No constructor
 * runs. The object may come from anyone: it is checked before anything is made of it.
 *
 * ```ts
 * socket.onmessage = ({ data }) => show(decodeEvent(JSON.parse(data), workflow));
 * ```
 *
 * @throws RecoverError `EVENT_FORMAT` when it is no encoded event or was changed, `EVENT_VERSION` when a newer version
 * of stepstream made it, `EVENT_MISSING` when the workflow does not know a class. ValidationError `INVALID_OPTION` when
 * the workflow is none.
 */
export function decodeEvent(encoded: unknown, workflow: NestableWorkflow): WorkflowEvent {
  const definition = definitionFor(workflow, "decodeEvent");
  const { type, payload, binary } = membersOf(encoded);
  const text = new TextEncoder().encode(payload);
  const bytes = binary === "" ? text : concatenate([text, Uint8Array.of(0), fromBase64(binary)]);
  let event: unknown;
  try {
    event = decodePayload(bytes, codecOf(definition));
  } catch (thrown) {
    const { code, message } = thrown as RecoverError;
    if (code === "EVENT_MISSING") throw thrown;
    throw new RecoverError("EVENT_FORMAT", `Its payload cannot be read: ${message}`, { cause: thrown });
  }
  if (!(event instanceof WorkflowEvent)) invalid("Its payload is no event.");
  if (nameOf(event) !== type) invalid(`Its type is ${describe(type)}, and its payload is another event.`);
  return event;
}

const nameOf = (event: WorkflowEvent): string => typeName(event.constructor as EventClass);

function codecOf(definition: WorkflowDefinition | undefined): CodecContext {
  return { types: definition?.types ?? {}, nameOf, classOf: (name) => definition?.classNamed(name) };
}

function definitionFor(workflow: unknown, where: string): WorkflowDefinition {
  const isObject = typeof workflow === "object" && workflow !== null;
  const definition = isObject ? definitionOf(workflow) : undefined;
  if (definition !== undefined) return definition;
  throw new ValidationError("INVALID_OPTION", `The workflow that ${where} got is ${describe(workflow)}.`);
}

function invalid(detail: string): never {
  throw new RecoverError("EVENT_FORMAT", detail);
}

/** The members of an encoded event, checked one by one. */
function membersOf(encoded: unknown): { readonly type: string; readonly payload: string; readonly binary: string } {
  if (typeof encoded !== "object" || encoded === null) invalid(`It is ${describe(encoded)}.`);
  const version = ownValue(encoded, "version");
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1) invalid("It has no `version`.");
  if (version > VERSION) throw new RecoverError("EVENT_VERSION", `It has version ${version}.`);
  const type = ownValue(encoded, "type");
  const payload = ownValue(encoded, "payload");
  const binary = ownValue(encoded, "binary") ?? "";
  if (typeof type !== "string" || type === "") invalid("It has no `type`.");
  if (typeof payload !== "string") invalid("It has no `payload`.");
  if (typeof binary !== "string" || binary.length % 4 !== 0 || !/^[A-Za-z\d+/]*={0,2}$/.test(binary)) {
    invalid("Its `binary` is no base64.");
  }
  return { type, payload, binary };
}

/** An own property, if it is a plain one: nothing of the object is called. */
function ownValue(object: object, name: string): unknown {
  let descriptor: PropertyDescriptor | undefined;
  try {
    descriptor = Object.getOwnPropertyDescriptor(object, name);
  } catch {
    invalid("It is a proxy that cannot be read.");
  }
  if (descriptor?.get !== undefined || descriptor?.set !== undefined) invalid(`\`${name}\` is an accessor.`);
  return descriptor?.value;
}
