// A run that asks a person, in one process: the step waits for an event, and the reader of the stream sends it.
//
//   node examples/human-in-the-loop.mjs            asks in the terminal; answers can also come through a pipe
//   node examples/human-in-the-loop.mjs yes        the arguments are the answers, in order
import { createInterface } from "node:readline";
import { CancelledError, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow } from "stepstream";

const LONGEST = 40;

class Question extends InputRequiredEvent {
  static type = "question";
}

class Answer extends HumanResponseEvent {
  static type = "answer";
}

const workflow = new Workflow({ name: "headline", timeout: null }); // People take their time.

workflow.addStep(
  { name: "approve", inputs: [StartEvent], outputs: [StopEvent] },
  async ({ waitForEvent }, { data: proposal }) => {
    let headline = proposal;
    for (;;) {
      const fits = headline.length <= LONGEST;
      const ask = new Question(fits ? `Publish "${headline}"?` : `"${headline}" is longer than ${LONGEST} characters.`);
      // `ask` is published in the stream. Then the step waits until an answer is sent into the run.
      const { data: answer } = await waitForEvent(Answer, { ask });
      if (fits && /^y(es)?$/i.test(answer)) return new StopEvent(headline);
      if (/^no?$/i.test(answer)) return new StopEvent(undefined);
      if (!/^y(es)?$/i.test(answer)) headline = answer;
    }
  },
);

const given = process.argv.slice(2);
const input = given.length > 0 ? undefined : createInterface({ input: process.stdin });
const answers = input === undefined ? given.values() : input[Symbol.asyncIterator]();
const run = workflow.run("Workflows that ask before they act");

for await (const event of run) {
  if (!(event instanceof Question)) continue;
  console.log(`${event.data} (yes, no, or a better headline)`);
  const { value: answer } = await answers.next();
  if (answer === undefined) {
    run.cancel("there was no answer");
    break;
  }
  run.sendEvent(new Answer(answer.trim()));
}
input?.close();

try {
  const { data: headline } = await run;
  console.log(headline === undefined ? "Nothing is published." : `Published: ${headline}`);
} catch (error) {
  if (!(error instanceof CancelledError)) throw error;
  console.error(`Nothing is published: ${error.cause}.`);
  process.exitCode = 1;
}
