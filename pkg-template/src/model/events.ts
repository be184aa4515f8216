// Events: what steps take and return. An event is an instance of a class. Its data is whatever the user put in, and it
// travels by reference.

import { checkOptions } from "../errors/check-options.js";
import { ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import type { LifecycleData } from "./lifecycle.js";

/** The arguments of an event's constructor: the data may be left out when it may be undefined. */
type EventArguments<Data> = undefined extends Data ? [data?: Data] : [data: Data];

/** The key under which the compiler tells kinds of events apart: an object that only has `data` is no event. */
declare const role: unique symbol;

/**
 * The base of all events. Derive a class for each kind of event:
 *
 * ```ts
 * class JokeEvent extends WorkflowEvent<{ joke: string }> {
 *   static readonly type = "joke";
 * }
 * new JokeEvent({ joke: "…" }).data.joke;
 * ```
 *
 * A class's own `static type` names the kind in snapshots and messages; an inherited one does not count. Without it the
 * class's name is used, which a minifier may change: give it to every event of a workflow whose snapshots outlive a
 * build.
 */
export class WorkflowEvent<Data = unknown> {
  /** For the compiler alone; there is nothing at run time. */
  declare protected readonly [role]: unknown;
  /** What the event carries, by reference. */
  readonly data: Data;

  constructor(...args: EventArguments<Data>) {
    this.data = args[0] as Data;
  }

  /** The type name: the class's own `static type`, else the class's name. */
  toString(): string {
    const eventClass = this.constructor as EventClass;
    return builtInNames().get(eventClass) ?? ownType(eventClass) ?? eventClass.name;
  }

  /**
   * For a step's `inputs`, `requireEvent` and `waitForEvent`: accepts an event of any of these classes.
   *
   * ```ts
   * workflow.addStep({ inputs: [WorkflowEvent.or(DraftEvent, RevisedEvent)], outputs: [StopEvent] }, handler);
   * ```
   */
  static or<const Classes extends readonly [EventClass, ...EventClass[]]>(
    ...classes: Classes
  ): EventChoice<InstanceType<Classes[number]>> {
    return new EventChoice(classes) as EventChoice<InstanceType<Classes[number]>>;
  }
}

type AbstractClass<Instance> = abstract new (...args: never) => Instance;

/** A class of events. */
// The property lets the compiler read a class that is generic (`outputs: [StopEvent]`) before it looks at the handler
// behind it.
export interface EventClass<out Event = WorkflowEvent> extends AbstractClass<Event> {
  readonly prototype: WorkflowEvent;
}

/** Any of several classes of events; made by {@link WorkflowEvent.or}. */
export class EventChoice<out Event = WorkflowEvent> {
  /** Carries the type of the events for inference; there is nothing at run time. */
  declare readonly [role]?: Event;
  /** The classes. */
  readonly classes: readonly EventClass[];

  constructor(classes: readonly EventClass[]) {
    this.classes = classes;
  }
}

/** What a wait may ask for, and what may stand in a step's `inputs`: a class of events, or a choice of several. */
export type EventInput<Event = WorkflowEvent> = EventClass<Event> | EventChoice<Event>;

/** The events of one array, as an input of a step; made by {@link collect}. */
export class EventList<out Events = WorkflowEvent[]> {
  /** Carries the type of the list for inference; there is nothing at run time. */
  declare readonly [role]?: Events;
  /** Which events. */
  readonly input: EventInput;
  /** How many at most. */
  readonly take: number | undefined;

  constructor(input: EventInput, take: number | undefined) {
    this.input = input;
    this.take = take;
  }
}

/** Options of {@link collect}. */
export interface CollectOptions {
  /** How many events the step takes of an array: the first that come, as soon as they are there. Default: all. */
  readonly take?: number | undefined;
}

/**
 * For a step's `inputs`: gathers the events that descend from one array. A step that returns an array of events begins
 * it. When nothing of the array is at work any more, the step is called, once, with the events that have come, in the
 * order of arrival. There may be none.
 *
 * ```ts
 * workflow.addStep({ inputs: [StartEvent<string[]>], outputs: [[PageEvent]] }, (_, { data }) =>
 *   data.map((url) => new PageEvent(url)),
 * );
 * workflow.addStep({ inputs: [PageEvent], outputs: [TextEvent] }, readPage);
 * workflow.addStep(
 *   { inputs: [collect(TextEvent)], outputs: [StopEvent<string>] },
 *   (_, texts) => new StopEvent(texts.map(({ data }) => data).join()),
 * );
 * ```
 *
 * @param input The events: a class, or a choice of several. It is the only input of its step.
 * @param options `take`: with so many events the step is called at once. What comes later of that array is dropped. If
 * no more can come, it gets what there is.
 * @throws ValidationError `INVALID_STEP`, `INVALID_OPTION`
 */
export function collect<const Input extends EventInput>(
  input: Input,
  options: CollectOptions = {},
): EventList<EventOf<Input>[]> {
  checkOptions(options, { take: 1 }, "collect");
  const classes: readonly unknown[] =
    (input as unknown) instanceof EventChoice ? (input as EventChoice).classes : [input];
  if (classes.length === 0 || !classes.every(isEventClass)) {
    throw new ValidationError("INVALID_STEP", `What collect got is ${describe(input)}.`);
  }
  const { take } = options;
  if (take !== undefined && take !== Infinity && !(Number.isInteger(take) && take >= 1)) {
    throw new ValidationError("INVALID_OPTION", `take must be a whole number from 1, and is ${describe(take)}.`);
  }
  return new EventList(input, take);
}

/** What may stand in a step's `inputs`. */
export type StepInput<Taken = WorkflowEvent | WorkflowEvent[]> = EventInput<Taken> | EventList<Taken>;

/** The events that an input takes. */
export type EventOf<Input> =
  Input extends EventChoice<infer Event>
    ? Event
    : Input extends abstract new (...args: never) => infer Event
      ? Event
      : never;

/** Starts a run; carries what was given to `run`. Derive from it to start with an event of your own. */
export class StartEvent<Data = unknown> extends WorkflowEvent<Data> {
  declare protected readonly [role]: "start";
}

/** Ends a run; carries its result. */
export class StopEvent<Data = unknown> extends WorkflowEvent<Data> {
  declare protected readonly [role]: "stop";
}

/** A question to the outside: a person or another system. Appears in the stream and needs no step that takes it. */
export class InputRequiredEvent<Data = unknown> extends WorkflowEvent<Data> {
  declare protected readonly [role]: "input-required";
}

/** An answer from the outside, sent with `context.sendEvent`. Needs no step that returns it. */
export class HumanResponseEvent<Data = unknown> extends WorkflowEvent<Data> {
  declare protected readonly [role]: "human-response";
}

/** What is known of a step that failed. */
export interface StepFailure {
  /** The step's name. */
  readonly step: string;
  /** The event it was invoked with; of several, the first. Undefined only of a step that gathers, if there was none. */
  readonly event: WorkflowEvent;
  /** All events it was invoked with. */
  readonly events: readonly WorkflowEvent[];
  /** What it threw. Something that is not an Error is the `cause` of a StepError. */
  readonly error: Error;
  /** How many attempts were made. */
  readonly attempts: number;
  /**
   * How many seconds have gone by since the first attempt began, as the run's time counts: not while the run was a
   * snapshot.
   */
  readonly elapsed: number;
  /** When the last attempt failed, in milliseconds since 1970, as `Date.now()` gives them. */
  readonly failedAt: number;
}

/** A step failed for good: its retries are used up. Taken by the handlers of `catchError`. */
export class StepFailedEvent extends WorkflowEvent<StepFailure> {}

/** An event of a nested run, as it appears in the stream of the run around it. */
export class NestedEvent extends WorkflowEvent<{
  /** The slot of the nested workflow; of one nested deeper, the slots from the outside in, joined by dots. */
  readonly slot: string;
  /** The nested run's event. */
  readonly event: WorkflowEvent;
}> {}

/**
 * Published when a step begins again, after a retry or a recovery, and an earlier attempt had written to the stream.
 * What that attempt had written no longer counts: a reader forgets it, and the step writes it anew. Events that the
 * step *sent* are not affected.
 *
 * ```ts
 * for await (const event of run) {
 *   if (event instanceof StreamReset) text = "";
 *   if (event instanceof TokenEvent) text += event.data;
 * }
 * ```
 */
export class StreamReset extends WorkflowEvent<StreamResetData> {}

/** The data of {@link StreamReset}. */
export interface StreamResetData {
  /** The step that begins again. */
  readonly step: string;
  /** The attempt that begins, from 1. */
  readonly attempt: number;
  /** Only for the step of an agent that calls the model: the iteration whose `AgentStream` events are written again. */
  readonly iteration?: number | undefined;
}

/**
 * Tells what happens in a run: see `observe` and `run.stream({ lifecycle: true })`. No step gets it.
 *
 * ```ts
 * observe(run, ({ data }) => {
 *   if (data.kind === "step.retrying") console.log(`${data.step} again in ${data.delay} s: ${data.error.message}`);
 * });
 * ```
 */
export class LifecycleEvent extends WorkflowEvent<LifecycleData> {}

let names: ReadonlyMap<unknown, string> | undefined;

/** The names of the package's own events. They must survive a minifier, and subclasses must not inherit them. */
export function builtInNames(): ReadonlyMap<unknown, string> {
  return (names ??= new Map<unknown, string>([
    [WorkflowEvent, "stepstream.event"],
    [StartEvent, "stepstream.start"],
    [StopEvent, "stepstream.stop"],
    [InputRequiredEvent, "stepstream.input-required"],
    [HumanResponseEvent, "stepstream.human-response"],
    [StepFailedEvent, "stepstream.step-failed"],
    [NestedEvent, "stepstream.nested"],
    [StreamReset, "stepstream.stream-reset"],
    [LifecycleEvent, "stepstream.lifecycle"],
  ]));
}

function ownType(eventClass: EventClass): string | undefined {
  const own: unknown = Object.hasOwn(eventClass, "type") ? (eventClass as { type?: unknown }).type : undefined;
  return typeof own === "string" && own !== "" ? own : undefined;
}

/** Whether a class has a name that no build changes: its own `static type`, or a name of the package. */
export function hasStableName(eventClass: EventClass): boolean {
  return builtInNames().has(eventClass) || ownType(eventClass) !== undefined;
}

/**
 * The type name of a class of events: its own `static type`, else the class's name.
 *
 * @throws ValidationError `INVALID_EVENT` when it has neither.
 */
export function typeName(eventClass: EventClass): string {
  const name = builtInNames().get(eventClass) ?? ownType(eventClass) ?? eventClass.name;
  if (name !== "") return name;
  throw new ValidationError("INVALID_EVENT", "A class of events has no name: give it a `static readonly type`.");
}

/** Whether the events of a class are events of another one too: it is that class, or is derived from it. */
export function isKindOf(eventClass: EventClass, base: EventClass): boolean {
  return eventClass === base || eventClass.prototype instanceof (base as unknown as new () => object);
}

/** Whether a value is a class derived from WorkflowEvent, or that class itself. */
export function isEventClass(value: unknown): value is EventClass {
  return typeof value === "function" && (value === WorkflowEvent || value.prototype instanceof WorkflowEvent);
}
