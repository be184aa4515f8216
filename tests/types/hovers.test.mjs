// What an editor shows under the pointer: the types of the package by the names under which they can be imported, and nothing behind them.
import assert from "node:assert/strict";
import { test } from "node:test";
import ts from "typescript";
import { serviceFor } from "./kit.mjs";

const program = `
import { HumanResponseEvent, StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
class DraftEvent extends WorkflowEvent<{ text: string }> {}
class AnswerEvent extends HumanResponseEvent<string> {}
interface Data { readonly model: string }
const /*workflow*/workflow = new Workflow<Data, string, number>();
workflow./*addStep*/addStep(
  { /*inputs*/inputs: [StartEvent], /*outputs*/outputs: [DraftEvent, StopEvent] },
  async (/*context*/context, /*event*/event) => {
    const /*answer*/answer = await context./*waitForEvent*/waitForEvent(AnswerEvent, { /*where*/where: (/*candidate*/candidate) => candidate.data === "" });
    const /*pair*/pair = context./*collectEvents*/collectEvents(event, [DraftEvent, AnswerEvent]);
    void [context./*signal*/signal, context./*store*/store, context./*data*/data, context./*workflows*/workflows, pair];
    return answer.data === "" ? new DraftEvent({ text: "" }) : new /*stop*/StopEvent(event.data.length);
  },
);
workflow./*catchError*/catchError({ outputs: [StopEvent] }, (_, /*failed*/failed) => new StopEvent(failed.data./*attempts*/attempts));
const /*run*/run = workflow./*runMethod*/run("text", { model: "" });
const /*lacking*/lacking = workflow.run("text");
const /*given*/given = lacking./*with*/with({ model: "" });
const /*result*/result = await run;
const /*recovered*/recovered = workflow./*recover*/recover(run.snapshot());
for await (const /*streamed*/streamed of given) void streamed;
const /*around*/around = new Workflow<Data, string, number>().addWorkflows({ inner: workflow });
around.addStep({ inputs: [StartEvent] }, async ({ workflows }) => {
  const /*nested*/nested = await workflows.inner./*nestedRun*/run("text");
  void nested;
});
void [result, recovered];
`;

const { service, file } = serviceFor(program);

/** What is shown at each mark. */
const shown = Object.fromEntries(
  [...program.matchAll(/\/\*(\w+)\*\//g)].map(({ 0: mark, 1: name, index }) => {
    const info = service.getQuickInfoAtPosition(file, index + mark.length);
    return [name, info];
  }),
);
const textOf = (name) => ts.displayPartsToString(shown[name].displayParts).replace(/\s+/g, " ");

test("the program compiles", () => {
  const problems = [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)];
  assert.deepEqual(
    problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
    [],
  );
});

const expected = {
  workflow: "const workflow: Workflow<Data, string, number, NoSlots, unknown>",
  context: "(parameter) context: HandlerContext<Data, NoSlots, unknown>",
  event: "(parameter) event: StartEvent<string>",
  answer: "const answer: AnswerEvent",
  candidate: "(parameter) candidate: AnswerEvent",
  pair: "const pair: [DraftEvent, AnswerEvent] | null",
  waitForEvent:
    "(property) HandlerContext<Data, NoSlots, unknown>.waitForEvent: <typeof AnswerEvent>(input: typeof AnswerEvent, " +
    "options?: WaitOptions<AnswerEvent> | undefined) => Promise<AnswerEvent>",
  signal: "(property) HandlerContext<Data, NoSlots, unknown>.signal: AbortSignal",
  store: "(property) HandlerContext<Data, NoSlots, unknown>.store: Store",
  data: "(property) HandlerContext<Data, NoSlots, unknown>.data: Data",
  workflows: "(property) HandlerContext<Data, NoSlots, unknown>.workflows: {}",
  stop: "(alias) new StopEvent<number>(data: number): StopEvent<number> import StopEvent",
  failed: "(parameter) failed: StepFailedEvent",
  attempts: "(property) StepFailure.attempts: number",
  run: "const run: WorkflowContext<Data, string, number>",
  runMethod:
    "(method) Workflow<Data, string, number, NoSlots, unknown>.run<{ model: string; }>(input: string | StartEvent<string>, " +
    "data?: { model: string; } | undefined, options?: RunOptions | undefined): WorkflowContext<Data, string, number>",
  lacking: "const lacking: RunWithoutData<Data, string, number>",
  given: "const given: WorkflowContext<Data, string, number>",
  result: "const result: StopEvent<number>",
  recovered: "const recovered: WorkflowContext<Data, string, number>",
  streamed: "const streamed: WorkflowEvent<unknown>",
  nested: "const nested: StopEvent<number>",
};
for (const [name, text] of Object.entries(expected)) {
  test(`the hover on ${name}`, () => assert.equal(textOf(name), text));
}

test("the hover on addStep names the events that are declared, and those that the handler gets and returns", () => {
  const text = textOf("addStep");
  const declared = "AddStepParameters<readonly [StartEvent<unknown>], readonly [DraftEvent, StopEvent<unknown>]>";
  assert.ok(text.includes(declared), text);
  assert.ok(text.includes("event: StartEvent<string>) => Promise<DraftEvent | StopEvent<number>>"), text);
});

/** What the program itself, the language and the platform have. */
const KNOWN = new Set([
  "Data",
  "DraftEvent",
  "AnswerEvent",
  "AbortSignal",
  "Promise",
  "Uint8Array",
  "ArrayBuffer",
  "ArrayBufferLike",
]);

test("every type in every hover can be imported from the package", () => {
  const checker = service.getProgram();
  const index = checker.getSourceFiles().find(({ fileName }) => fileName.endsWith("/stepstream/index.d.ts"));
  const symbol = checker.getTypeChecker().getSymbolAtLocation(index);
  const exported = new Set(
    checker
      .getTypeChecker()
      .getExportsOfModule(symbol)
      .map(({ name }) => name),
  );
  for (const [name, info] of Object.entries(shown)) {
    const names = info.displayParts
      .filter(({ kind }) => ["className", "interfaceName", "aliasName", "enumName"].includes(kind))
      .map(({ text }) => text);
    const strange = names.filter((type) => !exported.has(type) && !KNOWN.has(type));
    assert.deepEqual(strange, [], `in the hover on ${name}: ${textOf(name)}`);
    assert.ok(!/\bany\b/.test(textOf(name)), `the hover on ${name} says any: ${textOf(name)}`);
  }
});

test("every hover on the package's own members comes with a description", () => {
  for (const name of [
    "addStep",
    "catchError",
    "runMethod",
    "with",
    "recover",
    "waitForEvent",
    "collectEvents",
    "where",
    "inputs",
    "outputs",
  ]) {
    assert.notEqual(ts.displayPartsToString(shown[name].documentation), "", name);
  }
});
