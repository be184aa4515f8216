// The names that steps and workflows have when the program gave them none.

import { StartEvent, ValidationError, Workflow } from "stepstream";
import { describe, expect, test } from "vitest";
import { fails } from "../kit/index.js";

const inputs = [StartEvent] as const;

test("a step is named after its handler", () => {
  async function summarise(): Promise<void> {}
  const translate = () => undefined;
  expect(new Workflow().addStep({ inputs }, summarise).addStep({ inputs }, translate).stepNames).toEqual([
    "summarise",
    "translate",
  ]);
});

test("steps without names are counted", () => {
  const workflow = new Workflow();
  workflow.addStep({ inputs }, () => undefined).addStep({ inputs }, () => undefined);
  expect(workflow.stepNames).toEqual(["step1", "step2"]);
});

test("a default name is never one that is taken", () => {
  const workflow = new Workflow();
  workflow.addStep({ inputs, name: "step2" }, () => undefined).addStep({ inputs }, () => undefined);
  expect(new Set(workflow.stepNames).size).toBe(2);
  const twice = () => undefined;
  const names = new Workflow().addStep({ inputs }, twice).addStep({ inputs }, twice).stepNames;
  expect(names[0]).toBe("twice");
  expect(new Set(names).size).toBe(2);
});

test("error handlers without names are counted as such", () => {
  expect(new Workflow().catchError({}, () => undefined).stepNames).toEqual(["catchError1"]);
});

test("a given name goes before the handler's", () => {
  const handler = () => undefined;
  expect(new Workflow().addStep({ inputs, name: "given" }, handler).stepNames).toEqual(["given"]);
});

describe.each([
  ["the empty string", ""],
  ["a number", 1],
  ["null", null],
])("a name that is %s", (_, name) => {
  test("is refused", async () => {
    await fails(
      () => new Workflow().addStep({ inputs, name: name as string }, () => undefined),
      ValidationError,
      "INVALID_STEP",
    );
  });
});

test("a workflow is named after its class, or by its option", () => {
  class Jokes extends Workflow {}
  expect([new Workflow().name, new Jokes().name, new Jokes({ name: "puns" }).name]).toEqual([
    "Workflow",
    "Jokes",
    "puns",
  ]);
});
