// An event as text is its type name.

import { StartEvent, StreamReset, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";

test("the class's own `static type`, else the class's name", () => {
  class Draft extends WorkflowEvent<string> {
    static readonly type = "draft";
  }
  class Revised extends Draft {}
  class Plain extends WorkflowEvent {}
  expect(String(new Draft("x"))).toBe("draft");
  expect(`${new Revised("x")}`).toBe("Revised");
  expect(String(new Plain())).toBe("Plain");
});

test("the package's own events have names that no build changes", () => {
  expect(String(new StartEvent("x"))).toBe("stepstream.start");
  expect(String(new StreamReset({ step: "a", attempt: 2 }))).toBe("stepstream.stream-reset");
});

test("a class without a name has an empty text, and does not throw", () => {
  expect(String(new (class extends WorkflowEvent {})())).toBe("");
});
