// What consumers with strict flags (`exactOptionalPropertyTypes`, `noUncheckedIndexedAccess`, `noImplicitOverride`,
// `noPropertyAccessFromIndexSignature`; see tsconfig.json) may and may not write.
import { InputRequiredEvent, StartEvent, StopEvent, Workflow, WorkflowContext, WorkflowEvent } from "stepstream";
import { expectValue } from "./helpers.js";

// `static type` in a class of events is not an override of anything, in any generation.
class Plain extends WorkflowEvent<string> {
  static readonly type = "plain";
}
class Question extends InputRequiredEvent<string> {
  static readonly type = "question";
}
class Begin extends StartEvent<{ topic: string }> {
  static readonly type = "begin";
  get topic(): string {
    return this.data.topic;
  }
}
class Done<T> extends StopEvent<T> {
  static readonly type = "done";
}
class WithConstructor extends WorkflowEvent<{ first: string; last: string }> {
  static readonly type = "with-constructor";
  constructor(first: string, last: string) {
    super({ first, last });
  }
}
// A class that has heirs with names of their own leaves them room: its `type` is any string.
class Parent extends WorkflowEvent<string> {
  static readonly type: string = "parent";
}
class Heir extends Parent {
  static override readonly type = "heir";
}
// A class whose constructor is its own serves as any other.
new Workflow().addStep({ inputs: [WithConstructor, Begin], outputs: [Done<number>] }, (_, { data }, begin) => {
  expectValue<string>()(data.first);
  expectValue<string>()(begin.topic);
  return new Done(1);
});

// An option that is undefined was left out; what the package gives is as it says (`options.ts` has all the options).
new Workflow({ name: undefined });
new Workflow().addStep({ inputs: [Plain], numWorkers: undefined }, () => undefined);
const issue = new Workflow().validate()[0];
// @ts-expect-error -- a list may be empty.
void issue.code;
expectValue<string | undefined>()(issue?.message);

// A subclass of a workflow, with options handed on and methods that override.
class Base extends Workflow<unknown, string, string> {
  greet(): string {
    return this.name;
  }
}
class Derived extends Base {
  constructor() {
    super({ name: "derived" });
    this.addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<string>] }, (_, event) => {
      return new StopEvent(this.greet() + event.data);
    });
  }
  override greet(): string {
    return `${super.greet()}!`;
  }
}

// Runs are released at the end of a block.
async function block(): Promise<string> {
  using context = new Derived().run("x");
  expectValue<WorkflowContext<unknown, string, string>>()(context);
  return (await context).data;
}
export { Heir, Question, block };
