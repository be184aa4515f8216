// A workflow as plain data: for pictures, servers and tests.

import {
  type EventClass,
  HumanResponseEvent,
  InputRequiredEvent,
  StartEvent,
  StepFailedEvent,
  StopEvent,
  WorkflowEvent,
  isKindOf,
  typeName,
} from "../model/events.js";
import { type RetryDescription, describeRetry } from "../model/retry-description.js";
import { type StepDefinition, classesIn, classesOf } from "../model/step.js";
import type { WorkflowDefinition } from "./definition.js";

export type { RetryDescription, StopDescription, WaitDescription } from "../model/retry-description.js";

/** A step as data. Events are type names. */
export interface StepDescription {
  /** Its name. */
  readonly name: string;
  /** Whether it takes events, or the failures of other steps (`catchError`). */
  readonly kind: "step" | "handler";
  /** The inputs; of each, the events that it takes. Of a handler, the one event that tells of a failure. */
  readonly inputs: readonly (readonly string[])[];
  /** Of a step that gathers what comes of an array (`collect`): how many events it takes at most, null for all. */
  readonly collects: { readonly take: number | null } | null;
  /** What it may return; null when it does not say. */
  readonly outputs: readonly string[] | null;
  /** Whether its outputs say that it returns arrays. */
  readonly fansOut: boolean;
  /** What it says that it waits for. */
  readonly waitsFor: readonly string[];
  /** How many invocations may run at a time; null for any number. */
  readonly numWorkers: number | null;
  /** How many seconds an attempt may take; null for any time. */
  readonly timeout: number | null;
  /** Whether and how a failed attempt is repeated; null when it is not. */
  readonly retry: RetryDescription | null;
  /** Of a handler: the steps whose failures it takes, null for those of all that have no other; and how often. */
  readonly handles: { readonly steps: readonly string[] | null; readonly maxRecoveries: number } | null;
}

/** A class of events as data. */
export interface EventDescription {
  /** Its type name. */
  readonly name: string;
  /** The type name of its base class; null for `WorkflowEvent`. */
  readonly base: string | null;
  /**
   * What it means to a run: it starts it, ends it, asks the outside, comes from there, tells of a failed step, or none
   * of these.
   */
  readonly role: "start" | "stop" | "question" | "answer" | "failure" | null;
}

/** A workflow as data, which JSON can carry. */
export interface WorkflowDescription {
  /** Its name in messages. */
  readonly name: string;
  /** See `workflow.fingerprint`. */
  readonly fingerprint: string;
  /** The steps, in the order in which they were added. */
  readonly steps: readonly StepDescription[];
  /** The event classes that the steps and the option `events` name, with their base classes, which come first. */
  readonly events: readonly EventDescription[];
  /** The options. Durations in seconds; null stands for no limit. */
  readonly options: {
    readonly timeout: number | null;
    readonly maxConcurrentRuns: number | null;
    readonly limits: {
      readonly steps: number | null;
      readonly unreadEvents: number | null;
      readonly keptEvents: number;
    };
    readonly isStrict: boolean;
    /** Whether the state has a schema. */
    readonly hasState: boolean;
  };
  /** The nested workflows, by slot. */
  readonly workflows: Readonly<Record<string, WorkflowDescription>>;
}

const seconds = (ms: number): number | null => (ms < 0 ? null : ms / 1000);

/** What JSON can carry of a count: there is no Infinity in it. */
const count = (most: number): number | null => (most < 0 || most === Infinity ? null : most);

const roles: readonly (readonly [EventClass, EventDescription["role"]])[] = [
  [StartEvent, "start"],
  [StopEvent, "stop"],
  [InputRequiredEvent, "question"],
  [HumanResponseEvent, "answer"],
  [StepFailedEvent, "failure"],
];

function describeEvents(classes: Iterable<EventClass>): EventDescription[] {
  const known = new Map<string, EventDescription>();
  const add = (eventClass: EventClass): string => {
    const name = typeName(eventClass);
    if (known.has(name)) return name;
    const isRoot = eventClass === WorkflowEvent;
    const base = isRoot ? null : add(Object.getPrototypeOf(eventClass) as EventClass);
    const role = roles.find(([kind]) => isKindOf(eventClass, kind))?.[1] ?? null;
    known.set(name, { name, base, role });
    return name;
  };
  for (const eventClass of classes) add(eventClass);
  return [...known.values()];
}

function describeStep(step: StepDefinition): StepDescription {
  const { name, inputs, collects, outputs, fansOut, waitsFor, numWorkers, timeout, retry, handles } = step;
  const isHandler = handles !== undefined;
  return {
    name,
    kind: isHandler ? "handler" : "step",
    inputs: isHandler ? [[typeName(StepFailedEvent)]] : inputs.map((input) => classesOf(input).map(typeName)),
    collects: collects === undefined ? null : { take: collects.take ?? null },
    outputs: outputs?.map(typeName) ?? null,
    fansOut,
    waitsFor: waitsFor.map(typeName),
    numWorkers: numWorkers ?? null,
    timeout: seconds(timeout),
    retry: retry === undefined ? null : describeRetry(retry),
    handles: isHandler
      ? { steps: handles.steps.length === 0 ? null : [...handles.steps], maxRecoveries: handles.maxRecoveries }
      : null,
  };
}

/** A workflow as data. @throws ValidationError when a definition is wrong in itself. */
export function describeWorkflow(definition: WorkflowDefinition): WorkflowDescription {
  const steps = [...definition.steps];
  const { name, timeout, limits, admission, isStrict, state, slots, events } = definition;
  return {
    name,
    fingerprint: definition.plan().fingerprint,
    steps: steps.map(describeStep),
    events: describeEvents([
      ...steps.flatMap((step) => (step.handles === undefined ? [] : [StepFailedEvent])),
      ...steps.flatMap(classesIn),
      ...events,
    ]),
    options: {
      timeout: seconds(timeout),
      maxConcurrentRuns: count(admission.most),
      limits: { steps: count(limits.steps), unreadEvents: count(limits.unreadEvents), keptEvents: limits.keptEvents },
      isStrict,
      hasState: state !== undefined,
    },
    workflows: Object.fromEntries([...slots].map(([slot, nested]) => [slot, describeWorkflow(nested)])),
  };
}
