// `describe`: a workflow as plain data.

import {
  HumanResponseEvent,
  InputRequiredEvent,
  type RetryDescription,
  type RetryFunction,
  type RetryPolicy,
  StartEvent,
  StopEvent,
  ValidationError,
  Workflow,
  WorkflowEvent,
  collect,
  retryAll,
  retryPolicy,
  stopAfterAttempt,
  stopAfterDelay,
  stopAll,
  stopAny,
  stopBeforeDelay,
  stopNever,
  waitChain,
  waitExponential,
  waitExponentialJitter,
  waitFixed,
  waitFullJitter,
  waitIncrementing,
  waitRandom,
  waitSum,
} from "stepstream";
import { expect, test } from "vitest";
import * as z from "zod";
import { fails } from "../kit/index.js";

class Draft extends WorkflowEvent<string> {
  static readonly type: string = "draft";
}
class Better extends Draft {
  static override readonly type: string = "better";
}
class Question extends InputRequiredEvent<string> {
  static readonly type = "question";
}
class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}
class Progress extends WorkflowEvent<number> {
  static readonly type = "progress";
}

const nothing = (): undefined => undefined;

function made(): Workflow {
  const inner = new Workflow({ name: "inner", timeout: null }).addStep(
    { name: "only", inputs: [StartEvent], outputs: [StopEvent] },
    () => new StopEvent(),
  );
  return new Workflow({
    name: "outer",
    timeout: 30,
    maxConcurrentRuns: 2,
    limits: { steps: 100, keptEvents: 5 },
    events: [Progress],
    state: z.object({ n: z.number().default(0) }),
  })
    .addWorkflows({ inner })
    .addStep({ name: "write", inputs: [StartEvent], outputs: [Better, Question], waitsFor: [Answer] }, nothing)
    .addStep(
      {
        name: "join",
        inputs: [WorkflowEvent.or(Draft, Answer), Better],
        numWorkers: 3,
        timeout: 1.5,
        retry: retryPolicy({ wait: waitFixed(2), stop: stopAfterAttempt(4) }),
      },
      nothing,
    )
    .catchError({ name: "rescue", steps: ["join"], outputs: [StopEvent], maxRecoveries: 2 }, () => new StopEvent())
    .catchError({ name: "rest" }, nothing) as never;
}

test("it has the steps, the events, the options and the nested workflows", () => {
  const workflow = made();
  const { steps, events, options, workflows, name, fingerprint } = workflow.describe();
  expect([name, fingerprint]).toEqual(["outer", workflow.fingerprint]);
  const lists = { collects: null, fansOut: false };
  const common = { ...lists, waitsFor: [], numWorkers: null, timeout: null, retry: null, handles: null };
  expect(steps).toEqual([
    {
      ...common,
      name: "write",
      kind: "step",
      inputs: [["stepstream.start"]],
      outputs: ["better", "question"],
      waitsFor: ["answer"],
    },
    {
      ...common,
      name: "join",
      kind: "step",
      inputs: [["draft", "answer"], ["better"]],
      outputs: null,
      numWorkers: 3,
      timeout: 1.5,
      retry: {
        kind: "policy",
        wait: { kind: "fixed", seconds: 2 },
        stop: { kind: "afterAttempt", attempts: 4 },
        isConditional: false,
      },
    },
    {
      ...common,
      name: "rescue",
      kind: "handler",
      inputs: [["stepstream.step-failed"]],
      outputs: ["stepstream.stop"],
      handles: { steps: ["join"], maxRecoveries: 2 },
    },
    {
      ...common,
      name: "rest",
      kind: "handler",
      inputs: [["stepstream.step-failed"]],
      outputs: null,
      handles: { steps: null, maxRecoveries: 1 },
    },
  ]);
  expect(events.slice().sort((a, b) => a.name.localeCompare(b.name))).toEqual([
    { name: "answer", base: "stepstream.human-response", role: "answer" },
    { name: "better", base: "draft", role: null },
    { name: "draft", base: "stepstream.event", role: null },
    { name: "progress", base: "stepstream.event", role: null },
    { name: "question", base: "stepstream.input-required", role: "question" },
    { name: "stepstream.event", base: null, role: null },
    { name: "stepstream.human-response", base: "stepstream.event", role: "answer" },
    { name: "stepstream.input-required", base: "stepstream.event", role: "question" },
    { name: "stepstream.start", base: "stepstream.event", role: "start" },
    { name: "stepstream.step-failed", base: "stepstream.event", role: "failure" },
    { name: "stepstream.stop", base: "stepstream.event", role: "stop" },
  ]);
  const names = events.map((event) => event.name);
  for (const { base, name: own } of events) {
    if (base !== null) expect(names.indexOf(base), `${base} before ${own}`).toBeLessThan(names.indexOf(own));
  }
  expect(options).toEqual({
    timeout: 30,
    maxConcurrentRuns: 2,
    limits: { steps: 100, unreadEvents: 16_384, keptEvents: 5 },
    isStrict: false,
    hasState: true,
  });
  expect(Object.keys(workflows)).toEqual(["inner"]);
  expect(workflows["inner"]!.options).toMatchObject({ timeout: null, maxConcurrentRuns: null, hasState: false });
  expect(workflows["inner"]!.steps.map((step) => step.name)).toEqual(["only"]);
});

