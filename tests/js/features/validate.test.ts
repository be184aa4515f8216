// What `validate` finds before anything runs, and what of it is refused when.

import {
  type Code,
  HumanResponseEvent,
  InputRequiredEvent,
  StartEvent,
  StepFailedEvent,
  StopEvent,
  type ValidationCode,
  ValidationError,
  Workflow,
  WorkflowEvent,
} from "stepstream";
import { describe, expect, test } from "vitest";
import { fails, soon } from "../kit/index.js";

class Draft extends WorkflowEvent<string> {
  static readonly type = "draft";
}
class Note extends WorkflowEvent<string> {
  static readonly type = "note";
}
class Question extends InputRequiredEvent<string> {
  static readonly type = "question";
}
class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}
class Begin extends StartEvent<string> {
  static readonly type = "begin";
}

const nothing = () => undefined;

/** start -> Draft -> stop: nothing is wrong with it. */
const sound = (): Workflow =>
  new Workflow()
    .addStep({ inputs: [StartEvent], outputs: [Draft], name: "write" }, () => new Draft("x"))
    .addStep({ inputs: [Draft], outputs: [StopEvent], name: "publish" }, () => new StopEvent("done"));

/** What `strict()` refuses; warnings are another matter. */
const errorsIn = (workflow: Workflow<never, never, never>) =>
  workflow.validate().filter(({ severity }) => severity === "error");

const found = (workflow: Workflow) =>
  errorsIn(workflow as never).map(({ code, step, event }) => ({ code, step, event }));

interface Case {
  readonly code: Code;
  readonly make: () => Workflow;
  readonly step?: string;
  readonly event?: string;
  /** What the hint must speak of. */
  readonly hint: RegExp;
  /** Whether no run of it could work, so that `run` refuses it in any case. */
  readonly definite?: boolean;
  /** The findings that go along with it. */
  readonly also?: readonly Code[];
}

const cases: readonly Case[] = [
  { code: "NO_STEPS", make: () => new Workflow(), hint: /addStep/, definite: true },
  {
    code: "NO_START_STEP",
    make: () =>
      sound()
        .removeStep("write")
        .addStep({ inputs: [Answer], outputs: [Draft] }, nothing),
    hint: /StartEvent/,
    definite: true,
  },
  {
    code: "NO_STOP_STEP",
    make: () => new Workflow().addStep({ inputs: [StartEvent], outputs: [Question], name: "ask" }, nothing),
    hint: /StopEvent/,
    also: ["DEAD_END"],
  },
  {
    code: "NEVER_PRODUCED",
    make: () => sound().addStep({ inputs: [Draft, Note], outputs: [StopEvent], name: "join" }, nothing),
    step: "join",
    event: "note",
    hint: /outputs.*HumanResponseEvent/,
  },
  {
    code: "NEVER_CONSUMED",
    make: () => sound().addStep({ inputs: [Draft], outputs: [Note, StopEvent], name: "annotate" }, nothing),
    step: "annotate",
    event: "note",
    hint: /InputRequiredEvent|writeEventToStream/,
  },
  {
    code: "UNREACHABLE_STEP",
    make: () => sound().addStep({ inputs: [Note], outputs: [Note, StopEvent], name: "island" }, nothing),
    step: "island",
    hint: /start of a run/,
  },
  {
    code: "DEAD_END",
    make: () => sound().addStep({ inputs: [Draft], outputs: [], name: "sink" }, nothing),
    step: "sink",
    hint: /StopEvent/,
  },
];

