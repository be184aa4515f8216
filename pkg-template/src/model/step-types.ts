// What a step is, as types: its parameters, its handler, and how the compiler says what does not fit.

import type { EventClass, StartEvent, StepInput, StopEvent, StreamResetData, WorkflowEvent } from "./events.js";
import type { HandlerContext } from "./handler-context.js";
import type { NoSlots, Slots } from "./nested.js";
import type { RetryFunction, RetryPolicy } from "./retry.js";

/** What a step may be called with: an event, or the events of an array. */
export type Taken = WorkflowEvent | WorkflowEvent[];

/** What steps and error handlers have in common. */
interface CommonParameters<Outputs extends readonly WorkflowEvent[]> {
  /**
   * What the step returns: one of these events, or an array of them. A class in brackets (`[[PageEvent]]`) says that
   * the step returns arrays of it. A `StopEvent` without a type argument is the workflow's. Left out, the step may
   * return any event, and nothing is checked.
   */
  readonly outputs?:
    { readonly [Nth in keyof Outputs]: EventClass<Outputs[Nth]> | readonly [EventClass<Outputs[Nth]>] } | undefined;
  /**
   * The events that its handler waits for with `waitForEvent` and `requireEvent`. So `validate` and `strict` know that
   * such an event is used, a snapshot has its class, and `sendEvent` may name the step. Default: none are declared.
   */
  readonly waitsFor?: readonly EventClass[] | undefined;
  /** Its name, unique in the workflow. Default: the handler's name, else `step1`, `step2`, … */
  readonly name?: string | undefined;
  /** How many invocations may run at a time; the rest queue, first in, first out. Default: any number. */
  readonly numWorkers?: number | undefined;
  /** Whether and how a failed attempt is repeated. Default: it is not. */
  readonly retry?: RetryPolicy | RetryFunction | undefined;
  /**
   * Details for the `StreamReset` that is published when the step runs again: called with the input events of the
   * invocation. For steps of libraries, whose users know the events by something else than the step's name.
   */
  readonly resetDetails?: ((events: readonly WorkflowEvent[]) => Pick<StreamResetData, "iteration">) | undefined;
  /** How many seconds an attempt may take. Default: as long as it takes. */
  readonly timeout?: number | null | undefined;
}

/**
 * The parameters of a step.
 *
 * @typeParam Inputs The events that it takes.
 * @typeParam Outputs The events that it may return.
 */
export interface StepParameters<
  Inputs extends readonly Taken[] = readonly WorkflowEvent[],
  Outputs extends readonly WorkflowEvent[] = readonly WorkflowEvent[],
> extends CommonParameters<Outputs> {
  /**
   * What the step takes: an event of each, first in, first out; or `collect(…)` alone. A `StartEvent` without a type
   * argument is the workflow's.
   */
  readonly inputs: { readonly [Nth in keyof Inputs]: StepInput<Inputs[Nth]> };
}

/** The parameters of `addStep`. */
export interface AddStepParameters<
  Inputs extends readonly Taken[] = readonly WorkflowEvent[],
  Outputs extends readonly WorkflowEvent[] = readonly WorkflowEvent[],
> extends StepParameters<Inputs, Outputs> {
  /** Whether the step replaces the one of the same name. Default: false. */
  readonly override?: boolean | undefined;
}

/** The parameters of `catchError`. */
export interface CatchErrorParameters<
  Outputs extends readonly WorkflowEvent[] = readonly WorkflowEvent[],
> extends CommonParameters<Outputs> {
  /** Whose failures it takes. Default: those of all steps that no other handler is for. */
  readonly steps?: readonly string[] | undefined;
  /** How often failures may be handled along one line of events before the run fails after all. Default: 1. */
  readonly maxRecoveries?: number | undefined;
}

/**
 * Whether two types are the same. The compiler decides as soon as it knows `When`, also where `A` is a type parameter
 * of the user's: a class that is generic in what its workflow starts with can add its steps.
 */
type Same<When, A, B> = [When, <T>() => T extends [A] ? 1 : 2] extends [unknown, <T>() => T extends [B] ? 1 : 2]
  ? true
  : false;

/**
 * The same type, from which nothing is inferred. (TypeScript has a `NoInfer`, through which mapped types do not see.)
 */
export type NotInferred<T> = [T][T extends unknown ? 0 : never];

/** The events that a handler gets: a StartEvent of unknown data is the workflow's. */
export type StepInputs<Inputs extends readonly Taken[], Start = unknown> = {
  -readonly [Nth in keyof Inputs]: Same<Inputs, Inputs[Nth], StartEvent> extends true ? StartEvent<Start> : Inputs[Nth];
};

/** The events that a handler may return: a StopEvent of unknown data is the workflow's. */
export type StepOutputs<Outputs extends readonly WorkflowEvent[], Stop = unknown> = {
  -readonly [Nth in keyof Outputs]: Same<Outputs, Outputs[Nth], StopEvent> extends true
    ? StopEvent<Stop>
    : Outputs[Nth];
};

/** What a handler returns: one of the events, an array of them, or nothing. */
export type StepResult<Outputs extends readonly WorkflowEvent[]> =
  Outputs[number] | readonly Outputs[number][] | null | undefined | void;

