// Events: what steps take and return. An event is an instance of a class; its data is whatever the user put in and
// travels by reference.

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
 * class's name is used, which a minifier may change: give it to every event of a workflow whose snapshots outlive a build.
 */
export class WorkflowEvent<Data = unknown> {
  /** For the compiler alone; there is nothing at run time. */
  declare protected readonly [role]: unknown;
  /** What the event carries, by reference. */
  readonly data: Data;

  constructor(...args: EventArguments<Data>) {
    this.data = args[0] as Data;
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

/** A class of events. */
export type EventClass<Event extends WorkflowEvent = WorkflowEvent> = abstract new (...args: never[]) => Event;

/** Any of several classes of events; made by {@link WorkflowEvent.or}. */
export class EventChoice<out Event extends WorkflowEvent = WorkflowEvent> {
  /** The classes. */
  readonly classes: readonly EventClass[];
  /** Carries the type of the events for inference; there is nothing at run time. */
  declare readonly eventType?: Event;

  constructor(classes: readonly EventClass[]) {
    this.classes = classes;
  }
}

/** What may stand in a step's `inputs`. */
export type EventInput = EventClass | EventChoice;

/** The events that an input takes. */
export type EventOf<Input> =
  Input extends EventChoice<infer Event>
    ? Event
    : Input extends abstract new (...args: never[]) => infer Event
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
  /** The event it was invoked with; of a step with several inputs, the first. */
  readonly event: WorkflowEvent;
  /** All events it was invoked with. */
  readonly events: readonly WorkflowEvent[];
  /** What it threw. Something that is not an Error is the `cause` of a StepError. */
  readonly error: Error;
  /** How many attempts were made. */
  readonly attempts: number;
}

/** A step failed for good: its retries are used up. Taken by the handlers of `catchError`. */
export class StepFailedEvent extends WorkflowEvent<StepFailure> {}

/**
 * A step begins again, because it failed or because its run was recovered: what it had written to the stream until then does not
 * count any more, and is written anew. A reader that shows it takes it away. Events that the step sent or returned, and questions
 * that it asked, are not written again and stay.
 */
export class StreamReset extends WorkflowEvent<{
  /** The step's name. */
  readonly step: string;
  /** The attempt that begins, from 1. */
  readonly attempt: number;
}> {}

/** An event of a nested run, as it appears in the stream of the run around it. */
export class NestedEvent extends WorkflowEvent<{
  /** The slot of the nested workflow; of one nested deeper, the slots from the outside in, joined by dots. */
  readonly slot: string;
  /** The nested run's event. */
  readonly event: WorkflowEvent;
}> {}
