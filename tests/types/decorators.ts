// Steps as decorated methods: a method must fit the parameters of its decorator.
import { type HandlerContext, StartEvent, StopEvent, Workflow, WorkflowEvent, collect, step } from "stepstream";
import { expectValue } from "./helpers.js";

interface Data {
  readonly model: string;
}
class DraftEvent extends WorkflowEvent<{ text: string }> {}
class ScoreEvent extends WorkflowEvent<number> {}

class Jokes extends Workflow<Data, string, number> {
  protected readonly prefix = "joke: ";

  @step({ inputs: [StartEvent<string>], outputs: [DraftEvent], numWorkers: 2, timeout: 5 })
  async tell({ data }: HandlerContext<Data>, event: StartEvent<string>): Promise<DraftEvent> {
    return new DraftEvent({ text: this.prefix + data.model + event.data });
  }

  @step({ inputs: [WorkflowEvent.or(DraftEvent, ScoreEvent)], outputs: [StopEvent<number>], name: "judge" })
  protected judged(_: HandlerContext<Data>, event: DraftEvent | ScoreEvent) {
    return event instanceof ScoreEvent ? new StopEvent(event.data) : undefined;
  }

  @step({ inputs: [DraftEvent, ScoreEvent], outputs: [StopEvent<number>] })
  join(_: HandlerContext<Data>, draft: DraftEvent, score: ScoreEvent) {
    return new StopEvent(draft.data.text.length + score.data);
  }

  @step({ inputs: [ScoreEvent], outputs: [[DraftEvent]] })
  split(_: HandlerContext<Data>, score: ScoreEvent) {
    return Array.from({ length: score.data }, () => new DraftEvent({ text: "" }));
  }

  @step({ inputs: [collect(DraftEvent, { take: 3 })], outputs: [StopEvent<number>] })
  gather(_: HandlerContext<Data>, drafts: DraftEvent[]) {
    return new StopEvent(drafts.length);
  }

  // @ts-expect-error -- an array, not an event.
  @step({ inputs: [collect(DraftEvent)], outputs: [StopEvent<number>] })
  one(_: HandlerContext<Data>, draft: DraftEvent) {
    return new StopEvent(draft.data.text.length);
  }

  // A method may leave out what it does not need.
  @step({ inputs: [DraftEvent] })
  quiet(): void {}
}

expectValue<StopEvent<number>>()(await new Jokes({ timeout: 1 }).run("pirates", { model: "small" }));

// A StartEvent and a StopEvent without a type argument are the workflow's.
class Bare extends Workflow<Data, string, number> {
  @step({ inputs: [StartEvent], outputs: [StopEvent] })
  tell(_: HandlerContext<Data>, event: StartEvent<string>) {
    return new StopEvent(event.data.length);
  }

  // @ts-expect-error -- the result is a number.
  @step({ inputs: [DraftEvent], outputs: [StopEvent] })
  text() {
    return new StopEvent("text");
  }

  // @ts-expect-error -- the same, declared.
  @step({ inputs: [DraftEvent], outputs: [StopEvent<string>] })
  declared() {
    return new StopEvent("text");
  }

  // @ts-expect-error -- the same, undeclared.
  @step({ inputs: [DraftEvent] })
  undeclared() {
    return new StopEvent("text");
  }

  // @ts-expect-error -- a run starts with a string.
  @step({ inputs: [StartEvent<number>], outputs: [StopEvent] })
  count(_: HandlerContext<Data>, event: StartEvent<number>) {
    return new StopEvent(event.data);
  }
}

// Overridden, decorated or not, with `super`.
class Better extends Jokes {
  override async tell(context: HandlerContext<Data>, event: StartEvent<string>): Promise<DraftEvent> {
    const draft = await super.tell(context, event);
    return new DraftEvent({ text: draft.data.text.toUpperCase() });
  }

  @step({ inputs: [DraftEvent, ScoreEvent], outputs: [StopEvent<number>] })
  override join(context: HandlerContext<Data>, draft: DraftEvent, score: ScoreEvent) {
    return new StopEvent(super.join(context, draft, score).data + 1);
  }
}
new Better();

class Wrong extends Workflow<Data, string, number> {
  // @ts-expect-error -- the method takes another event.
  @step({ inputs: [DraftEvent] })
  other(_: HandlerContext<Data>, event: ScoreEvent): void {
    void event.data;
  }

  // @ts-expect-error -- the method returns what is not declared.
  @step({ inputs: [DraftEvent], outputs: [StopEvent<number>] })
  undeclared() {
    return new ScoreEvent(1);
  }

  // @ts-expect-error -- the method takes more events than there are inputs.
  @step({ inputs: [DraftEvent] })
  greedy(_: HandlerContext<Data>, draft: DraftEvent, score: ScoreEvent): void {
    void [draft, score];
  }

  // @ts-expect-error -- only methods are steps.
  @step({ inputs: [DraftEvent] })
  field = 1;

  // @ts-expect-error -- a step belongs to a workflow's object, not to its class.
  @step({ inputs: [DraftEvent] })
  static shared(): void {}
}

class NotAWorkflow {
  // @ts-expect-error -- only methods of a workflow are steps.
  @step({ inputs: [DraftEvent] })
  tell(): void {}
}

class WrongData extends Workflow<Data, string, number> {
  // @ts-expect-error -- the workflow has other data.
  @step({ inputs: [DraftEvent] })
  tell(context: HandlerContext<{ key: string }>): void {
    void context.data.key;
  }
}

// Slots in a decorated class.
const child = new Workflow<Data, string, number>();
class Outer extends Workflow<Data, string, number, { readonly child: typeof child }> {
  constructor() {
    super();
    this.addWorkflows({ child });
  }

  @step({ inputs: [StartEvent<string>], outputs: [StopEvent<number>] })
  async ask({ workflows }: HandlerContext<Data, { readonly child: typeof child }>, event: StartEvent<string>) {
    return await workflows.child.run(event.data);
  }
}
export { Bare, NotAWorkflow, Outer, Wrong, WrongData };