/**
 * A step's handler: gets the context and an event for each input, or the list of a `collect`; returns an event, an
 * array of events, or nothing.
 *
 * ```ts
 * const tell: StepHandler<Data, [StartEvent<string>], [StopEvent<string>]> = (context, event) =>
 *   new StopEvent(event.data);
 * ```
 */
export type StepHandler<
  ContextData = unknown,
  Inputs extends readonly Taken[] = readonly WorkflowEvent[],
  Outputs extends readonly WorkflowEvent[] = readonly WorkflowEvent[],
  NestedSlots extends Slots = NoSlots,
  State = unknown,
> = (
  context: HandlerContext<ContextData, NestedSlots, State>,
  ...events: Inputs
) => StepResult<Outputs> | PromiseLike<StepResult<Outputs>>;

/** Refuses stop events that are not the workflow's result. */
export interface CatchErrorCheck<Outputs extends readonly WorkflowEvent[], Stop> {
  readonly outputs?: Same<Outputs, Stop, unknown> extends true ? unknown : StopChecks<Outputs, Stop> | undefined;
}

/** Refuses start events that `run` does not make, and stop events that are not the workflow's result. */
export interface StepCheck<
  Inputs extends readonly Taken[],
  Outputs extends readonly WorkflowEvent[],
  Start,
  Stop,
> extends CatchErrorCheck<Outputs, Stop> {
  readonly inputs: Same<Inputs, Start, unknown> extends true ? unknown : StartChecks<StepInputs<Inputs, Start>, Start>;
}

type StartChecks<Inputs extends readonly Taken[], Start> = {
  readonly [Nth in keyof Inputs]: [StartMisfit<Inputs[Nth], Start>] extends [never]
    ? unknown
    : { takes: StartMisfit<Inputs[Nth], Start>; "but run is given": Start };
};

/**
 * A start event fits when it may carry what `run` is given, or one kind of it: classes of their own may share the rest.
 */
type StartMisfit<Event extends Taken, Start> =
  Event extends StartEvent<infer Data>
    ? (() => Start) extends () => Data
      ? never
      : (() => Data) extends () => Start
        ? never
        : Event
    : never;

type StopChecks<Outputs extends readonly WorkflowEvent[], Stop> = {
  readonly [Nth in keyof Outputs]: StopCheck<Outputs[Nth], Stop>;
};

/**
 * A stop event fits when what it carries may be the result, or is not known: then what a handler returns is looked at.
 */
type StopCheck<Event extends WorkflowEvent, Stop> = (() => Event) extends () => StopEvent
  ? (() => unknown) extends () => Event["data"]
    ? unknown
    : (() => Event["data"]) extends () => Stop
      ? unknown
      : { returns: Event; "but the result is": Stop }
  : unknown;

/** As {@link StepCheck}, for a decorator: in one type, which is `unknown` when all of them fit. */
export type DecoratorCheck<Check extends StepCheck<readonly Taken[], readonly WorkflowEvent[], unknown, unknown>> =
  Fits<Check["inputs"]> extends true
    ? Fits<NonNullable<Check["outputs"]>> extends true
      ? unknown
      : NonNullable<Check["outputs"]>
    : Check["inputs"];

type Fits<Checks> = { [Nth in keyof Checks]: unknown } extends Checks ? true : false;

/** Says in the compiler's message what is wrong with a handler; what it may be is in {@link StepHandler}. */
export type HandlerCheck<Handler, Inputs extends readonly Taken[], Outputs extends readonly WorkflowEvent[], Stop> =
  Same<Handler, Handler, unknown> extends true
    ? unknown
    : Handler extends (...args: never) => infer Returned
      ? Handler extends (...args: never) => StepResult<Outputs> | PromiseLike<StepResult<Outputs>>
        ? Handler extends (context: never, ...events: Inputs) => unknown
          ? Same<Handler, Stop, unknown> extends true
            ? unknown
            : ResultCheck<Extract<Flat<Awaited<Returned>>, StopEvent>, Outputs, Stop>
          : { takes: EventsTaken<Handler>; "but inputs are": Inputs }
        : number extends Outputs["length"]
          ? {
              returns: Exclude<Awaited<Returned>, StepResult<Outputs>>;
              "but a step returns": "an event, an array of events, or nothing";
            }
          : { returns: Exclude<Awaited<Returned>, StepResult<Outputs>>; "but outputs are": Outputs }
      : unknown;

/** The events in an array, and any other type as it is. */
type Flat<Returned> = Returned extends readonly (infer Event)[] ? Event : Returned;

type EventsTaken<Handler> = Handler extends (context: never, ...events: infer Events) => unknown ? Events : never;

/**
 * Without outputs the compiler does not know that `"yes"` is meant as more than a string, so that what may be the
 * result will do.
 */
type ResultCheck<
  Returned extends StopEvent,
  Outputs extends readonly WorkflowEvent[],
  Stop,
> = (() => Returned) extends () => StopEvent<Stop>
  ? unknown
  : [number, Stop] extends [Outputs["length"], Returned["data"]]
    ? unknown
    : { returns: Exclude<Returned, StopEvent<Stop>>; "but the result is": Stop };
