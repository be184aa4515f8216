// Events: what their constructors take, what they carry, and which of them may stand for which.
import {
  type EventClass,
  type EventOf,
  HumanResponseEvent,
  InputRequiredEvent,
  NestedEvent,
  StartEvent,
  StepFailedEvent,
  type StepFailure,
  StopEvent,
  Workflow,
  WorkflowEvent,
  decodeEvent,
  encodeEvent,
} from "stepstream";
import { type Equal, expectType, expectValue } from "./helpers.js";

class JokeEvent extends WorkflowEvent<{ joke: string }> {
  static readonly type = "joke";
}
class CountEvent extends WorkflowEvent<number> {}
class Signal extends WorkflowEvent<undefined> {}
class Maybe extends WorkflowEvent<string | undefined> {}

// Data is typed, read-only, and needed unless it may be undefined.
expectValue<{ joke: string }>()(new JokeEvent({ joke: "" }).data);
expectType<Equal<typeof JokeEvent.type, "joke">>();
new Signal();
new Maybe();
new Maybe("text");
// @ts-expect-error -- the data is missing.
new JokeEvent();
// @ts-expect-error -- the data is of another kind.
new CountEvent("1");
// @ts-expect-error -- there is nothing to give it.
new Signal("x");
// @ts-expect-error -- what an event carries is not exchanged.
new CountEvent(1).data = 2;

// The data's type is inferred from the argument.
expectValue<StopEvent<number>>()(new StopEvent(1 as number));
expectValue<StartEvent<{ a: string }>>()(new StartEvent({ a: "" }));
const typed: StopEvent<"yes" | "no"> = new StopEvent("yes");
expectValue<StopEvent<"yes" | "no">>()(typed);

// A generic class of one's own.
class Parsed<T> extends WorkflowEvent<{ value: T; source: string }> {}
expectValue<Parsed<number>>()(new Parsed({ value: 1 as number, source: "" }));
const _OfDates = Parsed<Date>;
expectType<Equal<InstanceType<typeof _OfDates>["data"]["value"], Date>>();

// The package's own events are not exchanged for one another, nor for a plain event with the same data.
// @ts-expect-error -- a start is not a stop.
const stop: StopEvent<string> = new StartEvent("x");
// @ts-expect-error -- a stop is not a start.
const start: StartEvent<string> = new StopEvent("x");
// @ts-expect-error -- a question is not an answer.
const answer: HumanResponseEvent<string> = new InputRequiredEvent("x");
// @ts-expect-error -- an answer is not a question.
const question: InputRequiredEvent<string> = new HumanResponseEvent("x");
// @ts-expect-error -- a plain event is not a stop.
const ended: StopEvent<number> = new CountEvent(1);

// All of them are events.
const all: WorkflowEvent[] = [start, stop, answer, question, ended, new Signal(), new JokeEvent({ joke: "" })];
expectValue<unknown>()(all[0]!.data);

// `instanceof` narrows, also among the events of a stream.
function read(event: WorkflowEvent): void {
  if (event instanceof JokeEvent) expectValue<{ joke: string }>()(event.data);
  else if (event instanceof StepFailedEvent) expectValue<StepFailure>()(event.data);
  else if (event instanceof NestedEvent) expectValue<WorkflowEvent>()(event.data.event);
}
read(all[0]!);

// A choice gives the union of what it is made of.
const _choice = WorkflowEvent.or(JokeEvent, CountEvent);
expectType<Equal<EventOf<typeof _choice>, JokeEvent | CountEvent>>();
expectType<Equal<EventOf<typeof JokeEvent>, JokeEvent>>();
// @ts-expect-error -- a choice of nothing.
WorkflowEvent.or();
// @ts-expect-error -- not a class of events.
WorkflowEvent.or(JokeEvent, Date);
// @ts-expect-error -- an event, not its class.
WorkflowEvent.or(new CountEvent(1));

// A class of events in a variable of one's own.
const classes: EventClass[] = [JokeEvent, CountEvent, StartEvent, StopEvent, Parsed<string>];
const ofJokes: EventClass<JokeEvent> = JokeEvent;
// @ts-expect-error -- numbers are not jokes.
const wrong: EventClass<JokeEvent> = CountEvent;
export { answer, classes, ended, ofJokes, question, start, stop, wrong };

// Events as plain objects, for whatever sends them.
const encoded = encodeEvent(new StopEvent(1));
expectValue<string>()(encoded.type);
expectValue<string | undefined>()(encoded.binary);
encodeEvent(new StopEvent(1), new Workflow<{ llm: string }, string, number>());
expectValue<WorkflowEvent>()(decodeEvent(JSON.parse("{}"), new Workflow<{ llm: string }, string, number>()));
expectValue<WorkflowEvent>()(decodeEvent(encoded, new Workflow().addWorkflows({ inner: new Workflow() })));
// @ts-expect-error data alone is no event
encodeEvent({ data: 1 });
// @ts-expect-error the workflow knows the classes
decodeEvent(encoded);
// @ts-expect-error a run is no workflow
decodeEvent(encoded, new Workflow().run());
