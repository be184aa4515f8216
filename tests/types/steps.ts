// Steps: a handler's events follow from `inputs`, what it may return from `outputs`.
import {
  type EventClass,
  type HandlerContext,
  StartEvent,
  StepFailedEvent,
  type StepHandler,
  type StepParameters,
  StopEvent,
  Workflow,
  WorkflowEvent,
  collect,
  retryPolicy,
} from "stepstream";
import { type Equal, type IsAny, expectType, expectValue } from "./helpers.js";

class DraftEvent extends WorkflowEvent<{ text: string }> {}
class ScoreEvent extends WorkflowEvent<{ score: number }> {}
class Batch<T> extends WorkflowEvent<readonly T[]> {}

interface Data {
  readonly model: string;
}
const workflow = new Workflow<Data, string, number>();

// One input, several, a choice, generic ones.
workflow.addStep({ inputs: [StartEvent<string>], outputs: [DraftEvent] }, (context, event) => {
  expectValue<StartEvent<string>>()(event);
  expectValue<string>()(event.data);
  expectValue<Data>()(context.data);
  return new DraftEvent({ text: event.data });
});
workflow.addStep({ inputs: [DraftEvent, ScoreEvent], outputs: [StopEvent<number>] }, async (_, draft, score) => {
  expectValue<DraftEvent>()(draft);
  expectValue<ScoreEvent>()(score);
  return new StopEvent(draft.data.text.length + score.data.score);
});
workflow.addStep({ inputs: [WorkflowEvent.or(DraftEvent, ScoreEvent), Batch<Date>] }, (_, either, dates) => {
  expectValue<DraftEvent | ScoreEvent>()(either);
  expectValue<readonly Date[]>()(dates.data);
  if (either instanceof ScoreEvent) expectValue<number>()(either.data.score);
});
// A handler may leave out what it does not need.
workflow.addStep({ inputs: [DraftEvent, ScoreEvent], outputs: [] }, () => {});
// Steps are added in a chain.
expectValue<typeof workflow>()(workflow.addStep({ inputs: [DraftEvent] }, () => undefined));

// A step may return an array of its outputs, and one that gathers gets an array.
workflow.addStep({ inputs: [StartEvent], outputs: [DraftEvent] }, (_, { data }) => [new DraftEvent({ text: data })]);
workflow.addStep({ inputs: [StartEvent], outputs: [[DraftEvent], [ScoreEvent], StopEvent] }, async (_, { data }) => {
  if (data === "") return [];
  if (data === "stop") return new StopEvent(1);
  return [new DraftEvent({ text: data }), new ScoreEvent({ score: 1 })];
});
workflow.addStep({ inputs: [StartEvent] }, (_, { data }): readonly DraftEvent[] => [new DraftEvent({ text: data })]);
workflow.addStep({ inputs: [collect(ScoreEvent)], outputs: [StopEvent] }, (_, scores) => {
  expectValue<ScoreEvent[]>()(scores);
  return new StopEvent(scores.length);
});
workflow.addStep(
  { inputs: [collect(ScoreEvent, { take: 2 })], outputs: [] },
  (_, _scores: readonly ScoreEvent[]) => {},
);
workflow.addStep({ inputs: [collect(WorkflowEvent.or(DraftEvent, ScoreEvent))] }, (_, either) => {
  expectValue<(DraftEvent | ScoreEvent)[]>()(either);
});
workflow.addStep({ inputs: [collect(Batch<Date>)] }, (_, batches) => {
  expectValue<Batch<Date>[]>()(batches);
});
workflow.catchError({ outputs: [ScoreEvent] }, () => [new ScoreEvent({ score: 1 })]);

// @ts-expect-error -- one event, not an array.
workflow.addStep({ inputs: [collect(ScoreEvent)] }, (_, _score: ScoreEvent) => undefined);
// @ts-expect-error -- an array of another class.
workflow.addStep({ inputs: [DraftEvent], outputs: [ScoreEvent] }, (_, draft) => [draft]);
// @ts-expect-error -- the same, in brackets.
workflow.addStep({ inputs: [DraftEvent], outputs: [[ScoreEvent]] }, (_, draft) => [draft]);
// @ts-expect-error -- something in it is no event.
workflow.addStep({ inputs: [DraftEvent], outputs: [DraftEvent] }, (_, draft) => [draft, "text"]);
// @ts-expect-error -- an array in an array.
workflow.addStep({ inputs: [DraftEvent], outputs: [DraftEvent] }, (_, draft) => [[draft]]);
// @ts-expect-error -- the result is a number.
workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent] }, () => [new StopEvent("text")]);
// @ts-expect-error -- not a class of events.
collect(Date);
// @ts-expect-error -- not a number.
collect(ScoreEvent, { take: "2" });
// @ts-expect-error -- a wait takes one event.
workflow.addStep({ inputs: [DraftEvent] }, ({ requireEvent }) => void requireEvent(collect(ScoreEvent)));