describe.each(cases)("$code", ({ code, make, step, event, hint, definite = false, also = [] }) => {
  test("is found, with step, event and a hint", () => {
    const issues = errorsIn(make() as never);
    expect(new Set(issues.map((issue) => issue.code))).toEqual(new Set([code, ...also]));
    const issue = issues.find((candidate) => candidate.code === code);
    if (step !== undefined) expect(issue).toMatchObject({ step });
    if (event !== undefined) expect(issue).toMatchObject({ event });
    for (const part of [step, event]) if (part !== undefined) expect(issue?.message).toContain(part);
    expect(issue?.message).toMatch(hint);
  });

  test(definite ? "is refused by run" : "does not keep a workflow from running", async () => {
    const workflow = make();
    if (definite) {
      await fails(() => workflow.run("x"), ValidationError, code);
    } else {
      workflow.run("x").cancel();
    }
  });

  test("is refused by run under strict(), naming it", async () => {
    const workflow = make().strict();
    const codes = errorsIn(workflow as never).map((issue) => issue.code);
    const error = await fails(() => workflow.run("x"), ValidationError, codes[0]!);
    for (const other of codes.slice(1)) expect(error.message).toContain(other);
    for (const part of [step, event]) if (part !== undefined) expect(error.message).toContain(part);
    expect(error.message).toMatch(hint);
  });
});

test("a sound workflow has no findings, and runs under strict()", async () => {
  expect(errorsIn(sound() as never)).toEqual([]);
  expect((await soon(sound().strict().run("x"))).data).toBe("done");
});

test("findings are plain objects without what they are not about", () => {
  const [issue] = new Workflow().validate();
  expect(Object.keys(issue ?? {}).sort()).toEqual(["code", "message", "severity"]);
});

test("what is mended is not found again", async () => {
  const workflow = sound().addStep({ inputs: [Note], outputs: [StopEvent], name: "read" }, nothing);
  expect(errorsIn(workflow as never)).not.toEqual([]);
  workflow.addStep({ inputs: [Draft], outputs: [Note], name: "annotate" }, nothing);
  expect(errorsIn(workflow as never)).toEqual([]);
  workflow.removeStep("annotate");
  expect(errorsIn(workflow as never)).not.toEqual([]);
});

test("a workflow that was strict when it was sound is checked again after a change", async () => {
  const workflow = sound().strict();
  expect((await soon(workflow.run("x"))).data).toBe("done");
  workflow.addStep({ inputs: [Note], outputs: [StopEvent], name: "read" }, nothing);
  await fails(() => workflow.run("x"), ValidationError, "NEVER_PRODUCED");
});

describe("is not held against a workflow:", () => {
  test("a start event of one's own", () => {
    const workflow = new Workflow().addStep({ inputs: [Begin], outputs: [StopEvent] }, nothing);
    expect(found(workflow)).toEqual([]);
  });

  test("a stop event of one's own", () => {
    class End extends StopEvent<string> {}
    expect(found(new Workflow().addStep({ inputs: [StartEvent], outputs: [End] }, nothing))).toEqual([]);
  });

  test("a question to the outside and its answer", () => {
    const workflow = new Workflow()
      .addStep({ inputs: [StartEvent], outputs: [Question] }, nothing)
      .addStep({ inputs: [Answer], outputs: [StopEvent] }, nothing);
    expect(found(workflow)).toEqual([]);
  });

  test("an event taken through its base class, or by a choice", () => {
    class Special extends Draft {}
    const workflow = new Workflow()
      .addStep({ inputs: [StartEvent], outputs: [Special, Note] }, nothing)
      .addStep({ inputs: [WorkflowEvent.or(Draft, Note)], outputs: [StopEvent] }, nothing);
    expect(found(workflow)).toEqual([]);
  });

  test("a loop", () => {
    const workflow = new Workflow()
      .addStep({ inputs: [StartEvent], outputs: [Draft] }, nothing)
      .addStep({ inputs: [Draft], outputs: [Note, StopEvent] }, nothing)
      .addStep({ inputs: [Note], outputs: [Draft] }, nothing);
    expect(found(workflow)).toEqual([]);
  });

  test("a step whose outputs are unknown", () => {
    const workflow = new Workflow()
      .addStep({ inputs: [StartEvent] }, nothing)
      .addStep({ inputs: [Note], outputs: [StopEvent] }, nothing);
    expect(found(workflow)).toEqual([]);
  });

  test("an error handler, and what only it leads to", () => {
    const workflow = sound()
      .catchError({ outputs: [Note] }, nothing)
      .addStep({ inputs: [Note], outputs: [StopEvent] }, nothing);
    expect(found(workflow)).toEqual([]);
  });
});

