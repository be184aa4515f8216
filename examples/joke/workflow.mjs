// The workflow: one step asks for a joke, the next one asks for a critique. The text of the model goes into the stream
// as it arrives.
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

/** A complete joke. */
export class JokeEvent extends WorkflowEvent {
  static type = "joke";
}

/** A piece of the model's text, for the reader of the stream. No step takes it. */
export class TextEvent extends WorkflowEvent {
  static type = "text";
}

export const workflow = new Workflow({ name: "joke", timeout: 120 });

workflow.addStep({ name: "tell", inputs: [StartEvent], outputs: [JokeEvent] }, async (context, { data: topic }) => {
  return new JokeEvent(await write(context, `Tell me a short joke about ${topic}.`));
});

workflow.addStep({ name: "judge", inputs: [JokeEvent], outputs: [StopEvent] }, async (context, { data: joke }) => {
  const critique = await write(
    context,
    `Say in two sentences what is good and what is bad about this joke:\n\n${joke}`,
  );
  return new StopEvent({ joke, critique });
});

/** Calls the model, which is the data of the run, and passes on its text in pieces. */
async function write({ data: llm, signal, writeEventToStream }, prompt) {
  let whole = "";
  for await (const text of llm.streamComplete(prompt, { maxTokens: 120, signal })) {
    writeEventToStream(new TextEvent(text));
    whole += text;
  }
  return whole;
}