// @ts-expect-error -- more events than inputs.
workflow.addStep({ inputs: [DraftEvent] }, (_context, _draft, _score) => undefined);
// @ts-expect-error -- no inputs.
workflow.addStep({ inputs: [] }, () => undefined);
// @ts-expect-error -- no inputs at all.
workflow.addStep({ outputs: [StopEvent] }, () => undefined);
// @ts-expect-error -- not a class of events.
workflow.addStep({ inputs: [Date] }, () => undefined);
// @ts-expect-error -- an event, not its class.
workflow.addStep({ inputs: [DraftEvent], outputs: [new StopEvent(1)] }, () => undefined);
// @ts-expect-error -- another event than the input's.
workflow.addStep({ inputs: [DraftEvent] }, (_, _score: ScoreEvent) => undefined);
// @ts-expect-error -- data that the workflow has not got.
workflow.addStep({ inputs: [DraftEvent] }, ({ data }) => void data.temperature);
// @ts-expect-error -- a misspelt parameter.
workflow.addStep({ inputs: [DraftEvent], numWorker: 2 }, () => undefined);

// What may be returned: the outputs, nothing, and promises of either.
workflow.addStep({ inputs: [DraftEvent], outputs: [ScoreEvent, StopEvent<number>] }, (_, { data }) => {
  if (data.text === "") return null;
  if (data.text === "x") return undefined;
  return data.text === "y" ? new ScoreEvent({ score: 1 }) : new StopEvent(1);
});
workflow.addStep({ inputs: [DraftEvent], outputs: [ScoreEvent] }, async () => {});
workflow.addStep({ inputs: [DraftEvent], outputs: [ScoreEvent] }, async () => null);
// @ts-expect-error -- an event that is not among the outputs.
workflow.addStep({ inputs: [DraftEvent], outputs: [ScoreEvent] }, () => new DraftEvent({ text: "" }));
// @ts-expect-error -- the same, later.
workflow.addStep({ inputs: [DraftEvent], outputs: [ScoreEvent] }, async () => new DraftEvent({ text: "" }));
// @ts-expect-error -- a stop that is not declared.
workflow.addStep({ inputs: [DraftEvent], outputs: [ScoreEvent] }, () => new StopEvent(1));
// @ts-expect-error -- a start where a stop is declared.
workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent] }, () => new StartEvent(1));
// @ts-expect-error -- a stop with other data.
workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent<number>] }, () => new StopEvent("text"));
// @ts-expect-error -- a step without outputs returns no event.
workflow.addStep({ inputs: [DraftEvent], outputs: [] }, () => new StopEvent(1));
// @ts-expect-error -- not an event.
workflow.addStep({ inputs: [DraftEvent] }, () => "text");
// @ts-expect-error -- not an event, later.
workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent] }, async () => ({ data: 1 }));
// Without outputs any event may be returned.
workflow.addStep({ inputs: [DraftEvent] }, (_, event) => (event.data.text === "" ? new StopEvent(1) : event));

// A StopEvent without a type argument is the workflow's, and so is a StartEvent; also of classes of one's own that are generic.
class Finish<T> extends StopEvent<T> {}
class Begin<T> extends StartEvent<T> {}
class Box<T> extends WorkflowEvent<T> {}
workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async (_, event) => {
  expectValue<StartEvent<string>>()(event);
  return new StopEvent(event.data.length);
});
workflow.addStep({ inputs: [Begin], outputs: [Finish] }, (_, event) => {
  expectValue<StartEvent<string>>()(event);
  return new Finish(event.data.length);
});
workflow.addStep({ inputs: [Box], outputs: [Box, StopEvent] }, (_, event) => {
  expectValue<Box<unknown>>()(event);
  return typeof event.data === "number" ? new StopEvent(event.data) : new Box("text");
});
workflow.catchError({ outputs: [StopEvent] }, () => new StopEvent(1));
workflow.catchError({ outputs: [Box] }, async () => new Box(1));
// @ts-expect-error -- the result is a number.
workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent] }, () => new StopEvent("text"));
// @ts-expect-error -- the same, later.
workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent] }, async () => new StopEvent("text"));
// @ts-expect-error -- the same of a class of one's own.
workflow.addStep({ inputs: [DraftEvent], outputs: [Finish] }, () => new Finish("text"));
// @ts-expect-error -- the same in an error handler.
workflow.catchError({ outputs: [StopEvent] }, () => new StopEvent("text"));