test("a start event that no step takes is refused", async () => {
  const workflow = new Workflow<unknown, string, string>().addStep(
    { inputs: [Begin], outputs: [StopEvent<string>] },
    (_, { data }) => new StopEvent(data),
  );
  const error = await fails(() => workflow.run("x"), ValidationError, "NO_START_STEP");
  expect(error.message).toContain("start");
  expect((await soon(workflow.run(new Begin("x")))).data).toBe("x");
});

describe("refused at addStep, naming the step, and without leaving it behind:", () => {
  class Stop extends StopEvent<string> {}
  class Namesake extends WorkflowEvent<string> {
    static readonly type = "draft";
  }
  const inputs = [StartEvent] as const;
  const refused: readonly [string, Code, (workflow: Workflow) => unknown][] = [
    ["a step that takes StopEvent", "STEP_TAKES_STOP", (w) => w.addStep({ inputs: [StopEvent], name: "bad" }, nothing)],
    ["one that takes a kind of it", "STEP_TAKES_STOP", (w) => w.addStep({ inputs: [Stop], name: "bad" }, nothing)],
    [
      "one that takes it among others",
      "STEP_TAKES_STOP",
      (w) => w.addStep({ inputs: [Draft, WorkflowEvent.or(Note, StopEvent)], name: "bad" }, nothing),
    ],
    ["numWorkers 0", "INVALID_WORKERS", (w) => w.addStep({ inputs, numWorkers: 0, name: "bad" }, nothing)],
    ["numWorkers below 0", "INVALID_WORKERS", (w) => w.addStep({ inputs, numWorkers: -1, name: "bad" }, nothing)],
    ["numWorkers 1.5", "INVALID_WORKERS", (w) => w.addStep({ inputs, numWorkers: 1.5, name: "bad" }, nothing)],
    ["numWorkers NaN", "INVALID_WORKERS", (w) => w.addStep({ inputs, numWorkers: NaN, name: "bad" }, nothing)],
    ["no inputs", "INVALID_STEP", (w) => w.addStep({ inputs: [] as never, name: "bad" }, nothing)],
    ["inputs that are no classes", "INVALID_STEP", (w) => w.addStep({ inputs: [Date] as never, name: "bad" }, nothing)],
    ["33 inputs", "INVALID_STEP", (w) => w.addStep({ inputs: Array(33).fill(Draft) as never, name: "bad" }, nothing)],
    [
      "outputs that are no classes",
      "INVALID_STEP",
      (w) => w.addStep({ inputs, outputs: [1] as never, name: "bad" }, nothing),
    ],
    ["no handler", "INVALID_STEP", (w) => w.addStep({ inputs, name: "bad" }, undefined as never)],
    ["a timeout below 0", "INVALID_DURATION", (w) => w.addStep({ inputs, timeout: -1, name: "bad" }, nothing)],
    ["a timeout of NaN", "INVALID_DURATION", (w) => w.addStep({ inputs, timeout: NaN, name: "bad" }, nothing)],
    [
      "a retry that is no policy",
      "INVALID_RETRY",
      (w) => w.addStep({ inputs, retry: 3 as never, name: "bad" }, nothing),
    ],
  ];
  test.each(refused)("%s", async (_, code, add) => {
    const workflow = sound();
    const error = await fails(() => add(workflow), ValidationError, code);
    expect(error.message).toContain('"bad"');
    expect(workflow.hasStep("bad")).toBe(false);
    expect(errorsIn(workflow as never)).toEqual([]);
  });

  test("a class with the name of another", async () => {
    const workflow = sound();
    const add = () => workflow.addStep({ inputs: [Namesake], name: "bad" }, nothing);
    const error = await fails(add, ValidationError, "DUPLICATE_EVENT");
    expect(error.message).toContain('"draft"');
    expect(error.message).toContain("static readonly type");
    expect(workflow.hasStep("bad")).toBe(false);
  });

  test("parameters that are no object", async () => {
    await fails(() => sound().addStep(null as never, nothing), ValidationError, "INVALID_STEP");
  });
});

