// Steps as decorated methods, and what a subclass may do with them.

import {
  type HandlerContext,
  StartEvent,
  StopEvent,
  Workflow,
  WorkflowEvent,
  retryPolicy,
  step,
  waitFixed,
} from "stepstream";
import { expect, test } from "vitest";
import { soon } from "../kit/index.js";

class Draft extends WorkflowEvent<string> {
  static readonly type = "draft";
}

interface Data {
  readonly mark: string;
}

class Writer extends Workflow<Data, string, string> {
  readonly prefix: string = "draft of ";

  @step({ inputs: [StartEvent<string>], outputs: [Draft] })
  write(_: HandlerContext<Data>, event: StartEvent<string>): Draft | Promise<Draft> {
    return new Draft(this.prefix + event.data);
  }

  @step({ inputs: [Draft], outputs: [StopEvent<string>], name: "publish" })
  async send({ data }: HandlerContext<Data>, draft: Draft) {
    return new StopEvent(draft.data + data.mark);
  }
}

const resultOf = async (workflow: Workflow<Data, string, string>): Promise<string> =>
  (await soon(workflow.run("x", { mark: "." }))).data;

test("decorated methods are steps, with `this` and the run's data", async () => {
  expect(await resultOf(new Writer())).toBe("draft of x.");
});

test("a step has its method's name, or the name it was given", () => {
  expect(new Writer().stepNames).toEqual(["write", "publish"]);
});

test("a workflow of decorated steps is named after its class, and is valid", () => {
  const writer = new Writer();
  expect(writer.name).toBe("Writer");
  expect(writer.validate().filter(({ severity }) => severity === "error")).toEqual([]);
});

test("each object has its own steps", async () => {
  const changed = new Writer().removeStep("publish");
  expect(changed.hasStep("publish")).toBe(false);
  expect(new Writer().hasStep("publish")).toBe(true);
});

test("a method overridden without a decorator is still the step", async () => {
  class Loud extends Writer {
    override write(_: HandlerContext<Data>, event: StartEvent<string>) {
      return new Draft(event.data.toUpperCase());
    }
  }
  expect(new Loud().stepNames).toEqual(["write", "publish"]);
  expect(await resultOf(new Loud())).toBe("X.");
});

test("an override reaches the method it overrides with `super`", async () => {
  class Quoting extends Writer {
    override async write(context: HandlerContext<Data>, event: StartEvent<string>) {
      const draft = await super.write(context, event);
      return new Draft(`"${draft.data}"`);
    }
  }
  expect(await resultOf(new Quoting())).toBe('"draft of x".');
});

test("a decorated override replaces the step and its parameters", async () => {
  class Note extends WorkflowEvent<string> {
    static readonly type = "note";
  }
  class Noting extends Writer {
    @step({ inputs: [StartEvent<string>], outputs: [Draft, Note] })
    override async write(context: HandlerContext<Data>, event: StartEvent<string>) {
      context.sendEvent(new Note("noted "));
      return await super.write(context, event);
    }

    @step({ inputs: [Note, Draft], outputs: [StopEvent<string>], name: "publish" })
    publishBoth(_: HandlerContext<Data>, note: Note, draft: Draft) {
      return new StopEvent(note.data + draft.data);
    }
  }
  const workflow = new Noting();
  expect(workflow.stepNames).toEqual(["write", "publish"]);
  expect(workflow.validate().filter(({ severity }) => severity === "error")).toEqual([]);
  expect(await resultOf(workflow)).toBe("noted draft of x");
});

test("overrides work through several generations", async () => {
  class Second extends Writer {
    override readonly prefix = "second ";
    override async write(context: HandlerContext<Data>, event: StartEvent<string>) {
      return new Draft(`${(await super.write(context, event)).data}2`);
    }
  }
  class Third extends Second {
    @step({ inputs: [StartEvent<string>], outputs: [Draft] })
    override async write(context: HandlerContext<Data>, event: StartEvent<string>) {
      return new Draft(`${(await super.write(context, event)).data}3`);
    }
  }
  expect(await resultOf(new Third())).toBe("second x23.");
});

test("steps are there when the constructor of the subclass runs", async () => {
  class Short extends Writer {
    constructor() {
      super();
      this.removeStep("publish");
      this.addStep({ inputs: [Draft], outputs: [StopEvent<string>] }, (_, draft) => new StopEvent(draft.data));
    }
  }
  expect(await resultOf(new Short())).toBe("draft of x");
});

test("a decorated method is replaced by a step of its name", async () => {
  const workflow = new Writer();
  workflow.addStep(
    { inputs: [StartEvent<string>], outputs: [Draft], name: "write", override: true },
    (_, event) => new Draft(event.data),
  );
  expect(await resultOf(workflow)).toBe("x.");
});

test("a private method can be a step", async () => {
  class Hidden extends Workflow<unknown, string, string> {
    @step({ inputs: [StartEvent<string>], outputs: [StopEvent<string>] })
    // eslint-disable-next-line no-unused-private-class-members -- the decorator is who uses it.
    #answer(_: HandlerContext, event: StartEvent<string>) {
      return new StopEvent(`${event.data}!`);
    }
  }
  const hidden = new Hidden();
  expect(hidden.stepNames).toEqual(["#answer"]);
  expect((await soon(hidden.run("x"))).data).toBe("x!");
});

test("the other parameters of a step count in a decorator as well", async () => {
  class Flaky extends Workflow<unknown, string, number> {
    calls = 0;

    @step({
      inputs: [StartEvent<string>],
      outputs: [StopEvent<number>],
      retry: retryPolicy({ wait: waitFixed(0) }),
      numWorkers: 1,
      timeout: 5,
    })
    async tryAgain() {
      this.calls += 1;
      if (this.calls < 3) throw new Error("not yet");
      return new StopEvent(this.calls);
    }
  }
  expect((await soon(new Flaky().run("x"))).data).toBe(3);
});
