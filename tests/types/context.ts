// The step's context: what its methods take and give.
import {
  type EventsOf,
  type HandlerContext,
  HumanResponseEvent,
  InputRequiredEvent,
  StartEvent,
  StopEvent,
  type Store,
  type WaitOptions,
  Workflow,
  WorkflowEvent,
} from "stepstream";
import { type Equal, type IsAny, expectType, expectValue } from "./helpers.js";

class DraftEvent extends WorkflowEvent<{ text: string }> {}
class ReviewEvent extends WorkflowEvent<{ stars: number }> {}
class Answer extends HumanResponseEvent<string> {}

const workflow = new Workflow<{ model: string }, string, number>();

workflow.addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<number>] }, async (context, event) => {
  expectValue<HandlerContext<{ model: string }>>()(context);
  expectValue<string>()(context.runId);
  expectValue<string>()(context.step);
  expectValue<number>()(context.attempt);
  expectValue<AbortSignal>()(context.signal);
  expectValue<Store>()(context.store);

  // Waits give the event that was asked for.
  expectValue<DraftEvent>()(await context.requireEvent(DraftEvent));
  expectValue<HumanResponseEvent<Date>>()(await context.requireEvent(HumanResponseEvent<Date>));
  expectValue<DraftEvent | ReviewEvent>()(await context.requireEvent(WorkflowEvent.or(DraftEvent, ReviewEvent)));
  const answer = await context.waitForEvent(Answer, {
    where: (candidate) => {
      expectValue<Answer>()(candidate);
      return candidate.data === "yes";
    },
    timeout: 5,
    id: "the answer",
    ask: new InputRequiredEvent("Go on?"),
  });
  expectValue<string>()(answer.data);
  const either = await context.waitForEvent(WorkflowEvent.or(DraftEvent, ReviewEvent), {
    where: (candidate) => {
      expectValue<DraftEvent | ReviewEvent>()(candidate);
      return true;
    },
  });
  expectValue<DraftEvent | ReviewEvent>()(either);
  expectValue<Answer>()(await context.waitForEvent(Answer));
  // @ts-expect-error -- an event, not its class.
  await context.requireEvent(event);
  // @ts-expect-error -- not a class of events.
  await context.waitForEvent(Date);
  // @ts-expect-error -- reads what the event has not got.
  await context.waitForEvent(Answer, { where: ({ data }) => data.stars > 1 });
  // @ts-expect-error -- a condition gives a boolean.
  await context.waitForEvent(Answer, { where: () => "yes" });
  // @ts-expect-error -- a question is an event.
  await context.waitForEvent(Answer, { ask: "Go on?" });

  // Collections come in the order asked for.
  const collected = context.collectEvents(event, [DraftEvent, ReviewEvent, ReviewEvent]);
  expectValue<[DraftEvent, ReviewEvent, ReviewEvent] | null>()(collected);
  if (collected === null) return;
  const [draft, first, second] = collected;
  expectValue<string>()(draft.data.text);
  expectValue<number>()(first.data.stars + second.data.stars);
  // @ts-expect-error -- there is no fourth.
  void collected[3];
  // @ts-expect-error -- not a class of events.
  context.collectEvents(event, [Date]);
  // A list whose length is not known gives events that may be missing.
  const classes = Array.from({ length: 3 }, () => ReviewEvent);
  const many = context.collectEvents(event, classes);
  expectValue<ReviewEvent | undefined>()(many?.[0]);

  context.sendEvent(new DraftEvent({ text: "" }));
  context.sendEvent(new DraftEvent({ text: "" }), { step: "review" });
  context.writeEventToStream(new ReviewEvent({ stars: 1 }));
  expectValue<void>()(await context.sleep(0.1));
  expectValue<void>()(await context.sleep(0.1, { signal: context.signal }));
  expectValue<Answer>()(await context.waitForEvent(Answer, { signal: AbortSignal.timeout(5) }));
  // @ts-expect-error A controller is no signal.
  await context.sleep(0.1, { signal: new AbortController() });
  // @ts-expect-error -- not an event.
  context.sendEvent("text");
  // @ts-expect-error -- not an event.
  context.writeEventToStream({ data: 1 });
  // @ts-expect-error -- what a step gets does not change.
  context.data = { model: "" };
  // @ts-expect-error -- a step has no result to read.
  void context.result;
  return new StopEvent(event.data.length);
});

// The methods may be taken off.
workflow.addStep({ inputs: [DraftEvent] }, async ({ sendEvent, requireEvent, data: { model } }) => {
  sendEvent(new ReviewEvent({ stars: model.length }));
  expectValue<Answer>()(await requireEvent(Answer));
});

// A context of more may be handed to a function that asks for less, and not the other way.
const takesLess = (context: HandlerContext): string => context.runId;
const takesMore = (context: HandlerContext<{ model: string; key: string }>): string => context.data.key;
workflow.addStep({ inputs: [DraftEvent] }, (context) => {
  takesLess(context);
  // @ts-expect-error -- there is no key in the workflow's data.
  takesMore(context);
});

// The types that go with it.
expectType<Equal<EventsOf<readonly [typeof DraftEvent, typeof ReviewEvent]>, [DraftEvent, ReviewEvent]>>();
const options: WaitOptions<Answer> = { where: ({ data }) => data === "yes", timeout: null };
expectType<Equal<{ [Key in keyof HandlerContext]: IsAny<HandlerContext[Key]> }[keyof HandlerContext], false>>();
export { options };