test("it says which steps return arrays and which gather them", () => {
  const workflow = new Workflow()
    .addStep({ name: "split", inputs: [StartEvent], outputs: [[Draft]] }, () => [])
    .addStep({ name: "all", inputs: [collect(Draft)], outputs: [Better] }, nothing)
    .addStep({ name: "some", inputs: [collect(WorkflowEvent.or(Draft, Answer), { take: 2 })] }, nothing);
  expect(workflow.describe().steps).toMatchObject([
    { name: "split", outputs: ["draft"], fansOut: true, collects: null },
    { name: "all", inputs: [["draft"]], outputs: ["better"], fansOut: false, collects: { take: null } },
    { name: "some", inputs: [["draft", "answer"]], outputs: null, fansOut: false, collects: { take: 2 } },
  ]);
});

test("JSON carries all of it", () => {
  const description = made().describe();
  expect(JSON.parse(JSON.stringify(description))).toEqual(description);
  const unlimited = new Workflow({ limits: { unreadEvents: Infinity } }).addStep({ inputs: [StartEvent] }, nothing);
  expect(JSON.parse(JSON.stringify(unlimited.describe()))).toEqual(unlimited.describe());
});

const policies: readonly (readonly [RetryPolicy | RetryFunction, RetryDescription])[] = [
  [() => false, { kind: "function" }],
  [
    retryPolicy({ retry: retryAll(), wait: waitExponential(), stop: stopNever }),
    {
      kind: "policy",
      wait: { kind: "exponential", initial: 1, factor: 2, max: 60 },
      stop: { kind: "never" },
      isConditional: true,
    },
  ],
  [
    retryPolicy({
      wait: waitSum(
        waitIncrementing({ initial: 1, step: 2, max: 9 }),
        waitRandom({ min: 0.5, max: 2 }),
        waitFullJitter({ initial: 3 }),
        waitFullJitter({ min: 0.25, max: Infinity }),
        waitExponentialJitter({ jitter: 0.75 }),
      ),
      stop: stopAll(stopAny(stopAfterAttempt(3), stopAfterDelay(60)), stopBeforeDelay(90)),
    }),
    {
      kind: "policy",
      wait: {
        kind: "sum",
        waits: [
          { kind: "incrementing", initial: 1, step: 2, max: 9 },
          { kind: "random", min: 0.5, max: 2 },
          { kind: "fullJitter", initial: 3, factor: 2, min: 0, max: 60 },
          { kind: "fullJitter", initial: 1, factor: 2, min: 0.25, max: null },
          { kind: "exponentialJitter", initial: 1, factor: 2, max: 60, jitter: 0.75 },
        ],
      },
      stop: {
        kind: "all",
        stops: [
          {
            kind: "any",
            stops: [
              { kind: "afterAttempt", attempts: 3 },
              { kind: "afterDelay", seconds: 60 },
            ],
          },
          { kind: "beforeDelay", seconds: 90 },
        ],
      },
      isConditional: false,
    },
  ],
  [
    retryPolicy({ wait: waitChain(waitFixed(1), waitFixed(5)) }),
    {
      kind: "policy",
      wait: {
        kind: "chain",
        waits: [
          { kind: "fixed", seconds: 1 },
          { kind: "fixed", seconds: 5 },
        ],
      },
      stop: { kind: "afterAttempt", attempts: 3 },
      isConditional: false,
    },
  ],
];

test.each(policies.map(([retry, description]) => ({ retry, description })))(
  "a retry policy is data: $description.kind",
  ({ retry, description }) => {
    const workflow = new Workflow().addStep({ name: "work", inputs: [StartEvent], retry }, nothing);
    expect(workflow.describe().steps[0]!.retry).toEqual(description);
  },
);

test("a description is not what the workflow is made of", () => {
  const workflow = made();
  const before = JSON.stringify(workflow.describe());
  const description = workflow.describe() as unknown as {
    steps: { outputs: string[] | null; handles: { steps: string[] } | null }[];
  };
  description.steps[0]!.outputs!.push("changed");
  description.steps[2]!.handles!.steps.push("write");
  expect(JSON.stringify(workflow.describe())).toBe(before);
});

test("a definition that is wrong in itself is refused", async () => {
  const workflow = new Workflow().addStep({ inputs: [StartEvent] }, nothing).catchError({ steps: ["nobody"] }, nothing);
  await fails(() => workflow.describe(), ValidationError, "UNKNOWN_STEP");
});
