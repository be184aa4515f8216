// Workflows that are built on others, and replacing steps by name.

import { StartEvent, StopEvent, ValidationError, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import { fails, soon } from "../kit/index.js";

class Draft extends WorkflowEvent<string> {
  static readonly type = "draft";
}

class Base extends Workflow<unknown, string, string> {
  constructor() {
    super({ timeout: 10 });
    this.addStep({ inputs: [StartEvent<string>], outputs: [Draft], name: "write" }, (_, event) =>
      this.write(event.data),
    );
    this.addStep(
      { inputs: [Draft], outputs: [StopEvent<string>], name: "publish" },
      (_, draft) => new StopEvent(draft.data),
    );
  }

  write(text: string): Draft {
    return new Draft(`base ${text}`);
  }
}

test("a subclass replaces a step by its name", async () => {
  class Derived extends Base {
    constructor() {
      super();
      this.addStep(
        { inputs: [Draft], outputs: [StopEvent<string>], name: "publish", override: true },
        (_, draft) => new StopEvent(`${draft.data}!`),
      );
    }
  }
  expect(new Derived().stepNames).toEqual(["write", "publish"]);
  expect((await soon(new Derived().run("x"))).data).toBe("base x!");
});

test("a subclass overrides the method behind a step", async () => {
  class Derived extends Base {
    override write(text: string) {
      return new Draft(`${super.write(text).data}, derived`);
    }
  }
  expect((await soon(new Derived().run("x"))).data).toBe("base x, derived");
});

test("a second step of a name is refused, and the first stays", async () => {
  const workflow = new Base();
  const again = () => workflow.addStep({ inputs: [Draft], name: "publish" }, () => undefined);
  const error = await fails(again, ValidationError, "DUPLICATE_STEP");
  expect(error.message).toContain('"publish"');
  expect((await soon(workflow.run("x"))).data).toBe("base x");
});

test("the replacement may take and return other events", async () => {
  class Other extends WorkflowEvent<string> {
    static readonly type = "other";
  }
  const workflow = new Base();
  workflow.addStep(
    { inputs: [StartEvent<string>], outputs: [Other], name: "write", override: true },
    (_, event) => new Other(event.data),
  );
  workflow.addStep(
    { inputs: [Other], outputs: [StopEvent<string>], name: "publish", override: true },
    (_, { data }) => new StopEvent(data),
  );
  expect(workflow.validate().filter(({ severity }) => severity === "error")).toEqual([]);
  expect((await soon(workflow.run("x"))).data).toBe("x");
});

test("a step that is taken away or replaced gives its events' names back", () => {
  class First extends WorkflowEvent {
    static readonly type = "same name";
  }
  class Second extends WorkflowEvent {
    static readonly type = "same name";
  }
  const workflow = new Workflow();
  workflow.addStep({ inputs: [First], name: "a" }, () => undefined).removeStep("a");
  workflow.addStep({ inputs: [Second], name: "a" }, () => undefined);
  workflow.addStep({ inputs: [First], name: "a", override: true }, () => undefined);
  expect(workflow.stepNames).toEqual(["a"]);
});

test("a step that was refused leaves no trace", async () => {
  class First extends WorkflowEvent {
    static readonly type = "same name";
  }
  class Second extends WorkflowEvent {
    static readonly type = "same name";
  }
  class Innocent extends WorkflowEvent {
    static readonly type = "innocent";
  }
  class Namesake extends WorkflowEvent {
    static readonly type = "innocent";
  }
  const workflow = new Workflow().addStep({ inputs: [First] }, () => undefined);
  await fails(
    () => workflow.addStep({ inputs: [Innocent], outputs: [Second] }, () => undefined),
    ValidationError,
    "DUPLICATE_EVENT",
  );
  workflow.addStep({ inputs: [Namesake] }, () => undefined);
  expect(workflow.stepNames).toHaveLength(2);
});

test("a step that is replaced while a run is under way stays in that run", async () => {
  const workflow = new Base();
  const before = workflow.run("x").start();
  workflow.addStep(
    { inputs: [StartEvent<string>], outputs: [StopEvent<string>], name: "write", override: true },
    () => new StopEvent("replaced"),
  );
  expect((await soon(before)).data).toBe("base x");
  expect((await soon(workflow.run("x"))).data).toBe("replaced");
});

test("steps are found and taken away by name or by handler", async () => {
  const handler = () => undefined;
  const workflow = new Workflow().addStep({ inputs: [Draft] }, handler);
  expect([workflow.hasStep("handler"), workflow.hasStep(handler), workflow.hasStep("other")]).toEqual([
    true,
    true,
    false,
  ]);
  workflow.removeStep(handler);
  expect([workflow.hasStep("handler"), workflow.hasStep(handler)]).toEqual([false, false]);
  const error = await fails(() => workflow.removeStep("handler"), ValidationError, "UNKNOWN_STEP");
  expect(error.message).toContain('"handler"');
});
