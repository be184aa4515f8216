// What the tests of the suite have in common: assertions and events. Plain JavaScript of every runtime, and nothing else.

import { HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

/** A value as text, so that everything that may come of a run can be compared and shown. */
export function shown(value) {
  const replacer = (_, part) => {
    if (typeof part === "bigint") return `${part}n`;
    if (part === undefined) return "undefined";
    if (typeof part === "number" && !Number.isFinite(part)) return String(part);
    if (part instanceof Map) return { map: [...part] };
    if (part instanceof Set) return { set: [...part] };
    if (ArrayBuffer.isView(part)) return { bytes: [...part] };
    return part;
  };
  return JSON.stringify(value, replacer);
}

/** Throws unless both look the same. */
export function equal(actual, expected, what = "the value") {
  if (shown(actual) !== shown(expected)) {
    throw new Error(`${what} is ${shown(actual)}, expected ${shown(expected)}`);
  }
}

/** Throws unless it is true. */
export function ok(condition, what) {
  if (!condition) throw new Error(what);
}

/** In milliseconds: so long that only what hangs takes longer, however busy the machine. */
export const HANG = 120_000;

/** The value of a promise, which must settle: a test that hangs should say where. */
export async function soon(promise, what = "a promise", ms = HANG) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not settled after ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error of work that must fail, which must be of this class and code. */
export async function fails(work, kind, code) {
  let error;
  try {
    await soon(typeof work === "function" ? work() : work);
  } catch (thrown) {
    error = thrown;
  }
  ok(error !== undefined, `it should have failed with ${code}`);
  ok(error instanceof kind, `it failed with ${error}, not with a ${kind.name}`);
  equal([error.name, error.code], [kind.name, code], "the error");
  return error;
}

/** Waits so many milliseconds, with a timer of the runtime. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Events between steps. */
export class Item extends WorkflowEvent {
  static type = "item";
}
export class Other extends WorkflowEvent {
  static type = "other";
}
export class Special extends Item {
  static type = "special";
}
/** For the stream only. */
export class Progress extends WorkflowEvent {
  static type = "progress";
}
/** To and from the outside. */
export class Question extends InputRequiredEvent {
  static type = "question";
}
export class Answer extends HumanResponseEvent {
  static type = "answer";
}

/** A workflow of one step. */
export function single(handler, { options, ...parameters } = {}) {
  const workflow = new Workflow({ timeout: null, events: [Question, Answer, Progress, Item, Other], ...options });
  return workflow.addStep({ name: "only", inputs: [StartEvent], ...parameters }, handler);
}

/** The types and data of events, in one line each. */
export function described(events) {
  return events.map((event) => {
    const name = event instanceof StartEvent ? "start" : event instanceof StopEvent ? "stop" : event.constructor.type;
    return `${name} ${shown(event.data)}`;
  });
}

/** All events of a run. */
export async function eventsOf(run) {
  const events = [];
  for await (const event of run) events.push(event);
  return events;
}