describe("error handlers:", () => {
  test("an unknown step is found by validate and by run", async () => {
    const workflow = sound().catchError({ steps: ["publish", "nobody"], outputs: [StopEvent] }, nothing);
    for (const check of [() => workflow.validate(), () => workflow.run("x")]) {
      const error = await fails(check, ValidationError, "UNKNOWN_STEP");
      expect(error.message).toContain('"nobody"');
    }
  });

  test("a step that is added later is known", async () => {
    const workflow = new Workflow().catchError({ steps: ["publish"], outputs: [StopEvent] }, nothing);
    workflow
      .addStep({ inputs: [StartEvent], outputs: [Draft], name: "write" }, () => new Draft("x"))
      .addStep({ inputs: [Draft], outputs: [StopEvent], name: "publish" }, () => new StopEvent("done"));
    expect(errorsIn(workflow as never)).toEqual([]);
    expect((await soon(workflow.run("x"))).data).toBe("done");
  });

  test("two for one step are found by validate and by run", async () => {
    const workflow = sound()
      .catchError({ steps: ["write"], outputs: [StopEvent] }, nothing)
      .catchError({ steps: ["publish", "write"], outputs: [StopEvent], name: "second" }, nothing);
    for (const check of [() => workflow.validate(), () => workflow.run("x")]) {
      const error = await fails(check, ValidationError, "DUPLICATE_HANDLER");
      expect(error.message).toContain('"second"');
    }
  });

  test("two for all steps are found by validate and by run", async () => {
    const workflow = sound()
      .catchError({ outputs: [StopEvent] }, nothing)
      .catchError({ outputs: [StopEvent] }, nothing);
    for (const check of [() => workflow.validate(), () => workflow.run("x")]) {
      await fails(check, ValidationError, "DUPLICATE_HANDLER");
    }
  });

  test("one for a step and one for the rest go together", () => {
    const workflow = sound()
      .catchError({ steps: ["write"], outputs: [StopEvent] }, nothing)
      .catchError({ outputs: [StopEvent] }, nothing);
    expect(errorsIn(workflow as never)).toEqual([]);
  });

  test("one that is mended is not found again", () => {
    const workflow = sound()
      .catchError({ steps: ["nobody"], name: "wrong" }, nothing)
      .removeStep("wrong");
    expect(errorsIn(workflow as never)).toEqual([]);
  });

  test("a number of recoveries that is none is refused", async () => {
    for (const maxRecoveries of [-1, 0.5, NaN]) {
      await fails(() => sound().catchError({ maxRecoveries }, nothing), ValidationError, "INVALID_OPTION");
    }
  });

  test("a step that only takes StepFailedEvent is none, and nothing leads to it", () => {
    const workflow = sound().addStep({ inputs: [StepFailedEvent], outputs: [StopEvent], name: "by itself" }, nothing);
    expect(found(workflow)).toEqual([{ code: "UNREACHABLE_STEP", step: "by itself", event: undefined }]);
  });
});

test("under strict(), the message is that of the first issue, and the others follow it, each on a line", async () => {
  const workflow = new Workflow<unknown, string, string>()
    .strict()
    .addStep({ name: "write", inputs: [StartEvent<string>], outputs: [Draft] }, nothing)
    .addStep({ name: "read", inputs: [Note], outputs: [StopEvent] }, nothing);
  const issues = workflow.validate().filter(({ severity }) => severity === "error");
  const error = await fails(() => workflow.run("x"), ValidationError, issues[0]!.code);
  const [first, second, ...rest] = error.message.split("\n");
  expect(first).toBe(issues[0]!.message);
  expect(second).toBe("Also wrong:");
  expect(rest).toEqual(issues.slice(1).map(({ code, message }) => `- ${code}: ${message}`));
});