// Where the workflow says what it starts with and results in, steps that say otherwise are refused.
// @ts-expect-error -- the result is a number.
workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent<string>] }, () => new StopEvent("text"));
// @ts-expect-error -- the same among others.
workflow.addStep({ inputs: [DraftEvent], outputs: [DraftEvent, StopEvent<string>] }, () => undefined);
// @ts-expect-error -- the same in an error handler.
workflow.catchError({ outputs: [StopEvent<string>] }, () => undefined);
// @ts-expect-error -- the same without a declaration.
workflow.addStep({ inputs: [DraftEvent] }, () => new StopEvent("text"));
// @ts-expect-error -- a run starts with a string.
workflow.addStep({ inputs: [StartEvent<number>] }, () => undefined);
// @ts-expect-error -- the same among others.
workflow.addStep({ inputs: [DraftEvent, StartEvent<number>] }, () => undefined);
// @ts-expect-error -- the same in a choice.
workflow.addStep({ inputs: [WorkflowEvent.or(DraftEvent, StartEvent<number>)] }, () => undefined);
// @ts-expect-error -- the same of a class of one's own.
workflow.addStep({ inputs: [Begin<Date>] }, () => undefined);
// Wider inputs and narrower outputs fit.
workflow.addStep({ inputs: [StartEvent<string | number>], outputs: [StopEvent<1 | 2>] }, () => new StopEvent<1>(1));
// A workflow may start with events of several classes, a step for each.
const either = new Workflow<Data, string | Date, number>();
either.addStep({ inputs: [Begin<string>], outputs: [StopEvent] }, (_, { data }) => new StopEvent(data.length));
either.addStep({ inputs: [Begin<Date>], outputs: [StopEvent] }, (_, { data }) => new StopEvent(data.getTime()));
// Without types everything goes.
new Workflow().addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<number>] }, (_, { data }) => {
  return new StopEvent(data.length);
});
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a program in the middle of its migration has.
new Workflow<any, any, any>().addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<number>] }, (_, { data }) => {
  return new StopEvent(data.length);
});

// Functions that are generic in an event, and classes that are generic in what their workflow starts with and results in.
function echo<Event extends WorkflowEvent>(to: Workflow, kind: EventClass<Event>): void {
  to.addStep({ inputs: [kind], outputs: [kind] }, (_, event) => {
    expectValue<Event>()(event);
    return event;
  });
}
class Passing<T> extends Workflow<unknown, T, T> {
  constructor() {
    super();
    this.addStep({ inputs: [StartEvent<T>], outputs: [StopEvent<T>] }, (_, event) => new StopEvent(event.data));
    this.addStep({ inputs: [Box<T>], outputs: [StopEvent<T>] }, async (_, event) => new StopEvent(event.data));
    // @ts-expect-error -- it may be something else than a string.
    this.addStep({ inputs: [Box<T>], outputs: [StopEvent<T>] }, () => new StopEvent("text"));
  }
}

// All the options of a step.
workflow.addStep(
  { inputs: [DraftEvent], name: "all", numWorkers: 2, retry: retryPolicy(), timeout: 3, override: true },
  () => undefined,
);
workflow.addStep({ inputs: [DraftEvent], timeout: null, retry: ({ attempt }) => attempt < 3 && 1 }, () => undefined);

// Error handlers.
workflow.catchError({ steps: ["all"], maxRecoveries: 2, outputs: [StopEvent<number>] }, (context, event) => {
  expectValue<StepFailedEvent>()(event);
  expectValue<Error>()(event.data.error);
  expectValue<Data>()(context.data);
  return new StopEvent(event.data.attempts);
});
workflow.catchError({}, () => undefined);
// @ts-expect-error -- what a handler takes is not for the user to say.
workflow.catchError({ inputs: [StepFailedEvent] }, () => undefined);
// @ts-expect-error -- not declared.
workflow.catchError({ outputs: [ScoreEvent] }, () => new StopEvent("text"));

// The types of handlers and parameters, written out of line.
const parameters = { inputs: [DraftEvent, ScoreEvent], outputs: [StopEvent<number>] } as const;
expectType<typeof parameters extends StepParameters ? true : false>();
const handler: StepHandler<Data, [DraftEvent, ScoreEvent], [StopEvent<number>]> = (context, draft, score) => {
  expectValue<DraftEvent>()(draft);
  expectValue<string>()(context.data.model);
  return new StopEvent(score.data.score);
};
workflow.addStep(parameters, handler);
async function named(context: HandlerContext<Data>, event: StartEvent<string>): Promise<StopEvent<number>> {
  return new StopEvent(event.data.length + context.data.model.length);
}
workflow.addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<number>] }, named);
workflow.hasStep(named);
workflow.removeStep(named).removeStep("all");
const any: StepParameters = { inputs: [DraftEvent] };
const anyHandler: StepHandler = (context, ...events) => {
  expectValue<unknown>()(context.data);
  expectValue<WorkflowEvent | undefined>()(events[0]);
};
workflow.addStep({ ...any, inputs: [DraftEvent] }, anyHandler);
expectType<Equal<IsAny<Parameters<StepHandler>[0]["data"]>, false>>();
expectType<Equal<IsAny<Awaited<ReturnType<StepHandler>>>, false>>();
export { Passing, echo };
