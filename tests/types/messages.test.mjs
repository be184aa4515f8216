// What the compiler says about wrong steps and runs: within the first two lines of its message stands what is wrong, and what would be right.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compilers, messagesOf } from "./kit.mjs";

const head = `
import { StartEvent, StopEvent, Workflow, WorkflowEvent, collect, step } from "stepstream";
class DraftEvent extends WorkflowEvent<{ text: string }> {}
class ScoreEvent extends WorkflowEvent<{ score: number }> {}
const workflow = new Workflow<{ model: string }, string, string>();
export class Stories extends Workflow<{ model: string }, string, string> {}
export { DraftEvent, ScoreEvent, collect, StartEvent, StopEvent, step, workflow };
`;

/** Each program's last statement is wrong in one way; the text stands in the first two lines of the message. */
const wrong = {
  "output-of-another-class": [
    `workflow.addStep({ inputs: [DraftEvent], outputs: [ScoreEvent] }, (_, draft) => draft);`,
    `returns: DraftEvent; "but outputs are": [ScoreEvent]`,
  ],
  "output-of-another-class-among-right-ones": [
    `workflow.addStep({ inputs: [DraftEvent], outputs: [ScoreEvent, StopEvent] }, async (_, draft) => {
       if (draft.data.text === "") return;
       return draft.data.text === "x" ? new ScoreEvent({ score: 1 }) : draft;
     });`,
    `returns: DraftEvent; "but outputs are": [ScoreEvent, StopEvent<string>]`,
  ],
  "output-with-other-data": [
    `workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent<string>] }, () => new StopEvent(1));`,
    `returns: StopEvent<number>; "but outputs are": [StopEvent<string>]`,
  ],
  "bare-stop-with-other-data": [
    `workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent] }, async () => new StopEvent(1));`,
    `returns: StopEvent<number>; "but outputs are": [StopEvent<string>]`,
  ],
  "output-that-is-no-event": [
    `workflow.addStep({ inputs: [DraftEvent], outputs: [ScoreEvent] }, () => "text");`,
    `returns: string; "but outputs are": [ScoreEvent]`,
  ],
  "output-that-is-no-event-later": [
    `workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent] }, async () => ({ data: "text" }));`,
    `returns: { data: string; }; "but outputs are": [StopEvent<string>]`,
  ],
  "array-of-another-class": [
    `workflow.addStep({ inputs: [DraftEvent], outputs: [[ScoreEvent]] }, (_, draft) => [draft]);`,
    `returns: DraftEvent[]; "but outputs are": [ScoreEvent]`,
  ],
  "array-that-is-an-input": [
    `workflow.addStep({ inputs: [collect(DraftEvent)], outputs: [] }, (_, draft: DraftEvent) => undefined);`,
    `takes: [draft: DraftEvent]; "but inputs are": [DraftEvent[]]`,
  ],
  "output-of-a-step-without": [
    `workflow.addStep({ inputs: [DraftEvent], outputs: [] }, (_, draft) => draft);`,
    `returns: DraftEvent; "but outputs are": []`,
  ],
  "undeclared-output-that-is-no-event": [
    `workflow.addStep({ inputs: [DraftEvent] }, () => "text");`,
    `returns: string; "but a step returns": "an event, an array of events, or nothing"`,
  ],
  "output-of-an-error-handler": [
    `workflow.catchError({ outputs: [ScoreEvent] }, () => new StopEvent("text"));`,
    `returns: StopEvent<string>; "but outputs are": [ScoreEvent]`,
  ],
  "output-of-a-decorated-method": [
    `export class Wrong extends Stories {
       @step({ inputs: [DraftEvent], outputs: [ScoreEvent] })
       tell() { return new StopEvent("text"); }
     }`,
    `returns: StopEvent<string>; "but outputs are": [ScoreEvent]`,
  ],
  "input-of-another-class": [
    `workflow.addStep({ inputs: [DraftEvent] }, (_, score: ScoreEvent) => void score);`,
    `takes: [score: ScoreEvent]; "but inputs are": [DraftEvent]`,
  ],
  "input-of-a-decorated-method": [
    `export class Wrong extends Stories {
       @step({ inputs: [DraftEvent] })
       tell(_: unknown, score: ScoreEvent) { void score; }
     }`,
    `takes: [score: ScoreEvent]; "but inputs are": [DraftEvent]`,
  ],
  "start-that-run-does-not-make": [
    `workflow.addStep({ inputs: [StartEvent<number>] }, () => undefined);`,
    `takes: StartEvent<number>; "but run is given": string`,
  ],
  "stop-that-is-not-the-result": [
    `workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent<number>] }, () => undefined);`,
    `returns: StopEvent<number>; "but the result is": string`,
  ],
  "undeclared-stop-that-is-not-the-result": [
    `workflow.addStep({ inputs: [DraftEvent] }, () => new StopEvent(1));`,
    `returns: StopEvent<number>; "but the result is": string`,
  ],
  "await-without-data": [
    `await workflow.run("text");`,
    `'RunWithoutData<{ model: string; }, string, string>' is not assignable to method's 'this' of type 'WorkflowContext<`,
  ],
  "then-without-data": [
    `workflow.run("text").then(() => undefined);`,
    `'RunWithoutData<{ model: string; }, string, string>' is `,
  ],
  "iteration-without-data": [
    `for await (const event of workflow.run("text")) void event;`,
    `'RunWithoutData<{ model: string; }, string, string>' must have a '[Symbol.asyncIterator]()'`,
  ],
  "use-without-data": [
    `workflow.run("text").sendEvent(new DraftEvent({ text: "" }));`,
    `'sendEvent' does not exist on type 'RunWithoutData<{ model: string; }, string, string>'`,
  ],
};

const programs = Object.fromEntries(Object.entries(wrong).map(([name, [program]]) => [name, head + program]));

for (const compiler of Object.keys(compilers)) {
  const messages = messagesOf(compiler, { ...programs, right: head });
  test(`${compiler} TypeScript: a right program has no message`, () => assert.deepEqual(messages.right, []));
  for (const [name, [, text]] of Object.entries(wrong)) {
    test(`${compiler} TypeScript: ${name.replaceAll("-", " ")}`, () => {
      assert.equal(messages[name].length, 1, `one message, and not:\n${messages[name].flat().join("\n")}`);
      const start = messages[name][0].slice(0, 2).join("\n");
      assert.ok(start.includes(text), `${text}\nis not in\n${start}`);
    });
  }
}