test("warnings are about names that a build may change, and strict() does not refuse them", async () => {
  class Anonymous extends WorkflowEvent {}
  const workflow = new Workflow<unknown, string, string>()
    .strict()
    .addStep({ inputs: [StartEvent<string>], outputs: [Anonymous] }, () => new Anonymous())
    .addStep({ name: "end", inputs: [Anonymous], outputs: [StopEvent<string>] }, () => new StopEvent("end"));
  expect(workflow.validate().map(({ code, severity, step, event }) => [code, severity, step ?? event])).toEqual([
    ["UNNAMED_STEP", "warning", "step1"],
    ["UNNAMED_EVENT", "warning", "Anonymous"],
  ]);
  expect((await soon(workflow.run("x"))).data).toBe("end");
});

describe("skip", () => {
  const broken = (): Workflow =>
    new Workflow()
      .addStep({ inputs: [StartEvent], outputs: [Draft, StopEvent], name: "write" }, () => new StopEvent("done"))
      .addStep({ inputs: [Note], outputs: [StopEvent], name: "never" }, () => new StopEvent("never"));
  const codesOf = (skip: readonly ValidationCode[]): string[] =>
    broken()
      .validate({ skip })
      .map(({ code }) => code);

  test("leaves out the codes that it names, and no others", () => {
    expect(codesOf([])).toEqual(["NEVER_PRODUCED", "NEVER_CONSUMED", "UNREACHABLE_STEP"]);
    expect(codesOf(["UNREACHABLE_STEP"])).toEqual(["NEVER_PRODUCED", "NEVER_CONSUMED"]);
    expect(codesOf(["UNREACHABLE_STEP", "NEVER_CONSUMED", "NEVER_PRODUCED", "DEAD_END"])).toEqual([]);
  });

  test("leaves out warnings", () => {
    const unnamed = new Workflow().addStep({ inputs: [StartEvent], outputs: [StopEvent] }, () => new StopEvent());
    expect(unnamed.validate().map(({ code }) => code)).toEqual(["UNNAMED_STEP"]);
    expect(unnamed.validate({ skip: ["UNNAMED_STEP"] })).toEqual([]);
  });

  test("lets a strict workflow run", async () => {
    await fails(() => broken().strict().run(0), ValidationError, "NEVER_PRODUCED");
    const strict = broken().strict({ skip: ["NEVER_PRODUCED", "NEVER_CONSUMED", "UNREACHABLE_STEP"] });
    expect((await soon(strict.run(0))).data).toBe("done");
  });

  test("does not let a workflow run that cannot", async () => {
    const empty = new Workflow().strict({ skip: ["NO_STEPS"] });
    await fails(() => empty.run(0), ValidationError, "NO_STEPS");
  });

  test.each([
    ["UNREACHABEL_STEP", "UNREACHABLE_STEP"],
    ["dead_end", "DEAD_END"],
    ["NeverConsumed", "NEVER_CONSUMED"],
    ["RUN_TIMEOUT", undefined],
  ])("refuses the code %s, and names the nearest", async (code, nearest) => {
    for (const check of ["validate", "strict"] as const) {
      const error = await fails(() => broken()[check]({ skip: [code as never] }), ValidationError, "INVALID_OPTION");
      expect(error.message).toContain(code);
      expect(error.message).toContain(nearest === undefined ? "It has `NO_STEPS`" : `did you mean \`${nearest}\``);
    }
  });

  test.each([["DEAD_END"], [7], [null], [{}]])("refuses the list %j", async (skip) => {
    await fails(() => broken().validate({ skip: skip as never }), ValidationError, "INVALID_OPTION");
    await fails(
      () => broken().validate({ skip: [skip === "DEAD_END" ? 5 : skip] as never }),
      ValidationError,
      "INVALID_OPTION",
    );
  });
});
